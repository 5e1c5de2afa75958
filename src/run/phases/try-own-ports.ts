/**
 * Adds what comes of a silent protocol that is asked from its own port, as desk phones and IPsec gateways send it: strict
 * rules let out 5060 to 5060 and nothing else. Before anything is said of the port. A port that the far end is to try is left
 * out: what leaves it may open a way in to it.
 */
import { askCheck } from '../ask/ask.js';
import { isSilent } from '../observations.js';
import type { RunState } from '../state.js';
import { OWN_PORTS, PACKETS_PER_FLOW } from '../studies/source-ports.js';
import { together } from './ask-again.js';

/** One answer may be chance where many questions had none; two from one flow are a flow that lives. */
const OWN_SAMPLES = 2;

export const tryOwnPorts = async (run: RunState): Promise<void> => {
  const { input, tools, observations } = run;
  const kept = new Set(input.studies?.inbound?.flatMap(({ transport, port }) => (transport === 'udp' ? port : [])));
  const silent = run
    .proven()
    .flatMap(({ address }) => observations.at(address))
    .filter((one) => isSilent(one) && one.check.transport === 'udp' && OWN_PORTS.includes(one.check.port))
    .filter(({ check }) => !kept.has(check.port));
  // One after the other: two addresses are asked from the same port.
  for (const one of silent) {
    if (run.signal.aborted) return;
    const { check } = one;
    const options = {
      samples: OWN_SAMPLES,
      doubt: run.doubtOf(check),
      atMost: PACKETS_PER_FLOW,
      sourcePort: check.port,
    };
    const own = await askCheck(check, tools.probeOf(check.probe), options, tools);
    // Where the port is taken nothing was sent.
    if (own.attempts.some(({ packets }) => packets > 0)) observations.record([together(one, own)]);
  }
};
