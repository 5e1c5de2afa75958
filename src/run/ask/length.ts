/** How long a question is on the wire, for what compares sizes and for what a run is said to cost. */
import type { Probe, Session } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';

/** SIP's own port, for the address that a message names; another one changes its length by a digit. */
const LOCAL_PORT = 5060;
const SEED_BYTES = 32;

/** All messages of one asking, without headers of IP and below. */
export const messagesOf = (probe: Probe<unknown>, check: Check, session: Session): readonly Uint8Array[] =>
  probe.ask({
    ...{ check, session },
    local: { address: check.family === 6 ? '::' : '0.0.0.0', port: LOCAL_PORT },
    sequence: 1,
    seed: new Uint8Array(SEED_BYTES).fill(1),
    sentAtMicros: 0n,
    binding: check.transport === 'tls' ? new Uint8Array(SEED_BYTES) : null,
  }).messages;

export const lengthOf = (messages: readonly Uint8Array[]): number =>
  messages.reduce((sum, { length }) => sum + length, 0);
