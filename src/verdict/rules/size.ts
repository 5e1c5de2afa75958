/** Large messages, and the tunnel of Wi-Fi Calling. */
import { pathCauses, pathFixes } from './path.js';
import {
  fix,
  type Ground,
  hasReason,
  isBlocked,
  itemsOf,
  type Rule,
  type RuleInput,
  requiredOf,
  signallingStands,
  stageChecks,
} from './rule.js';

type Sweep = ReturnType<typeof stageChecks>[number];

/** Sizes of SIP that vanish, whether everything of that size does or SIP alone. */
const sweeps = (evidence: RuleInput, isWanted: (one: Sweep) => boolean): readonly Sweep[] =>
  signallingStands(evidence.service)
    ? stageChecks(evidence, 'size-sweep').filter(
        (one) => one.transport === 'udp' && hasReason('size-filtered', 'payload-filtered')(one) && isWanted(one),
      )
    : [];

const isNumber = (value: unknown): value is number => typeof value === 'number';

/** `1,100 to 1,472`: the sizes that were tried and failed. */
const failingBytes = ({ evidence: { smallestFailingBytes: from, largestFailingBytes: to } }: Sweep): string => {
  const said = (bytes: number): string => bytes.toLocaleString('en-US');
  if (!isNumber(from)) return 'some';
  return isNumber(to) && to !== from ? `${said(from)} to ${said(to)}` : said(from);
};

/** Larger ones pass again: no limit, but a gap. */
const isGap = ({ evidence }: Sweep): boolean => isNumber(evidence.passesAgainFromBytes);

/** What fits a frame passes again, so that no fragment plays a part. */
const MAX_WHOLE = 1472;
const isWhole = ({ evidence: { passesAgainFromBytes: from } }: Sweep): boolean => isNumber(from) && from <= MAX_WHOLE;

/** Which messages of a call have as many bytes. An INVITE has more than this. */
const LEAST_INVITE = 700;
const messagesOf = ({ evidence: { largestFailingBytes: to } }: Sweep): string =>
  isNumber(to) && to < LEAST_INVITE ? 'an ACK, a BYE or a short answer' : 'an INVITE';

const isEsp = ({ probe }: Ground): boolean => probe === 'esp-in-udp';

const longOverTcp = (evidence: RuleInput, isWanted: (one: Sweep) => boolean): readonly Sweep[] =>
  signallingStands(evidence.service)
    ? stageChecks(evidence, 'size-sweep').filter((one) => one.transport === 'tcp' && isBlocked(one) && isWanted(one))
    : [];

const segmentCauses: Rule['causes'] = (grounds) => [
  {
    id: 'path-mtu',
    device: 'unknown',
    likelihood: 'likely',
    text: (ports) =>
      `Full-size packets of ${ports} vanish without word: a tunnel or PPPoE with a smaller MTU and ICMP filtered, or a limit of size. Clamping the MSS on the firewall (to 1,400 bytes, say) mends the first.`,
    grounds,
  },
];

