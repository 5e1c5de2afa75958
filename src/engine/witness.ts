/**
 * The far end's half of the proof: asks a reflector which of our requests arrived. In-band, over whatever way has
 * already passed, so that a branch where one UDP port is open still learns in which direction the others fail.
 */
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
/** With RETRY_AFTER_MS this waits out a burst of loss. */
const ATTEMPTS = 5;
/** A query is four bytes a number, its answer one, so only a short one needs padding to pay for the longer tag. */
const PADDING = ANSWER_TAG_BYTES - REQUEST_TAG_BYTES;

const receiptsProbe = (
  sequences: readonly number[],
  found: (counts: readonly number[], heldBack: number) => void,
): Probe => ({
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
    found(counts, judged.tag.heldBack);
    return { kind: 'answer', authentic: true, attestation: judged.attestation, detail: {} };
  },
});

interface Testimony {
  readonly counts: readonly number[];
  readonly heldBack: number;
}

const askOnce = async (
  sequences: readonly number[],
  ways: readonly Check[],
  context: AskContext,
  path: Path,
  signal: AbortSignal,
): Promise<Testimony | null> => {
  let said: Testimony | null = null;
  const probe = receiptsProbe(sequences, (counts, heldBack) => {
    said = { counts, heldBack };
  });
  for (const way of ways.slice(0, MAX_WAYS)) {
    const check = { ...way, id: `receipts@${way.id}` };
    await askCheck(check, probe, context, path, { samples: 1, doubt: 0, atMost: ATTEMPTS }, signal);
    if (said) break;
  }
  return said;
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
  let heldBack = 0;
  for (let at = 0; at < all.length; at += MAX_RECEIPTS) {
    const asked = all.slice(at, at + MAX_RECEIPTS);
    const said = await askOnce(asked, ways, context, path, signal);
    heldBack = Math.max(heldBack, said?.heldBack ?? 0);
    asked.forEach((sequence, index) => {
      const count = said?.counts[index];
      if (count !== undefined) seen.set(sequence, count);
    });
  }
  return observations.map((observation) => {
    const told = observation.sequences.map((sequence) => seen.get(sequence));
    const known = told.length > 0 && told.every((count) => count !== undefined);
    const seenOfIt = known ? told.reduce<number>((sum, count) => sum + (count ?? 0), 0) : observation.seen;
    return { ...observation, seen: seenOfIt, ...(heldBack > 0 && { heldBack }) };
  });
};
