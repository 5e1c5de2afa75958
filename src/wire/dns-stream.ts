/**
 * DNS over TCP: every message behind its length in two bytes (RFC 1035 §4.2.2). Pure: bytes in, messages out, however
 * the stream was cut. Time limits for half a message are the socket owner's.
 */
import { DNS_HEADER_BYTES, MAX_DNS_BYTES } from './dns-layout.js';

const PREFIX_BYTES = 2;
/** What a query with a tag needs; grows with what really arrives, never with what a peer promises. */
const INITIAL_BYTES = 512;

const DNS_STREAM_REFUSALS = [
  'too-short', // less than a header, so this is no DNS
  'too-long', // more than this end is willing to hold
] as const;
type DnsStreamRefusal = (typeof DNS_STREAM_REFUSALS)[number];

export type DnsStreamItem =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  /** The end: close the connection. Nothing comes after it. */
  | { readonly kind: 'refusal'; readonly refusal: DnsStreamRefusal };

export interface DnsStream {
  /** Takes the next bytes and returns what they completed, in order. Keeps no reference to them. */
  push(chunk: Uint8Array): readonly DnsStreamItem[];
  /** Bytes held back because they do not make a message yet; more than 0 when the peer closes means it was cut off. */
  pendingBytes(): number;
}

/** A message as it goes over TCP. Throws a RangeError above 65,535 bytes. */
export const frameDnsTcp = (message: Uint8Array): Uint8Array => {
  const framed = Buffer.alloc(PREFIX_BYTES + message.length);
  framed.writeUInt16BE(message.length, 0);
  framed.set(message, PREFIX_BYTES);
  return framed;
};

/**
 * A reader for one connection.
 * @param maxBytes the longest message to accept, 12–65,535; a server has no reason to take more than a query needs
 */
export const dnsStream = (maxBytes = MAX_DNS_BYTES): DnsStream => {
  let buffer = Buffer.alloc(INITIAL_BYTES);
  let held = 0;
  let closed = false;

  /** Bytes of the frame whose beginning is held, as far as that is known yet. */
  const wanted = (): number => (held < PREFIX_BYTES ? PREFIX_BYTES : PREFIX_BYTES + buffer.readUInt16BE(0));

  const hold = (bytes: Uint8Array): void => {
    if (held + bytes.length > buffer.length) {
      // Doubling, so that feeding single bytes copies each of them only a few times.
      const larger = Buffer.alloc(Math.max(held + bytes.length, Math.min(2 * buffer.length, PREFIX_BYTES + maxBytes)));
      larger.set(buffer.subarray(0, held));
      buffer = larger;
    }
    buffer.set(bytes, held);
    held += bytes.length;
  };

  const stop = (refusal: DnsStreamRefusal): DnsStreamItem => {
    closed = true;
    held = 0;
    return { kind: 'refusal', refusal };
  };

  return {
    push: (chunk) => {
      const items: DnsStreamItem[] = [];
      let at = 0;
      while (!closed && at < chunk.length) {
        const taken = chunk.subarray(at, at + wanted() - held);
        hold(taken);
        at += taken.length;
        if (held < PREFIX_BYTES) break;
        const length = buffer.readUInt16BE(0);
        if (length < DNS_HEADER_BYTES) items.push(stop('too-short'));
        else if (length > maxBytes) items.push(stop('too-long'));
        else if (held === PREFIX_BYTES + length) {
          items.push({ kind: 'message', bytes: Uint8Array.from(buffer.subarray(PREFIX_BYTES, held)) });
          held = 0;
        }
      }
      return items;
    },
    pendingBytes: () => held,
  };
};
