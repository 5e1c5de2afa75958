/**
 * Receipts: the agent names sequence numbers, the reflector tells of each how often it arrived, how often it was answered,
 * and why not.
 *
 *     query:   how many (2)   the numbers (4 each)   which form of answer is understood (1)   then padding
 *     answer:  how many are told (2)   for each: arrivals (1), answers (1), reason (1)        then padding
 *     or, of a reflector that knows only arrivals, and to an agent that does: arrivals (1 each)
 *
 * The longer form is always longer than as many bytes as numbers were asked, the shorter never is: that tells them apart.
 */
import { UNANSWERED, type Unanswered } from '../model/observation.js';

/** As many as fit a datagram that no path has to fragment. */
export const MAX_RECEIPTS = 250;
const COUNT_BYTES = 2;
const SEQUENCE_BYTES = 4;
const RECEIPT_BYTES = 3;
export const MAX_RECEIPT_COUNT = 255;
/** Stands where agents that understand arrivals alone send padding, which is zero. */
const WITH_ANSWERS = 1;
const FORM_BYTES = 1;
/** The reason's octet where nothing is left unanswered; others are one more than their place in `UNANSWERED`. */
const NO_REASON = 0;

/** What became of one number at the far end. */
export interface Receipt {
  /** How often it arrived; `MAX_RECEIPT_COUNT` stands for more. */
  readonly arrived: number;
  /** How often it was answered; null if the far end does not tell. */
  readonly answered: number | null;
  /** Why it was not answered as often as it arrived, the latest reason of several; null where nothing is missing. */
  readonly why: Unanswered | null;
}

interface ReceiptsQuery {
  readonly sequences: readonly number[];
  /** Whether the agent understands what was answered, too. */
  readonly wantsAnswers: boolean;
}

/** The query's body, padded so that the answer tag is never larger than the request. `padding` is the difference. */
export const encodeReceiptsQuery = (sequences: readonly number[], padding: number): Uint8Array => {
  if (sequences.length > MAX_RECEIPTS) throw new RangeError(`at most ${MAX_RECEIPTS} sequence numbers in one query`);
  const end = COUNT_BYTES + SEQUENCE_BYTES * sequences.length;
  const body = Buffer.alloc(end + Math.max(FORM_BYTES, padding));
  body.writeUInt16BE(sequences.length, 0);
  for (const [index, sequence] of sequences.entries()) {
    body.writeUInt32BE(sequence, COUNT_BYTES + SEQUENCE_BYTES * index);
  }
  body.writeUInt8(WITH_ANSWERS, end);
  return body;
};

/** What a query asks; numbers that are cut off or too many are left out. */
export const readReceiptsQuery = (body: Uint8Array): ReceiptsQuery => {
  if (body.length < COUNT_BYTES) return { sequences: [], wantsAnswers: false };
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const room = Math.floor((bytes.length - COUNT_BYTES) / SEQUENCE_BYTES);
  const count = Math.min(bytes.readUInt16BE(0), room, MAX_RECEIPTS);
  const end = COUNT_BYTES + SEQUENCE_BYTES * count;
  return {
    sequences: Array.from({ length: count }, (_, index) => bytes.readUInt32BE(COUNT_BYTES + SEQUENCE_BYTES * index)),
    wantsAnswers: bytes[end] === WITH_ANSWERS,
  };
};

const octet = (count: number): number => Math.min(count, MAX_RECEIPT_COUNT);

/**
 * The answer's body. `told` are the first of the numbers asked: all, or up to one of which nothing is known. Never more
 * than the query has paid for: three bytes of each number's four, and two where its numbers begin.
 */
export const encodeReceipts = (
  told: readonly Receipt[],
  { sequences: { length: asked }, wantsAnswers }: ReceiptsQuery,
): Uint8Array => {
  if (!wantsAnswers) return Uint8Array.from(told, ({ arrived }) => octet(arrived));
  const body = Buffer.alloc(Math.max(COUNT_BYTES + RECEIPT_BYTES * told.length, asked + 1));
  body.writeUInt16BE(told.length, 0);
  for (const [index, { arrived, answered, why }] of told.entries()) {
    const at = COUNT_BYTES + RECEIPT_BYTES * index;
    body.writeUInt8(octet(arrived), at);
    body.writeUInt8(octet(answered ?? 0), at + 1);
    body.writeUInt8(why === null ? NO_REASON : UNANSWERED.indexOf(why) + 1, at + 2);
  }
  return body;
};

/**
 * What is told of the first of `asked` numbers. A count that contradicts itself, or a reason that is not known here,
 * is no word about answers: of that number only its arrivals are believed.
 */
export const readReceipts = (body: Uint8Array, asked: number): readonly Receipt[] => {
  if (body.length <= asked) return Array.from(body, (arrived) => ({ arrived, answered: null, why: null }));
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  if (bytes.length < COUNT_BYTES) return [];
  const room = Math.floor((bytes.length - COUNT_BYTES) / RECEIPT_BYTES);
  const told = Math.min(bytes.readUInt16BE(0), room, asked);
  return Array.from({ length: told }, (_, index) => {
    const at = COUNT_BYTES + RECEIPT_BYTES * index;
    const [arrived, answered, reason] = [bytes.readUInt8(at), bytes.readUInt8(at + 1), bytes.readUInt8(at + 2)];
    const why = UNANSWERED[reason - 1] ?? null;
    const isSound = answered <= arrived && (answered === arrived || why !== null);
    return isSound
      ? { arrived, answered, why: answered === arrived ? null : why }
      : { arrived, answered: null, why: null };
  });
};
