import { afterEach, describe, expect, it } from 'vitest';
import { Example, eventually } from './example.ts';

let example: Example;

async function start(file: string): Promise<{ url: string; weather: string }> {
  example = new Example(file);
  const [, url, weather] = await example.says(/listening on (\S+), weather service on (\S+)/);
  return { url: url as string, weather: weather as string };
}

const post = (url: string) => fetch(url, { method: 'POST' });
const json = async (url: string) => (await (await fetch(url)).json()) as Record<string, unknown>;

afterEach(() => example.stop('SIGKILL'));

describe('examples/fastify.ts', () => {
  it('answers from the fallback while the weather service is broken, and again from it afterwards', async () => {
    const { url, weather } = await start('fastify.ts');
    expect(await json(`${url}/weather/oslo`)).toEqual({ city: 'oslo', celsius: 21 });

    await post(`${weather}/break`);
    for (let n = 0; n < 30; n++) {
      expect(await json(`${url}/weather/oslo`)).toEqual({ city: 'oslo', celsius: null });
    }
    expect(await (await fetch(`${url}/health/metrics`)).text()).toContain(
      'healix_circuit_state{target="upstream:weather",state="closed"} 0',
    );

    await post(`${weather}/mend`);
    await eventually(async () => (await json(`${url}/weather/oslo`)).celsius === 21);
  });

  it("answers 504 after a route's deadline", async () => {
    const { url } = await start('fastify.ts');
    expect((await fetch(`${url}/report?ms=1`)).status).toBe(200);

    const late = await fetch(`${url}/report?ms=5000`);
    expect(late.status).toBe(504);
    expect(late.headers.get('content-type')).toContain('application/problem+json');
  });

  it('refuses for a while on a route that always fails, and on no other', async () => {
    const { url } = await start('fastify.ts');
    for (let n = 0; n < 5; n++) expect((await fetch(`${url}/broken`)).status).toBe(500);

    const refused = await fetch(`${url}/broken`);
    expect(refused.status).toBe(503);
    expect(refused.headers.get('retry-after')).toMatch(/^[12]$/);
    expect(await refused.json()).toMatchObject({ reason: 'circuit-open', target: 'route:GET /broken' });
    expect((await fetch(`${url}/weather/oslo`)).status).toBe(200);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  it('ends when it is told to', async () => {
    await start('fastify.ts');
    expect(await example.stop()).toBe(0);
    expect(example.errors).toBe('');
  });
});

describe('examples/koa.ts', () => {
  it('refuses at once while the weather service is broken, and recovers', async () => {
    const { url, weather } = await start('koa.ts');
    expect(await json(`${url}/weather/oslo`)).toEqual({ city: 'oslo', celsius: 21 });

    await post(`${weather}/break`);
    const seen = new Set<number>();
    await eventually(async () => {
      const { status } = await fetch(`${url}/weather/oslo`);
      seen.add(status);
      return status === 503;
    });
    expect([...seen]).toEqual([500, 503]);
    expect((await json(`${url}/health`)).status).not.toBe('healthy');

    await post(`${weather}/mend`);
    await eventually(async () => (await fetch(`${url}/weather/oslo`)).status === 200);
    expect((await post(`${url}/upload`)).status).toBe(200);
  });

  it('ends when it is told to', async () => {
    await start('koa.ts');
    expect(await example.stop()).toBe(0);
    expect(example.errors).toBe('');
  });
});

describe('examples/express.ts', () => {
  it('answers from the fallback while the weather service is broken, under one target for all cities', async () => {
    const { url, weather } = await start('express.ts');
    await post(`${weather}/break`);
    for (const city of ['oslo', 'lima', 'rome']) {
      expect(await json(`${url}/weather/${city}`)).toEqual({ city, celsius: null });
    }
    const metrics = await (await fetch(`${url}/health/metrics`)).text();
    expect(metrics).toContain('healix_calls_total{target="route:GET /weather/:city",outcome="success"} 3');
    expect(metrics).not.toContain('oslo');

    await post(`${weather}/mend`);
    await eventually(async () => (await json(`${url}/weather/oslo`)).celsius === 21);
  });

  it('aborts the work of a route whose deadline is over', async () => {
    const { url } = await start('express.ts');
    const report = (ms: number) =>
      fetch(`${url}/report`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ ms }),
      });
    expect((await report(1)).status).toBe(200);
    expect((await report(600_000)).status).toBe(504);
  });

  it('refuses for a while on a route that always fails, and on no other', async () => {
    const { url } = await start('express.ts');
    for (let n = 0; n < 5; n++) expect((await fetch(`${url}/broken`)).status).toBe(500);

    const refused = await fetch(`${url}/broken`);
    expect(refused.status).toBe(503);
    expect(await refused.json()).toMatchObject({ reason: 'circuit-open', target: 'route:GET /broken' });
    expect((await fetch(`${url}/weather/oslo`)).status).toBe(200);
    expect((await fetch(`${url}/health/ready`)).status).toBe(200);
  });

  it('ends when it is told to', async () => {
    await start('express.ts');
    expect(await example.stop()).toBe(0);
    expect(example.errors).toBe('');
  });
});
