import { setImmediate } from 'node:timers/promises';
import { comparable } from './lab.ts';
import type { RawClient } from './raw-client.ts';
import type { Script } from './script.ts';
import type { Service } from './service.ts';
import { pause, soon } from './wait.ts';

/** After this long an answer that never ends is taken for what it is. */
const NEVER_MS = 250;

/** What came back for a script. */
export interface Played {
  readonly bytes: string;
  /** Whether the server ended the connection. */
  readonly ended: boolean;
}

/** Plays a script to two services at once. */
export async function playBoth(script: Script, services: readonly [Service, Service]) {
  const sides = await Promise.all(services.map((service) => begin(script, service)));
  const cutShort = sides.some((side) => side.cutShort);
  const clients = sides.map(({ client }) => client);
  if (script.ending.how === 'asked' || cutShort) await Promise.all(clients.map((client) => client.whole()));
  else if (script.ending.how === 'broken') await bothBrokenOff(clients);
  const played = clients.map(
    (client, i): Played => ({
      bytes: comparable(client.received, (services[i] as Service).port),
      ended: client.ended,
    }),
  );
  for (const client of clients) client.leave();
  return played as [Played, Played];
}

/** Says what the script has to say; cut short where the server ends the connection before. */
async function begin(script: Script, service: Service): Promise<{ client: RawClient; cutShort: boolean }> {
  const { pipelined, questions, ending } = script;
  const client = await service.connect();
  client.socket.setNoDelay();
  if (pipelined) {
    await say(client, script, questions.map(({ bytes }) => bytes).join(''));
    return { client, cutShort: false };
  }
  for (const [i, { method, bytes, afterContinue }] of questions.entries()) {
    await say(client, script, bytes);
    if (afterContinue !== undefined) {
      await client.has('100 Continue');
      await say(client, script, afterContinue);
    }
    if (i === questions.length - 1) break;
    const answer = await client.answer(method);
    if (answer.header('connection')?.toLowerCase() === 'close') return { client, cutShort: true };
  }
  if (ending.how === 'left' && ending.marker !== undefined) await client.has(ending.marker);
  return { client, cutShort: false };
}

async function say({ socket }: RawClient, { cuts }: Script, text: string): Promise<void> {
  const bytes = Buffer.from(text, 'latin1');
  let from = 0;
  for (const share of cuts) {
    const to = Math.floor(share * bytes.length);
    socket.write(bytes.subarray(from, to));
    await setImmediate();
    from = to;
  }
  socket.write(bytes.subarray(from));
}

/** Both end, or neither does. */
async function bothBrokenOff(clients: readonly RawClient[]): Promise<void> {
  const ends = clients.map(
    (client) => client.ended || new Promise((resolve) => client.socket.once('close', resolve)),
  );
  await Promise.race([...ends, pause(NEVER_MS)]);
  if (clients.some(({ ended }) => ended)) await soon('the other one to break off too', Promise.all(ends));
}
