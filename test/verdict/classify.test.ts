/** From facts to verdicts, as a table of cases: each row is a story about one check, and what must be said of it. */

import fc from 'fast-check';
import t from 'tap';
import type { Check } from '../../src/model/check.js';
import { type FarEndFacts, unknownFarEnd } from '../../src/model/far-end.js';
import { ASKED_KINDS, TRANSPORTS } from '../../src/model/kinds.js';
import { type Attempt, FAILURES, NOT_RUN, type Observation } from '../../src/model/observation.js';
import { REASONS } from '../../src/model/verdict.js';
import { type Circumstances, type FarEndState, listensOn } from '../../src/verdict/circumstances.js';
import { classify } from '../../src/verdict/classify.js';
import { farEndStates, UNKNOWN_FAR_END } from '../../src/verdict/far-end.js';
import {
  ADDRESS,
  answer,
  check,
  circumstances,
  EVERYWHERE,
  FOREIGN_CERTIFICATE,
  failure,
  OWN_CERTIFICATE,
  observed,
  proven,
  reflector,
  silence,
  thirdParty,
  UNTIMED,
  unproven,
} from './support/facts.js';

const SIP = check('sip-options/udp/5060');
const SIP_TCP = check('sip-options/tcp/5060');
const SIP_TLS = check('sip-options/tls/5061');
const TCP = check('tcp-connect/tcp/5223');
const TLS = check('tls-handshake/tls/443');
const RTP = check('rtp-echo/udp/16384');
const RANGE_PORT = check('rtp-echo/udp/16384', { isOfRange: true });
const HELD_FLOWS = {
  ...{ asked: 12, dead: 0, packetsOfDead: 0, firstLost: 0, firstPackets: 0, firstHeld: 12 },
  ...{ packetsOfLiving: 48, lostOfLiving: 0 },
};
const KEEPALIVE = check('nat-t-keepalive/udp/4500');

const withCertificate = (certificateSha256: string) => ({ tls: { certificateSha256 } });
const times = (count: number, attempt: Attempt): readonly Attempt[] => Array.from({ length: count }, () => attempt);
/** At the port that was asked, as an honest reflector says. */
const provenAt = (port: number, rttMs = 20): Attempt => proven({ rttMs }, { arrivalPort: port });

/** One silent packet from this source port. */
const from = (sourcePort: number): Attempt => ({
  ...{ outcome: 'silence', packets: 1, sourcePort, lostAtMs: [1], opened: null },
});

interface Row {
  readonly story: string;
  readonly check: Check;
  readonly attempts?: readonly Attempt[];
  readonly facts?: Partial<Observation>;
  readonly farEnd: FarEndState;
  readonly path?: Partial<Circumstances>;
  readonly says: string;
  readonly confidence?: number;
}

