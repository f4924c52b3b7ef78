/** A rule of the protocol (docs/protocol.md), what it says in code, and the scenario that fails without it. */
export interface Switch {
  readonly name: string;
  /** A file of packages/core/src; or a script, `record` being what all scripts share. */
  readonly file: string;
  /** Occurs exactly once there. */
  readonly find: string;
  readonly replace: string;
  readonly fails: string;
}

const script = (name: string) => `store/redis/${name}.lua`;

export const switches: readonly Switch[] = [
  {
    name: 'R1 evidence of an earlier epoch does not count',
    file: script('report'),
    find: "elseif text(input.eid) ~= r.eid or r.st == 'open' then",
    replace: "elseif r.st == 'open' then",
    fails: 'evidence arrives after the outage that it tells of',
  },
  {
    name: 'R2 another primary begins another epoch',
    file: script('record'),
    find: "if run == '' or r.run == run then return end",
    replace: 'do return end',
    fails: 'a failover loses leases',
  },
  {
    name: 'R3 a view never moves down',
    file: 'fleet/shared-circuit.ts',
    find: 'if (view.epoch < mine.epoch) return true;',
    replace: '',
    fails: 'a failover loses the trip',
  },
  {
    name: 'R4 who believes that it is open says so',
    file: script('seed'),
    find: "r.st, r.n = 'open', math.min(whole(input.n), 30)",
    replace: 'r.n = math.min(whole(input.n), 30)',
    fails: 'emptied while open, and who has missed the trip speaks first',
  },
  {
    name: 'R4 what has closed alone stays closed',
    file: 'fleet/shared-circuit.ts',
    find: 'if (!this.#hasOvercome(view, mine, now)) this.#hold(view, now);',
    replace: 'this.#hold(view, now);',
    fails: 'what has closed without Redis stays closed when it is back',
  },
  {
    name: 'R5 times from a clock that was ahead are repaired',
    file: script('record'),
    find: "if r.st == 'open' and r['until'] > now + r.dur then r['until'] = now + r.dur end",
    replace: '',
    fails: 'the clock is an hour back after a failover',
  },
  {
    name: 'R6 who is open here keeps the window that opened it',
    file: 'fleet/evidence.ts',
    find: 'this.#frozen ?? this.#count(now)',
    replace: 'this.#count(now)',
    fails: 'two locally open replicas of four, further apart than a window, are half of them',
  },
  {
    name: 'R7 all who use the target are asked',
    file: script('report'),
    find: 'asked[#asked + 1] = r.target',
    replace: '',
    fails: 'two bad replicas of five',
  },
  {
    name: 'R8 the quorum is one of those that report',
    file: script('report'),
    find: 'number(terms.quorum) * s.reporters',
    replace: "number(terms.quorum) * redis.call('ZCARD', members)",
    fails: 'three of twelve are called, and all calls fail',
  },
  {
    name: 'R8 one replica does not open the fleet',
    file: script('report'),
    find: '(s.failing >= quorum and byRate(s, terms))',
    replace: '(s.calls >= number(terms.minimumCalls) and s.failures / s.calls >= number(terms.failureRate))',
    fails: 'one bad replica with thirty times the traffic, and noise',
  },
  {
    name: 'R8 a report that is not told any more does not count',
    file: script('record'),
    find: 'or now - at > 2000',
    replace: '',
    fails: 'a bad replica is started anew again and again',
  },
  {
    name: 'R8 a new process tells nothing yet',
    file: 'fleet/fleet.ts',
    find: ' || now < this.#silentUntil',
    replace: '',
    fails: 'a bad replica is started anew again and again',
  },
  {
    name: 'R9 nobody is alone before the membership is old enough',
    file: script('report'),
    find: 'born > 0 and now - born > 10000',
    replace: 'true',
    fails: 'emptied, and one bad replica speaks first',
  },
  {
    name: 'R10 at most so many probes an epoch',
    file: script('claim'),
    find: 'if r.grants >= probes then',
    replace: 'if false then',
    fails: 'an upstream that fails and comes back',
  },
  {
    name: 'R10 a lease is used only while it lasts',
    file: 'fleet/leased-trial.ts',
    find: 'now >= lease.usableFrom && now <= lease.usableUntil ? 1 : 0',
    replace: 'now >= lease.usableFrom ? 1 : 0',
    fails: 'all probers are frozen past their leases',
  },
  {
    name: 'R11 a lease that has ended was used',
    file: script('claim'),
    find: "lease.state = 'used'",
    replace: "lease.state, r.grants = 'used', r.grants - 1",
    fails: 'probers are killed',
  },
  {
    name: 'R12 most of the probes decide',
    file: script('settle'),
    find: 'r.ko > r.p - needed',
    replace: 'r.ko > 0',
    fails: 'the upstream fails every third probe',
  },
  {
    name: 'R12 a verdict is told until it was heard',
    file: 'fleet/probing.ts',
    find: 'if (reply !== undefined && this.#pending === pending) {',
    replace: 'if (this.#pending === pending) {',
    fails: 'Redis is down for 300 ms when a verdict is told',
  },
  {
    name: 'R13 a lease that waits for a call is renewed',
    file: script('renew'),
    find: 'if r.want > 0 and now - r.want <= 1000 then return end',
    replace: 'do return end',
    fails: 'a call every eight seconds',
  },
  {
    name: 'R13 who has given back a lease waits for a call',
    file: 'fleet/probing.ts',
    find: 'if (!isReady || this.#awaitsCall || !this.#hasTraffic(now)) return undefined;',
    replace: 'if (!isReady || !this.#hasTraffic(now)) return undefined;',
    fails: 'a call every eight seconds',
  },
  {
    name: 'R14 only a write tells whether the store is there',
    file: 'store/insured-store.ts',
    find: 'this.#failingSince ??= began;',
    replace: '',
    fails: 'Redis becomes read-only while open',
  },
  {
    name: 'R15 another decision in between is a conflict',
    file: script('force'),
    find: 'if r.fv ~= base then return { accepted = false } end',
    replace: '',
    fails: 'two people decide at once',
  },
  {
    name: 'R15 a decision that was lost is told again',
    file: script('seed'),
    find: 'if whole(input.fv) > r.fv then takeForced(r, input) end',
    replace: '',
    fails: 'a failover loses a decision',
  },
  {
    name: 'R16 a reader that is ahead of the stream starts again',
    file: 'fleet/news-reader.ts',
    find: 'if (this.#cursor === undefined || compareIds(this.#cursor, last) <= 0) return;',
    replace: 'return;',
    fails: 'readers are ahead of the stream',
  },
  {
    name: 'R17 news that leap too far are not believed',
    file: 'fleet/shared-circuit.ts',
    find: 'if (view.epoch - (mine?.epoch ?? 0) > GREATEST_LEAP) return false;',
    replace: '',
    fails: 'the stream tells what cannot be',
  },
];

export function findSwitch(name: string): Switch {
  const found = switches.find((known) => known.name === name);
  if (found === undefined) throw new Error(`no switch is called ${name}`);
  return found;
}
