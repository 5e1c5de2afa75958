/**
 * `tcp-connect`: does a TCP connection open? Of a third party the open connection is the answer. A reflector has to
 * prove itself over it, because transparent proxies accept connections in anyone's place.
 */
import { expectProof, makeTag } from '../src/wire/proof.js';
import { type Probe, readBareTag } from './contract.js';

export const probe: Probe = {
  kind: 'tcp-connect',
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
