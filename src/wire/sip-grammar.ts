/** The parts of SIP's grammar (RFC 3261 §25.1) that reading and writing share. Every pattern here takes linear time. */

/** One character of a token. */
export const TOKEN_CHARACTER = "[A-Za-z0-9\\-.!%*_+`'~]";
export const TOKEN = new RegExp(`^${TOKEN_CHARACTER}+$`);

/**
 * A URI of any scheme: what RFC 3986 lets into one is visible ASCII without quotes and angle brackets. Looser than the
 * grammar, because which of its characters a middlebox changed is for the comparison to say.
 */
export const URI = /^[A-Za-z][A-Za-z0-9+.-]*:[!#-;=?-~]+$/;

/** Printable characters and tabs: a control character in a header field would end its line or hide it. */
export const TEXT = /^[\t -~\u0080-\uffff]*$/;

/** Call-ID is any visible ASCII (RFC 3261 §25.1 `word`), brackets and quotes included. */
export const CALL_ID = /^[!-~]+$/;

/** CSeq numbers are below 2^31 (RFC 3261 §8.1.1.5). */
export const MAX_CSEQ = 2 ** 31 - 1;

/** Of every branch made by RFC 3261 (§8.1.1.7). */
export const BRANCH_COOKIE = 'z9hG4bK';

/**
 * Blots out what stands inside quoted strings, character for character, so that separators can be searched for in the
 * result and cut from the original at the same place. Null if a quote does not end.
 */
export const maskQuoted = (text: string): string | null => {
  if (!text.includes('"')) return text;
  let masked = '';
  let quoted = false;
  for (let at = 0; at < text.length; at += 1) {
    const character = text[at] ?? '';
    if (character === '"') {
      quoted = !quoted;
      masked += character;
    } else if (quoted && character === '\\') {
      masked += 'qq';
      at += 1;
    } else {
      masked += quoted ? 'q' : character;
    }
  }
  return quoted || masked.length !== text.length ? null : masked;
};
