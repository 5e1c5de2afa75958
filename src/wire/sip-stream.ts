/**
 * Finds messages in a TCP or TLS stream (RFC 3261 §18.3). Pure: bytes in, items out, however the stream was cut into
 * chunks. Time limits for half a message are the socket owner's.
 */

import type { SipMessage } from './sip-message.js';
import {
  findHeaderEnd,
  HEADER_END_BYTES,
  MAX_SIP_BYTES,
  messageOf,
  parseHead,
  type SipHead,
  type SipRefusal,
} from './sip-parse.js';

export type SipStreamItem =
  | {
      readonly kind: 'message';
      readonly message: SipMessage;
      /** The message as it came, for comparison byte by byte. */
      readonly bytes: Uint8Array;
    }
  /** Two CRLFs in a row before a message: a keep-alive that a server answers with one (RFC 5626 §3.5.1). */
  | { readonly kind: 'ping' }
  /** The end: where the next message would start is unknown, so close. Nothing comes after it. */
  | { readonly kind: 'refusal'; readonly refusal: SipRefusal };

interface SipStream {
  /** Takes the next bytes, of any number, and returns what they completed, in order. Keeps no reference to them. */
  push(chunk: Uint8Array): readonly SipStreamItem[];
  /** Bytes held back because they do not make a message yet; more than 0 when the peer closes means it was cut off. */
  pendingBytes(): number;
}

const CR = 0x0d;
const LF = 0x0a;
/** Enough for an OPTIONS and its answer; grows up to one message of the greatest size. */
const INITIAL_BYTES = 2_048;

/** A framer for one connection. Holds at most one message of the greatest size. */
export const sipStream = (): SipStream => {
  let buffer = new Uint8Array(INITIAL_BYTES);
  let begin = 0;
  let end = 0;
  /** Up to here no blank line starts, so a stream that trickles is not searched again and again. */
  let searched = 0;
  let head: SipHead | null = null;
  /** Bytes of the whole message, once the head is known. */
  let total = 0;
  let halfPing = false;
  let closed = false;

  /** Moves as many bytes from `chunk` into the buffer as may be held at once. */
  const fill = (chunk: Uint8Array, from: number): number => {
    const taken = Math.min(chunk.length - from, MAX_SIP_BYTES - (end - begin));
    if (end + taken > buffer.length) {
      const needed = end - begin + taken;
      // Doubling, so that feeding single bytes copies each of them only a few times.
      const room =
        needed > buffer.length ? Math.min(MAX_SIP_BYTES, Math.max(needed, 2 * buffer.length)) : buffer.length;
      const moved = room === buffer.length ? buffer : new Uint8Array(room);
      moved.set(buffer.subarray(begin, end));
      buffer = moved;
      searched -= begin;
      end -= begin;
      begin = 0;
    }
    buffer.set(chunk.subarray(from, from + taken), end);
    end += taken;
    return taken;
  };

  const consume = (bytes: number): void => {
    begin += bytes;
    // Starting over at the front where nothing is left spares moving bytes later.
    if (begin === end) begin = end = 0;
    searched = begin;
    head = null;
  };

  const stop = (refusal: SipRefusal): SipStreamItem => {
    closed = true;
    begin = end;
    return { kind: 'refusal', refusal };
  };

  /** Takes one thing from the front: an item, `skipped` for a single CRLF, or null if more bytes are needed. */
  const take = (): SipStreamItem | 'skipped' | null => {
    if (head === null) {
      if (end - begin >= 2 && buffer[begin] === CR && buffer[begin + 1] === LF) {
        consume(2);
        halfPing = !halfPing;
        return halfPing ? 'skipped' : { kind: 'ping' };
      }
      const headerEnd = findHeaderEnd(buffer.subarray(0, end), searched);
      if (headerEnd === -1) {
        // The last three bytes may be the beginning of a blank line.
        searched = Math.max(begin, end - HEADER_END_BYTES + 1);
        return end - begin < MAX_SIP_BYTES ? null : stop('too-long');
      }
      const parsed = parseHead(buffer.subarray(begin, headerEnd));
      if (!parsed.ok) return stop(parsed.refusal);
      if (parsed.value.contentLength === null) return stop('missing-content-length');
      head = parsed.value;
      total = headerEnd + HEADER_END_BYTES - begin + parsed.value.contentLength;
      if (total > MAX_SIP_BYTES) return stop('too-long');
    }
    if (end - begin < total) return null;
    const bytes = buffer.slice(begin, begin + total);
    const message = messageOf(head, bytes.subarray(total - (head.contentLength ?? 0)));
    consume(total);
    halfPing = false;
    return { kind: 'message', message, bytes };
  };

  return {
    push: (chunk) => {
      const items: SipStreamItem[] = [];
      let at = 0;
      while (!closed) {
        const item = take();
        if (item === null) {
          if (at === chunk.length) break;
          at += fill(chunk, at);
        } else if (item !== 'skipped') {
          items.push(item);
        }
      }
      return items;
    },
    pendingBytes: () => end - begin,
  };
};
