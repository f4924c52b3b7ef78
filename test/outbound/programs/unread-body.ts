// Asks the address in its second argument through the undici of its first one, and leaves the body unread.
import { createHealing, defaultHealing } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import { healingDispatcher } from '@healix/undici';

const [, , undici, url] = process.argv as unknown as [string, string, string, string];
const { Agent, fetch, request } = (await import(undici)) as typeof import('undici');
createHealing({ clock: new SteadyClock() });
const dispatcher = healingDispatcher(new Agent());
const unread = [await request(url, { dispatcher }), await fetch(url, { dispatcher })];
const { inFlight } = defaultHealing()
  .target(`upstream:${new URL(url).origin}`)
  .status();
process.on('exit', () => console.log(JSON.stringify({ unread: unread.length, inFlight })));
