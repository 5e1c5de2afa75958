/** `CALLPATH__budget__packetsPerSecond=100`: single values of the configuration, from the environment. */
import { parse } from 'yaml';
import type { PathKey } from '../../model/mistake.js';
import { isMap } from '../../model/schema-words.js';

const PREFIX = 'CALLPATH__';

interface Override {
  readonly variable: string;
  readonly path: readonly PathKey[];
  readonly value: unknown;
}

/** A number or a truth value where it is written as one is; `007` and all else stay text. */
const scalar = (text: string): unknown => {
  try {
    const value: unknown = parse(text, { schema: 'core', maxAliasCount: 0 });
    return (typeof value === 'number' || typeof value === 'boolean') && String(value) === text ? value : text;
  } catch {
    return text;
  }
};

/** The overrides that an environment holds, in the order of their names. */
export const overridesOf = (env: NodeJS.ProcessEnv): readonly Override[] =>
  Object.entries(env)
    .flatMap(([variable, text]): Override[] =>
      variable.startsWith(PREFIX) && text !== undefined
        ? [
            {
              variable,
              path: variable
                .slice(PREFIX.length)
                .split('__')
                .map((key) => (/^\d{1,4}$/.test(key) ? Number(key) : key)),
              value: scalar(text),
            },
          ]
        : [],
    )
    .sort((a, b) => (a.variable < b.variable ? -1 : 1));

const replaced = (node: unknown, path: readonly PathKey[], value: unknown): unknown => {
  const [key, ...rest] = path;
  if (key === undefined) return value;
  if (typeof key === 'number') {
    const items: unknown[] = Array.isArray(node) ? [...node] : [];
    // An index that the file does not have would leave a hole; the entry is put at the end and judged there.
    const place = Math.min(key, items.length);
    items[place] = replaced(items[place], rest, value);
    return items;
  }
  const content = isMap(node) ? node : {};
  const own = Object.hasOwn(content, key) ? content[key] : undefined;
  // Entries and not assignment: `__proto__` is a key like any other.
  return Object.fromEntries([
    ...Object.entries(content).filter(([name]) => name !== key),
    [key, replaced(own, rest, value)],
  ]);
};

/** The content with every override in its place; the content itself stays as it is. */
export const withOverrides = (content: unknown, overrides: readonly Override[]): unknown =>
  overrides.reduce((node, { path, value }) => replaced(node, path, value), content);
