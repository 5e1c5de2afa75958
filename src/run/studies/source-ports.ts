/**
 * What happens to traffic that leaves from its protocol's own port, as phones and IPsec gateways send it: routers with a
 * passthrough or an ALG translate those ports in a way of their own, let one device at a time through, or keep state of
 * an address that they no longer have. Asked where the port can be bound.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import type { SourcePortFacts } from '../../model/study-facts.js';
import { RANGE_PORT_DOUBT } from '../../verdict/silence.js';
import { askCheck } from '../ask/ask.js';
import type { Net } from '../net.js';
import { passed } from '../phases/follow-up.js';
import type { Tools } from './captures.js';

/** IKE, IPsec behind NAT, SIP: source and destination alike (RFC 7296 §2, RFC 3948 §4, RFC 3261 §18.1.1). */
const OWN_PORTS: readonly number[] = [500, 4500, 5060];
/** One flow's worth (run/ask/flows.ts): the port cannot be bound for a second flow beside it. */
const PACKETS = 3;
const ROUNDS = 2;

const bindingTo = (net: Net, port: number): Net => ({
  ...net,
  openUdp: (peer, events, local) => net.openUdp(peer, events, { ...local, port }),
});

const factOf = (check: Check, sourcePort: number, all: readonly Observation[]): SourcePortFacts => {
  const attempts = all.flatMap((one) => one.attempts);
  const answers = attempts.flatMap((one) => (one.outcome === 'answer' && one.authentic === true ? one : []));
  const errors = attempts.flatMap((one) => (one.outcome === 'error' ? one.code : []));
  const sent = attempts.reduce((sum, { packets }) => sum + packets, 0);
  return {
    address: check.address ?? '',
    port: check.port,
    sourcePort,
    packets: sent,
    answers: answers.length,
    seenPort: answers[0]?.attestation?.seenPort ?? null,
    // Nothing left this host: the port was taken, or is not for everybody.
    notBound: sent === 0 ? (errors[0] ?? null) : null,
    errors: sent === 0 ? [] : errors,
  };
};

export type ProbeOf = (kind: Check['probe']) => Probe;

const askFrom = async (
  check: Check,
  sourcePort: number,
  probeOf: ProbeOf,
  { context, path, signal }: Tools,
): Promise<SourcePortFacts> => {
  const bound = { ...context, net: bindingTo(context.net, sourcePort) };
  const all: Observation[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const one = { ...check, id: `from ${sourcePort} ${round}@${check.id}` };
    const options = { samples: 1, doubt: RANGE_PORT_DOUBT, atMost: PACKETS };
    const observation = await askCheck(one, probeOf(check.probe), bound, path, options, signal);
    all.push(observation);
    if (!observation.attempts.every(({ outcome }) => outcome === 'silence')) break;
  }
  return factOf(check, sourcePort, all);
};

const isTransaction = ({ probe, transport }: Check): boolean =>
  transport === 'udp' && (probe === 'ike-sa-init' || probe === 'sip-options' || probe === 'stun-binding');

/** Asks one proven reflector's address, port after port. `observations` are those of its checks. */
export const sourcePortStudy = async (
  observations: readonly Observation[],
  probeOf: ProbeOf,
  tools: Tools,
): Promise<readonly SourcePortFacts[]> => {
  const passing = observations.filter(passed).map(({ check }) => check);
  const facts: SourcePortFacts[] = [];
  for (const port of OWN_PORTS) {
    const check = passing.find((one) => isTransaction(one) && one.port === port);
    if (check && !tools.signal.aborted) facts.push(await askFrom(check, port, probeOf, tools));
  }
  return facts;
};

/**
 * Asks over the flow that an agent keeps from run to run, as a phone keeps its own: after a change of the outer address
 * it may be dead while every new one works. It is asked twice, seconds apart, because firewalls remember a conversation
 * for longer than a single question.
 */
export const persistentFlow = (
  observations: readonly Observation[],
  sourcePort: number,
  probeOf: ProbeOf,
  tools: Tools,
): { readonly first: Promise<SourcePortFacts | null>; readonly second: () => Promise<void> } => {
  const [check = null] = observations
    .filter(passed)
    .map((one) => one.check)
    .filter(isTransaction)
    // The same place in each run: another one would be another flow.
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const ask = (): Promise<SourcePortFacts | null> =>
    check ? askFrom(check, sourcePort, probeOf, tools) : Promise.resolve(null);
  const first = ask();
  return {
    first,
    second: async () => {
      if (((await first)?.answers ?? 0) > 0) await ask();
    },
  };
};
