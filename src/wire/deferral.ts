/**
 * The body of a deferred request: the answer is to come later, or from elsewhere. How long a NAT keeps a binding shows
 * only when nothing crosses it meanwhile (RFC 4787 §4.3), and what it filters when an answer comes from another address
 * or port (RFC 5780 §4.4), in whatever protocol the request was put.
 */

/** From where an answer leaves, seen from the socket that was asked, and when. */
export interface Deferral {
  readonly afterMs: number;
  readonly changeIp: boolean;
  readonly changePort: boolean;
  /** Another port of the asking address to which the answer goes, as RESPONSE-PORT asks of STUN (RFC 5780 §7.5). */
  readonly toPort?: number | null;
}

/** Longer than any timeout that a phone's keepalives have to stay below (RFC 5626 §4.4.1 has 120 s at most). */
export const MAX_DEFERRAL_MS = 300_000;
const BODY_BYTES = 8;
/** As in CHANGE-REQUEST (RFC 5780 §7.2). */
const CHANGE_IP = 0x04;
const CHANGE_PORT = 0x02;

/** @param padding bytes to add, so that the answer is not larger than the request */
export const encodeDeferral = ({ afterMs, changeIp, changePort, toPort }: Deferral, padding = 0): Uint8Array => {
  if (!(afterMs >= 0 && afterMs <= MAX_DEFERRAL_MS)) throw new RangeError(`0 to ${MAX_DEFERRAL_MS} ms, not ${afterMs}`);
  const body = Buffer.alloc(BODY_BYTES + padding);
  body.writeUInt16BE(toPort ?? 0, 0);
  body.writeUInt8((changeIp ? CHANGE_IP : 0) | (changePort ? CHANGE_PORT : 0), 3);
  body.writeUInt32BE(Math.round(afterMs), 4);
  return body;
};

/** Null for a body that is too short or asks for more than `MAX_DEFERRAL_MS`. */
export const readDeferral = (body: Uint8Array): Deferral | null => {
  if (body.length < BODY_BYTES) return null;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const toPort = bytes.readUInt16BE(0);
  const flags = bytes.readUInt8(3);
  const afterMs = bytes.readUInt32BE(4);
  if (afterMs > MAX_DEFERRAL_MS) return null;
  return {
    afterMs,
    changeIp: (flags & CHANGE_IP) !== 0,
    changePort: (flags & CHANGE_PORT) !== 0,
    toPort: toPort === 0 ? null : toPort,
  };
};
