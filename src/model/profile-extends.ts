/**
 * `extends: business-sip`: a profile of one's own that takes a bundled one and changes single rows. A row with the id of
 * a bundled row changes the keys that it names; any other id is a row of its own; `without` leaves rows out.
 */
import type { Mistake, PathKey } from './mistake.js';
import { nearest } from './nearest.js';
import type { Profile } from './profile.js';
import { isMap, quoted } from './schema-words.js';

type Extended =
  | {
      readonly ok: true;
      readonly value: unknown;
      /** A mistake of the whole profile as a mistake of the file that extends. */
      readonly inFile: (mistake: Mistake) => Mistake;
    }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

const QUESTIONS = ['check', 'range', 'anyOf'] as const;

interface Placed {
  readonly row: unknown;
  /** Its place in the file; null for what the file does not touch. */
  readonly at: number | null;
}

const without = (row: object, keys: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(Object.entries(row).filter(([key]) => !keys.includes(key)));

/** Who asks something else cannot go on naming the document that said to ask the first. */
const changed = (base: object, own: Record<string, unknown>): Record<string, unknown> =>
  QUESTIONS.some((question) => question in own)
    ? { ...without(base, [...QUESTIONS, 'source']), ...own }
    : { ...base, ...own };

const isNamed = (row: unknown, id: string): boolean => isMap(row) && row.id === id;

/** Lists of maps with ids: the base's in their places, changed where the file names them, then the file's own. */
const merged = (base: readonly { readonly id: string }[], own: readonly unknown[]): readonly Placed[] => [
  ...base.map((row): Placed => {
    const at = own.findIndex((one) => isNamed(one, row.id));
    const change = own[at];
    return isMap(change) ? { row: changed(row, change), at } : { row, at: null };
  }),
  ...own.flatMap((row, at): Placed[] => (base.some(({ id }) => isNamed(row, id)) ? [] : [{ row, at }])),
];

const mapsOf = (base: unknown, own: unknown): unknown =>
  isMap(base) && isMap(own) ? { ...base, ...own } : (own ?? base);

/** Puts a file's content onto the profile that it extends; `bases` are the bundled profiles by name. */
export const extendProfile = (value: Record<string, unknown>, bases: ReadonlyMap<string, Profile>): Extended => {
  const { extends: name, without: dropped = [], ...own } = value;
  const at = (path: readonly PathKey[], message: string): Extended => ({
    ok: false,
    mistakes: [{ path, atKey: false, message }],
  });
  const base = typeof name === 'string' ? bases.get(name) : undefined;
  if (base === undefined) {
    const meant = typeof name === 'string' ? nearest(name, [...bases.keys()]) : null;
    return at(['extends'], `is ${quoted(name)}; use the name of a bundled profile${meant ? `, such as ${meant}` : ''}`);
  }
  if (!Array.isArray(dropped)) return at(['without'], `is ${quoted(dropped)}; use a list of row ids`);
  for (const [index, id] of dropped.entries()) {
    if (base.requirements.some((row) => row.id === id)) continue;
    const ids = base.requirements.map((row) => row.id).join(', ');
    return at(['without', index], `is ${quoted(id)}, no row of ${base.profile}; use one of ${ids}`);
  }
  for (const key of ['requirements', 'destinations'] as const) {
    if (own[key] !== undefined && !Array.isArray(own[key])) return at([key], `is ${quoted(own[key])}; use a list`);
  }
  const listOf = (key: string): readonly unknown[] => {
    const held = own[key];
    return Array.isArray(held) ? held : [];
  };
  const kept = base.requirements.filter(({ id }) => !dropped.includes(id));
  const rows = merged(kept, listOf('requirements'));
  const lists = merged(base.destinations ?? [], listOf('destinations'));
  const placed: Readonly<Record<string, readonly Placed[]>> = { requirements: rows, destinations: lists };
  return {
    ok: true,
    value: {
      ...base,
      ...own,
      notes: [...base.notes, ...listOf('notes')],
      thresholds: mapsOf(base.thresholds, own.thresholds),
      symptoms: mapsOf(base.symptoms, own.symptoms),
      ...(lists.length > 0 && { destinations: lists.map(({ row }) => row) }),
      requirements: rows.map(({ row }) => row),
    },
    inFile: (mistake) => {
      const [key, index, ...rest] = mistake.path;
      if (typeof key !== 'string' || typeof index !== 'number') return mistake;
      const place = placed[key]?.[index];
      if (place === undefined) return mistake;
      // What the file does not touch is told at the key that brought it in.
      return place.at === null
        ? { ...mistake, path: ['extends'], atKey: false }
        : { ...mistake, path: [key, place.at, ...rest] };
    },
  };
};
