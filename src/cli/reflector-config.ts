/** `reflector --config FILE`: the same options as on the command line, by the same names, from a YAML file. */
import { readFile } from 'node:fs/promises';
import { LineCounter, parseDocument, visit } from 'yaml';
import { nearest } from '../model/nearest.js';
import { UserError } from '../model/user-error.js';
import { usage } from './options.js';

type OptionValues = Readonly<Record<string, string | string[] | boolean | undefined>>;

/** The options fill a screen at most; a larger file is another file. */
const MAX_CONFIG_BYTES = 64 * 1024;

const isScalar = (value: unknown): value is string | number =>
  typeof value === 'string' || (typeof value === 'number' && Number.isFinite(value));

/**
 * Reads option values from a file. Keys are option names without dashes; lists are for what may be repeated.
 * @param repeatable which of the known options may be lists
 * @param flags which of them take no value on the command line; in a file they are true or false
 * @throws UserError naming file and line of what is wrong
 */
export const readReflectorConfig = async (
  file: string,
  known: readonly string[],
  repeatable: ReadonlySet<string>,
  flags: ReadonlySet<string>,
): Promise<OptionValues> => {
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw new UserError('usage', `--config ${file}: cannot be read (${(cause as { code?: string }).code})`, { cause });
  });
  if (text.length > MAX_CONFIG_BYTES) throw usage(`--config ${file}: too large to be a configuration`);
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  const [mistake] = document.errors;
  if (mistake) throw usage(`${file}:${lines.linePos(mistake.pos[0]).line}: ${mistake.message.split('\n')[0]}`);
  const lineOf = new Map<string, number>();
  visit(document, {
    Pair: (_key, pair) => {
      const key = pair.key as { value?: unknown; range?: readonly number[] | null };
      lineOf.set(String(key.value), lines.linePos(key.range?.[0] ?? 0).line);
    },
    Alias: () => {
      throw usage(`--config ${file}: aliases are not supported; write the value out`);
    },
  });
  const content: unknown = document.toJS();
  if (content === null) return {};
  if (typeof content !== 'object' || Array.isArray(content)) throw usage(`--config ${file}: must be a map of options`);
  return Object.fromEntries(
    Object.entries(content).map(([name, value]): [string, string | string[] | boolean] => {
      const where = `${file}:${lineOf.get(name) ?? 1}:${name}`;
      if (!known.includes(name)) {
        const near = nearest(name, known);
        throw usage(`${where}: no such option${near === null ? '' : `; did you mean ${near}?`}`);
      }
      if (flags.has(name)) {
        if (typeof value !== 'boolean') throw usage(`${where}: must be true or false`);
        return [name, value];
      }
      if (repeatable.has(name)) {
        const list: readonly unknown[] = Array.isArray(value) ? value : [value];
        if (!list.every(isScalar)) throw usage(`${where}: must be a value or a list of values`);
        return [name, list.map(String)];
      }
      if (!isScalar(value)) throw usage(`${where}: must be a single value`);
      return [name, String(value)];
    }),
  );
};
