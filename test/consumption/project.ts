import { execFile } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Archive } from './archives.ts';

/** ES modules, or CommonJS, in which `import` becomes `require`. */
export type Modules = 'mjs' | 'cjs';

const STRICT = {
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  skipLibCheck: false,
  target: 'es2023',
  lib: ['es2023'],
  types: ['node'],
  rootDir: 'src',
};

/** Ways in which TypeScript looks modules up. With the first one the programs are compiled to be run. */
const RESOLUTIONS = {
  nodenext: { compilerOptions: { ...STRICT, module: 'nodenext', outDir: 'out' }, include: ['src'] },
  bundler: {
    compilerOptions: { ...STRICT, module: 'preserve', moduleResolution: 'bundler', noEmit: true },
    include: ['src/*.mts'],
  },
};

export type Resolution = keyof typeof RESOLUTIONS;

/** A user's project, outside the workspace. */
export class Project {
  readonly #folder: string;
  readonly #dependencies: Record<string, string>;

  constructor(folder: string, dependencies: Record<string, string>) {
    this.#folder = folder;
    this.#dependencies = dependencies;
  }

  get frameworks(): string[] {
    return Object.keys(this.#dependencies);
  }

  async install(archives: readonly Archive[]): Promise<void> {
    const own = Object.fromEntries(archives.map(({ name, path }) => [name, `file:${path}`]));
    mkdirSync(this.#folder);
    const dependencies = { ...this.#dependencies, ...own };
    this.#write('package.json', { private: true, type: 'module', dependencies });
    await this.#run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', '--loglevel=error']);
  }

  /** Each program is there twice: once as an ES module, and once as CommonJS. */
  addPrograms(folder: string, names: readonly string[]): void {
    mkdirSync(join(this.#folder, 'src'));
    for (const name of names) {
      for (const ending of ['mts', 'cts']) {
        copyFileSync(join(folder, `${name}.ts`), join(this.#folder, 'src', `${name}.${ending}`));
      }
    }
  }

  /** Where packages are installed, below each other too: `node_modules/koa`. */
  installed(): string[] {
    const lock = readFileSync(join(this.#folder, 'node_modules/.package-lock.json'), 'utf8');
    return Object.keys((JSON.parse(lock) as { packages: object }).packages);
  }

  /** Compiles all programs by the compiler of a project, and gives the lines that it says. */
  async compile(by: Project, resolution: Resolution): Promise<string[]> {
    const config = `tsconfig.${resolution}.json`;
    this.#write(config, RESOLUTIONS[resolution]);
    const compiler = join(by.#folder, 'node_modules/typescript/bin/tsc');
    const output = await this.#run(process.execPath, [compiler, '-p', config, '--pretty', 'false']).catch(
      // Without a line the compiler did not find fault: it failed.
      (error: Error & { stdout: string }) => error.stdout || Promise.reject(error),
    );
    return output.split('\n').filter((line) => line !== '');
  }

  /** What a compiled program prints. */
  async run(node: string, program: string, modules: Modules): Promise<unknown> {
    return JSON.parse(await this.#run(node, [join('out', `${program}.${modules}`)]));
  }

  /** What a piece of CommonJS prints. */
  async evaluate(node: string, code: string): Promise<unknown> {
    return JSON.parse(await this.#run(node, ['--input-type=commonjs', '-e', code]));
  }

  #write(name: string, content: object): void {
    writeFileSync(join(this.#folder, name), JSON.stringify(content));
  }

  async #run(command: string, args: readonly string[]): Promise<string> {
    // `npm test` tells its children where the workspace is.
    const { npm_config_local_prefix: _, ...env } = process.env;
    const { stdout } = await promisify(execFile)(command, args, { cwd: this.#folder, env });
    return stdout;
  }
}