const ROWS: readonly Row[] = [
  // What the far end withheld itself.
  {
    story: 'silence that the far end can explain',
    check: SIP,
    attempts: silence(8),
    facts: { seen: 8 },
    farEnd: reflector({ heldBack: 8 }),
    says: 'unknown/limited',
  },
  {
    story: 'more silence than the far end can explain',
    check: SIP,
    attempts: silence(8),
    facts: { seen: 8 },
    farEnd: reflector({ heldBack: 7 }),
    says: 'blocked/dropped-inbound',
  },
  // Four numbers: what arrived and was not answered is the far end's own doing.
  {
    story: 'all arrived, and none was answered',
    check: SIP,
    attempts: silence(8),
    facts: { seen: 8, answered: 0, unanswered: { 'too-large': 8 } },
    farEnd: reflector(),
    says: 'unknown/limited',
  },
  {
    story: 'the same where other bytes pass on the port: no inspection',
    check: SIP,
    attempts: silence(8),
    facts: { seen: 8, answered: 0, unanswered: { 'too-large': 8 } },
    farEnd: reflector({ openUdpPorts: new Set([5060]) }),
    says: 'unknown/limited',
  },
  {
    story: 'so few answered that loss may have taken them',
    check: SIP,
    attempts: silence(8),
    facts: { seen: 8, answered: 1, unanswered: { replay: 7 } },
    farEnd: reflector(),
    says: 'unknown/limited',
  },
  {
    story: 'enough answered, and none of it came back',
    check: SIP,
    attempts: silence(8),
    facts: { seen: 8, answered: 6, unanswered: { 'held-back': 2 } },
    farEnd: reflector(),
    says: 'blocked/dropped-inbound',
  },
  {
    story: 'all answered, whatever else the far end held back',
    check: SIP,
    attempts: silence(8),
    facts: { seen: 8, answered: 8 },
    farEnd: reflector({ heldBack: 100 }),
    says: 'blocked/dropped-inbound',
  },
  {
    story: 'what came back is all that was answered: no loss of the path',
    check: SIP,
    attempts: [...Array.from({ length: 4 }, () => proven()), ...silence(40)],
    facts: { seen: 44, answered: 4, unanswered: { busy: 40 } },
    farEnd: reflector(),
    says: 'pass/answered',
  },
  {
    story: 'a connection cut off by a far end that had too many',
    check: SIP_TCP,
    attempts: [failure('reset', { code: 'ECONNRESET' })],
    farEnd: reflector({ heldBack: 1 }),
    says: 'unknown/limited',
  },
  {
    story: 'an interceptor is one, however busy the far end',
    check: SIP_TCP,
    attempts: [unproven()],
    farEnd: reflector({ heldBack: 100 }),
    says: 'altered/answered-by-other',
  },
  // Flows: what lives from one source port and dies from another is not about the port.
  {
    story: 'a few flows to known ports died, and most lived',
    check: SIP,
    attempts: [proven()],
    farEnd: reflector({
      flows: {
        ...{ asked: 12, dead: 3, packetsOfDead: 10, firstLost: 0, firstPackets: 0, firstHeld: 0 },
        packetsOfLiving: 36,
        lostOfLiving: 0,
      },
    }),
    says: 'degraded/flow-loss',
  },
  {
    story: 'silent from one source port, however often: it may be the flow',
    check: SIP,
    attempts: Array.from({ length: 12 }, () => from(1001)),
    farEnd: reflector(),
    says: 'unknown/no-answer',
  },
  {
    story: 'silent from two source ports, however often: both flows may be dead ones',
    check: SIP,
    attempts: Array.from({ length: 12 }, (_, index) => from(1001 + (index % 2))),
    farEnd: reflector(),
    says: 'unknown/no-answer',
  },
  {
    story: 'as often from three',
    check: SIP,
    attempts: Array.from({ length: 12 }, (_, index) => from(1001 + (index % 3))),
    farEnd: reflector(),
    says: 'blocked/dropped',
  },
  {
    story: 'the same where fewer packets pass than one call sends: some ports are silent each time',
    check: SIP,
    attempts: Array.from({ length: 12 }, (_, index) => from(1001 + (index % 3))),
    farEnd: reflector({ limit: { kind: 'rate', packetsPerSecond: 15 } }),
    says: 'unknown/no-answer',
  },
  {
    story: 'silent from two source ports, answered from a third',
    check: SIP,
    attempts: [
      { outcome: 'silence', packets: 2, sourcePort: 1001, lostAtMs: [1, 2], opened: null },
      { outcome: 'silence', packets: 2, sourcePort: 1002, lostAtMs: [3, 4], opened: null },
      proven({ sourcePort: 1003, packets: 2, answers: 2 }),
    ],
    farEnd: reflector(),
    says: 'degraded/flow-loss',
  },
  {
    story: 'the same where all flows to other ports live: no link is dead, and the port loses packets',
    check: SIP,
    attempts: [
      { outcome: 'silence', packets: 2, sourcePort: 1001, lostAtMs: [1, 2], opened: null },
      { outcome: 'silence', packets: 2, sourcePort: 1002, lostAtMs: [3, 4], opened: null },
      proven({ sourcePort: 1003, packets: 2, answers: 2 }),
    ],
    farEnd: reflector({ flows: { ...HELD_FLOWS, firstHeld: 0 } }),
    says: 'degraded/loss',
  },
  {
    story: 'the same, and answered from its own source port alone',
    check: SIP,
    attempts: [
      { outcome: 'silence', packets: 2, sourcePort: 1001, lostAtMs: [1, 2], opened: null },
      { outcome: 'silence', packets: 2, sourcePort: 1002, lostAtMs: [3, 4], opened: null },
      proven({ sourcePort: SIP.port, packets: 2, answers: 2 }),
    ],
    farEnd: reflector({ flows: { ...HELD_FLOWS, firstHeld: 0 } }),
    says: 'degraded/flow-loss',
  },
  {
    story: 'the same where no new flow passes: the limit took them',
    check: SIP,
    attempts: [
      { outcome: 'silence', packets: 2, sourcePort: 1001, lostAtMs: [1, 2], opened: null },
      { outcome: 'silence', packets: 2, sourcePort: 1002, lostAtMs: [3, 4], opened: null },
      proven({ sourcePort: 1003, packets: 2, answers: 2 }),
    ],
    farEnd: reflector({ limit: { kind: 'flows', flows: 40 } }),
    says: 'degraded/rate-limited',
  },
  {
    story: 'a connection died, and asked slowly all open',
    check: SIP_TCP,
    attempts: [{ outcome: 'silence', packets: 1, sourcePort: null, lostAtMs: [1], opened: null }, proven(), proven()],
    farEnd: reflector({ connections: { asked: 12, dead: 9, isLimited: true } }),
    says: 'degraded/rate-limited',
  },
  {
    story: 'every connection died, and of others asked slowly all open: a limit may have taken them',
    check: SIP_TCP,
    attempts: silence(8),
    farEnd: reflector({ connections: { asked: 12, dead: 9, isLimited: true } }),
    says: 'unknown/no-answer',
  },
  {
    story: 'what went to a port while it was shut by itself is no loss',
    check: SIP,
    attempts: [
      { outcome: 'silence', packets: 2, sourcePort: 1001, lostAtMs: [1, 2], opened: null },
      { outcome: 'silence', packets: 2, sourcePort: 1002, lostAtMs: [3, 4], opened: null },
      proven({ sourcePort: 1003, packets: 2, answers: 2 }),
    ],
    farEnd: reflector({
      aliveDuring: { atAll: [[-100, 5000]], overUdp: [[-100, 5000]] },
      shutFor: new Map([[5060, { port: 5060, fromMs: 1, toMs: 4 }]]),
    }),
    says: 'pass/answered',
  },
  // A far end that ended during the run.
  {
    story: 'silence towards one that had ended by then',
    check: SIP,
    attempts: silence(8),
    farEnd: reflector({ ended: 'outage' }),
    says: 'unknown/outage',
  },
  {
    story: 'silence since something began to drop this host',
    check: SIP,
    attempts: silence(8),
    farEnd: reflector({ ended: 'cut-off' }),
    says: 'unknown/cut-off',
  },
  {
    story: 'its host refuses what it had listened on',
    check: SIP,
    attempts: [failure('refused', { code: 'ECONNREFUSED' })],
    farEnd: reflector({ ended: 'outage' }),
    says: 'unknown/outage',
  },
  {
    story: 'the losses of its last moments',
    check: SIP,
    attempts: [proven(), proven(), ...silence(12)],
    farEnd: reflector({ ended: 'outage' }),
    says: 'unknown/outage',
  },
  {
    story: 'what it answered before it ended, it answered',
    check: SIP,
    attempts: [proven(), proven(), proven()],
    farEnd: reflector({ ended: 'outage' }),
    says: 'pass/answered',
  },
  {
    story: 'somebody else answered in its place, which its end does not explain',
    check: SIP_TCP,
    attempts: [unproven()],
    farEnd: reflector({ ended: 'outage' }),
    says: 'altered/answered-by-other',
  },
  // Questions that could not be put.
  {
    story: 'the name does not resolve',
    check: check('sip-options/udp/5060', { address: null, family: null }),
    facts: { notRun: 'dns-failure' },
    farEnd: UNKNOWN_FAR_END,
    says: 'unknown/dns-failure',
    confidence: 0,
  },
  {
    story: 'no address of the family',
    check: SIP,
    facts: { notRun: 'no-network' },
    farEnd: UNKNOWN_FAR_END,
    says: 'unknown/no-network',
    confidence: 0,
  },
  ...(['needs-reflector', 'not-offered', 'not-listening', 'interrupted'] as const).map(
    (notRun): Row => ({
      story: `not put: ${notRun}`,
      check: RTP,
      facts: { notRun },
      farEnd: reflector(),
      says: 'unknown/not-run',
      confidence: 0,
    }),
  ),
  {
    story: "this host's own firewall says EPERM",
    check: SIP,
    attempts: times(3, failure('local-denied', { code: 'EPERM' })),
    farEnd: reflector(),
    says: 'unknown/local-error',
  },
  {
    story: 'EPERM once and silence afterwards is still not the path',
    check: SIP,
    attempts: [failure('local-denied', { code: 'EPERM' }), ...silence(5)],
    farEnd: reflector(),
    says: 'unknown/local-error',
  },
  ...(['address-unavailable', 'too-large', 'exhausted', 'other'] as const).map(
    (name): Row => ({
      story: `this host fails: ${name}`,
      check: SIP,
      attempts: [failure(name)],
      farEnd: reflector(),
      says: 'unknown/local-error',
    }),
  ),
  {
    story: 'no route, and nothing passes to that address',
    check: SIP,
    attempts: [failure('no-route', { code: 'ENETUNREACH' })],
    farEnd: thirdParty({ alive: false }),
    says: 'unknown/no-network',
  },
  {
    story: 'no route to a third party that answers elsewhere',
    check: SIP,
    attempts: [failure('no-route', { code: 'ENETUNREACH' })],
    farEnd: thirdParty(),
    says: 'unknown/no-network',
  },
  {
    story: '"no route" where other questions pass came from the path (net-prohibited on a TCP connect)',
    check: SIP_TCP,
    attempts: [failure('no-route', { code: 'ENETUNREACH' })],
    farEnd: reflector(),
    says: 'blocked/rejected',
  },

  // What passes.
  {
    story: 'a reflector has proven three answers',
    check: SIP,
    attempts: times(3, provenAt(5060)),
    farEnd: reflector(),
    says: 'pass/answered',
    confidence: 1,
  },
  {
    story: 'a third party gave a well-formed answer',
    check: SIP,
    attempts: [answer()],
    farEnd: thirdParty(),
    says: 'pass/answered',
    confidence: 0.999,
  },
  {
    story: 'a third party was asked with a tag that it does not know',
    check: SIP,
    attempts: [unproven()],
    farEnd: thirdParty(),
    says: 'pass/answered',
  },
  {
    story: 'the second sending of the first request was answered, the other requests at once',
    check: SIP,
    attempts: [proven({ packets: 2, answers: 1, rttMs: null }), ...times(2, provenAt(5060))],
    farEnd: reflector(),
    says: 'pass/answered',
  },
  {
    story: 'refused once, answered afterwards',
    check: SIP,
    attempts: [failure('refused'), ...times(3, provenAt(5060))],
    farEnd: reflector(),
    says: 'pass/answered',
  },
  {
    story: 'answers to all three sendings of one request came late (Karn: no round trip)',
    check: SIP,
    attempts: [proven({ packets: 3, answers: 3, rttMs: null })],
    farEnd: reflector(),
    says: 'pass/answered',
  },
  {
    story: 'a reflector that says it does not listen there, and answers all the same',
    check: SIP,
    attempts: [provenAt(5060)],
    farEnd: reflector({ listens: { udp: [], tcp: [], certificateSha256: null } }),
    says: 'pass/answered',
  },
  {
    story: 'the keepalives of three attempts were lost but one',
    check: KEEPALIVE,
    attempts: [
      proven({}, { arrivalPort: 4500, keepalives: 0 }),
      proven({}, { arrivalPort: 4500, keepalives: 1 }),
      proven({}, { arrivalPort: 4500, keepalives: 1 }),
    ],
    farEnd: reflector(),
    says: 'pass/answered',
  },

  // What passes and would hurt.
  {
    story: 'four of twenty answered, far past one in a hundred',
    check: SIP,
    attempts: [...silence(16), ...times(4, provenAt(5060))],
    farEnd: reflector(),
    says: 'degraded/loss',
  },
  {
    story: 'one of four lost: certain of 0.25 % only, and one in a hundred is allowed',
    check: SIP,
    attempts: [...silence(1), ...times(3, provenAt(5060))],
    farEnd: reflector(),
    says: 'pass/answered',
  },
  {
    story: 'two of five lost: certain of 3.3 %',
    check: SIP,
    attempts: [...silence(2), ...times(3, provenAt(5060))],
    farEnd: reflector(),
    says: 'degraded/loss',
  },
  {
    story: 'two of five lost, where a twentieth is allowed',
    check: SIP,
    attempts: [...silence(2), ...times(3, provenAt(5060))],
    farEnd: reflector(),
    path: { thresholds: { lossRatio: 0.05, rttMs: 300 } },
    says: 'pass/answered',
  },
  {
    story: 'retransmissions that were answered late are not lost',
    check: SIP,
    attempts: [proven({ packets: 3, answers: 3, rttMs: null }), ...times(2, provenAt(5060))],
    farEnd: reflector(),
    says: 'pass/answered',
  },
  {
    story: 'the first packet of each flow is held: the later ones show the line',
    check: SIP,
    attempts: [700, 20, 21].map((rttMs) => proven({ rttMs, sourcePort: 40_000 }, { arrivalPort: 5060 })),
    farEnd: reflector({ flows: HELD_FLOWS }),
    says: 'pass/answered',
  },
  {
    story: 'the first packet of each flow is held, and only first ones have a round trip',
    check: SIP,
    attempts: [40_000, 40_001].map((sourcePort) => proven({ rttMs: 700, sourcePort }, { arrivalPort: 5060 })),
    farEnd: reflector({ flows: HELD_FLOWS }),
    says: 'pass/answered',
  },
  {
    story: 'the first packet of each flow is held, and the later ones are slow as well',
    check: SIP,
    attempts: [1100, 400, 410].map((rttMs) => proven({ rttMs, sourcePort: 40_000 }, { arrivalPort: 5060 })),
    farEnd: reflector({ flows: HELD_FLOWS }),
    says: 'degraded/latency',
  },
  {
    story: 'a port of a range is asked too seldom to be judged for loss',
    check: RANGE_PORT,
    attempts: [...silence(5), provenAt(16_384)],
    farEnd: reflector(),
    says: 'pass/answered',
  },
  {
    story: 'and its latency says as little',
    check: RANGE_PORT,
    attempts: [provenAt(16_384, 900)],
    farEnd: reflector(),
    says: 'pass/answered',
  },
  {
    story: 'every round trip is longer than people can talk over',
    check: SIP,
    attempts: [provenAt(5060, 301), provenAt(5060, 302), provenAt(5060, 900)],
    farEnd: reflector(),
    says: 'degraded/latency',
  },
  {
    story: 'one that is not shows that the path can do better: a busy host made the others wait',
    check: SIP,
    attempts: [provenAt(5060, 300), provenAt(5060, 900), provenAt(5060, 900)],
    farEnd: reflector(),
    says: 'pass/answered',
  },
  {
    story: 'a third party answers slowly: its server may be slow, and the way short',
    check: SIP,
    attempts: times(3, answer({ rttMs: 400 })),
    farEnd: thirdParty(),
    says: 'pass/answered',
  },
  {
    story: "a third party answers slowly, and TCP's own handshake with it takes as long",
    check: SIP,
    attempts: times(3, answer({ rttMs: 400 })),
    farEnd: thirdParty({ isWayLong: (rttMs) => rttMs < 390 }),
    says: 'degraded/latency',
  },
  {
    story: 'a third party answers one of many: it limits who asks',
    check: SIP,
    attempts: [answer(), ...silence(6)],
    farEnd: thirdParty(),
    says: 'pass/answered',
  },
  {
    story: 'a third party answers one of many, and several of its protocols suffer alike',
    check: SIP,
    attempts: [answer(), ...silence(6)],
    farEnd: thirdParty({ lineLoses: () => true }),
    says: 'degraded/loss',
  },

  // What something in between did.
  {
    story: 'SIP arrived with other bytes than were sent',
    check: SIP,
    attempts: [provenAt(5060), proven({}, { intact: false })],
    farEnd: reflector(),
    says: 'altered/sip-alg',
    confidence: 1,
  },
  {
    story: 'RTP arrived with other bytes than were sent',
    check: RTP,
    attempts: [proven({}, { arrivalPort: 16_384, intact: false })],
    farEnd: reflector(),
    says: 'altered/payload-rewritten',
  },
  {
    story: 'HTTP was rewritten by a proxy that lets the proof pass',
    check: check('http/tcp/80'),
    attempts: [proven({}, { arrivalPort: 80, intact: false })],
    farEnd: reflector(),
    says: 'altered/http-intercepted',
  },
  {
    story: 'DNS was rewritten by a forwarder',
    check: check('dns/udp/53'),
    attempts: [proven({}, { arrivalPort: 53, intact: false })],
    farEnd: reflector(),
    says: 'altered/dns-intercepted',
  },
  {
    story: 'it arrived at another port than was asked (destination NAT)',
    check: SIP,
    attempts: [provenAt(5062)],
    farEnd: reflector(),
    says: 'altered/answered-by-other',
  },
  {
    story: 'somebody else answers SIP over UDP',
    check: SIP,
    attempts: times(3, unproven()),
    farEnd: reflector(),
    says: 'altered/answered-by-other',
    confidence: 0.999,
  },
  {
    story: 'two voices on one port: one proven answer does not whitewash the other',
    check: SIP,
    attempts: [provenAt(5060), unproven()],
    farEnd: reflector(),
    says: 'altered/answered-by-other',
  },
  {
    story: 'somebody else answers SIP over TLS',
    check: SIP_TLS,
    attempts: [unproven()],
    farEnd: reflector(),
    says: 'altered/tls-intercepted',
  },
  {
    story: 'somebody else answers TLS',
    check: TLS,
    attempts: [unproven()],
    farEnd: reflector(),
    says: 'altered/tls-intercepted',
  },
  {
    story: 'a captive portal answers HTTP',
    check: check('http/tcp/80'),
    attempts: [unproven()],
    farEnd: reflector(),
    says: 'altered/http-intercepted',
  },
  {
    story: 'the firewall answers DNS',
    check: check('dns/udp/53'),
    attempts: [unproven()],
    farEnd: reflector(),
    says: 'altered/dns-intercepted',
  },
  {
    story: 'TLS opened with a foreign certificate and no proof came',
    check: TLS,
    attempts: silence(4, withCertificate(FOREIGN_CERTIFICATE)),
    farEnd: reflector(),
    says: 'altered/tls-intercepted',
    confidence: 0.999,
  },
  {
    story: 'TLS opened with a foreign certificate and was closed; nothing is known about loss',
    check: TLS,
    attempts: [failure('closed-early', { code: 'FIN', opened: withCertificate(FOREIGN_CERTIFICATE) })],
    farEnd: reflector(),
    path: { lossUpperBound: null },
    says: 'altered/tls-intercepted',
    confidence: 0.999,
  },
  {
    story: "TLS opened with the reflector's own certificate: its silence, and not a man in the middle",
    check: TLS,
    attempts: silence(4, withCertificate(OWN_CERTIFICATE)),
    farEnd: reflector(),
    says: 'blocked/payload-filtered',
  },
  {
    story: 'a third party may show whatever certificate it likes',
    check: TLS,
    attempts: silence(4, withCertificate(FOREIGN_CERTIFICATE)),
    farEnd: thirdParty(),
    says: 'unknown/no-answer',
  },
  {
    story: 'a reflector whose certificate we do not know accuses nobody',
    check: TLS,
    attempts: [failure('closed-early', { opened: withCertificate(FOREIGN_CERTIFICATE) })],
    farEnd: reflector({ listens: null }),
    says: 'unknown/tls-refused',
  },

  // Refusals.
  ...(
    ['refused', 'reset', 'host-unreachable', 'net-unreachable', 'prohibited', 'tls-failed', 'closed-early'] as const
  ).flatMap((name): Row[] => [
    {
      story: `${name}, from a reflector that listens there: the path said it`,
      check: SIP_TLS,
      attempts: times(3, failure(name)),
      farEnd: reflector(),
      says: 'blocked/rejected',
      confidence: 0.999,
    },
    {
      story: `${name}, from a third party: by whom is not known`,
      check: SIP_TLS,
      attempts: times(3, failure(name)),
      farEnd: thirdParty(),
      says: name === 'tls-failed' || name === 'closed-early' ? 'unknown/tls-refused' : 'unknown/closed',
      confidence: 0.999,
    },
  ]),
  {
    story: 'a third party accepts the connection and resets it: something listens',
    check: SIP_TLS,
    attempts: times(3, failure('reset', { opened: {} })),
    farEnd: thirdParty(),
    says: 'unknown/tls-refused',
  },
  {
    story: 'the network says that there is no such host, and nothing else of it answers',
    check: SIP_TLS,
    attempts: times(3, failure('host-unreachable')),
    farEnd: thirdParty({ alive: false }),
    says: 'unknown/target-unreachable',
  },
  {
    story: 'a RST from an address that has answered nothing else: there is somebody all the same',
    check: TCP,
    attempts: [failure('refused')],
    farEnd: thirdParty({ alive: false, asked: 3 }),
    says: 'unknown/closed',
  },
  {
    story: 'refused by a reflector that does not listen there',
    check: SIP,
    attempts: [failure('refused')],
    farEnd: reflector({ listens: { udp: [[1, 5059]], tcp: [[5060, 5060]], certificateSha256: null } }),
    says: 'unknown/not-run',
  },
  {
    story: 'refused by a reflector that could not say where it listens',
    check: SIP,
    attempts: times(3, failure('refused')),
    farEnd: reflector({ listens: null }),
    says: 'unknown/closed',
  },
  {
    story: 'one ICMP among silence is believed',
    check: SIP,
    attempts: [...silence(3), failure('host-unreachable')],
    farEnd: reflector(),
    says: 'blocked/rejected',
  },

  {
    story: 'nothing as long as it passes, whatever it is, and short messages do',
    check: SIP,
    attempts: silence(4),
    farEnd: reflector({ onlyShortPasses: new Set([SIP.key]), openUdpPorts: new Set([SIP.port]) }),
    says: 'blocked/size-filtered',
  },
  // What passed, and was asked again at the end.
  {
    story: 'it passed, and at the end it is silent from several source ports',
    check: SIP,
    attempts: [proven(), proven(), proven()],
    facts: { atLast: silence(4) },
    farEnd: reflector(),
    says: 'unknown/cut-off',
  },
  {
    story: 'it passed with losses, and at the end it is silent: no loss of the line',
    check: SIP,
    attempts: [proven(), ...silence(5)],
    facts: { atLast: silence(4) },
    farEnd: reflector(),
    says: 'unknown/cut-off',
  },
  {
    story: 'it passed, and the silence at the end is no more than what the path loses',
    check: SIP,
    attempts: [proven(), proven(), proven()],
    facts: { atLast: silence(3) },
    farEnd: reflector(),
    path: { lossUpperBound: 0.3 },
    says: 'pass/answered',
  },
  {
    story: 'it passed, and at the end something refuses it',
    check: SIP,
    attempts: [proven(), proven(), proven()],
    facts: { atLast: [failure('refused')] },
    farEnd: reflector(),
    says: 'unknown/cut-off',
  },
  {
    story: 'it passed, and at the end a reflector that protects itself hangs up',
    check: TCP,
    attempts: [proven({}, { arrivalPort: TCP.port })],
    facts: { atLast: [failure('reset')] },
    farEnd: reflector({ heldBack: 3 }),
    says: 'pass/answered',
  },
  {
    story: 'connections that were refused for a moment between others are no loss',
    check: TCP,
    attempts: [
      ...[10, 11].map((rttMs) => proven({ rttMs }, { arrivalPort: TCP.port })),
      ...Array.from({ length: 3 }, () => failure('refused')),
    ],
    farEnd: reflector(),
    says: 'pass/answered',
  },
  {
    story: 'it passed, and by the end its far end had ended',
    check: SIP,
    attempts: [proven(), proven(), proven()],
    facts: { atLast: silence(4) },
    farEnd: reflector({ ended: 'outage' }),
    says: 'pass/answered',
  },
  {
    story: 'what was rewritten is rewritten, whatever came of it later',
    check: SIP,
    attempts: [proven({}, { intact: false })],
    facts: { atLast: silence(4) },
    farEnd: reflector(),
    says: 'altered/sip-alg',
  },

  // Silence.
  {
    story: 'silence where the far end is alive, listens, and the path loses little',
    check: SIP,
    attempts: silence(4),
    farEnd: reflector(),
    says: 'blocked/dropped',
    confidence: 0.9999,
  },
  {
    story: '3 of 3 silent on a path that may lose three in ten proves nothing',
    check: SIP,
    attempts: silence(3),
    farEnd: reflector(),
    path: { lossUpperBound: 0.3 },
    says: 'unknown/no-answer',
    confidence: 0.973,
  },
  {
    story: 'five are still too few at 0.3 (0.00243)',
    check: SIP,
    attempts: silence(5),
    farEnd: reflector(),
    path: { lossUpperBound: 0.3 },
    says: 'unknown/no-answer',
  },
  {
    story: 'six are enough (0.000729)',
    check: SIP,
    attempts: silence(6),
    farEnd: reflector(),
    path: { lossUpperBound: 0.3 },
    says: 'blocked/dropped',
    confidence: 0.999271,
  },
  {
    story: 'and not for a port of a range, which has to be ten times as sure',
    check: RANGE_PORT,
    attempts: silence(6),
    farEnd: reflector(),
    path: { lossUpperBound: 0.3, doubt: 1e-4 },
    says: 'unknown/no-answer',
  },
  {
    story: 'exactly at the boundary is enough: 0.125 to the third is 1/512',
    check: SIP,
    attempts: silence(3),
    farEnd: reflector(),
    path: { lossUpperBound: 0.125, doubt: 1 / 512 },
    says: 'blocked/dropped',
  },
  {
    story: 'a hair below it is not',
    check: SIP,
    attempts: silence(3),
    farEnd: reflector(),
    path: { lossUpperBound: 0.125, doubt: 1 / 512 - Number.EPSILON },
    says: 'unknown/no-answer',
  },
  {
    story: 'retransmissions of one request count by the packet',
    check: SIP,
    attempts: [
      { outcome: 'silence', packets: 3, ...UNTIMED, opened: null },
      { outcome: 'silence', packets: 3, ...UNTIMED, opened: null },
    ],
    farEnd: reflector(),
    path: { lossUpperBound: 0.3 },
    says: 'blocked/dropped',
  },
  {
    story: 'nothing is known about loss',
    check: SIP,
    attempts: silence(20),
    farEnd: reflector(),
    path: { lossUpperBound: null },
    says: 'unknown/no-answer',
    confidence: 0,
  },
  {
    story: 'the reflector says that it does not listen there',
    check: SIP,
    attempts: silence(6),
    farEnd: reflector({ listens: { udp: [[5061, 5061]], tcp: [[5060, 5060]], certificateSha256: null } }),
    says: 'unknown/not-run',
  },
  {
    story: 'the reflector could not say where it listens',
    check: SIP,
    attempts: silence(6),
    farEnd: reflector({ listens: null }),
    says: 'unknown/no-answer',
  },
  {
    story: 'the far end says that nothing arrived',
    check: SIP,
    attempts: silence(4),
    facts: { seen: 0 },
    farEnd: reflector(),
    says: 'blocked/dropped-outbound',
    confidence: 0.9999,
  },
  {
    story: 'the far end says that all arrived, and nothing came back',
    check: SIP,
    attempts: silence(4),
    facts: { seen: 4 },
    farEnd: reflector(),
    says: 'blocked/dropped-inbound',
    confidence: 0.9999,
  },
  {
    story: 'only two arrived: two lost answers prove nothing, however many requests were lost',
    check: SIP,
    attempts: silence(6),
    facts: { seen: 2 },
    farEnd: reflector(),
    says: 'unknown/no-answer',
    confidence: 0.99,
  },
  {
    story: 'all arrived, and the far end says that it held back answers',
    check: SIP,
    attempts: silence(4),
    facts: { seen: 4 },
    farEnd: reflector({ heldBack: 4 }),
    says: 'unknown/limited',
  },
  {
    story: 'it held back answers, and what arrived is not known',
    check: SIP,
    attempts: silence(4),
    farEnd: reflector({ heldBack: 4 }),
    says: 'unknown/limited',
  },
  {
    story: 'it held back answers elsewhere: of this nothing arrived',
    check: SIP,
    attempts: silence(4),
    facts: { seen: 0 },
    farEnd: reflector({ heldBack: 3 }),
    says: 'blocked/dropped-outbound',
    confidence: 0.9999,
  },
  {
    story: 'its host dropped datagrams at this port before they could be counted',
    check: SIP,
    attempts: silence(4),
    facts: { seen: 0 },
    farEnd: reflector({ listens: { ...EVERYWHERE, overruns: [[5000, 5060]] } }),
    says: 'unknown/limited',
  },
  {
    story: 'its host dropped datagrams at another port',
    check: SIP,
    attempts: silence(4),
    facts: { seen: 0 },
    farEnd: reflector({ listens: { ...EVERYWHERE, overruns: [[5061, 5070]] } }),
    says: 'blocked/dropped-outbound',
  },
  {
    story: 'something of ours arrives at this port, and cannot be read',
    check: SIP,
    attempts: silence(4),
    facts: { seen: 0 },
    farEnd: reflector({ listens: { ...EVERYWHERE, unreadable: [[5000, 5060]] } }),
    says: 'unknown/no-answer',
  },
  {
    story: 'something of ours arrives unreadable, and what was asked there as it was sent',
    check: SIP,
    attempts: silence(4),
    facts: { seen: 4, answered: 4 },
    farEnd: reflector({ listens: { ...EVERYWHERE, unreadable: [[5060, 5060]] } }),
    says: 'blocked/dropped-inbound',
  },
  {
    story: 'something of ours arrives unreadable at another port',
    check: SIP,
    attempts: silence(4),
    facts: { seen: 0 },
    farEnd: reflector({ listens: { ...EVERYWHERE, unreadable: [[5061, 5061]] } }),
    says: 'blocked/dropped-outbound',
  },
  {
    story: 'a connection that it cut off, because too many stood',
    check: SIP_TCP,
    attempts: [failure('reset', { opened: {} }), failure('closed-early', { opened: {} })],
    farEnd: reflector({ heldBack: 2 }),
    says: 'unknown/limited',
  },
  {
    story: 'a refused connection is nothing that it held back',
    check: SIP_TCP,
    attempts: [failure('refused')],
    farEnd: reflector({ heldBack: 2 }),
    says: 'blocked/rejected',
  },
  {
    story: 'silence on a port where a bare tag passes: inspection',
    check: SIP,
    attempts: silence(4),
    facts: { seen: 0 },
    farEnd: reflector({ openUdpPorts: new Set([5060]) }),
    says: 'blocked/payload-filtered',
  },
  {
    story: 'a bare tag passes on another port only',
    check: SIP,
    attempts: silence(4),
    farEnd: reflector({ openUdpPorts: new Set([5061]) }),
    says: 'blocked/dropped',
  },
  {
    story: 'a UDP port on which other bytes pass says nothing about TCP',
    check: SIP_TCP,
    attempts: silence(4),
    farEnd: reflector({ openUdpPorts: new Set([5060]) }),
    says: 'blocked/dropped',
  },
  {
    story: 'TCP opens and SIP over it stays unanswered',
    check: SIP_TCP,
    attempts: silence(4, {}),
    farEnd: reflector(),
    says: 'blocked/payload-filtered',
  },
  {
    story: 'the answers to ESP come, and not one keepalive was seen',
    check: KEEPALIVE,
    attempts: times(3, proven({}, { arrivalPort: 4500, keepalives: 0 })),
    farEnd: reflector(),
    says: 'blocked/payload-filtered',
  },
  {
    story: 'a third party is silent on one port and answers on others',
    check: SIP,
    attempts: silence(20),
    farEnd: thirdParty(),
    says: 'unknown/no-answer',
  },
  {
    story: 'a lone question has no control: its silence is no answer',
    check: SIP,
    attempts: silence(6),
    farEnd: thirdParty({ alive: false, asked: 1 }),
    path: { lossUpperBound: null },
    says: 'unknown/no-answer',
  },
  {
    story: 'of several questions not one was answered',
    check: SIP,
    attempts: silence(6),
    farEnd: thirdParty({ alive: false, asked: 2 }),
    path: { lossUpperBound: null },
    says: 'unknown/target-unreachable',
  },
  {
    story: 'dead, and other targets have shown the path to lose nothing',
    check: SIP,
    attempts: silence(20),
    farEnd: thirdParty({ alive: false, asked: 40 }),
    path: { lossUpperBound: 0.01 },
    says: 'unknown/target-unreachable',
  },
  {
    story: 'garbage arrived and no answer: the path is open, and the answer cannot be read',
    check: SIP,
    attempts: silence(20),
    facts: { refused: { malformed: 7, 'wrong-id': 2 } },
    farEnd: thirdParty(),
    says: 'unknown/unreadable',
    confidence: 0.999,
  },
  {
    story: 'answers whose proof does not hold are a matter of tokens',
    check: SIP,
    attempts: silence(20),
    facts: { refused: { 'bad-proof': 7 } },
    farEnd: thirdParty(),
    says: 'unknown/no-answer',
  },
];

