/** Knows the tokens: tells requests that carry one from others, and seals the answers to them. */
import type { NamedToken } from '../model/token.js';
import { type CallIdentity, callIdentity } from '../wire/call.js';
import { deriveInSteps, type KeySteps, keyIdOf } from '../wire/keys.js';
import { type AnswerTag, encodeAnswerTo, isRequest, type RequestTag, readTag, verifyTag } from '../wire/tag.js';

/** What the far end attests besides the request itself. */
type AnswerFacts = Pick<
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
  | {
      readonly kind: 'admitted';
      readonly request: RequestTag;
      /** Names token and session together, so that nobody can touch the sessions of another token. */
      readonly name: string;
      /** For the channel of the request, or for another one of the same session. */
      readonly answer: (facts: AnswerFacts, channel?: Uint8Array | null) => Uint8Array;
      /** By which the session's calls are known. */
      readonly identity: () => CallIdentity;
    }
  /** A well-formed request under a token that is not ours. */
  | { readonly kind: 'unknown-key'; readonly request: RequestTag }
  | { readonly kind: 'none' };

export interface Authority {
  admit(bytes: Uint8Array, binding: Uint8Array | null): Admission;
  /** From now on these tokens count, and no others. */
  replace(tokens: readonly NamedToken[]): void;
  /** Requests admitted so far, by the token's name. */
  admitted(): ReadonlyMap<string, number>;
  /** Requests that arrived as they were sent, those under a token that is not ours included. */
  legible(): number;
}

/** Sessions whose keys are remembered; deriving them anew costs a few microseconds and nothing else. */
const MAX_CACHED_SESSIONS = 4096;

interface Known extends NamedToken {
  readonly keyId: number;
}

/** An authority over these tokens. Of two with the same key id the first counts; `readTokens` refuses such a pair. */
export const createAuthority = (tokens: readonly NamedToken[]): Authority => {
  let known: ReadonlyMap<number, Known> = new Map();
  const cache = new Map<string, KeySteps>();
  const counts = new Map<string, number>();
  let legible = 0;
  const replace = (next: readonly NamedToken[]): void => {
    const named = next.map((one): Known => ({ ...one, keyId: keyIdOf(one.token) }));
    known = new Map(named.toReversed().map((one) => [one.keyId, one]));
    cache.clear();
    // A counter that was shown stays: a name that is gone may come back.
    for (const { name } of named) if (!counts.has(name)) counts.set(name, 0);
  };
  replace(tokens);

  /** Only sessions that have proven themselves: made-up ones would push them out. */
  const remember = (name: string, keys: KeySteps): void => {
    const oldest = cache.size >= MAX_CACHED_SESSIONS ? cache.keys().next().value : undefined;
    if (oldest !== undefined) cache.delete(oldest);
    cache.set(name, keys);
  };
  return {
    admit: (bytes, binding) => {
      const read = readTag(bytes);
      if (!read.ok) return { kind: 'none' };
      const { tag } = read.value;
      if (!isRequest(tag)) return { kind: 'none' };
      const { keyId, session } = tag;
      const owner = known.get(keyId);
      if (!owner) {
        legible += 1;
        return { kind: 'unknown-key', request: tag };
      }
      const name = `${keyId} ${Buffer.from(session).toString('latin1')}`;
      const cached = cache.get(name);
      const keys = cached ?? deriveInSteps(owner.token, session);
      if (!verifyTag(read.value, keys.toReflector, binding)) return { kind: 'none' };
      if (!cached) remember(name, keys);
      counts.set(owner.name, (counts.get(owner.name) ?? 0) + 1);
      legible += 1;
      return {
        kind: 'admitted',
        request: tag,
        name,
        answer: (facts, channel = binding) => encodeAnswerTo(tag, facts, keys.toAgent(), channel),
        identity: () => callIdentity(keys.toAgent()),
      };
    },
    replace,
    admitted: () => counts,
    legible: () => legible,
  };
};
