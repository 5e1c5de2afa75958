/** What the engine asks with, in a network of the test's own. */
import type { Session } from '../../../probes/contract.js';
import type { AskContext } from '../../../src/run/ask/transactions.js';
import type { Net } from '../../../src/run/net.js';

/** A context whose first request is the one after `last`. */
export const contextOf = (net: Net, session: Session, last = 0): AskContext => {
  let sequence = last;
  return {
    net,
    session,
    totals: { packetsSent: 0, bytesSent: 0, packetsReceived: 0 },
    nextSequence: () => {
      sequence += 1;
      return sequence;
    },
  };
};
