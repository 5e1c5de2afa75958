/**
 * Whether our public address changed in the course of a run, as after a redial or a failover: before a moment all answers tell
 * of one address, and after it all of another. Lines that take turns show several at the same time. Pure.
 */
import type { AddressChange } from '../model/far-end.js';

/** What a far end saw us as in the answer to what was sent at that time. */
export interface Sighting {
  readonly atMs: number;
  readonly address: string;
}

/** Within so long a time a sweep shows each of several lines many times. */
const WINDOW_MS = 500;
/** While flows from before a change still end and new ones begin, both are seen. */
const MIXED_WINDOWS = 2;
/** A line that fails over and back, and over again; whatever changes more often is no redial. */
const MOST_CHANGES = 3;
/** Of fewer in all, and of fewer of each address, the order is chance. */
const LEAST_SIGHTINGS = 20;
const LEAST_OF_EACH = 5;

interface Window {
  readonly first: Sighting;
  readonly addresses: ReadonlySet<string>;
  readonly count: number;
}

const windowsOf = (sightings: readonly Sighting[]): readonly Window[] => {
  const windows = new Map<number, Sighting[]>();
  for (const sighting of [...sightings].sort((a, b) => a.atMs - b.atMs)) {
    const index = Math.floor(sighting.atMs / WINDOW_MS);
    const known = windows.get(index);
    if (known) known.push(sighting);
    else windows.set(index, [sighting]);
  }
  return [...windows.values()].flatMap((all): readonly Window[] => {
    const [first] = all;
    return first ? [{ first, addresses: new Set(all.map(({ address }) => address)), count: all.length }] : [];
  });
};

/** The changes in order; none where nothing changed, or where they do not separate in time. */
export const addressChangesOf = (sightings: readonly Sighting[]): readonly AddressChange[] => {
  if (sightings.length < LEAST_SIGHTINGS) return [];
  const seen = new Map<string, number>();
  const changes: AddressChange[] = [];
  let before: string | null = null;
  let mixed: Window[] = [];
  for (const window of windowsOf(sightings)) {
    if (window.addresses.size > 1) {
      mixed.push(window);
      if (mixed.length > MIXED_WINDOWS) return [];
      continue;
    }
    const { address } = window.first;
    seen.set(address, (seen.get(address) ?? 0) + window.count);
    if (before !== null && address !== before) {
      changes.push({ atMs: (mixed[0] ?? window).first.atMs, from: before, to: address });
    } else if (mixed.length > 0) return [];
    before = address;
    mixed = [];
  }
  const all = new Set(sightings.map(({ address }) => address));
  const isClear = mixed.length === 0 && [...all].every((address) => (seen.get(address) ?? 0) >= LEAST_OF_EACH);
  return isClear && changes.length <= MOST_CHANGES ? changes : [];
};
