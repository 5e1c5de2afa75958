/**
 * Keys of a session, derived from the shared token, so that the first packet is already authenticated and nothing has
 * to be agreed on first: a branch where one UDP port is open must still get proof (docs/protocol.md).
 */
import { createHmac, hkdfSync } from 'node:crypto';

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

const derive = (token: Uint8Array, sessionId: Uint8Array, direction: string): Uint8Array =>
  new Uint8Array(hkdfSync('sha256', token, sessionId, `${PROTOCOL_LABEL} ${direction}`, KEY_BYTES));

/** The keys of one session under one token (HKDF-SHA256, RFC 5869; the session id is the salt). */
export const deriveKeys = (token: Uint8Array, sessionId: Uint8Array): SessionKeys => ({
  keyId: keyIdOf(token),
  toReflector: derive(token, sessionId, 'agent to reflector'),
  toAgent: derive(token, sessionId, 'reflector to agent'),
});