const classifyRow = ({ check: of, attempts = [], facts = {}, farEnd, path = {} }: Row) =>
  classify(observed(of, attempts, facts), farEnd, circumstances(path));

t.test('the table of cases', async (t) => {
  for (const row of ROWS) {
    const told = classifyRow(row);
    t.equal(`${told.verdict}/${told.reason}`, row.says, row.story);
    if (row.confidence !== undefined) t.equal(told.confidence, row.confidence, `${row.story}: confidence`);
  }
});

t.test('the table reaches every reason but those that need measurements of their own', async (t) => {
  const reached = new Set(ROWS.map(({ says }) => says));
  const all = Object.entries(REASONS).flatMap(([verdict, reasons]) => reasons.map((reason) => `${verdict}/${reason}`));
  t.strictSame(
    all.filter((one) => !reached.has(one)),
    // A stream of media, the way in from outside; and a token that nobody proved, which is about the whole address.
    [
      'degraded/jitter',
      'degraded/reordered',
      'blocked/not-let-in',
      'unknown/unproven',
      'unknown/not-forwarded',
      'unknown/no-way-in',
    ],
  );
});

t.test('what is counted and shown as evidence', async (t) => {
  const told = classify(
    observed(SIP, [proven({ packets: 2, answers: 1, rttMs: null }), provenAt(5060, 10), provenAt(5060, 31.23456)], {
      refused: { 'wrong-id': 1 },
      seen: 4,
    }),
    reflector(),
    circumstances(),
  );
  t.equal(told.sent, 4);
  t.equal(told.seen, 4);
  t.equal(told.received, 3);
  t.strictSame(told.rttMs, { min: 10, median: 20.617, max: 31.235 }, 'the ambiguous answer has no round trip');
  t.strictSame(told.evidence, {
    answer: {},
    authentic: true,
    intact: true,
    seenAddress: '192.0.2.7',
    seenPort: 40_000,
    arrivalPort: 5060,
    clockSkewMs: 0.5,
    refused: { 'wrong-id': 1 },
  });

  const refused = classify(
    observed(SIP_TCP, [failure('refused', { code: 'ECONNREFUSED' }), failure('reset', { code: 'ECONNRESET' })]),
    thirdParty(),
    circumstances(),
  );
  t.strictSame(refused.evidence, { failures: { refused: 'ECONNREFUSED', reset: 'ECONNRESET' } });
  t.equal(refused.rttMs, null, 'not measured is null');
  t.equal(refused.seen, null);

  const silent = classify(observed(SIP, silence(4)), reflector({ openUdpPorts: new Set([5060]) }), circumstances());
  t.strictSame(silent.evidence, { otherBytesPass: true });

  const keepalives = classify(
    observed(KEEPALIVE, [proven({}, { arrivalPort: 4500, keepalives: 3 })]),
    reflector(),
    circumstances(),
  );
  t.equal(keepalives.evidence.keepalivesSeen, 3);
});

