/**
 * `tls-handshake`: does TLS come up, and with whom? Of a third party the finished handshake is the answer, its
 * certificate is evidence. A reflector proves itself by a tag that is bound to the very TLS session (RFC 5705), so that
 * interception shows even behind a publicly trusted certificate.
 */
import { expectProof, makeTag } from '../src/wire/proof.js';
import { type Probe, readBareTag } from './contract.js';

export const probe: Probe = {
  kind: 'tls-handshake',
  retransmits: false,
  timed: 'opening',
  ask: (asking) => {
    const message = makeTag(asking);
    return {
      messages: message ? [message] : [],
      proof: message && expectProof(asking, message),
      answeredByOpening: message === null,
    };
  },
  read: readBareTag,
};
