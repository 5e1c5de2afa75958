/** The agent's side of the tag: making the one that goes out, and judging the one that comes back. */
import { timingSafeEqual } from 'node:crypto';
import type { Attestation } from '../model/observation.js';
import { formatIp, unmapIp } from './ip.js';
import type { SessionKeys } from './keys.js';
import { NOTHING } from './octets.js';
import {
  type AnswerTag,
  digestOf,
  encodeRequestTag,
  isAnswer,
  type ReadTag,
  type RequestTag,
  readTag,
  verifyTag,
} from './tag.js';

/** What must be remembered of a request to judge the proof in its answer. */
export interface TagProof {
  readonly keys: SessionKeys;
  readonly session: Uint8Array;
  readonly sequence: number;
  readonly sentAtMicros: bigint;
  readonly binding: Uint8Array | null;
  /** The message that carried the tag, as sent. */
  readonly message: Uint8Array;
}

interface TagInput {
  readonly session: { readonly id: Uint8Array; readonly keys: SessionKeys | null };
  readonly sequence: number;
  readonly sentAtMicros: bigint;
  readonly binding: Uint8Array | null;
}

/** A request tag for this session, or null without a token. */
export const makeTag = (
  input: TagInput,
  type: RequestTag['type'] = 'echoRequest',
  body: Uint8Array = NOTHING,
): Uint8Array | null =>
  input.session.keys &&
  encodeRequestTag(
    {
      type,
      keyId: input.session.keys.keyId,
      session: input.session.id,
      sequence: input.sequence,
      sentAtMicros: input.sentAtMicros,
      body,
    },
    input.session.keys.toReflector,
    input.binding,
  );

/** What to expect back for `message`, or null without a token. */
export const expectProof = (input: TagInput, message: Uint8Array): TagProof | null =>
  input.session.keys && {
    keys: input.session.keys,
    session: input.session.id,
    sequence: input.sequence,
    sentAtMicros: input.sentAtMicros,
    binding: input.binding,
    message,
  };

export type Judged =
  | { readonly authentic: true; readonly attestation: Attestation; readonly tag: AnswerTag }
  | { readonly authentic: false };

const equal = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && timingSafeEqual(a, b);

/** Is it an answer tag to the request that `proof` remembers, and made with the session's key? */
const isOurs = (read: ReadTag, proof: TagProof): read is ReadTag<AnswerTag> =>
  isAnswer(read.tag) &&
  read.tag.sequence === proof.sequence &&
  equal(read.tag.session, proof.session) &&
  verifyTag(read, proof.keys.toAgent, proof.binding);

/**
 * Judges the tag in an answer. `elapsedMicros` is the time from sending to receiving; half of what the far end did not
 * spend on it is the best guess at one way, so the skew is good to half the round trip (RFC 5905 §8).
 */
export const judgeTag = (bytes: Uint8Array, proof: TagProof, elapsedMicros: number): Judged => {
  const parsed = readTag(bytes);
  if (!parsed.ok || !isOurs(parsed.value, proof)) return { authentic: false };
  const { tag } = parsed.value;
  const oneWayMicros = Math.max(0, elapsedMicros - tag.turnaroundMicros) / 2;
  const skewMicros = Number(tag.receivedAtMicros - proof.sentAtMicros) - oneWayMicros;
  return {
    authentic: true,
    tag,
    attestation: {
      intact: tag.receivedLength === proof.message.length && equal(tag.digest, digestOf(proof.message)),
      seenAddress: formatIp(unmapIp(tag.seenAddress)),
      seenPort: tag.seenPort,
      arrivalPort: tag.arrivalPort,
      clockSkewMs: Math.round(skewMicros) / 1000,
      keepalives: tag.keepalives,
      heldBack: tag.heldBack,
    },
  };
};
