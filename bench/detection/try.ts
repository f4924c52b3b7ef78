import { cleanSeries } from './clean.ts';
import { faultySeries } from './faults.ts';
import { byKind, scoreOf } from './score.ts';
import { learning, threshold, watch } from './watch.ts';

const seed = Number(process.argv[2] ?? 100);
const which = process.argv[3] ?? 'both';
const W = () => (process.argv[4] ? [learning(), threshold()] : [learning(), { look: () => undefined }]);
const q = (v: number[], p: number) =>
  v.sort((a, b) => a - b)[Math.min(v.length - 1, Math.floor(p * v.length))];
if (which !== 'clean') {
  const s = faultySeries(seed);
  const all = s.map((x, i) => watch(x, seed * 1000 + i, W()));
  for (const w of [0, 1]) {
    const scores = s.map((x, i) => scoreOf(x, all[i]![w]!));
    console.log(
      w === 0 ? 'learning' : 'threshold',
      scores.filter((x) => x.delay !== undefined).length,
      '/',
      scores.length,
      'false',
      scores.reduce((a, x) => a + x.false, 0),
      'in h',
      scores.reduce((a, x) => a + x.hours, 0).toFixed(0),
    );
    for (const [k, g] of byKind(s, scores)) {
      const d = g.flatMap((x) => x.delay ?? []);
      const o = g.flatMap((x) => x.over ?? []);
      console.log(
        k.padEnd(30),
        `${d.length}/${g.length}`,
        'delay',
        q(d, 0.5),
        q(d, 0.95),
        'over',
        o.length,
        q(o, 0.5),
        q(o, 0.95),
        [...new Set(g.map((x) => x.as))].join(','),
        'missed at',
        s
          .filter((x, i) => x.kind === k && scores[i]!.delay === undefined)
          .map((x) => x.rate)
          .join(','),
        'false',
        g.reduce((a, x) => a + x.false, 0),
      );
    }
  }
}
if (which !== 'faults') {
  const only = process.env.ONLY?.split(',');
  const s = cleanSeries(seed).filter((x) => only === undefined || only.includes(x.kind));
  console.log(s.length, 'clean');
  const all = s.map((x, i) => watch(x, seed * 1000 + 500 + i, W()));
  for (const w of [0, 1]) {
    const scores = s.map((x, i) => scoreOf(x, all[i]![w]!));
    const f = scores.reduce((a, x) => a + x.false, 0),
      h = scores.reduce((a, x) => a + x.hours, 0);
    console.log(w === 0 ? 'learning' : 'threshold', 'false', f, 'h', h, 'per day', (f / h) * 24);
    for (const [k, g] of byKind(s, scores)) {
      const kinds: Record<string, number> = {};
      s.forEach((x, i) => {
        if (x.kind === k) for (const a of all[i]![w]!) kinds[a.kind] = (kinds[a.kind] ?? 0) + 1;
      });
      console.log(
        k.padEnd(22),
        g.reduce((a, x) => a + x.false, 0),
        'in h',
        g.reduce((a, x) => a + x.hours, 0),
        'series',
        g.filter((x) => x.false > 0).length,
        JSON.stringify(kinds),
      );
    }
  }
}
