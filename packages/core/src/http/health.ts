import type { Answer } from './answers.ts';

/** What the health endpoint tells about: a runtime. */
export interface HealthSource {
  readonly closing: boolean;
  status(): { readonly status: string; readonly reasons: readonly string[] };
  /** Prometheus' text format. */
  metrics(): Promise<string>;
}

export interface HealthOptions {
  /** Tell about every target, not only the process as a whole. Default: false. */
  details?: boolean | undefined;
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };
const PROMETHEUS_TYPE = {
  'content-type': 'text/plain; version=0.0.4; charset=utf-8',
  'cache-control': 'no-store',
};

/**
 * Answers below a health endpoint: `/` the health of the process, `/live` whether it runs at all, `/ready`
 * whether it wants traffic (503 once it is closing), `/metrics` for Prometheus. Undefined for other paths.
 */
export async function answerHealth(
  runtime: HealthSource,
  subpath: string,
  { details = false }: HealthOptions = {},
): Promise<Answer | undefined> {
  switch (subpath) {
    case '':
    case '/': {
      const status = runtime.status();
      const told = details ? status : { status: status.status, reasons: status.reasons };
      return json(status.status === 'failed' ? 503 : 200, told);
    }
    case '/live':
      return json(200, { status: 'live' });
    case '/ready':
      return runtime.closing ? json(503, { status: 'closing' }) : json(200, { status: 'ready' });
    case '/metrics':
      return { status: 200, headers: PROMETHEUS_TYPE, body: await runtime.metrics() };
    default:
      return undefined;
  }
}

function json(status: number, value: unknown): Answer {
  return { status, headers: JSON_TYPE, body: JSON.stringify(value) };
}
