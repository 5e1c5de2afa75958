/**
 * Keys of a session, derived from the shared token, so that the first packet is already authenticated and nothing has
 * to be agreed on first: a branch where one UDP port is open must still get proof (docs/protocol.md).
 */
import { createHmac } from 'node:crypto';
import { writeHmacSha256 } from './hash.js';

/** HKDF's salt for values that belong to a token and not to a session; also names the protocol's major version. */
const PROTOCOL_LABEL = 'callpath/1';

/** HMAC-SHA256 keys have no use for more than the hash's own length (RFC 2104 §3). */
const KEY_BYTES = 32;

/** 64 random bits: two of a million concurrent sessions collide with probability 3e-8. */
export const SESSION_ID_BYTES = 8;

/** A token shorter than this can be guessed from one captured packet. */
export const MIN_TOKEN_BYTES = 16;

/** Authenticates one direction each, so that a reflected packet never verifies. */
export interface SessionKeys {
  /** Names the token without revealing it; the reflector picks the token by it. */
  readonly keyId: number;
  readonly toReflector: Uint8Array;
  readonly toAgent: Uint8Array;
}

/** The public name of a token: 32 bits of an HMAC under it. */
export const keyIdOf = (token: Uint8Array): number =>
  createHmac('sha256', token).update(`${PROTOCOL_LABEL} key id`).digest().readUInt32BE(0);

/** The counter of HKDF's first and only block (RFC 5869 §2.3). */
const FIRST_BLOCK = Uint8Array.of(1);
const INFO = {
  toReflector: Buffer.from(`${PROTOCOL_LABEL} agent to reflector`),
  toAgent: Buffer.from(`${PROTOCOL_LABEL} reflector to agent`),
} as const;

const mac = (message: Uint8Array, more: Uint8Array | null, key: Uint8Array): Uint8Array => {
  const bytes = Buffer.alloc(KEY_BYTES);
  writeHmacSha256(bytes, 0, KEY_BYTES, { message, more, key });
  return bytes;
};

/** HKDF's first half (RFC 5869 §2.2): the session id is the salt. */
const extract = (token: Uint8Array, sessionId: Uint8Array): Uint8Array => mac(token, null, sessionId);
const expand = (extracted: Uint8Array, direction: keyof typeof INFO): Uint8Array =>
  mac(INFO[direction], FIRST_BLOCK, extracted);

/** A session's keys, of which the second is made when it is needed. */
export interface KeySteps {
  readonly toReflector: Uint8Array;
  readonly toAgent: () => Uint8Array;
}

/**
 * The key by which a request is believed or not; the other follows once it is. Strangers who know a key id can make the far end
 * derive as many as they like, so this takes a few hashes and nothing of OpenSSL's key objects.
 */
export const deriveInSteps = (token: Uint8Array, sessionId: Uint8Array): KeySteps => {
  const extracted = extract(token, sessionId);
  let toAgent: Uint8Array | null = null;
  return {
    toReflector: expand(extracted, 'toReflector'),
    toAgent: () => {
      toAgent ??= expand(extracted, 'toAgent');
      return toAgent;
    },
  };
};

/** The keys of one session under one token (HKDF-SHA256, RFC 5869). */
export const deriveKeys = (token: Uint8Array, sessionId: Uint8Array): SessionKeys => {
  const { toReflector, toAgent } = deriveInSteps(token, sessionId);
  return { keyId: keyIdOf(token), toReflector, toAgent: toAgent() };
};
