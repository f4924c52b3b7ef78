/** A bounded number of requests under way; the others wait for their turn, as with any pool of connections. */
export class Connections {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(most: number) {
    this.#free = most;
  }

  /** Fetches and reads JSON. @throws when the answer is not 2xx, with its `status` */
  async fetchJson(
    url: string,
    init: { method?: string; headers?: Record<string, string>; signal: AbortSignal },
  ): Promise<object> {
    await this.#turn(init.signal);
    try {
      const res = await fetch(url, init);
      const body = (await res.json()) as object;
      if (!res.ok) throw Object.assign(new Error(`${url} answered ${res.status}`), { status: res.status });
      return body;
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#free++;
      else next();
    }
  }

  async #turn(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const go = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(go), 1);
        reject(signal.reason);
      };
      signal.addEventListener('abort', leave, { once: true });
      this.#waiting.push(go);
    });
  }
}
