// A process of its own for one server, so that its CPU time can be told from that of the load.
import type { AddressInfo } from 'node:net';
import { FRAMEWORKS, type Mode } from './frameworks.ts';
import { answerParent } from './measured-process.ts';

const [name, mode] = process.argv.slice(2);
const framework = FRAMEWORKS.find((one) => one.name === name);
if (framework === undefined) throw new Error(`there is no framework ${name}`);
const server = await framework.serve(mode as Mode);
server.keepAliveTimeout = 0;
answerParent((server.address() as AddressInfo).port);
