/** What the disk would not take, kept in memory for a while: bounded, the lightest and oldest go first. */
import type { SpoolRecord } from '../exporters/contract.js';
import { LANES, type Lane } from './retention.js';

interface HeldRecord {
  readonly record: SpoolRecord;
  readonly lane: Lane;
}

interface Held {
  /** Adds one, and returns what had to go for it. */
  add(one: HeldRecord): readonly HeldRecord[];
  first(): HeldRecord | null;
  removeFirst(): void;
  size(): number;
  isFull(): boolean;
}

/** Two hours of a light check each minute; with reports of some 20 KB as objects, a few megabytes. */
const MAX_HELD = 120;

/** An empty store. */
export const createHeld = (limit = MAX_HELD): Held => {
  const records: HeldRecord[] = [];
  return {
    add: (one) => {
      records.push(one);
      if (records.length <= limit) return [];
      const lightest = Math.min(...records.map(({ lane }) => LANES.indexOf(lane)));
      const place = records.findIndex(({ lane }) => LANES.indexOf(lane) === lightest);
      return records.splice(place, 1);
    },
    first: () => records[0] ?? null,
    removeFirst: () => {
      records.shift();
    },
    size: () => records.length,
    isFull: () => records.length >= limit,
  };
};
