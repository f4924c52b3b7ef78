// Several replicas in one process: `cluster` workers, which share a port, or worker threads. What the test tells it, it
// tells all of them.
import cluster from 'node:cluster';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import { type Command, obey, type Reply } from '../../stalls/programs/commands.ts';

type Kind = 'cluster' | 'threads';

/** A worker of either kind. */
interface Peer {
  send(command: Command): void;
  onReply(listener: (reply: Reply) => void): void;
}

const [, , kind, count, options] = process.argv as [string, string, Kind, string, string];
const program = fileURLToPath(new URL('./replica.ts', import.meta.url));

function clusterWorker(): Peer {
  const worker = cluster.fork();
  return {
    send: (command) => worker.send(command),
    onReply: (listener) => worker.on('message', listener),
  };
}

function thread(): Peer {
  const worker = new Worker(program, { argv: [options] });
  return {
    send: (command) => worker.postMessage(command),
    onReply: (listener) => worker.on('message', listener),
  };
}

class Told {
  readonly #peer: Peer;
  readonly #replies = new Map<number, (value: unknown) => void>();
  readonly started: Promise<unknown>;
  #serial = 0;

  constructor(peer: Peer) {
    this.#peer = peer;
    this.started = new Promise((resolve) => this.#replies.set(0, resolve));
    peer.onReply(({ id, value }) => this.#replies.get(id)?.(value));
  }

  tell(name: string, argument: unknown): Promise<unknown> {
    const id = ++this.#serial;
    return new Promise((resolve) => {
      this.#replies.set(id, resolve);
      this.#peer.send({ id, name, argument });
    });
  }
}

if (kind === 'cluster') cluster.setupPrimary({ exec: program, args: [options] });
const workers = Array.from(
  { length: Number(count) },
  () => new Told(kind === 'cluster' ? clusterWorker() : thread()),
);
await Promise.all(workers.map(({ started }) => started));

obey({
  each: ({ name, argument }: { name: string; argument?: unknown }) =>
    Promise.all(workers.map((worker) => worker.tell(name, argument))),
});
