/** One call of a store, on whatever number of records. */
export interface Call {
  readonly replica: string;
  /** Names the server that is in charge. */
  readonly run: string;
  /** Whole ms by the store's clock. */
  readonly now: number;
  /** No other replica is known. */
  isAlone(): boolean;
  /** Has all who use a target report on it. */
  ask(target: string): void;
}

/** A call's operation on one record. */
export class Turn {
  readonly call: Call;
  readonly now: number;
  /** What it did has to be told to all replicas. */
  news = false;
  readonly #nextId: string;
  #ids = 0;

  constructor(call: Call, nextId: string) {
    this.call = call;
    this.now = call.now;
    this.#nextId = nextId;
  }

  /** The id of an epoch that begins. The caller brings one; should an operation need two, the second is marked. */
  takeId(): string {
    return this.#nextId + "'".repeat(this.#ids++);
  }
}
