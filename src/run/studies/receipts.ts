/** How often single requests of a tools arrived, by their sequence numbers. */
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import { witness } from '../phases/fetch-receipts.js';
import type { Tools } from './captures.js';

/** What a far end says of single requests. */
export interface Testified {
  /**
   * How often each arrived and was answered, by its number; what could not be asked is missing. Of a far end that does not
   * tell what it answered, how often each arrived.
   */
  readonly seen: ReadonlyMap<number, number>;
  /** Answers that it held back in this session so far, as far as it told. */
  readonly heldBack: number;
}

/** Asks even without any number, for what was held back. */
export const testimony = async (
  sequences: readonly number[],
  ways: readonly Check[],
  { context, path, signal }: Tools,
): Promise<Testified> => {
  const [way] = ways;
  if (!way) return { seen: new Map(), heldBack: 0 };
  // A number that was never sent still brings an answer.
  const numbers = sequences.length > 0 ? sequences : [context.nextSequence()];
  const asked = numbers.map(
    (sequence): Observation => ({
      check: { ...way, id: String(sequence) },
      attempts: [],
      sequences: [sequence],
      refused: {},
      seen: null,
      notRun: null,
    }),
  );
  const { observations, heldBack } = await witness(asked, ways, context, path, signal);
  const seen = observations.flatMap(({ check, seen: arrived, answered }) => {
    const count = answered ?? arrived;
    return count === null ? [] : [[Number(check.id), count] as const];
  });
  return { seen: new Map(seen), heldBack };
};

/** By number; what could not be asked is missing. */
export const arrivals = async (
  sequences: readonly number[],
  ways: readonly Check[],
  tools: Tools,
): Promise<ReadonlyMap<number, number>> =>
  sequences.length === 0 ? new Map() : (await testimony(sequences, ways, tools)).seen;
