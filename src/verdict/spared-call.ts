/** Calls over another transport than that of most phones. */
import type { Transport } from '../model/kinds.js';
import type { Finding } from '../model/verdict.js';

interface CallLine {
  readonly probe?: string;
  readonly transport: Transport;
  readonly address: string | null;
  readonly finding: Finding;
}

/**
 * Whether calls that break over TCP or TLS break nobody: they pass over UDP, and one way is enough, as it is for the ports of a
 * service. What broke is shown all the same.
 */
export const isSpared = (one: CallLine, all: readonly CallLine[]): boolean =>
  one.transport !== 'udp' &&
  all.some(
    ({ probe, transport, address, finding }) =>
      probe === one.probe && transport === 'udp' && address === one.address && finding.verdict === 'pass',
  );