t.test('where a reflector listens: UDP is told apart, TCP and TLS share their ports', async (t) => {
  const listens = { udp: [[5060, 5062]], tcp: [[443, 443]], certificateSha256: null } as const;
  const on = (transport: 'udp' | 'tcp' | 'tls', port: number) => listensOn(listens, { transport, port });
  t.equal(on('udp', 5059), false);
  t.equal(on('udp', 5060), true);
  t.equal(on('udp', 5062), true);
  t.equal(on('udp', 5063), false);
  t.equal(on('tcp', 5060), false);
  t.equal(on('tcp', 443), true);
  t.equal(on('tls', 443), true);
  t.equal(listensOn(null, { transport: 'udp', port: 5060 }), null, 'not asked is not false');
});

t.test('what an address is, by all that was asked of it', async (t) => {
  const farEndOf = (observations: readonly Observation[], facts: Partial<FarEndFacts> = {}): FarEndState =>
    farEndStates(observations, [{ ...unknownFarEnd(ADDRESS), ...facts }]).get(ADDRESS) ?? UNKNOWN_FAR_END;
  const silent = observed(SIP, silence(4));

  t.strictSame(farEndOf([]), UNKNOWN_FAR_END);
  t.strictSame(farEndOf([observed(SIP, [], { notRun: 'interrupted' })]), UNKNOWN_FAR_END, 'not asked is not silent');

  const dead = farEndOf([silent, observed(TCP, silence(4))]);
  t.match(dead, { role: 'third-party', alive: false, asked: 2 });
  t.match(farEndOf([silent, observed(TCP, [answer()])]), { role: 'third-party', alive: true });
  t.match(farEndOf([silent, observed(TCP, [unproven()])]), { role: 'third-party', alive: true });
  t.match(farEndOf([silent, observed(TCP, [failure('refused')])]), { alive: true }, 'who refuses is there');
  t.match(farEndOf([silent, observed(TCP, silence(4, {}))]), { alive: true }, 'who accepts a connection is there');
  t.match(
    farEndOf([silent, observed(TCP, [failure('host-unreachable')])]),
    { alive: false },
    'a router that says unreachable is not the target',
  );
  t.match(farEndOf([silent, observed(TCP, [failure('local-denied')])]), { alive: false });

  const one = farEndOf([silent, observed(RTP, [provenAt(16_384)]), observed(TCP, [provenAt(5223)])]);
  t.match(one, { role: 'reflector', alive: true, asked: 3, listens: null });
  t.strictSame([...one.openUdpPorts], [16_384], 'a TCP answer opens no UDP port');

  const listens = { udp: [], tcp: [], certificateSha256: null };
  const info = { version: '1', ...listens };
  const told = farEndOf([silent], { identity: { info, control: TCP }, otherBytesPorts: [5060] });
  t.match(told, { role: 'reflector', alive: true, asked: 1, listens });
  t.strictSame([...told.openUdpPorts], [5060], 'other bytes pass there');
  t.match(farEndOf([silent]), { role: 'third-party', alive: false });
});

