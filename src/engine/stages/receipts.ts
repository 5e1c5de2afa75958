/** How often single requests of a stage arrived, by their sequence numbers. */
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import { witness } from '../witness.js';
import type { Stage } from './evidence.js';

/** By number; what could not be asked is missing. */
export const arrivals = async (
  sequences: readonly number[],
  ways: readonly Check[],
  { context, path, signal }: Stage,
): Promise<ReadonlyMap<number, number>> => {
  const [way] = ways;
  if (!way || sequences.length === 0) return new Map();
  const asked = sequences.map(
    (sequence): Observation => ({
      check: { ...way, id: String(sequence) },
      attempts: [],
      sequences: [sequence],
      refused: {},
      seen: null,
      notRun: null,
    }),
  );
  const { observations } = await witness(asked, ways, context, path, signal);
  return new Map(observations.flatMap(({ check, seen }) => (seen === null ? [] : [[Number(check.id), seen] as const])));
};
