import { expect, it } from 'vitest';
import { frameworks } from '../../examples/demo/frameworks/index.ts';
import { Example } from '../examples/example.ts';

/** Runs a curl line that the demo prints. */
async function run(line: string): Promise<Response> {
  const url = line.split(' ').at(-1) as string;
  return fetch(url, { method: line.includes('-X POST') ? 'POST' : 'GET' });
}

async function refusesConnections(url: string): Promise<boolean> {
  return fetch(url).then(
    () => false,
    () => true,
  );
}

it.for(Object.keys(frameworks))(
  '%s: stays up to be tried by hand, every line it prints works, and Ctrl-C leaves nothing behind',
  async (framework) => {
    const demo = new Example('demo/main.ts', ['--serve', '--framework', framework]);
    await demo.says(/circuits\/payments\/free\n/);
    const lines = demo.output.split('\n').flatMap((line) => /^ {2}(curl .*)$/.exec(line)?.[1] ?? []);
    expect(lines.length).toBeGreaterThan(10);

    for (const line of lines) expect(`${line}: ${(await run(line)).status}`).toBe(`${line}: 200`);
    await demo.says(/payments: fault: hang/);
    await demo.says(/payments: circuit closed -> open \(by hand\)/);

    const urls = new Set(lines.map((line) => new URL(line.split(' ').at(-1) as string).origin));
    expect(urls.size).toBe(4);
    expect(await demo.stop('SIGINT')).toBe(0);
    for (const url of urls) expect(await refusesConnections(url)).toBe(true);
    expect(demo.errors).toBe('');
  },
);
