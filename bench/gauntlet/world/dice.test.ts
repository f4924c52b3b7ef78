import { expect, test } from 'vitest';
import { draw, FOR, logNormal } from './dice.ts';

const MANY = 100_000;

test('draws are uniform, and those of neighbours have nothing to do with each other', () => {
  let sum = 0;
  let product = 0;
  const bins = new Array<number>(10).fill(0);
  for (let id = 0; id < MANY; id++) {
    const one = draw(1, id, 0, FOR.service);
    const next = draw(1, id, 1, FOR.service);
    sum += one;
    product += (one - 0.5) * (next - 0.5);
    const bin = Math.floor(one * 10);
    bins[bin] = (bins[bin] ?? 0) + 1;
  }
  expect(Math.abs(sum / MANY - 0.5)).toBeLessThan(0.004);
  expect(Math.abs(product / MANY)).toBeLessThan(0.001);
  for (const bin of bins) expect(Math.abs(bin / MANY - 0.1)).toBeLessThan(0.005);
});

test('the same is drawn for the same, whoever asks, and something else for all else', () => {
  expect(draw(1, 2, 3, 4)).toBe(draw(1, 2, 3, 4));
  const others = [draw(2, 2, 3, 4), draw(1, 3, 3, 4), draw(1, 2, 4, 4), draw(1, 2, 3, 5)];
  expect(new Set([draw(1, 2, 3, 4), ...others]).size).toBe(5);
});

test.each([0.5, 1])('log-normal with sigma %f has its mean, and its median below it', (sigma) => {
  const values = Array.from({ length: MANY }, (_, id) =>
    logNormal(40, sigma, draw(1, id, 0, FOR.service), draw(1, id, 0, FOR.serviceTwin)),
  ).sort((a, b) => a - b);
  const mean = values.reduce((sum, value) => sum + value, 0) / MANY;
  expect(mean).toBeGreaterThan(39);
  expect(mean).toBeLessThan(41);
  expect((values[MANY / 2] as number) / (40 * Math.exp(-(sigma ** 2) / 2))).toBeCloseTo(1, 1);
});
