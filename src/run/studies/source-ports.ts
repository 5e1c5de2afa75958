/**
 * What happens to traffic that leaves from its protocol's own port, as phones and IPsec gateways send it: routers with a
 * passthrough or an ALG translate those ports in a way of their own, let one device at a time through, or keep state of
 * an address that they no longer have. Asked where the port can be bound.
 */
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import type { SourcePortFacts } from '../../model/study-facts.js';
import { flowsDie } from '../../verdict/flows.js';
import { RANGE_PORT_DOUBT } from '../../verdict/silence.js';
import { askCheck } from '../ask/ask.js';
import { openFlowToKnown } from '../ask/flow-to-known.js';
import { unlessLineLost } from '../line-lost.js';
import { witnessedPackets } from '../observations.js';
import type { Tools } from '../tools.js';
import type { Study } from './study.js';

/** IKE, IPsec behind NAT, SIP: source and destination alike (RFC 7296 §2, RFC 3948 §4, RFC 3261 §18.1.1). */
export const OWN_PORTS: readonly number[] = [500, 4500, 5060];
/** One flow's worth (run/ask/flows.ts): the port cannot be bound for a second flow beside it. */
export const PACKETS_PER_FLOW = 3;
const ROUNDS = 2;

const factOf = (check: Check, sourcePort: number, all: readonly Observation[], tools: Tools): SourcePortFacts => {
  const attempts = all.flatMap((one) => one.attempts);
  const answers = attempts.flatMap((one) => (one.outcome === 'answer' && one.authentic === true ? one : []));
  const errors = attempts.flatMap((one) => (one.outcome === 'error' ? one.code : []));
  const sent = attempts.reduce((sum, { packets }) => sum + packets, 0);
  return {
    address: check.address ?? '',
    port: check.port,
    sourcePort,
    // What went out while the line was away says nothing of the port.
    packets: all.reduce((sum, one) => sum + witnessedPackets(one, tools), 0),
    answers: answers.length,
    seenPort: answers[0]?.attestation?.seenPort ?? null,
    // Nothing left this host: the port was taken, or is not for everybody.
    notBound: sent === 0 ? (errors[0] ?? null) : null,
    errors: sent === 0 ? [] : errors,
  };
};

/**
 * So many packets over one flow from another port, all answered, bound its loss at 17 %, which six in vain are not explained by. A flow
 * of the protocol's own port has had some before, from the studies of SIP.
 */
const CONTROL_PACKETS = 20;
/** Limits of messages that phones live with pass so many. */
const CONTROL_SPACING_MS = 150;

/** How a flow from another port fares to the same place: where it loses packets or is cut, silence says nothing of the source port. */
const askControl = async (check: Check, tools: Tools): Promise<NonNullable<SourcePortFacts['control']>> => {
  const { net, path, signal } = tools;
  let answers = 0;
  const answered = (): void => {
    answers += 1;
  };
  const flow = await openFlowToKnown(check, tools, { asking: () => undefined, answered });
  try {
    for (let packet = 0; packet < CONTROL_PACKETS; packet += 1) {
      await flow.ask();
      await net.sleep(CONTROL_SPACING_MS, signal);
    }
    if (answers < CONTROL_PACKETS) await net.sleep(path.lateMs('udp'), signal);
  } finally {
    flow.close();
  }
  return { packets: CONTROL_PACKETS, answers };
};

/** The same, with a control where nothing came back. An agent's end leaves it without one. */
const askWithControl = async (check: Check, tools: Tools): Promise<SourcePortFacts> => {
  const fact = await askFrom(check, check.port, tools);
  if (fact.answers > 0 || fact.packets === 0) return fact;
  try {
    return { ...fact, control: await askControl(check, tools) };
  } catch (error) {
    unlessLineLost(tools.signal)(error);
    return { ...fact, control: { packets: 0, answers: 0 } };
  }
};

/** Asks over one flow, whose source port cannot be bound for a second one beside it. */
export const askFrom = async (check: Check, sourcePort: number, tools: Tools): Promise<SourcePortFacts> => {
  const all: Observation[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const options = { samples: 1, doubt: RANGE_PORT_DOUBT, atMost: PACKETS_PER_FLOW, sourcePort };
    const observation = await askCheck(check, tools.probeOf(check.probe), options, tools);
    all.push(observation);
    if (!observation.attempts.every(({ outcome }) => outcome === 'silence')) break;
  }
  return factOf(check, sourcePort, all, tools);
};

/** Of a protocol with transactions over UDP: what a phone asks from the same port again and again. */
export const isTransaction = ({ probe, transport }: Check): boolean =>
  transport === 'udp' && (probe === 'ike-sa-init' || probe === 'sip-options' || probe === 'stun-binding');

const ownPorts = <C extends Check>(passing: readonly C[]): readonly C[] =>
  OWN_PORTS.flatMap((port) => passing.find((one) => isTransaction(one) && one.port === port) ?? []);

/** The longest of the three, an INVITE's OPTIONS aside: IKE_SA_INIT with a key of 2048 bits. */
const REQUEST_BYTES = 640;

export const study = {
  kind: 'source-ports',
  // They use the same source port.
  after: ['sip'],
  wanted: () => true,
  cost: (checks) => {
    const packets = ownPorts(checks).length;
    return { packets, bytes: packets * REQUEST_BYTES };
  },
  // What stands before us is the same towards a second far end.
  ask: async ([first], tools) => {
    const facts: SourcePortFacts[] = [];
    // Where flows die by chance, the one from this port may be among them.
    if (flowsDie(first?.flows)) return facts;
    for (const check of ownPorts(first?.passing ?? [])) {
      if (!tools.signal.aborted) facts.push(await askWithControl(check, tools));
    }
    return facts;
  },
} as const satisfies Study<'source-ports'>;
