// A process of its own for one client, so that its CPU time can be told from that of the server.
import { CLIENTS } from './clients.ts';
import { answerParent } from './measured-process.ts';

const AT_ONCE = 20;

const [name, mode, url] = process.argv.slice(2) as [string, string, string];
const client = CLIENTS.find((one) => one.name === name);
if (client === undefined) throw new Error(`there is no client ${name}`);
const get = client.open(mode === 'healed', url);

answerParent(0, async (requests) => {
  let left = requests;
  const ask = async () => {
    while (left-- > 0) await get();
  };
  await Promise.all(Array.from({ length: AT_ONCE }, ask));
  return requests;
});
