/**
 * The words of every schema for files that people write. Every message reads "is …; the fix", because it is printed
 * after the file, line and path of the value at fault.
 */
import * as v from 'valibot';
import { nearest } from './nearest.js';

/** A message quotes no more of a value than a reader needs to recognise it. */
const QUOTED_LENGTH = 40;

/** A value as a message quotes it: short, on one line, control characters escaped. */
export const quoted = (value: unknown): string => {
  if (value === undefined) return 'missing';
  if (value === null) return 'empty';
  // JSON knows neither NaN nor Infinity.
  if (typeof value === 'number') return String(value);
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map';
  const text = JSON.stringify(value) ?? String(value);
  return text.length <= QUOTED_LENGTH ? text : `${text.slice(0, QUOTED_LENGTH)}…`;
};

const suggestion = (word: unknown, known: readonly string[]): string => {
  const meant = typeof word === 'string' ? nearest(word, known) : null;
  return meant === null ? `use one of ${known.join(', ')}` : `did you mean "${meant}"?`;
};

/** `is X; use FIX`. */
export const use =
  (fix: string) =>
  (issue: { readonly input: unknown }): string =>
    `is ${quoted(issue.input)}; use ${fix}`;

/** One of a closed list; the message names what was probably meant. */
export const oneOf = <const Options extends readonly string[]>(options: Options) =>
  v.picklist(options, (issue) => `is ${quoted(issue.input)}; ${suggestion(issue.input, options)}`);

export const isMap = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** Of a map with more keys that do not belong there, the rest need not be told; each costs a search through the whole map. */
const MAX_UNKNOWN_KEYS = 20;

/** `strictObject` names the first key that it does not know and stops; this names those after it. */
const otherUnknownKeys = <Content>(known: ReadonlySet<string>, message: (key: string) => string) =>
  v.rawCheck<Content>(({ dataset, addIssue }) => {
    const isUnknown = ({ expected, path }: v.BaseIssue<unknown>) => expected === 'never' && path?.length === 1;
    const first = dataset.issues?.find((issue) => isUnknown(issue) && issue.path?.[0].origin === 'key')?.path?.[0];
    if (first === undefined || !isMap(first.input)) return;
    const { input } = first;
    const others = Object.keys(input).filter((key) => !known.has(key) && key !== first.key);
    for (const key of others.slice(0, MAX_UNKNOWN_KEYS - 1)) {
      const path: [v.IssuePathItem] = [{ type: 'object', origin: 'key', input, key, value: input[key] }];
      addIssue({ input: key, expected: 'never', message: message(key), path });
    }
  });

/** A map with these keys and no others. `alsoKnown` are keys that a suggestion may name besides. */
export const map = <const Entries extends v.ObjectEntries>(entries: Entries, alsoKnown: readonly string[] = []) => {
  const known = [...Object.keys(entries), ...alsoKnown];
  const unknown = (key: unknown): string => `is not a key that belongs here; ${suggestion(key, known)}`;
  const shape = v.strictObject(entries, (issue) =>
    issue.expected === 'never' ? unknown(issue.input) : 'is missing; add it',
  );
  return v.pipe(
    v.custom<Record<string, unknown>>(isMap, use(`a map with the keys ${known.join(', ')}`)),
    shape,
    otherUnknownKeys<v.InferOutput<typeof shape>>(new Set(Object.keys(entries)), unknown),
  );
};

/** A list of these. */
export const list = <const Item extends v.GenericSchema>(item: Item) => v.array(item, use('a list'));
