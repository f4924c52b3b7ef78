// Imports run one way. The layers of packages/core/src, lowest first: a file imports its own layer and those
// below it, never one above. `npm run check:imports` applies this to every source file (tests are free).
const layers = [
  { name: 'foundation', path: '(store|config(?!/runtime-schema)|time)/|errors\\.ts$' },
  { name: 'parts', path: '(circuit|recovery|policy|limits|health|hosts|telemetry)/' },
  { name: 'fleet', path: 'fleet/' },
  {
    name: 'target',
    path: 'tiers/|(target(-status|-registry)?|gate|ledger|self-healing|run(-end|-options)?|ambient|request-scope|propagation|permit(-host)?|outcome)\\.ts$',
  },
  { name: 'healing', path: '(healing|shared-runtime|metrics|config/runtime-schema)\\.ts$' },
  { name: 'http', path: 'http/' },
  { name: 'entries', path: '(index|parts|testing|adapter)\\.ts$' },
];

const core = '^packages/core/src/';
const inCore = ({ path }) => `${core}(${path})`;
const entryFiles = '^packages/core/dist/(index|parts|testing|adapter)\\.(js|d\\.ts)$';

const upwards = layers.slice(0, -1).map((layer, rank) => ({
  name: `core-${layer.name}-imports-upwards`,
  comment: `${layer.name} must not import ${layers
    .slice(rank + 1)
    .map(({ name }) => name)
    .join(', ')}.`,
  severity: 'error',
  from: { path: inCore(layer) },
  to: { path: layers.slice(rank + 1).map(inCore) },
}));

/** @type {import('dependency-cruiser').IConfiguration} */
export default {
  forbidden: [
    ...upwards,
    {
      name: 'core-file-without-a-layer',
      comment: 'Every file of core belongs to a layer: add its folder to the list above, at the right place.',
      severity: 'error',
      from: { path: core, pathNot: layers.map(inCore) },
      to: {},
    },
    {
      name: 'core-entry-imported',
      comment: 'index, parts, testing and adapter are for users: inside core, import the file itself.',
      severity: 'error',
      from: { path: core },
      to: { path: inCore(layers.at(-1)) },
    },
    {
      name: 'circuit-stands-alone',
      comment: 'The circuit knows no other part: what it needs is given to it.',
      severity: 'error',
      from: { path: `${core}circuit/` },
      to: { path: `${core}(recovery|policy|limits|telemetry)/|${core}health/(?!histogram\\.ts$)` },
    },
    {
      name: 'core-knows-no-adapter',
      comment: 'Core imports no other package of ours, and no framework.',
      severity: 'error',
      from: { path: core },
      to: { path: ['^packages/(?!core/)', 'node_modules/(fastify|koa|express|@koa|undici)/'] },
    },
    {
      name: 'adapter-past-the-public-face',
      comment: "Adapters import core's entries (@healix/core, /parts, /testing, /adapter), never its files.",
      severity: 'error',
      from: { path: '^packages/(?!core/)' },
      to: { path: '^packages/core/', pathNot: entryFiles },
    },
    {
      name: 'adapter-imports-adapter',
      comment: 'What adapters share lives in core/src/http and is exported as @healix/core/adapter.',
      severity: 'error',
      from: { path: '^packages/(?!core/)([^/]+)/' },
      to: { path: '^packages/(?!core/)', pathNot: '^packages/$1/' },
    },
    {
      name: 'no-cycles',
      comment: 'Two files that need each other are one thing, or want a third that both import.',
      severity: 'error',
      from: { path: '^packages/' },
      to: { circular: true },
    },
    {
      name: 'not-resolved',
      comment: 'The import leads nowhere: is the package built and named in package.json?',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    combinedDependencies: true,
    doNotFollow: { path: ['node_modules', '/dist/'] },
    exclude: { path: '\\.test\\.ts$' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.json', '.d.ts'],
    },
  },
};
