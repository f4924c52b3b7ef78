import type { Execution, Fields, Primary } from './primary.ts';

interface Grant {
  readonly replica: number;
  /** By the server's word, in the world's time. */
  endsAt: number;
  /** Told to be unused: another may be granted in its place. */
  givenBack: boolean;
}

interface Epoch {
  /** When the record was first seen open under this id. */
  openAt: number | undefined;
  most: number;
  readonly grants: Map<string, Grant>;
  /** Tokens of leases whose probes have succeeded. */
  readonly succeeded: Set<string>;
  /** Probes that replicas have sent. */
  readonly sent: number[];
}

const VERDICTS = ['ok', 'fail'];

/** Sees all that the servers do, and says what must never be. */
export class Watch {
  readonly #now: () => number;
  readonly #violate: (text: string) => void;
  readonly #tell: (text: string) => void;
  readonly #epochs = new Map<string, Epoch>();
  readonly #records = new Map<Primary, Fields>();
  readonly #verdicts = new Map<string, string>();
  #closedAt = Number.NEGATIVE_INFINITY;
  /** Who was granted leases so far, one after the other. */
  readonly holders: number[] = [];
  /** Openings by reports so far. */
  trips = 0;

  constructor(now: () => number, violate: (text: string) => void, tell: (text: string) => void) {
    this.#now = now;
    this.#violate = violate;
    this.#tell = tell;
  }

  /** The record as the last script has left it. */
  record(primary: Primary): Fields | undefined {
    return this.#records.get(primary);
  }

  copied(from: Primary, to: Primary): void {
    const record = this.#records.get(from);
    if (record === undefined) this.#records.delete(to);
    else this.#records.set(to, record);
  }

  flushed(primary: Primary): void {
    this.#records.delete(primary);
  }

  heard(replica: number, { primary, script, inputs, replies }: Execution): void {
    const [input = {}] = inputs;
    const [reply = {}] = replies;
    if (script === 'claim' || script === 'renew') this.#granted(replica, input, reply);
    if (script === 'settle') this.#settled(input, reply);
    if (script === 'force' && reply.accepted === true) this.#closedAt = this.#now();
    for (const view of replies) if (typeof view.eid === 'string') this.#look(primary, script, view, input);
  }

  /** A replica sends a probe. Never more than there are leases, nor when a lease is over. */
  probed(replica: number, epochId: string): void {
    const { sent, grants, most } = this.#epoch(epochId);
    sent[replica] = (sent[replica] ?? 0) + 1;
    const all = sent.reduce((sum, count) => sum + count, 0);
    if (all > most) this.#violate(`${all} probes sent in epoch ${short(epochId)}, of ${most}`);
    const own = [...grants.values()].filter((grant) => grant.replica === replica && !grant.givenBack);
    if (sent[replica] > own.length) this.#violate(`replica ${replica}: two probes of one lease`);
    if (!own.some(({ endsAt }) => endsAt >= this.#now())) {
      this.#violate(`replica ${replica}: a probe after its lease in epoch ${short(epochId)}`);
    }
  }

  /** A replica closes at the fleet's word. Somebody must have closed what it held open. */
  closed(replica: number, heldId: string): void {
    const { openAt = Number.POSITIVE_INFINITY } = this.#epoch(heldId);
    if (this.#closedAt < openAt) this.#violate(`replica ${replica}: closed without a verdict or a person`);
  }

  #epoch(id: string): Epoch {
    const known = this.#epochs.get(id);
    if (known !== undefined) return known;
    const epoch = { openAt: undefined, most: 0, grants: new Map(), succeeded: new Set<string>(), sent: [] };
    this.#epochs.set(id, epoch);
    return epoch;
  }

  #granted(replica: number, input: Fields, { lease, eid }: Fields): void {
    if (typeof lease !== 'number') return;
    const epoch = this.#epoch(String(eid));
    const token = String(input.token);
    epoch.most = Math.max(epoch.most, Number(input.probes));
    const endsAt = this.#now() + lease;
    const known = epoch.grants.get(token);
    if (known !== undefined) {
      known.endsAt = Math.max(known.endsAt, endsAt);
      return;
    }
    epoch.grants.set(token, { replica, endsAt, givenBack: false });
    this.holders.push(replica);
    this.#tell(`replica ${replica}: has a lease in ${short(String(eid))}`);
    const count = [...epoch.grants.values()].filter(({ givenBack }) => !givenBack).length;
    if (count > epoch.most) this.#violate(`${count} leases in epoch ${short(String(eid))}, of ${epoch.most}`);
  }

  #settled({ token, eid, verdict }: Fields, { counted }: Fields): void {
    const [name, word] = [String(token), String(verdict)];
    const earlier = this.#verdicts.get(name) ?? word;
    if (earlier !== word) this.#violate(`the same lease was told ${earlier} and ${word}`);
    if (VERDICTS.includes(word)) this.#verdicts.set(name, word);
    if (counted !== true) return;
    const { succeeded, grants, sent } = this.#epoch(String(eid));
    if (word === 'ok') succeeded.add(name);
    const grant = grants.get(name);
    if (word !== 'unused' || grant === undefined || grant.givenBack) return;
    grant.givenBack = true;
    // A probe that says nothing, such as one that ran across a freeze, is none.
    const left = [...grants.values()].filter((own) => own.replica === grant.replica && !own.givenBack);
    sent[grant.replica] = Math.min(sent[grant.replica] ?? 0, left.length);
  }

  #look(primary: Primary, script: string, view: Fields, input: Fields): void {
    if (view.ep === 0) return;
    const before = this.#records.get(primary);
    this.#records.set(primary, view);
    if (before?.eid === view.eid && before?.st === view.st && before?.f === view.f) return;
    const id = String(view.eid);
    this.#tell(`record on ${primary.run}: epoch ${view.ep} ${short(id)} ${view.st} ${view.f} (${script})`);
    if (view.st === 'open') this.#epoch(id).openAt ??= this.#now();
    if (script === 'report' && view.st === 'open' && before?.st !== 'open') this.trips++;
    if (before?.st === 'open' && view.st === 'closed') this.#closes(script, String(input.eid));
  }

  #closes(script: string, epochId: string): void {
    const { succeeded, most } = this.#epoch(epochId);
    const isDecided = script === 'settle' && succeeded.size >= Math.floor(most / 2) + 1;
    if (isDecided || script === 'force') this.#closedAt = this.#now();
    else this.#violate(`the record was closed by ${script} with ${succeeded.size} successes`);
  }
}

export function short(epochId: string): string {
  return epochId.slice(0, 5);
}
