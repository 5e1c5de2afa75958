/**
 * The far end's half of the proof: asks a reflector which of our requests arrived. In-band, over whatever way has
 * already passed, so that a branch where one UDP port is open still learns in which direction the others fail.
 */
import pLimit from 'p-limit';
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import { encodeReceiptsQuery, MAX_RECEIPTS, type Receipt, readReceipts } from '../../wire/receipts.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES } from '../../wire/tag.js';
import type { Tools } from '../tools.js';
import { askFor } from './ask.js';
import { wordProbe } from './word.js';

/** Ways to try one after the other, if the first has become deaf in the meantime. */
const MAX_WAYS = 3;
/** A sweep has hundreds of queries; one that is lost and waits must not hold up the others. */
const QUERIES_AT_ONCE = 32;
/** More than these go over UDP where it passes: a connection for each would take longer than the sweep. */
const FEW_QUERIES = 4;
/** As many as make a packet of some 400 bytes. */
const FEW_RECEIPTS = 60;
/** With RETRY_AFTER_MS this waits out a burst of loss. */
const ATTEMPTS = 5;
/** A query is four bytes a number, its answer three, so only a short one needs padding to pay for the longer tag. */
const PADDING = ANSWER_TAG_BYTES - REQUEST_TAG_BYTES;

/** What a far end says of single requests. */
export interface Receipts {
  /** By number: how often each arrived, and what became of it; what could not be asked, or was forgotten, is missing. */
  readonly told: ReadonlyMap<number, Receipt>;
  /**
   * How often each arrived and was answered; of a far end that does not tell what it answered, how often each arrived.
   */
  readonly seen: ReadonlyMap<number, number>;
  /** Answers and connections that it held back in this session so far, as far as it told. */
  readonly heldBack: number;
}

interface Told {
  /** Of how many numbers, the first ones, this tells. */
  readonly asked: number;
  readonly receipts: readonly Receipt[];
  readonly heldBack: number;
}

/** Asks for all of these and for the first ones of them in turn. */
const receiptsProbe = (sequences: readonly number[]): Probe<Told> => {
  const askedIn = (turn: number): readonly number[] => (turn % 2 === 1 ? sequences : sequences.slice(0, FEW_RECEIPTS));
  return wordProbe({
    request: 'receiptsRequest',
    body: (turn) => encodeReceiptsQuery(askedIn(turn), PADDING),
    value: ({ tag }, turn) => {
      const asked = askedIn(turn).length;
      return { asked, receipts: readReceipts(tag.body, asked), heldBack: tag.heldBack };
    },
  });
};

/** What the far end tells of these; null where it cannot be heard. */
const askOnce = async (sequences: readonly number[], ways: readonly Check[], tools: Tools): Promise<Told | null> => {
  for (const way of tools.ways.inOrder(ways).slice(0, MAX_WAYS)) {
    const probe = receiptsProbe(sequences);
    const { values } = await askFor(way, probe, { samples: 1, doubt: 0, atMost: ATTEMPTS }, tools);
    const [told] = values;
    if (told) return told;
    if (!tools.signal.aborted) tools.ways.deaf(way);
  }
  return null;
};

/** Asks over `ways`, which passed there, what arrived of these requests; without any number, only what was held back. */
export const askReceipts = async (
  sequences: readonly number[],
  ways: readonly Check[],
  tools: Tools,
): Promise<Receipts> => {
  const told = new Map<number, Receipt>();
  const seen = new Map<number, number>();
  if (ways.length === 0) return { told, seen, heldBack: 0 };
  // The newest first: what the far end has forgotten, the oldest, ends its list, and takes nothing else with it.
  const newest = [...sequences].sort((a, b) => b - a);
  // A number that was never sent still brings an answer.
  const all = newest.length > 0 ? newest : [tools.nextSequence()];
  const count = Math.ceil(all.length / MAX_RECEIPTS);
  const isUdp = ({ transport }: Check): number => (transport === 'udp' ? 1 : 0);
  const order = count > FEW_QUERIES ? [...ways].sort((a, b) => isUdp(b) - isUdp(a)) : ways;
  const limit = pLimit(QUERIES_AT_ONCE);
  let heldBack = 0;
  const query = async (index: number): Promise<void> => {
    let asked = all.slice(index * MAX_RECEIPTS, (index + 1) * MAX_RECEIPTS);
    while (asked.length > 0) {
      const answer = await askOnce(asked, order, tools);
      if (!answer) return;
      heldBack = Math.max(heldBack, answer.heldBack);
      answer.receipts.forEach((receipt, at) => {
        const sequence = asked[at];
        if (sequence === undefined) return;
        told.set(sequence, receipt);
        seen.set(sequence, receipt.answered ?? receipt.arrived);
      });
      // What it has forgotten ends its list: older ones are forgotten as well.
      if (answer.receipts.length < answer.asked) return;
      asked = asked.slice(answer.asked);
    }
  };
  await Promise.all(Array.from({ length: count }, (_, index) => limit(query, index)));
  return { told, seen, heldBack };
};

/** What the far end says of all requests of a check: `answered` is null where it does not tell. */
const summed = (receipts: readonly Receipt[]): Pick<Observation, 'seen' | 'answered' | 'unanswered'> => {
  const unanswered: Record<string, number> = {};
  let seen = 0;
  let answered: number | null = 0;
  for (const receipt of receipts) {
    seen += receipt.arrived;
    answered = answered === null || receipt.answered === null ? null : answered + receipt.answered;
    const missing = receipt.arrived - (receipt.answered ?? receipt.arrived);
    if (receipt.why !== null && missing > 0) unanswered[receipt.why] = (unanswered[receipt.why] ?? 0) + missing;
  }
  return { seen, answered, ...(answered !== null && answered < seen && { unanswered }) };
};

/** An observation with what the far end says of it; as it is where any of its requests is missing there. */
export const withReceipts = (observation: Observation, { told }: Pick<Receipts, 'told'>): Observation => {
  const own = observation.sequences.flatMap((sequence) => told.get(sequence) ?? []);
  const isKnown = own.length > 0 && own.length === observation.sequences.length;
  return isKnown ? { ...observation, ...summed(own) } : observation;
};
