import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    // Unit tests stand beside their source and import it; tests in test/ import the built packages.
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts', 'bench/**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**'],
    pool: 'forks',
    maxWorkers: Math.max(2, availableParallelism() - 1),
    execArgv: ['--expose-gc'],
    testTimeout: 60_000,
    // The second one is for scripts/test-summary.mjs.
    reporters: ['default', 'json'],
    outputFile: { json: 'node_modules/.cache/vitest/report.json' },
  },
});
