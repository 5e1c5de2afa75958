/**
 * `udp-echo`: a bare tag, the smallest proof that bytes of no known protocol pass a UDP port in both directions.
 * Only a reflector answers.
 */
import { expectProof, makeTag } from '../src/wire/proof.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES } from '../src/wire/tag.js';
import { type Probe, readBareTag } from './contract.js';

/** Padded to the answer's length, so that the answer is never larger than the request. */
const PADDING = new Uint8Array(ANSWER_TAG_BYTES - REQUEST_TAG_BYTES);

export const probe: Probe = {
  kind: 'udp-echo',
  retransmits: false,
  timed: 'exchange',
  ask: (asking) => {
    const message = makeTag(asking, 'echoRequest', PADDING) ?? PADDING;
    return { messages: [message], proof: expectProof(asking, message), answeredByOpening: false };
  },
  read: readBareTag,
};
