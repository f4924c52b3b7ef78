// First step of every command: says in one line what to do when this Node.js is too old.
// It must itself run on any Node.js from 18 on: no dependencies, no recent syntax.
import { pathToFileURL } from 'node:url';

/** The packages need 22.12; working on them needs 22.18, where Node.js runs TypeScript files by itself. */
const needed = { major: 22, minor: 18 };

/** The line to print for this version of Node.js, or undefined when it will do. */
export function nodeProblem(version) {
  const [major = 0, minor = 0] = version.replace(/^v/, '').split('.').map(Number);
  if (major > needed.major || (major === needed.major && minor >= needed.minor)) return undefined;
  return (
    `healix needs Node.js ${needed.major}.${needed.minor} or newer, and this is ${version}: ` +
    'run "npm ci" with optional packages and install scripts allowed (it brings Node.js 24 along), ' +
    'or install Node.js 24 yourself.'
  );
}

if (import.meta.url === pathToFileURL(process.argv[1] || '').href) {
  const problem = nodeProblem(process.version);
  if (problem) {
    console.error(problem);
    process.exit(1);
  }
}
