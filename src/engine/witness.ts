/**
 * The far end's half of the proof: asks a reflector which of our requests arrived. In-band, over whatever way has
 * already passed, so that a branch where one UDP port is open still learns in which direction the others fail.
 */
import pLimit from 'p-limit';
import type { Probe } from '../../probes/contract.js';
import type { Check } from '../model/check.js';
import type { Observation } from '../model/observation.js';
import { expectProof, judgeTag, makeTag } from '../wire/proof.js';
import { encodeReceiptsQuery, MAX_RECEIPTS, readReceipts } from '../wire/receipts.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES, readTag } from '../wire/tag.js';
import { askCheck } from './ask.js';
import type { AskContext } from './ledger.js';
import type { Path } from './path.js';

/** Ways to try one after the other, if the first has become deaf in the meantime. */
const MAX_WAYS = 3;
/** A sweep has hundreds of queries; one that is lost and waits must not hold up the others. */
const QUERIES_AT_ONCE = 8;
/** With RETRY_AFTER_MS this waits out a burst of loss. */
const ATTEMPTS = 5;
/** A query is four bytes a number, its answer one, so only a short one needs padding to pay for the longer tag. */
const PADDING = ANSWER_TAG_BYTES - REQUEST_TAG_BYTES;

const receiptsProbe = (sequences: readonly number[], found: (counts: readonly number[]) => void): Probe => ({
  kind: 'udp-echo',
  retransmits: false,
  timed: 'exchange',
  ask: (asking) => {
    const message = makeTag(asking, 'receiptsRequest', encodeReceiptsQuery(sequences, PADDING)) ?? new Uint8Array(0);
    return { messages: [message], proof: expectProof(asking, message), answeredByOpening: false };
  },
  read: (bytes, { question, elapsedMicros }) => {
    const parsed = readTag(bytes);
    if (!parsed.ok) return parsed.refusal === 'truncated' ? { kind: 'partial' } : { kind: 'refused', why: 'malformed' };
    const judged = question.proof && judgeTag(bytes, question.proof, elapsedMicros);
    if (!judged?.authentic || judged.tag.type !== 'receiptsAnswer') return { kind: 'refused', why: 'bad-proof' };
    const counts = readReceipts(judged.tag.body, sequences.length);
    if (!counts) return { kind: 'refused', why: 'malformed' };
    found(counts);
    return { kind: 'answer', authentic: true, attestation: judged.attestation, detail: {} };
  },
});

const askOnce = async (
  sequences: readonly number[],
  ways: readonly Check[],
  context: AskContext,
  path: Path,
  signal: AbortSignal,
): Promise<readonly number[] | null> => {
  let counts: readonly number[] | null = null;
  const probe = receiptsProbe(sequences, (told) => {
    counts = told;
  });
  for (const way of ways.slice(0, MAX_WAYS)) {
    const check = { ...way, id: `receipts@${way.id}` };
    await askCheck(check, probe, context, path, { samples: 1, doubt: 0, atMost: ATTEMPTS }, signal);
    if (counts) break;
  }
  return counts;
};

/**
 * Completes observations of one address with what the far end saw of them. `ways` are checks that passed there. What
 * could not be asked stays null.
 */
export const witness = async (
  observations: readonly Observation[],
  ways: readonly Check[],
  context: AskContext,
  path: Path,
  signal: AbortSignal,
): Promise<readonly Observation[]> => {
  const all = observations.flatMap(({ sequences }) => sequences);
  const seen = new Map<number, number>();
  const limit = pLimit(QUERIES_AT_ONCE);
  const queries = Array.from({ length: Math.ceil(all.length / MAX_RECEIPTS) }, (_, index) =>
    limit(async () => {
      const asked = all.slice(index * MAX_RECEIPTS, (index + 1) * MAX_RECEIPTS);
      const counts = await askOnce(asked, ways, context, path, signal);
      asked.forEach((sequence, at) => {
        const count = counts?.[at];
        if (count !== undefined) seen.set(sequence, count);
      });
    }),
  );
  await Promise.all(queries);
  return observations.map((observation) => {
    const told = observation.sequences.map((sequence) => seen.get(sequence));
    const known = told.length > 0 && told.every((count) => count !== undefined);
    return known ? { ...observation, seen: told.reduce<number>((sum, count) => sum + (count ?? 0), 0) } : observation;
  });
};
