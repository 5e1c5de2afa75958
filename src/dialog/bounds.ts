/**
 * What a phone takes from the other side of what it has to say again: in answers, in later requests of the call, in the answer
 * to a challenge. Our own message has to be one that anybody can read, so that what is repeated in it is bounded here.
 */
import { COPIED_HEADERS } from '../wire/sip-build.js';
import { TEXT, TOKEN } from '../wire/sip-grammar.js';
import { headers, type SipMessage } from '../wire/sip-message.js';
import { readAddresses } from '../wire/sip-parameters.js';

/** An answer copies header fields and adds some of ours, and may be no longer than UDP carries: half is theirs. */
const MAX_MESSAGE_BYTES = 32_768;
/** Of the 256 that a message may have; the rest is for ours. */
const MAX_TAKEN_FIELDS = 200;
/** What an answer copies (RFC 3261 §8.2.6.2), with an address or a tag added; a field may have 8,192 octets. */
const MAX_COPIED_BYTES = 4096;
/** One address, one name: those of phones and carriers have some hundred octets at most. */
const MAX_NAME_BYTES = 1024;
/** All of them together stand in one Route, with the Contact where a router is strict (§12.2.1.1). */
const MAX_ROUTES_BYTES = 4096;

/** As it goes out again: a byte beyond ASCII is two there. */
const bytesOf = (values: readonly string[]): number => Buffer.byteLength(values.join(', '), 'utf8');

/** Whether an answer to it can be built. What cannot be answered is not looked at. */
export const isAnswerable = (message: SipMessage, length: number): boolean =>
  length <= MAX_MESSAGE_BYTES &&
  message.headers.length <= MAX_TAKEN_FIELDS &&
  message.headers.every(({ canonical, raw }) => !COPIED_HEADERS.has(canonical) || raw.length <= MAX_COPIED_BYTES);

/** Whether a call can stand on it, or a challenge in it be answered. */
export const isKeepable = (message: SipMessage): boolean => {
  const { fromTag, toTag } = message.essentials;
  const [contact] = readAddresses(headers(message, 'contact')) ?? [];
  const routes = headers(message, 'record-route');
  const repeated = [...routes, ...headers(message, 'www-authenticate'), ...headers(message, 'proxy-authenticate')];
  return (
    (contact?.uri.length ?? 0) <= MAX_NAME_BYTES &&
    ['from', 'to', 'call-id'].every((name) => bytesOf(headers(message, name)) <= MAX_NAME_BYTES) &&
    // A tag may come as an address in brackets, which goes out as none.
    [fromTag, toTag].every((tag) => tag === null || tag === '' || TOKEN.test(tag)) &&
    bytesOf(routes) <= MAX_ROUTES_BYTES &&
    repeated.every((value) => TEXT.test(value))
  );
};
