import { describe, test } from 'vitest';
import { themes } from '../cases/index.ts';
import type { Case } from './case.ts';
import { Lab } from './lab.ts';
import type { Subject } from './subject.ts';

/** Declares every case in `cases/` for one adapter. */
export function conformance(subject: Subject): void {
  for (const [theme, cases] of Object.entries(themes)) {
    describe(`${subject.name}, ${theme}`, () => {
      for (const item of cases) declare(subject, item);
    });
  }
}

function declare(subject: Subject, { title, needs = [], run }: Case): void {
  const missing = needs.find((feature) => subject.lacks[feature] !== undefined);
  if (missing === undefined) test(title, () => tryOut(subject, run));
  else test.skip(`${title} (skipped: ${subject.lacks[missing]})`);
}

async function tryOut(subject: Subject, run: Case['run']): Promise<void> {
  const lab = new Lab(subject);
  const problems: unknown[] = [];
  await run(lab).catch((error) => problems.push(error));
  await lab.finish().catch((error) => problems.push(error));
  if (problems.length > 0) throw problems[0];
}
