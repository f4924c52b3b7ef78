import { once } from 'node:events';
import { expect, it } from 'vitest';
import { CallbackErrors } from './callback-errors.ts';

async function warningOf(note: () => void): Promise<string> {
  const warned = once(process, 'warning');
  note();
  const [warning] = (await warned) as [Error];
  return warning.message;
}

it('tells of each kind once, in one line, whatever a client had put into names and messages', async () => {
  const errors = new CallbackErrors();
  const name = 'route:\r\n[error] forged\u001b[2J';
  const note = () => errors.note(name, 'name', new Error('a\nb\u2028c\u202ed'));
  const message = await warningOf(note);
  expect(message).toBe(
    String.raw`name of route:\u{d}\u{a}[error] forged\u{1b}[2J threw: Error: a\u{a}b\u{2028}c\u{202e}d`,
  );
  note();
  expect(errors.report()).toMatchObject([{ target: name, callback: 'name', count: 2 }]);
});

it('keeps no more of an error than a line shows', async () => {
  const errors = new CallbackErrors();
  const message = await warningOf(() => errors.note('upstream:a', 'classify', 'x'.repeat(1e6)));
  expect(message.length).toBeLessThan(600);
  expect(errors.report()[0]?.lastError.length).toBeLessThan(600);
});

it('keeps two hundred kinds', () => {
  const errors = new CallbackErrors();
  const silenced = process.emitWarning;
  process.emitWarning = () => {};
  try {
    for (let i = 0; i < 1_000; i++) errors.note(`upstream:${i}`, 'classify', new Error('x'));
  } finally {
    process.emitWarning = silenced;
  }
  const report = errors.report();
  expect(report).toHaveLength(201);
  expect(report.at(-1)).toMatchObject({ target: 'other targets', callback: 'callbacks', count: 800 });
});
