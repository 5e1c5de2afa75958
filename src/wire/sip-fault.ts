/** What is wrong with SIP that cannot be read, in a phrase: for an administrator, who wants to know what to mend. */
import type { SipRefusal } from './sip-parse.js';

/** Of each refusal, as the end of "an answer came, and it cannot be read: …". */
const PHRASES: Readonly<Record<SipRefusal, string>> = {
  'bad-start-line': 'its first line is no status line of SIP',
  'unsupported-version': 'it speaks another version than SIP/2.0',
  'missing-header': 'one of Via, From, To, Call-ID and CSeq is missing',
  'repeated-header': 'a header field that may stand only once is there twice',
  'bad-via': 'its Via cannot be read',
  'bad-address': 'its From or To cannot be read',
  'bad-call-id': 'its Call-ID cannot be read',
  'bad-cseq': 'its CSeq cannot be read',
  'cseq-mismatch': 'its CSeq names another method',
  empty: 'it is empty',
  'too-long': 'it is longer than a SIP message can be',
  'field-too-long': 'a header field is longer than 8,192 octets',
  'too-many-fields': 'it has more header fields than are read',
  'no-header-end': 'no blank line ends its header',
  'bad-line-break': 'a line ends in a CR or an LF alone',
  'bad-field': 'a line of its header has no colon',
  'bad-content-length': 'its Content-Length is no number',
  'missing-content-length': 'it has no Content-Length, which a stream needs',
  'body-cut-short': 'its Content-Length promises more octets than it has',
};

/** Enough to see what it is. */
const LOOKED_AT = 4_096;

/** What another protocol begins with. */
const STRANGERS: readonly (readonly [RegExp, string])[] = [
  [/^HTTP\/\d/, 'it is HTTP'],
  [/^SSH-/, 'it is SSH'],
  [/^220[ -]/, 'it is a greeting of mail or FTP'],
];

/**
 * The phrase for bytes that the parser refused; null for the beginning of a stream that has not ended, and will not if
 * nothing more comes.
 */
export const faultOfSip = (bytes: Uint8Array, refusal: SipRefusal | null): string => {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, Math.min(bytes.length, LOOKED_AT)).toString('latin1');
  // A record of TLS: an alert or a handshake of version 3 (RFC 8446 §5.1).
  if ((bytes[0] === 0x15 || bytes[0] === 0x16) && bytes[1] === 0x03) return 'it is TLS';
  const stranger = STRANGERS.find(([pattern]) => pattern.test(text));
  if (stranger) return stranger[1];
  const head = text.replace(/^(?:\r\n)+/, '');
  const isSip = /^SIP\//i.test(head);
  const isOpen = refusal === null || refusal === 'no-header-end' || refusal === 'bad-line-break';
  if (isSip && isOpen && /^[^\r\n]*\n/.test(head)) return 'its lines end in LF alone, and SIP wants CRLF';
  if (refusal !== null) return !isSip && refusal === 'no-header-end' ? PHRASES['bad-start-line'] : PHRASES[refusal];
  if (!isSip) return PHRASES['bad-start-line'];
  return head.includes('\r\n\r\n')
    ? 'its Content-Length promises more octets than came'
    : 'it has no end: no blank line ends its header';
};
