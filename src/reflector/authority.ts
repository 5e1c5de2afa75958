/** Knows the token: tells requests that carry it from others, and seals the answers to them. */

import { deriveKeys, keyIdOf, type SessionKeys } from '../wire/keys.js';
import { type AnswerTag, encodeAnswerTo, isRequest, type RequestTag, readTag, verifyTag } from '../wire/tag.js';

/** What the far end attests besides the request itself. */
export type AnswerFacts = Pick<
  AnswerTag,
  | 'type'
  | 'receivedAtMicros'
  | 'turnaroundMicros'
  | 'arrivalPort'
  | 'seenPort'
  | 'seenAddress'
  | 'digest'
  | 'receivedLength'
  | 'keepalives'
  | 'heldBack'
  | 'body'
>;

export type Admission =
  | { readonly kind: 'admitted'; readonly request: RequestTag; readonly answer: (facts: AnswerFacts) => Uint8Array }
  /** A well-formed request under a token that is not ours. */
  | { readonly kind: 'unknown-key'; readonly request: RequestTag }
  | { readonly kind: 'none' };

export interface Authority {
  admit(bytes: Uint8Array, binding: Uint8Array | null): Admission;
}

/** Sessions whose keys are remembered; deriving them anew costs a few microseconds and nothing else. */
const MAX_CACHED_SESSIONS = 4096;

/** An authority over one token. */
export const createAuthority = (token: Uint8Array): Authority => {
  const keyId = keyIdOf(token);
  const cache = new Map<string, SessionKeys>();
  const keysOf = (session: Uint8Array): SessionKeys => {
    const name = Buffer.from(session).toString('latin1');
    const known = cache.get(name);
    if (known) return known;
    const keys = deriveKeys(token, session);
    const oldest = cache.size >= MAX_CACHED_SESSIONS ? cache.keys().next().value : undefined;
    if (oldest !== undefined) cache.delete(oldest);
    cache.set(name, keys);
    return keys;
  };
  return {
    admit: (bytes, binding) => {
      const read = readTag(bytes);
      if (!read.ok) return { kind: 'none' };
      const { tag } = read.value;
      if (!isRequest(tag)) return { kind: 'none' };
      if (tag.keyId !== keyId) return { kind: 'unknown-key', request: tag };
      const keys = keysOf(tag.session);
      if (!verifyTag(read.value, keys.toReflector, binding)) return { kind: 'none' };
      return {
        kind: 'admitted',
        request: tag,
        answer: (facts) => encodeAnswerTo(tag, facts, keys.toAgent, binding),
      };
    },
  };
};
