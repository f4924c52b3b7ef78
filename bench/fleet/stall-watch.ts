import { RespSocket } from './resp.ts';

const BETWEEN_PINGS_MS = 2;

/** Runs `meanwhile`, and tells the longest that Redis has kept a PING waiting, in ms. */
export async function longestStall(port: number, meanwhile: () => Promise<unknown>): Promise<number> {
  const socket = await RespSocket.open(port);
  let longest = 0;
  let done = false;
  const watching = (async () => {
    while (!done) {
      const began = performance.now();
      await socket.send('PING');
      longest = Math.max(longest, performance.now() - began);
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_PINGS_MS));
    }
  })();
  try {
    await meanwhile();
  } finally {
    done = true;
    await watching;
    socket.close();
  }
  return longest;
}
