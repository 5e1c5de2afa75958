/**
 * What is no SIP request on SIP's UDP port: STUN, which keeps registrations alive (RFC 5626 §3.5.2), CRLF, with which
 * many phones do the same, and bytes of no protocol. A firewall that knows only SIP there would drop them.
 */
import type { Probe } from '../../../probes/contract.js';
import { algProbe, type Exchange } from '../../../probes/sip-alg.js';
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import type { OtherTraffic, Passing } from '../../model/study-facts.js';
import { RANGE_PORT_DOUBT } from '../../verdict/silence.js';
import { askCheck } from '../ask/ask.js';
import { isSilent, passed } from '../observations.js';
import type { Tools } from '../tools.js';
import { askBesideKnown } from './beside-known.js';

/** What phones send (RFC 5626 §3.5.1's ping, though that is for connections). */
const CRLF_KEEPALIVE = Buffer.from('\r\n\r\n');
/** A lost one must not look like a filter. */
const KEEPALIVES = 4;
const ROUNDS = 2;

const silentPackets = ({ attempts }: Observation): number =>
  attempts.every(({ outcome }) => outcome === 'silence') ? attempts.reduce((sum, { packets }) => sum + packets, 0) : 0;

/** It passes only as it was sent, and to where it was sent. */
const isIntact = ({ check, attempts }: Observation): boolean =>
  attempts.some(
    (one) => one.outcome === 'answer' && one.attestation?.intact === true && one.attestation.arrivalPort === check.port,
  );

const passingOf = (observation: Observation): Passing =>
  passed(observation) && isIntact(observation)
    ? { passes: true, silent: 0 }
    : { passes: false, silent: silentPackets(observation) };

/** An OPTIONS behind some keepalives, from the same port: its answer tells how many of them arrived. */
const afterKeepalives = (): Probe<Exchange> => {
  const options = algProbe({ method: 'OPTIONS' });
  return {
    ...options,
    retransmits: false,
    ask: (asking) => {
      const question = options.ask(asking);
      const keepalives = Array.from({ length: KEEPALIVES }, () => CRLF_KEEPALIVE);
      return { ...question, messages: [...keepalives, ...question.messages] };
    },
    read: (bytes, arrival) => {
      const { question } = arrival;
      const own = { ...question, messages: question.messages.slice(KEEPALIVES) };
      return options.read(bytes, { ...arrival, question: own });
    },
  };
};

const keepalivesOf = async (check: Check, tools: Tools): Promise<Passing> => {
  let silent = 0;
  for (let round = 0; round < ROUNDS; round += 1) {
    const options = { samples: 1, doubt: RANGE_PORT_DOUBT, atMost: 1 };
    const { attempts } = await askCheck(check, afterKeepalives(), options, tools);
    for (const attempt of attempts) {
      if (attempt.outcome !== 'answer' || !attempt.attestation) continue;
      if (attempt.attestation.keepalives > 0) return { passes: true, silent: 0 };
      silent += KEEPALIVES;
    }
  }
  return { passes: false, silent };
};

/** What it sends for one port if nothing is lost: STUN, a bare tag, and OPTIONS behind the keepalives. */
export const OTHER_TRAFFIC_PACKETS = 3 + KEEPALIVES;

/** The first silence was the port's own: nothing is known of what was asked. */
const awayOf = (observation: Observation): Passing => ({ passes: false, silent: 0, away: silentPackets(observation) });

/** What is known of a kind after it was asked, and where it stayed silent once more beside what passes. */
const settled = (first: Observation, again: Observation | null | undefined): Passing => {
  if (again === undefined) return passingOf(first);
  return again === null ? awayOf(first) : passingOf(again);
};

/**
 * Asks on one UDP port on which OPTIONS pass; what stays silent is asked again, between OPTIONS that are answered.
 * @param isAnswered whether OPTIONS are answered there; where they only arrive, nothing can show that the port is there
 */
export const otherTraffic = async (check: Check, isAnswered: boolean, tools: Tools): Promise<OtherTraffic> => {
  const ask = (kind: 'stun-binding' | 'udp-echo'): Promise<Observation> =>
    askCheck({ ...check, probe: kind }, tools.probeOf(kind), { samples: 1, doubt: RANGE_PORT_DOUBT }, tools);
  const kinds = ['stun-binding', 'udp-echo'] as const;
  const others = async () => {
    const first = await Promise.all(kinds.map(async (kind) => ({ kind, observation: await ask(kind) })));
    const silent = first.filter(({ observation }) => isAnswered && isSilent(observation)).map(({ kind }) => kind);
    const again = await askBesideKnown(
      check,
      silent.map((kind) => () => ask(kind)),
      tools,
    );
    return first.map(({ kind, observation }) => ({ observation, again: again[silent.indexOf(kind)] }));
  };
  const [[stun, tag], crlf] = await Promise.all([others(), keepalivesOf(check, tools)]);
  if (!stun || !tag) throw new Error('two kinds were asked');
  const last = (one: typeof stun): Observation => one.again ?? one.observation;
  // A tag that arrives changed proves nothing, and nobody answers it: where STUN arrives changed, its silence tells nothing.
  const isChanged = passed(last(stun)) && !isIntact(last(stun));
  return {
    ...{ transport: check.transport, port: check.port, address: check.address ?? '', crlf },
    stun: settled(stun.observation, stun.again),
    bareTag: isChanged && !passed(last(tag)) ? { passes: false, silent: 0 } : settled(tag.observation, tag.again),
  };
};
