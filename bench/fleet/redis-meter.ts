import { RespSocket } from './resp.ts';

/** What Redis has done for others than this meter. */
export interface Work {
  /** Commands that clients have sent. */
  readonly sent: number;
  /** All commands, those that scripts call among them. */
  readonly executed: number;
  readonly inBytes: number;
  readonly outBytes: number;
  /** Calls of scripts, and the time that they took, in µs. */
  readonly scripts: number;
  readonly scriptUs: number;
  /** CPU time of the server, in µs. */
  readonly cpuUs: number;
}

const CLIENT_COMMANDS = ['evalsha', 'eval', 'xread', 'ping', 'hello', 'client|setinfo', 'select', 'publish'];

/** Reads the counters of a Redis server, and leaves out what reading them costs. */
export class RedisMeter {
  readonly #socket: RespSocket;
  #questions = 0;
  #askedBytes = 0;
  #answeredBytes = 0;

  private constructor(socket: RespSocket) {
    this.#socket = socket;
  }

  static async open(port: number): Promise<RedisMeter> {
    return new RedisMeter(await RespSocket.open(port));
  }

  /** Work since the server started. */
  async read(): Promise<Work> {
    const info = (await this.#socket.send('INFO', 'all')) as string;
    this.#questions++;
    this.#askedBytes += this.#socket.sentBytes;
    const number = (name: string) => Number(new RegExp(`^${name}:([\\d.]+)`, 'm').exec(info)?.[1] ?? 0);
    const calls = (name: string) =>
      Number(new RegExp(`^cmdstat_${name.replace('|', '\\|')}:calls=(\\d+)`, 'm').exec(info)?.[1] ?? 0);
    const us = (name: string) =>
      Number(new RegExp(`^cmdstat_${name}:calls=\\d+,usec=(\\d+)`, 'm').exec(info)?.[1] ?? 0);
    const work = {
      sent: CLIENT_COMMANDS.reduce((sum, name) => sum + calls(name), 0),
      // A command is counted once it is over: this question is not yet.
      executed: number('total_commands_processed') - this.#questions + 1,
      inBytes: number('total_net_input_bytes') - this.#askedBytes,
      outBytes: number('total_net_output_bytes') - this.#answeredBytes,
      scripts: calls('evalsha') + calls('eval'),
      scriptUs: us('evalsha') + us('eval'),
      cpuUs: (number('used_cpu_user') + number('used_cpu_sys')) * 1e6,
    };
    this.#answeredBytes += this.#socket.receivedBytes;
    return work;
  }

  /** Work that Redis does until `meanwhile` resolves. */
  async during(meanwhile: () => Promise<unknown>): Promise<Work> {
    const before = await this.read();
    await meanwhile();
    const after = await this.read();
    const done = { ...after };
    for (const name of Object.keys(after) as (keyof Work)[]) done[name] -= before[name];
    return done;
  }

  close(): void {
    this.#socket.close();
  }
}