/** Anything that a run could have observed, honest or absurd. */
const anyAttempt: fc.Arbitrary<Attempt> = fc.oneof(
  fc
    .record({
      packets: fc.integer({ min: 1, max: 4 }),
      rttMs: fc.option(fc.double({ min: 0, max: 2000, noNaN: true })),
    })
    .chain(({ packets, rttMs }) =>
      fc
        .record({
          answers: fc.integer({ min: 1, max: packets }),
          authentic: fc.constantFrom(true, false, null),
          intact: fc.boolean(),
          arrivalPort: fc.constantFrom(5060, 5061),
          keepalives: fc.nat(2),
        })
        .map(({ answers, authentic, ...attestation }) =>
          authentic === true
            ? proven({ packets, answers, rttMs }, attestation)
            : answer({ packets, answers, rttMs, authentic }),
        ),
    ),
  fc
    .record({ name: fc.constantFrom(...FAILURES), opened: fc.constantFrom(null, withCertificate(FOREIGN_CERTIFICATE)) })
    .map(({ name, opened }) => failure(name, opened ? { opened } : {})),
  fc
    .record({
      packets: fc.integer({ min: 1, max: 4 }),
      opened: fc.constantFrom(null, {}, withCertificate(OWN_CERTIFICATE)),
    })
    .map((fields): Attempt => ({ outcome: 'silence', ...UNTIMED, ...fields })),
);
const anyObservation: fc.Arbitrary<Observation> = fc
  .record({
    probe: fc.constantFrom(...ASKED_KINDS),
    transport: fc.constantFrom(...TRANSPORTS),
    isOfRange: fc.boolean(),
    attempts: fc.array(anyAttempt, { maxLength: 8 }),
    seen: fc.option(fc.nat(8)),
    notRun: fc.option(fc.constantFrom(...NOT_RUN), { freq: 9 }),
  })
  .map(({ probe, transport, isOfRange, attempts, seen, notRun }) =>
    observed(check(`${probe}/${transport}/5060`, { isOfRange }), notRun ? [] : attempts, { seen, notRun }),
  );
