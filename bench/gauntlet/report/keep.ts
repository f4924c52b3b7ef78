import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Results } from '../results.ts';
import { overviewChart } from './overview-chart.ts';
import { page } from './page.ts';
import { scenarioChart } from './scenario-chart.ts';

const RESULTS = new URL('../results/', import.meta.url);
const JSON_FILE = new URL('gauntlet.json', RESULTS);
const PAGE = new URL('../../../docs/gauntlet.md', import.meta.url);

/** Writes `results/gauntlet.json`, and what is made of it. */
export function keep(results: Results): void {
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(JSON_FILE, `${JSON.stringify(results, null, 1)}\n`);
  writeReport();
}

/** Writes the charts and `docs/gauntlet.md` from `results/gauntlet.json`. */
export function writeReport(): void {
  const results = JSON.parse(readFileSync(JSON_FILE, 'utf8')) as Results;
  writeFileSync(new URL('overview.svg', RESULTS), overviewChart(results));
  for (const scenario of results.scenarios) {
    writeFileSync(new URL(`${scenario.name}.svg`, RESULTS), scenarioChart(scenario));
  }
  writeFileSync(PAGE, page(results));
  console.log(`written: ${RESULTS.pathname}, ${PAGE.pathname}`);
}
