import type { Results, ScenarioResult } from '../results.ts';
import { CELL_HEAD, cellRow } from './format.ts';

export function printResults({ scenarios, wide }: Results): void {
  for (const scenario of scenarios) printScenario(scenario, '');
  for (const scenario of wide.scenarios) printScenario(scenario, `, sigma ${wide.sigma}`);
}

function printScenario({ title, cells }: ScenarioResult, variant: string): void {
  const rows = [CELL_HEAD, ...cells.map(cellRow)];
  const widths = CELL_HEAD.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  console.log(`\n${title}${variant}`);
  for (const row of rows) {
    const padded = row.map((text, column) =>
      column === 0 ? text.padEnd(widths[0] ?? 0) : text.padStart(widths[column] ?? 0),
    );
    console.log(`  ${padded.join('  ')}`);
  }
}
