// Writes docs/settings.md from the schemas that settings are checked against. With --check it only compares.
import { readFileSync, writeFileSync } from 'node:fs';
import { namedTargetSchema, runtimeSchema } from '../packages/core/dist/config/runtime-schema.js';
import { targetSchema } from '../packages/core/dist/config/schema.js';
import { rangeOf, unwrap } from '../packages/core/dist/config/validate.js';

const FILE = 'docs/settings.md';

const INTRODUCTION = `# Settings

<!-- Written by \`npm run settings\` from the schemas in packages/core/src/config. Do not edit. -->

Every setting has a default. All times are in milliseconds, and their names end in \`Ms\`. A wrong setting throws a
\`ConfigError\` where it is given; it names the path, what was given and what is allowed.

Where a target's settings come from, the later the stronger:

1. the defaults below,
2. the preset of its \`profile\`,
3. \`defaults\` of \`createHealing\`,
4. entries of \`targets\` with a \`match\` that fits, the most specific last,
5. the entry of \`targets\` that has exactly the target's name,
6. what stands beside the route or the call,
7. \`target.update(…)\`,
8. what a recovery level changes, until it is undone.
`;

const OF_RUNTIME = `Given to \`createHealing\`. Without the option, \`HEALIX_DISABLED=1\` in the environment is the emergency switch.`;

const OF_TARGET = `Given in \`defaults\` or \`targets\` of \`createHealing\`, to an adapter, beside a route, to
\`runtime.target(name, …)\`, \`runtime.wrap(name, fn, …)\` and \`target.update(…)\`.`;

const GROUPS = {
  tier: 'Instead of a name: the tiers that the target may be moved between, by need: [tiers.md](tiers.md).',
  circuit: 'When the circuit opens and closes: [circuit.md](circuit.md).',
  retry: 'Repeats of `run` and `wrap`. Only calls that are safe to repeat are.',
  policy: 'What is allowed at all.',
  'policy.rate': 'A token bucket. Absent: no limit.',
  outlier: 'When a host of several is left out, and how it comes back: [hosts.md](hosts.md).',
  recovery: 'When an incident begins and ends, and how far recovery goes: [recovery.md](recovery.md).',
};

const RUNTIME_GROUPS = {
  priorityHeader:
    'How much a request matters, told from service to service: [deadlines.md](deadlines.md#priorities).',
  deadlineHeader:
    'How long a request is waited for, told from service to service: [deadlines.md](deadlines.md).',
};

/** Of alternatives, that of the object. */
function objectOf(schema) {
  const { options = [] } = unwrap(schema).def;
  return options.map(unwrap).find(isGroup) ?? unwrap(schema);
}

function shapeOf(schema) {
  return objectOf(schema).def.shape;
}

function isGroup(schema) {
  return unwrap(schema).def.type === 'object';
}

function defaultOf(schema) {
  const { type, defaultValue, innerType } = schema.def;
  if (type === 'default') return `\`${JSON.stringify(defaultValue).replaceAll(',', ', ')}\``;
  if (type === 'optional') return '';
  return innerType ? defaultOf(innerType) : 'required';
}

function allowedIn(name, schema) {
  const range = rangeOf(schema) ?? '';
  const unit = name.endsWith('Ms') ? ' ms' : '';
  return range.replace(/^a number (from )?/, '') + unit;
}

function meaningOf(name, schema) {
  const meaning = schema.description;
  if (!meaning) throw new Error(`${name} has no description`);
  return meaning.replaceAll('|', '\\|').replaceAll(/\b(\w+\.md)\b/g, '[$1]($1)');
}

function table(schemas, prefix = '') {
  const rows = Object.entries(schemas)
    .filter(([, schema]) => !isGroup(schema) && unwrap(schema).def.type !== 'record')
    .map(([name, schema]) => {
      const cells = [
        `\`${prefix}${name}\``,
        defaultOf(schema),
        allowedIn(name, schema),
        meaningOf(name, schema),
      ];
      return `| ${cells.join(' | ')} |`;
    });
  return ['| setting | default | allowed | meaning |', '|---|---|---|---|', ...rows].join('\n');
}

function groupAt(path) {
  return path.split('.').reduce((shape, name) => shapeOf(shape[name]), shapeOf(targetSchema));
}

function groupsIn(schemas, prefix = '') {
  return Object.entries(schemas).flatMap(([name, schema]) =>
    isGroup(objectOf(schema)) ? [`${prefix}${name}`, ...groupsIn(shapeOf(schema), `${prefix}${name}.`)] : [],
  );
}

function document() {
  const runtime = shapeOf(runtimeSchema);
  const { match } = shapeOf(namedTargetSchema);
  const groups = groupsIn(shapeOf(targetSchema)).map((path) => {
    if (!GROUPS[path]) throw new Error(`nothing is said of ${path}`);
    return `### ${path}\n\n${GROUPS[path]}\n\n${table(groupAt(path), `${path}.`)}\n`;
  });
  const ofRuntime = Object.keys(RUNTIME_GROUPS).map(
    (name) => `### ${name}\n\n${RUNTIME_GROUPS[name]}\n\n${table(shapeOf(runtime[name]), `${name}.`)}\n`,
  );
  const parts = [
    INTRODUCTION,
    `## Of the runtime\n\n${OF_RUNTIME}\n\n${table({ ...runtime, defaults: targetSchema, targets: targetSchema })}\n`,
    '| setting | meaning |\n|---|---|\n' +
      '| `defaults` | Settings of all targets. |\n' +
      '| `targets` | Settings of some, by name; with `match`, of all whose names fit. |\n' +
      `| \`targets.*.match\` | ${meaningOf('match', match)} |\n`,
    ...ofRuntime,
    `## Of a target\n\n${OF_TARGET}\n\n${table(shapeOf(targetSchema))}\n`,
    ...groups,
  ];
  return parts.join('\n');
}

const wanted = document();
if (!process.argv.includes('--check')) {
  writeFileSync(FILE, wanted);
  console.log(`${FILE} written`);
} else if (readFileSync(FILE, 'utf8') !== wanted) {
  console.error(`${FILE} is not what the schemas say: run "npm run settings" and commit it.`);
  process.exitCode = 1;
} else {
  console.log(`${FILE} is what the schemas say`);
}
