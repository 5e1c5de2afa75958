/**
 * The far end's half of the proof: asks a reflector which of our requests arrived. In-band, over whatever way has
 * already passed, so that a branch where one UDP port is open still learns in which direction the others fail.
 */
import pLimit from 'p-limit';
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { Observation, UnansweredCounts } from '../../model/observation.js';
import { NOTHING } from '../../wire/octets.js';
import { expectProof, judgeTag, makeTag } from '../../wire/proof.js';
import { encodeReceiptsQuery, MAX_RECEIPTS, type Receipt, readReceipts } from '../../wire/receipts.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES, readTag } from '../../wire/tag.js';
import { askCheck } from '../ask/ask.js';
import type { AskContext } from '../ask/transactions.js';
import type { Path } from '../path.js';

/** Ways to try one after the other, if the first has become deaf in the meantime. */
const MAX_WAYS = 3;
/** A sweep has hundreds of queries; one that is lost and waits must not hold up the others. */
const QUERIES_AT_ONCE = 32;
/** More than these go over UDP where it passes: a connection for each would take longer than the sweep. */
const FEW_QUERIES = 4;
/** With RETRY_AFTER_MS this waits out a burst of loss. */
const ATTEMPTS = 5;
/** A query is four bytes a number, its answer three, so only a short one needs padding to pay for the longer tag. */
const PADDING = ANSWER_TAG_BYTES - REQUEST_TAG_BYTES;

/** What a reflector says about a run. */
interface Receipts {
  readonly told: readonly Receipt[];
  readonly heldBack: number;
}

const receiptsProbe = (sequences: readonly number[], found: (receipts: Receipts) => void): Probe => ({
  kind: 'udp-echo',
  retransmits: false,
  timed: 'exchange',
  ask: (asking) => {
    const message = makeTag(asking, 'receiptsRequest', encodeReceiptsQuery(sequences, PADDING)) ?? NOTHING;
    return { messages: [message], proof: expectProof(asking, message), answeredByOpening: false };
  },
  read: (bytes, { question, elapsedMicros }) => {
    const parsed = readTag(bytes);
    if (!parsed.ok) return parsed.refusal === 'truncated' ? { kind: 'partial' } : { kind: 'refused', why: 'malformed' };
    const judged = question.proof && judgeTag(bytes, question.proof, elapsedMicros);
    if (!judged?.authentic || judged.tag.type !== 'receiptsAnswer') return { kind: 'refused', why: 'bad-proof' };
    const told = readReceipts(judged.tag.body, sequences.length);
    found({ told, heldBack: judged.tag.heldBack });
    return { kind: 'answer', authentic: true, attestation: judged.attestation, detail: {} };
  },
});

const askOnce = async (
  sequences: readonly number[],
  ways: readonly Check[],
  context: AskContext,
  path: Path,
  signal: AbortSignal,
): Promise<Receipts | null> => {
  let receipts: Receipts | null = null;
  const probe = receiptsProbe(sequences, (told) => {
    receipts = told;
  });
  for (const way of ways.slice(0, MAX_WAYS)) {
    const check = { ...way, id: `receipts@${way.id}` };
    await askCheck(check, probe, context, path, { samples: 1, doubt: 0, atMost: ATTEMPTS }, signal);
    if (receipts) break;
  }
  return receipts;
};

export interface Testimony {
  readonly observations: readonly Observation[];
  /** Answers and connections that the reflector says it held back, the most that it told. */
  readonly heldBack: number;
}

const authenticAnswers = ({ attempts }: Observation): number =>
  attempts.reduce((sum, one) => sum + (one.outcome === 'answer' && one.authentic === true ? one.answers : 0), 0);

/** What the far end says of all requests of a check: null where it does not tell. */
export const summed = (receipts: readonly Receipt[]): Pick<Observation, 'seen' | 'answered' | 'unanswered'> => {
  const reasons: Record<string, number> = {};
  let seen = 0;
  let answered: number | null = 0;
  for (const receipt of receipts) {
    seen += receipt.arrived;
    answered = answered === null || receipt.answered === null ? null : answered + receipt.answered;
    const missing = receipt.arrived - (receipt.answered ?? receipt.arrived);
    if (receipt.why !== null && missing > 0) reasons[receipt.why] = (reasons[receipt.why] ?? 0) + missing;
  }
  const unanswered: UnansweredCounts = reasons;
  return { seen, answered, ...(answered !== null && answered < seen && { unanswered }) };
};

const attestedHeldBack = ({ attempts }: Observation): readonly number[] =>
  attempts.flatMap((one) => (one.outcome === 'answer' && one.attestation ? one.attestation.heldBack : []));

/**
 * Completes observations of one address with what the far end saw of them. `ways` are checks that passed there. What
 * could not be asked stays null, and so does everything if the far end has forgotten what it answered: it was restarted
 * meanwhile, or another one answers in its turn, and its "never arrived" would be a false witness.
 */
export const witness = async (
  observations: readonly Observation[],
  ways: readonly Check[],
  context: AskContext,
  path: Path,
  signal: AbortSignal,
): Promise<Testimony> => {
  // The newest first: what the far end has forgotten, the oldest, ends its list, and takes nothing else with it.
  const all = observations.flatMap(({ sequences }) => sequences).sort((a, b) => b - a);
  const receiptOf = new Map<number, Receipt>();
  const heldBack = observations.flatMap(attestedHeldBack);
  const limit = pLimit(QUERIES_AT_ONCE);
  const count = Math.ceil(all.length / MAX_RECEIPTS);
  const isUdp = ({ transport }: Check): number => (transport === 'udp' ? 1 : 0);
  const order = count > FEW_QUERIES ? [...ways].sort((a, b) => isUdp(b) - isUdp(a)) : ways;
  const queries = Array.from({ length: count }, (_, index) =>
    limit(async () => {
      const asked = all.slice(index * MAX_RECEIPTS, (index + 1) * MAX_RECEIPTS);
      const receipts = await askOnce(asked, order, context, path, signal);
      heldBack.push(receipts?.heldBack ?? 0);
      asked.forEach((sequence, at) => {
        const receipt = receipts?.told[at];
        if (receipt) receiptOf.set(sequence, receipt);
      });
    }),
  );
  await Promise.all(queries);
  const completed = observations.map((observation) => {
    const told = observation.sequences.flatMap((sequence) => receiptOf.get(sequence) ?? []);
    const isKnown = told.length > 0 && told.length === observation.sequences.length;
    return isKnown ? { ...observation, ...summed(told) } : observation;
  });
  const forgotten = completed.some((one) => one.seen !== null && one.seen < authenticAnswers(one));
  return {
    observations: forgotten ? observations : completed,
    heldBack: heldBack.reduce((most, one) => Math.max(most, one), 0),
  };
};

/**
 * The same, and once more for what `settle` asked further because too little had arrived. `settle` gives its
 * observations back in order, and those that it left alone as they are.
 */
export const witnessEnough = async (
  observations: readonly Observation[],
  settle: (told: readonly Observation[]) => Promise<readonly Observation[]>,
  ask: (untold: readonly Observation[]) => Promise<Testimony>,
): Promise<Testimony> => {
  const first = await ask(observations);
  const settled = await settle(first.observations);
  const untold = settled.filter((one, index) => one !== first.observations[index]);
  if (untold.length === 0) return first;
  const second = await ask(untold);
  const told = new Map(second.observations.map((one) => [one.check.id, one]));
  return {
    observations: settled.map((one) => told.get(one.check.id) ?? one),
    heldBack: Math.max(first.heldBack, second.heldBack),
  };
};
