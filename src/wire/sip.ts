/**
 * The SIP codec (RFC 3261, 3581, 5626): what probes and the reflector use. Loading it loads the npm package `sip`, which
 * takes longer than all the rest of a short run, so import it where SIP is spoken and not before; sip-demux.ts is free
 * of it. Streams are in sip-stream.ts.
 */
export {
  type AddressToSend,
  type BodyToSend,
  buildRequest,
  buildResponse,
  type HeaderToSend,
  type RequestToSend,
  type ResponseToSend,
  sipHost,
} from './sip-build.js';
export { isKeepAlive, looksLikeSip } from './sip-demux.js';
export { BRANCH_COOKIE } from './sip-grammar.js';
export {
  type CSeq,
  callId,
  canonicalName,
  cseq,
  type Essentials,
  fromTag,
  header,
  headers,
  isFinal,
  isProvisional,
  matchesTransaction,
  type RawHeader,
  type SentRequest,
  type SipMessage,
  type SipRequest,
  type SipResponse,
  topVia,
  toTag,
  unfolded,
  type Via,
} from './sip-message.js';
export { MAX_FIELD_BYTES, MAX_FIELDS, MAX_SIP_BYTES, parseSip, SIP_REFUSALS, type SipRefusal } from './sip-parse.js';