/** What drops messages of some sizes: something that reads SIP, a gap, fragments that are not let through, or the MTU. */
const sizeCauses: Rule['causes'] = (grounds, evidence) => {
  const all = stageChecks(evidence, 'size-sweep').filter(({ id }) => grounds.some((one) => one.id === id));
  const read = all.filter(hasReason('payload-filtered'));
  const gaps = all.filter((one) => !read.includes(one) && isGap(one));
  const limits = all.filter((one) => !read.includes(one) && !gaps.includes(one));
  const whole = limits.filter(({ evidence: { fragmentsOnly } }) => fragmentsOnly === false);
  const fragments = limits.filter((one) => !whole.includes(one));
  return [
    ...(read.length > 0
      ? [
          {
            id: 'sip-size-inspection',
            device: 'branch-firewall',
            likelihood: 'likely',
            text: (ports: string) =>
              `A SIP ALG or SIP inspection drops SIP messages of ${read.map(failingBytes).join(' and ')} bytes on ${ports}; other packets of the same size pass.`,
            grounds: read,
          } as const,
        ]
      : []),
    ...(gaps.length > 0
      ? [
          {
            id: 'size-gap',
            device: 'branch-firewall',
            likelihood: 'likely',
            text: (ports: string) =>
              `The firewall drops datagrams of ${gaps.map(failingBytes).join(' and ')} bytes on ${ports}, whatever they carry, and passes ${
                gaps.every(isWhole)
                  ? 'shorter and longer ones: a rule about packet length.'
                  : 'longer ones in fragments: a limit of size that sees only whole packets.'
              }`,
            grounds: gaps,
          } as const,
        ]
      : []),
    ...(fragments.length > 0
      ? [
          {
            id: 'fragments-dropped',
            device: 'branch-firewall',
            likelihood: 'likely',
            text: (ports: string) => `The firewall drops fragments of ${ports}: what fits one packet passes.`,
            grounds: fragments,
          } as const,
          {
            id: 'fragments-dropped-upstream',
            device: 'provider',
            likelihood: 'possible',
            text: (ports: string) => `The provider drops fragments of ${ports}.`,
            grounds: fragments,
          } as const,
        ]
      : []),
    ...(whole.length > 0
      ? [
          {
            id: 'path-mtu',
            device: 'unknown',
            likelihood: 'likely',
            text: (ports: string) =>
              `Packets of ${ports} that fit Ethernet vanish without word: a tunnel or PPPoE with a smaller MTU and ICMP filtered, or a limit of size.`,
            grounds: whole,
          } as const,
        ]
      : []),
  ];
};

export const SIZE_RULES: readonly Rule[] = [
  {
    id: 'long-messages-dropped',
    when: (evidence) => sweeps(evidence, (one) => one.evidence.direction !== 'inbound'),
    symptom: (evidence) => {
      const gap = sweeps(evidence, (one) => one.evidence.direction !== 'inbound').find(isGap);
      return {
        id: 'long-invites-fail',
        text: gap
          ? `Some calls cannot be set up, or end, over UDP: messages of ${failingBytes(gap)} bytes, as ${messagesOf(gap)} has, are lost; shorter and longer ones pass.`
          : 'Some calls cannot be set up over UDP: long messages (video, many codecs, encryption keys) are lost, short ones pass.',
      };
    },
    causes: sizeCauses,
    fixes: pathFixes,
  },
  {
    id: 'long-messages-over-tcp',
    when: (evidence) => longOverTcp(evidence, ({ evidence: { direction } }) => direction !== 'inbound'),
    symptom: {
      id: 'long-invites-fail',
      text: 'Phones set to TCP or TLS register but cannot set up calls: long messages are lost on the connection, short ones pass.',
    },
    causes: segmentCauses,
    fixes: fix('advise'),
  },
  {
    id: 'long-notifies-over-tcp',
    when: (evidence) => longOverTcp(evidence, ({ evidence: { direction } }) => direction === 'inbound'),
    symptom: {
      id: 'transfers-fail',
      text: 'Busy lamps, transfers and long incoming messages fail on phones set to TCP or TLS: large inbound packets are lost.',
    },
    causes: segmentCauses,
    fixes: fix('advise'),
  },
  {
    id: 'long-notifies-dropped',
    when: (evidence) => sweeps(evidence, (one) => one.evidence.direction === 'inbound'),
    symptom: {
      id: 'transfers-fail',
      text: 'Busy lamps, transfers and long incoming messages fail over UDP: large inbound packets are lost.',
    },
    causes: sizeCauses,
    fixes: pathFixes,
  },
  {
    id: 'tunnel-carries-nothing',
    when: ({ service }) =>
      signallingStands(service)
        ? itemsOf(requiredOf(service), (item) => isEsp(item) && isBlocked(item) && !hasReason('size-filtered')(item))
        : [],
    symptom: {
      id: 'wifi-calling-unavailable',
      text: 'Wi-Fi Calling never comes up: IKE negotiates the tunnel, but ESP does not pass.',
    },
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'tunnel-loses-large',
    when: ({ service }) =>
      signallingStands(service)
        ? itemsOf(requiredOf(service), (item) => isEsp(item) && hasReason('size-filtered')(item))
        : [],
    symptom: {
      id: 'long-invites-fail',
      text: 'The tunnel loses large packets: registration or calls with long SIP messages fail, short ones pass.',
    },
    causes: pathCauses,
    fixes: pathFixes,
  },
];
