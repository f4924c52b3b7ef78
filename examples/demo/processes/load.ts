// The load: an open loop, so that a slow service does not get fewer requests.
import { Agent, request } from 'node:http';
import { performance } from 'node:perf_hooks';
import type { Load, Sample } from '../messages.ts';
import { seeded } from '../random.ts';
import { PATIENCE_MS, SEED, WARM_UP_MS } from '../settings.ts';
import { listen, report } from './child.ts';

const LOOK_EVERY_MS = 5;
const TELL_EVERY_MS = 100;

const agent = new Agent({ keepAlive: true });
const random = seeded(SEED);
let samples: Sample[] = [];

function run({ services, each, rate, productShare, forMs }: Load): void {
  const names = Object.keys(services);
  let turn = 0;
  const began = performance.now() + WARM_UP_MS;
  let due = -WARM_UP_MS;
  const looking = setInterval(() => {
    const now = performance.now() - began;
    for (; due <= Math.min(now, forMs); due += nextGapMs(rate)) {
      const isLook = random() < productShare;
      const path = `/products/${Math.floor(random() * 1_000)}${isLook ? '' : '/buy'}`;
      const asked = each === 'all' ? names : names.slice(turn, turn + 1);
      turn = (turn + 1) % names.length;
      for (const service of asked)
        ask(service, services[service] + path, isLook ? 'GET' : 'POST', began, due);
    }
    if (now > forMs + PATIENCE_MS + 500) finish();
  }, LOOK_EVERY_MS);
  const telling = setInterval(flush, TELL_EVERY_MS);
  function finish(): void {
    clearInterval(looking);
    clearInterval(telling);
    flush();
    report({ type: 'done' });
  }
}

/** Random gaps, as the sum of many users has them. */
function nextGapMs(rate: number): number {
  return (-Math.log(1 - random()) * 1_000) / rate;
}

function ask(service: string, url: string, method: string, began: number, at: number): void {
  let ended = false;
  const end = (verdict: Sample['verdict']) => {
    if (ended) return;
    ended = true;
    clearTimeout(patience);
    if (at < 0) return;
    samples.push({ service, at, ms: performance.now() - began - at, verdict });
  };
  const req = request(url, { agent, method }, (res) => {
    let body = '';
    res.setEncoding('utf8');
    res.on('data', (chunk) => {
      body += chunk;
    });
    res.on('error', () => end('error'));
    res.on('end', () => {
      if (res.statusCode !== 200) end('error');
      else end('degraded' in JSON.parse(body) ? 'degraded' : 'full');
    });
  });
  // An answer that is here already, and only this process was too busy to read, is in time.
  const patience = setTimeout(() => setImmediate(giveUp), PATIENCE_MS);
  function giveUp(): void {
    end('late');
    req.destroy();
  }
  req.on('error', () => end('error'));
  req.end();
}

function flush(): void {
  if (samples.length > 0) report({ type: 'samples', samples });
  samples = [];
}

listen((order) => {
  if (order.type === 'load') run(order);
});
report({ type: 'ready', url: '' });
