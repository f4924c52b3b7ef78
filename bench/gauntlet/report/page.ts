import type { Cell, Results, ScenarioResult } from '../results.ts';
import { advantage, cellOf } from '../results.ts';
import { CELL_HEAD, cellRow, interval, share } from './format.ts';

const CHARTS = '../bench/gauntlet/results';

/** `docs/gauntlet.md`, from the results alone. */
export function page(results: Results): string {
  return [
    ...introduction(results),
    ...overview(results),
    ...contenderList(results),
    ...comparison(results),
    ...wider(results),
    '## By scenario\n',
    ...results.scenarios.flatMap(scenarioSection),
  ].join('\n');
}

function introduction({ figures, seeds }: Results): string[] {
  const { hosts, serversPerHost, queuePerHost, serviceMs, sigma } = figures;
  const { perSecond, deadlineMs, idempotentShare, afterMs, warmUpMs } = figures;
  return [
    '# The gauntlet: faults against what protects from them\n',
    'Written by `npm run gauntlet`, from `bench/gauntlet/results/gauntlet.json`. Do not edit.\n',
    `Each contender calls the same upstream through the same faults in virtual time: ${hosts} hosts of ${serversPerHost} servers, ${serviceMs} ms`,
    `a request (log-normal, sigma ${sigma}), a queue of ${queuePerHost} a host. A host works on what it has taken whether or not somebody`,
    `still waits. Requests come open-loop, ${perSecond} a second (Poisson) unless a scenario says otherwise; their callers are gone after`,
    `${deadlineMs} ms, and ${idempotentShare * 100} % are safe to repeat. Libraries run their published code; their timers, \`Date\` and`,
    '`Math.random` are the harness’s. Every contender but “none” is told when the caller goes, where its interface has a place for it.\n',
    `A fault is up to ${figures.stretch * 100} % longer or shorter than its scenario says, by the seed, so that no open time happens to fit it.\n`,
    `Measured from the fault's start to ${afterMs / 1_000} s after its end, after ${warmUpMs / 1_000} s of healthy traffic. The ratio is that of good`,
    'answers (in time, no error) to those of an oracle, in the same seeds, with the same requests and the same luck:',
    `mean and half of the 95 % confidence interval over ${seeds.length} seeds (${seeds.join(', ')}).\n`,
    '- *time wasted*: the share of the servers’ time that went into work which nobody had an answer of;',
    '- *extra attempts*: beyond the first, for each request;',
    '- *refused with room*: the share of requests never sent though a server would have begun with them at once;',
    '- *unsafe*: requests not safe to repeat on which work was begun twice, in all seeds;',
    `- *recovery*: from the fault's end until ${figures.recoveredShare * 100} % of the share of good answers before it, held for ${figures.recoveredForMs / 1_000} s.\n`,
  ];
}

function overview({ scenarios, contenders }: Results): string[] {
  const names = contenders.map(({ name }) => name).slice(1);
  const rows = scenarios.map((scenario) => [
    `[${scenario.title}](#${anchor(scenario.title)})`,
    ...names.map((name) => {
      const ratio = cellOf(scenario, name)?.ratio.mean;
      return ratio === undefined ? '' : share(ratio);
    }),
  ]);
  return [
    '## Good answers as a ratio to the oracle’s\n',
    `![The same as a picture](${CHARTS}/overview.svg)\n`,
    ...table(['scenario', ...names], rows),
    '',
  ];
}

function contenderList({ contenders }: Results): string[] {
  return [
    '## The contenders\n',
    'One setting each, the same in all scenarios: as documented, and tuned by hand for this load, on a seed that is not reported.\n',
    ...contenders.map(({ name, about }) => `- **${name}**: ${about}`),
    '',
  ];
}

/** Where a tier of healix is below somebody else, by more than chance. */
function comparison({ scenarios, contenders }: Results): string[] {
  const ours = contenders.map(({ name }) => name).filter((name) => name.startsWith('healix'));
  const rows = ours.flatMap((name) =>
    scenarios.flatMap((scenario) => {
      const one = cellOf(scenario, name);
      return one === undefined ? [] : aheadOf(one, scenario).map((row) => [name, scenario.title, ...row]);
    }),
  );
  if (rows.length === 0) return [];
  return [
    '## Where healix is behind\n',
    'Paired differences in the same seeds whose interval lies below 0.\n',
    ...table(['', 'scenario', 'behind', 'by'], rows),
    '',
  ];
}

function aheadOf(one: Cell, { cells }: ScenarioResult): string[][] {
  return cells.slice(1).flatMap((other) => {
    if (other.contender.startsWith('healix')) return [];
    const found = advantage(one, other);
    return found.high < 0
      ? [[other.contender, interval({ mean: -found.mean, low: -found.high, high: -found.low })]]
      : [];
  });
}

function wider({ wide, scenarios }: Results): string[] {
  if (wide.scenarios.length === 0) return [];
  const rows = wide.scenarios.flatMap((scenario) =>
    scenario.cells.slice(1).map((cell) => {
      const usual = scenarios.find(({ name }) => name === scenario.name);
      const before = usual && cellOf(usual, cell.contender);
      return [
        scenario.title,
        cell.contender,
        before === undefined ? '' : share(before.ratio.mean),
        interval(cell.ratio),
      ];
    }),
  );
  return [
    `## A wider service time (sigma ${wide.sigma})\n`,
    ...table(['scenario', 'contender', 'ratio', `ratio at sigma ${wide.sigma}`], rows),
    '',
  ];
}

function scenarioSection({ name, title, about, cells }: ScenarioResult): string[] {
  return [
    `### ${title}\n`,
    `${about}\n`,
    `![Bars of the ratios](${CHARTS}/${name}.svg)\n`,
    ...table(CELL_HEAD, cells.map(cellRow)),
    '',
  ];
}

function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}

/** As GitHub makes it of a heading. */
function anchor(title: string): string {
  return title
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}