const anyFarEnd: fc.Arbitrary<FarEndState> = fc
  .record({
    role: fc.constantFrom('reflector', 'third-party'),
    alive: fc.boolean(),
    asked: fc.nat(3),
    listens: fc.constantFrom(null, reflector().listens, { udp: [], tcp: [], certificateSha256: null }),
    openUdpPorts: fc.constantFrom<ReadonlySet<number>>(new Set(), new Set([5060])),
  })
  .map((fields) => ({ ...fields, alive: fields.alive || fields.role === 'reflector' }) as FarEndState);
const anyPath: fc.Arbitrary<Circumstances> = fc
  .record({
    lossUpperBound: fc.option(fc.double({ min: 0, max: 1, noNaN: true })),
    doubt: fc.constantFrom(1e-3, 1e-4),
  })
  .map((fields) => circumstances(fields));

t.test('whatever was observed, the verdict keeps to the rules', async (t) => {
  const honest = fc.property(anyObservation, anyFarEnd, anyPath, (observation, farEnd, path) => {
    const told = classify(observation, farEnd, path);
    const { attempts } = observation;
    const answers = attempts.filter(({ outcome }) => outcome === 'answer');
    const rule = (name: string, holds: boolean): void => {
      if (!holds) throw new Error(`${name}: ${told.verdict}/${told.reason}`);
    };
    rule('the reason is one of its verdict', (REASONS[told.verdict] as readonly string[]).includes(told.reason));
    rule('the same facts give the same verdict', classify(observation, farEnd, path).reason === told.reason);
    rule('the confidence is a probability', told.confidence >= 0 && told.confidence <= 1);
    rule('not more is received than sent', told.received <= told.sent);
    rule('no pass without an answer', told.verdict !== 'pass' || answers.length > 0);
    rule('what was not asked is unknown', observation.notRun === null || told.verdict === 'unknown');
    rule(
      'a third party is never said to be blocked or altered',
      farEnd.role === 'reflector' || (told.verdict !== 'blocked' && told.verdict !== 'altered'),
    );
    rule(
      'a reflector passes by proof and by nothing else',
      farEnd.role === 'third-party' ||
        told.verdict !== 'pass' ||
        answers.every((one) => one.outcome === 'answer' && one.authentic === true && one.attestation?.intact === true),
    );
    rule(
      'nobody is blamed for silence where nothing listens',
      !['dropped', 'dropped-inbound', 'dropped-outbound', 'rejected'].includes(told.reason) ||
        listensOn(farEnd.listens, observation.check) === true,
    );
    const proof = ['dropped', 'dropped-inbound', 'dropped-outbound'].includes(told.reason);
    const { seen, answered } = told;
    const lost = seen === null || seen === 0 ? told.sent : (answered ?? seen);
    rule('what was seen and not answered blocks nobody', told.verdict !== 'blocked' || !isOwnSilence(observation));
    rule('silence that loss could explain proves nothing', !proof || (path.lossUpperBound ?? 1) ** lost <= path.doubt);
  });
  t.doesNotThrow(() => fc.assert(honest, { numRuns: 3000 }));
});

