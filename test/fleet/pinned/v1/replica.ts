import { randomUUID } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { readScripts } from '../scripts.ts';
import { claimTerms, type Entry, openTerms, type Reply, terms, type View } from './messages.ts';

const STEP_MS = 50;
const BEAT_MS = 500;
const CLAIM_AHEAD_MS = 250;
const CLAIM_AGAIN_MS = 150;
const { version, scripts } = readScripts(fileURLToPath(new URL('.', import.meta.url)));

interface Lease {
  readonly token: string;
  readonly eid: string;
  readonly usableUntil: number;
}

/** The least that makes a replica of version 1, for one target: with that version's scripts and messages, over a raw client. */
export class ReplicaV1 {
  readonly name = `v1-${randomUUID()}`;
  readonly #commands: Redis;
  readonly #news: Redis;
  readonly #tag: string;
  readonly #target: string;
  readonly #upstream: string;
  #view: View | undefined;
  #until = 0;
  #run = '';
  #live = 0;
  #streak = 0;
  #calls: { at: number; ok: boolean }[] = [];
  #lease: Lease | undefined;
  #verdict: { lease: Lease; ok: boolean } | undefined;
  #nextClaim = 0;
  #nextBeat = 0;
  #load: NodeJS.Timeout | undefined;
  #closed = false;
  /** Verdicts of its probes that counted. */
  counted = 0;

  constructor(redis: string, service: string, target: string, upstream: string) {
    this.#commands = new Redis(redis).on('error', () => undefined);
    this.#news = new Redis(redis).on('error', () => undefined);
    this.#tag = `{healix:v${version}:${service}}`;
    this.#target = target;
    this.#upstream = upstream;
    void this.#work();
    void this.#listen();
  }

  get view(): View | undefined {
    return this.#view;
  }

  get live(): number {
    return this.#live;
  }

  /** Calls that come by themselves, so many a second. */
  load(perSecond: number): void {
    clearInterval(this.#load);
    if (perSecond > 0) this.#load = setInterval(() => void this.#call(), 1_000 / perSecond);
  }

  /** Whether the decision was accepted. */
  async force(state: 'open' | 'closed' | ''): Promise<boolean> {
    const reply = await this.#on('force', { state, token: randomUUID(), base: this.#view?.fv ?? 0 });
    return reply.accepted === true;
  }

  close(): void {
    this.#closed = true;
    this.load(0);
    this.#commands.disconnect();
    this.#news.disconnect();
  }

  get #isOpen(): boolean {
    return this.#view?.st === 'open';
  }

  async #call(): Promise<void> {
    const now = performance.now();
    if (this.#view?.f === 'open') return;
    let lease: Lease | undefined;
    if (this.#isOpen && this.#view?.f === '') {
      lease = this.#lease;
      if (lease === undefined || now < this.#until || now > lease.usableUntil) return;
      this.#lease = undefined;
    }
    const ok = await fetch(this.#upstream).then(
      ({ status }) => status < 500,
      () => false,
    );
    if (lease !== undefined) this.#verdict = { lease, ok };
    else {
      this.#calls.push({ at: now, ok });
      this.#streak = ok ? 0 : this.#streak + 1;
    }
  }

  async #work(): Promise<void> {
    while (!this.#closed) {
      await this.#step().catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, STEP_MS));
    }
  }

  async #step(): Promise<void> {
    const now = performance.now();
    if (now >= this.#nextBeat) {
      this.#nextBeat = now + BEAT_MS;
      const [head] = (await this.#evaluate('heartbeat')) as unknown as [{ live: number }];
      this.#live = head.live;
      await this.#evaluate('snapshot', { target: this.#target }).then((replies) => this.#takeAll(replies));
    }
    if (!this.#isOpen) await this.#report(now);
    else if (this.#verdict !== undefined) await this.#settle(this.#verdict);
    else if (this.#lease === undefined && now >= this.#nextClaim) await this.#claim(now);
  }

  async #report(now: number): Promise<void> {
    this.#calls = this.#calls.filter(({ at }) => now - at < terms.windowMs);
    const failures = this.#calls.filter(({ ok }) => !ok).length;
    if (failures === 0) return;
    const seen = {
      calls: this.#calls.length,
      failures,
      streak: this.#streak,
      open: this.#streak >= terms.streak,
    };
    const { ep = 0, eid = '' } = this.#view ?? {};
    await this.#on('report', { ep, eid, ...seen, terms, openTerms: openTerms() });
  }

  async #claim(now: number): Promise<void> {
    const { eid } = this.#view as View;
    const token = randomUUID();
    this.#nextClaim = now + CLAIM_AGAIN_MS;
    if (this.#load === undefined) return;
    const { lease } = await this.#on('claim', { eid, token, ...claimTerms });
    const { timeoutMs, marginMs } = claimTerms;
    if (lease !== undefined) this.#lease = { token, eid, usableUntil: now + lease - timeoutMs - marginMs };
  }

  async #settle({ lease: { eid, token }, ok }: { lease: Lease; ok: boolean }): Promise<void> {
    this.#verdict = undefined;
    const verdict = ok ? 'ok' : 'fail';
    const { counted } = await this.#on('settle', { eid, token, verdict, openTerms: openTerms() });
    if (counted) this.counted++;
  }

  async #listen(): Promise<void> {
    let cursor = '0-0';
    while (!this.#closed) {
      const reply = await this.#news
        .xread('BLOCK', 1_000, 'STREAMS', `${this.#tag}:s`, cursor)
        .catch(() => null);
      for (const [id, [, text]] of reply?.[0]?.[1] ?? []) {
        cursor = id;
        const { views = [] } = JSON.parse(text as string) as Entry;
        this.#takeAll(views);
      }
    }
  }

  #takeAll(views: readonly View[]): void {
    for (const view of views) if (view.target === this.#target) this.#take(view);
  }

  #take(view: View): void {
    const mine = this.#view;
    if (view.ep === 0 || (mine !== undefined && view.ep < mine.ep)) return;
    if (mine?.ep === view.ep && mine.eid === view.eid && mine.fv >= view.fv) return;
    this.#view = view;
    this.#until = performance.now() + view.rem;
    this.#nextClaim = this.#until - CLAIM_AHEAD_MS;
    this.#lease = undefined;
    this.#verdict = undefined;
    this.#calls = [];
    this.#streak = 0;
  }

  async #on(name: string, input: object): Promise<Reply> {
    const replies = await this.#evaluate(name, { target: this.#target, nextId: randomUUID(), ...input });
    this.#takeAll(replies);
    return replies[0] as Reply;
  }

  async #evaluate(name: string, ...inputs: object[]): Promise<Reply[]> {
    if (this.#run === '') {
      const [text] = (await this.#commands.eval(scripts.primary as string, 1, `${this.#tag}:s`)) as string[];
      this.#run = JSON.parse(text as string).run;
    }
    const keys = ['s', 'm', 'i', 'o', 'f'].map((kind) => `${this.#tag}:${kind}`);
    if (inputs.length > 0)
      keys.push(...['t', 'w', 'l'].map((kind) => `${this.#tag}:${kind}:${this.#target}`));
    const args = [{ replica: this.name, run: this.#run }, ...inputs].map((arg) => JSON.stringify(arg));
    const replies = await this.#commands.eval(scripts[name] as string, keys.length, ...keys, ...args);
    return (replies as string[]).map((text) => JSON.parse(text));
  }
}
