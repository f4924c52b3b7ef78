import { closest, distance } from 'fastest-levenshtein';
import type { z } from 'zod';
import { ConfigError } from '../errors.ts';

/** Parses `input`, or throws a ConfigError that names the first wrong field under `root`. */
export function validate<S extends z.ZodType>(schema: S, input: unknown, root: string): z.output<S> {
  const result = schema.safeParse(input, { reportInput: true });
  if (result.success) return result.data;
  throw toConfigError(result.error.issues[0] as z.core.$ZodIssue, schema, input, root);
}

/** What zod says where nobody has said anything. */
const UNSAID = 'Invalid input';

/** Whether the issue is of the alternative that was meant: an object by an object, a name by a text. */
function isMeant(issue: z.core.$ZodIssue, given: unknown): boolean {
  if (issue.code === 'invalid_type' && issue.path.length === 0) return false;
  return isObject(given)
    ? issue.path.length > 0 || issue.code !== 'custom' || !issue.params?.names
    : typeof given === 'string';
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function notOneOf(path: string, given: unknown, allowed: readonly string[]): ConfigError {
  const hint = typeof given === 'string' ? suggestion(given, allowed) : '';
  return new ConfigError(path, given, oneOf(allowed), hint);
}

function toConfigError(
  issue: z.core.$ZodIssue,
  schema: z.ZodType,
  input: unknown,
  root: string,
): ConfigError {
  const path = joinPath(root, issue.path);
  const given = valueAt(input, issue.path);
  switch (issue.code) {
    case 'unrecognized_keys': {
      const key = issue.keys[0] as string;
      const known = keysAt(schema, issue.path);
      const value = (given as Record<string, unknown>)[key];
      return new ConfigError(joinPath(path, [key]), value, oneOf(known), suggestion(key, known));
    }
    case 'invalid_value':
      return notOneOf(path, given, issue.values.map(String));
    case 'invalid_union': {
      const found = issue.errors.map(([first]) => first).find((first) => first && isMeant(first, given));
      if (found === undefined)
        return new ConfigError(path, given, rangeAt(schema, issue.path) ?? issue.message);
      return toConfigError({ ...found, path: [...issue.path, ...found.path] }, schema, input, root);
    }
    case 'custom':
      if (issue.params?.names) return notOneOf(path, given, issue.params.names as readonly string[]);
      if (issue.message !== UNSAID) return new ConfigError(path, given, issue.message);
      return new ConfigError(path, given, rangeAt(schema, issue.path) ?? issue.message);
    default:
      return new ConfigError(path || 'options', given, rangeAt(schema, issue.path) ?? issue.message);
  }
}

function joinPath(root: string, path: readonly PropertyKey[]): string {
  let joined = root;
  for (const part of path) {
    if (typeof part === 'number') joined += `[${part}]`;
    else joined += joined === '' ? String(part) : `.${String(part)}`;
  }
  return joined;
}

function valueAt(input: unknown, path: readonly PropertyKey[]): unknown {
  let value = input;
  for (const part of path) value = (value as Record<PropertyKey, unknown> | undefined)?.[part];
  return value;
}

function oneOf(values: readonly string[]): string {
  return values.length === 1 ? (values[0] as string) : `one of ${values.join(', ')}`;
}

function suggestion(given: string, known: readonly string[]): string {
  if (known.length === 0) return '';
  const nearest = closest(
    given.toLowerCase(),
    known.map((key) => key.toLowerCase()),
  );
  const name = known.find((key) => key.toLowerCase() === nearest) as string;
  return distance(given.toLowerCase(), nearest) <= Math.max(2, name.length / 3)
    ? `Did you mean ${name}?`
    : '';
}

type Definition = {
  type: string;
  innerType?: z.ZodType;
  shape?: Record<string, z.ZodType>;
  element?: z.ZodType;
  valueType?: z.ZodType;
  entries?: Record<string, string>;
  options?: z.ZodType[];
  error?: unknown;
};

/** The schema inside optional, default and the like. */
export function unwrap(schema: z.ZodType): z.ZodType {
  const { innerType } = schema.def as unknown as Definition;
  return innerType === undefined ? schema : unwrap(innerType);
}

/** Of alternatives, that of the object. */
function definitionOf(schema: z.ZodType): Definition {
  const def = schema.def as unknown as Definition;
  const object = def.options?.map(unwrap).find((option) => option.def.type === 'object');
  return (object?.def as unknown as Definition | undefined) ?? def;
}

function schemaAt(schema: z.ZodType, path: readonly PropertyKey[]): z.ZodType | undefined {
  let current: z.ZodType | undefined = unwrap(schema);
  for (const part of path) {
    const def: Definition | undefined = current && definitionOf(current);
    const next: z.ZodType | undefined = def?.shape?.[part as string] ?? def?.element ?? def?.valueType;
    current = next && unwrap(next);
  }
  return current;
}

function keysAt(schema: z.ZodType, path: readonly PropertyKey[]): string[] {
  const found = schemaAt(schema, path);
  return Object.keys((found && definitionOf(found).shape) ?? {});
}

function rangeAt(schema: z.ZodType, path: readonly PropertyKey[]): string | undefined {
  const found = schemaAt(schema, path);
  return found && rangeOf(found);
}

/** What a schema allows, in words: for errors, and for the table of settings. */
export function rangeOf(wrapped: z.ZodType): string | undefined {
  const schema = unwrap(wrapped);
  const def = schema.def as unknown as Definition;
  switch (def.type) {
    case 'number':
      return numberRange(schema as z.ZodNumber);
    case 'boolean':
      return 'true or false';
    case 'enum':
      return oneOf(Object.values(def.entries ?? {}));
    case 'array':
      return `a list, each ${rangeOf(def.element as z.ZodType) ?? 'a value'}`;
    case 'object':
      return `an object of ${Object.keys(def.shape ?? {}).join(', ')}`;
    case 'union':
      return (def.options ?? []).map(rangeOf).join(', or ');
    case 'record':
      return 'an object';
    case 'string':
      return stringRange(schema as z.ZodString);
    case 'custom':
      return schema.description;
    default:
      return undefined;
  }
}

function stringRange(schema: z.ZodString): string {
  if (schema.description !== undefined) return schema.description;
  return schema.minLength === null ? 'a text' : 'a text that is not empty';
}

function numberRange(schema: z.ZodNumber): string {
  const checks = (schema.def.checks ?? []).map(
    (check) => check._zod.def as { check: string; inclusive?: boolean },
  );
  const exclusive = checks.some(({ check, inclusive }) => check === 'greater_than' && inclusive === false);
  const kind = schema.format === 'safeint' ? 'a whole number' : 'a number';
  return `${kind} ${exclusive ? 'above' : 'from'} ${schema.minValue} to ${schema.maxValue}`;
}