/** Nothing but silence, all of which the far end says it did not answer. */
const isOwnSilence = ({ attempts, seen, answered }: Observation): boolean =>
  attempts.every(({ outcome }) => outcome === 'silence') && seen !== null && seen > 0 && answered === 0;

t.test('the short way for the many ports of a sweep says what the long way says', async (t) => {
  const port = fc.record({
    probe: fc.constantFrom('rtp-echo', 'rtcp-echo', 'udp-echo', 'nat-t-keepalive'),
    packets: fc.integer({ min: 1, max: 3 }),
    rttMs: fc.option(fc.double({ min: 0, max: 900, noNaN: true })),
    arrivalPort: fc.constantFrom(16_384, 16_386),
    intact: fc.boolean(),
    keepalives: fc.nat(1),
    seen: fc.option(fc.nat(3)),
  });
  fc.assert(
    fc.property(port, anyFarEnd, anyPath, ({ probe, packets, rttMs, seen, ...attestation }, farEnd, path) => {
      const answered = proven({ packets, answers: packets, rttMs }, attestation);
      const of = check(`${probe}/udp/16384`, { isOfRange: true });
      // Nothing sent and nothing heard besides: the same facts, and not plain.
      const [nothing] = silence(1).map((one): Attempt => ({ ...one, packets: 0 }));
      const long = classify(observed(of, nothing ? [answered, nothing] : [], { seen }), farEnd, path);
      t.strictSame(classify(observed(of, [answered], { seen }), farEnd, path), long);
    }),
    { numRuns: 300 },
  );
});
