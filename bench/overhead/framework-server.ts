// A process of its own for one server, so that its CPU time can be told from that of the load.
import type { AddressInfo } from 'node:net';
import { FRAMEWORKS } from './frameworks.ts';

const [name, mode] = process.argv.slice(2);
const framework = FRAMEWORKS.find((one) => one.name === name);
if (framework === undefined) throw new Error(`there is no framework ${name}`);
const server = await framework.serve(mode === 'healed');
server.keepAliveTimeout = 0;
process.on('message', () => {
  const { user, system } = process.cpuUsage();
  process.send?.(user + system);
});
process.on('disconnect', () => process.exit());
process.send?.((server.address() as AddressInfo).port);
