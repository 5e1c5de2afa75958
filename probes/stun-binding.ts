/**
 * `stun-binding`: a Binding request (RFC 8489 §2), as phones and browsers send to learn their address from outside. A
 * success proves the path and tells the mapping; an error response to our very request proves the path as well.
 */
import { STUN_TAG_ATTRIBUTE } from '../src/wire/carriers.js';
import { zeroed } from '../src/wire/octets.js';
import { printable } from '../src/wire/printable.js';
import { expectProof, makeTag } from '../src/wire/proof.js';
import {
  attributeOf,
  BINDING,
  encodeStun,
  mappedAddressOf,
  opaqueOf,
  parseStun,
  type StunAttribute,
} from '../src/wire/stun.js';
import { ANSWER_TAG_BYTES } from '../src/wire/tag.js';
import { changedOnReturn, judgeEmbedded, type Probe } from './contract.js';

const TRANSACTION_ID_BYTES = 12;
/** The answer carries XOR-MAPPED-ADDRESS besides the tag: 24 bytes for IPv6. The request is padded by as much. */
const MAPPED_BYTES = 24;
const MAX_TEXT = 120;

const tagAttribute = (tag: Uint8Array): readonly StunAttribute[] => {
  const value = zeroed(ANSWER_TAG_BYTES + MAPPED_BYTES);
  value.set(tag);
  return [{ kind: 'opaque', type: STUN_TAG_ATTRIBUTE, value }];
};

export const probe: Probe = {
  kind: 'stun-binding',
  retransmits: true,
  timed: 'exchange',
  ask: (asking) => {
    const tag = makeTag(asking);
    const message = encodeStun({
      dialect: 'rfc8489',
      class: 'request',
      method: BINDING,
      transactionId: asking.seed.subarray(0, TRANSACTION_ID_BYTES),
      attributes: tag ? tagAttribute(tag) : [],
    });
    return { messages: [message], proof: tag && expectProof(asking, message), answeredByOpening: false };
  },
  read: (bytes, arrival) => {
    const parsed = parseStun(bytes);
    const [sent] = arrival.question.messages;
    const request = sent && parseStun(sent);
    if (!parsed.ok || !request?.ok) return { kind: 'refused', why: 'malformed', what: 'it is no STUN message' };
    const response = parsed.value;
    if (response.class === 'request' || response.class === 'indication')
      return { kind: 'refused', why: 'not-an-answer' };
    if (
      response.dialect !== 'rfc8489' ||
      response.method !== BINDING ||
      Buffer.compare(response.transactionId, request.value.transactionId) !== 0
    ) {
      return { kind: 'refused', why: 'wrong-id' };
    }
    const mapped = mappedAddressOf(response);
    const error = attributeOf(response, 'error-code');
    // A success without an address, or an error without a code, is not what a STUN server says.
    if (response.class === 'success' ? mapped === null : error === null) {
      const what =
        response.class === 'success' ? 'it is a success without an address' : 'it is an error without a code';
      return { kind: 'refused', why: 'malformed', what };
    }
    const software = attributeOf(response, 'software');
    const reading = judgeEmbedded(opaqueOf(response, STUN_TAG_ATTRIBUTE), arrival, {
      mappedAddress: mapped?.address ?? null,
      mappedPort: mapped?.port ?? null,
      error: error?.code ?? null,
      software: software === null ? null : printable(software.text, MAX_TEXT),
    });
    // What the reflector attests it saw is what its answer says, unless somebody has changed the one that he could.
    const seen = reading.kind === 'answer' ? reading.attestation : null;
    const changed = mapped !== null && (mapped.address !== seen?.seenAddress || mapped.port !== seen.seenPort);
    return changedOnReturn(reading, changed);
  },
};
