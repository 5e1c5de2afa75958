/**
 * Is this SIP at all? For whoever shares a port among protocols. Apart from the parser, so that asking does not load
 * the library behind it.
 */

/** A start line longer than this is not worth a second look; RFC 4475's longest has 0.2 KB. */
const MAX_START_LINE_BYTES = 2_048;
/** CRLFs that may stand before the start line (RFC 3261 §7.5); a sender that pads has one or two. */
const MAX_LEADING_BYTES = 8;

const CR = 0x0d;
const LF = 0x0a;
/** Both forms of a CRLF keep-alive: the client's ping and the server's pong (RFC 5626 §3.5.1). */
const PING_BYTES = 4;
const PONG_BYTES = 2;

const isCrlfAt = (bytes: Uint8Array, at: number): boolean => bytes[at] === CR && bytes[at + 1] === LF;

/** Whether these bytes, a whole datagram or all that a stream holds, are a CRLF keep-alive: ping or pong. */
export const isKeepAlive = (bytes: Uint8Array): boolean =>
  (bytes.length === PONG_BYTES && isCrlfAt(bytes, 0)) ||
  (bytes.length === PING_BYTES && isCrlfAt(bytes, 0) && isCrlfAt(bytes, 2));

const STATUS_START = 'SIP/2.0 ';
const REQUEST_END = ' SIP/2.0';
/** What tells small letters from capitals in ASCII. */
const CASE_BIT = 0x20;

/**
 * Whether this text stands at `at`. The literals are case-insensitive (RFC 3261 §7.1), although senders must write them
 * in upper case. Octet by octet: a flood is sorted by this, and making text of it costs more than all the rest.
 */
const isText = (bytes: Uint8Array, at: number, upper: string): boolean => {
  for (let index = 0; index < upper.length; index += 1) {
    const wanted = upper.charCodeAt(index);
    const isLetter = wanted >= 0x41 && wanted <= 0x5a;
    const octet = bytes[at + index] ?? 0;
    if ((isLetter ? octet & ~CASE_BIT : octet) !== wanted) return false;
  }
  return true;
};

/**
 * A cheap look at the start line: a status line of SIP/2.0, or a line that ends in SIP/2.0. True is no promise that the
 * message parses.
 */
export const looksLikeSip = (bytes: Uint8Array): boolean => {
  let start = 0;
  while (start < MAX_LEADING_BYTES && isCrlfAt(bytes, start)) start += 2;
  const end = bytes.indexOf(CR, start);
  if (!isCrlfAt(bytes, end) || end - start > MAX_START_LINE_BYTES || end - start < STATUS_START.length) return false;
  return isText(bytes, start, STATUS_START) || isText(bytes, end - REQUEST_END.length, REQUEST_END);
};
