import { describe, expect, test } from 'vitest';
import { contenders } from './contenders.ts';
import { work } from './job.ts';
import { planOf } from './options.ts';
import { workAll } from './pool.ts';
import { overviewChart } from './report/overview-chart.ts';
import { page } from './report/page.ts';
import { scenarioChart } from './report/scenario-chart.ts';
import { resultsOf } from './results.ts';
import { scenarios } from './scenarios.ts';

const quick = (...more: string[]) => planOf(['--quick', '--scenario', 'blip', ...more]);

describe('the same seeds give the same figures', () => {
  test.each(contenders)('$name', async ({ name: contender }) => {
    const job = { scenario: 'blip', contender, seed: 2, sigma: 0.5 };
    const [one, other] = [await work(job), await work(job)];
    expect(JSON.stringify(one.measures)).toBe(JSON.stringify(other.measures));
  });

  test('byte for byte, in however many threads', async () => {
    const { jobs, seeds } = quick('--contender', 'cockatiel, tuned', '--contender', 'healix, basic');
    const files = [1, 2].map(async (threads) => {
      const results = resultsOf(await workAll(jobs, threads, () => {}), seeds);
      const charts = results.scenarios.map(scenarioChart);
      return [JSON.stringify(results), page(results), overviewChart(results), ...charts];
    });
    const [one, other] = await Promise.all(files);
    expect(one).toEqual(other);
  });
});

test('every contender meets the same requests', async () => {
  const { jobs } = quick('--seeds', '1');
  const offered = new Set<number>();
  for (const job of jobs) offered.add((await work(job)).measures.offered);
  expect(offered.size).toBe(1);
});

test('nobody does better than the oracle, by more than luck', async () => {
  for (const scenario of ['down', 'capacity-halves', 'one-host-slow']) {
    const goods = [];
    for (const { name } of contenders) {
      const job = { scenario, contender: name, seed: 4, sigma: 0.5 };
      goods.push((await work(job)).measures.good);
    }
    const [best, ...others] = goods as [number, ...number[]];
    expect(Math.max(...others)).toBeLessThanOrEqual(best);
  }
});

describe('options', () => {
  test('all of it, in five seeds, is kept', () => {
    const { jobs, seeds, whole } = planOf([]);
    expect([seeds, whole]).toEqual([[1, 2, 3, 4, 5], true]);
    expect(jobs.length).toBeGreaterThan(scenarios.length * contenders.length * 5);
  });

  test.each([['--quick'], ['--scenario=down'], ['--contender=none'], ['--seeds=2']])(
    '%s is not',
    (option) => {
      expect(planOf([option]).whole).toBe(false);
    },
  );

  test('a contender comes with the oracle, which it is measured by', () => {
    const { jobs } = planOf(['--quick', '--scenario', 'down', '--contender', 'none', '--seeds', '7-8']);
    expect(jobs.map(({ contender, seed }) => `${contender} ${seed}`)).toEqual([
      'oracle 7',
      'oracle 8',
      'none 7',
      'none 8',
    ]);
  });

  test.each([
    ['--seeds=none', /give a number of seeds/],
    ['--scenario=nothing', /there are steady; /],
    ['--contender=nobody', /there are oracle; none; /],
  ])('%s is wrong', (option, message) => {
    expect(() => planOf([option])).toThrow(message);
  });
});
