/**
 * Adds what each proven far end says that it saw: the number that tells a direction. After everything was asked, because
 * its memory of a session is bounded and each query costs a round trip.
 */
import type { Observation } from '../../model/observation.js';
import { askReceipts, type Receipts, withReceipts } from '../ask/receipts.js';
import type { FarEnd } from '../far-ends.js';
import type { RunState } from '../state.js';

const authenticAnswers = ({ attempts }: Observation): number =>
  attempts.reduce((sum, one) => sum + (one.outcome === 'answer' && one.authentic === true ? one.answers : 0), 0);

const attestedHeldBack = ({ attempts }: Observation): readonly number[] =>
  attempts.flatMap((one) => (one.outcome === 'answer' && one.attestation ? one.attestation.heldBack : []));

/**
 * The observations with what the far end saw of them. What could not be asked stays as it is, and so does everything if the
 * far end has forgotten what it answered: it was restarted meanwhile, or another one answers in its turn, and its "never
 * arrived" would be false.
 */
const completedBy = (receipts: Receipts, observations: readonly Observation[]): readonly Observation[] => {
  const completed = observations.map((one) => withReceipts(one, receipts));
  const isForgotten = completed.some((one) => one.seen !== null && one.seen < authenticAnswers(one));
  return isForgotten ? observations : completed;
};

const fetchAt = async (run: RunState, { address, facts, ways }: FarEnd, of: readonly Observation[]): Promise<void> => {
  const receipts = await askReceipts(
    of.flatMap(({ sequences }) => sequences),
    ways,
    run.tools,
  );
  run.observations.record(completedBy(receipts, of));
  const heldBack = [facts.heldBack, receipts.heldBack, ...of.flatMap(attestedHeldBack)];
  run.farEnds.learn(address, { heldBack: heldBack.reduce((most, one) => Math.max(most, one), 0) });
};

/** @param of only these, which were asked again; all that was observed if left out */
export const fetchReceipts = async (
  run: RunState,
  { of }: { readonly of?: readonly Observation[] } = {},
): Promise<void> => {
  const at = (address: string): readonly Observation[] =>
    of ? of.filter(({ check }) => check.address === address) : run.observations.at(address);
  await Promise.all(
    run.proven().flatMap((farEnd) => {
      const own = at(farEnd.address);
      return own.length > 0 ? [fetchAt(run, farEnd, own)] : [];
    }),
  );
};
