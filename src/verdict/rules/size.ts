/** Large messages, and the tunnel of Wi-Fi Calling. */
import { CAUSES } from '../../words/diagnosis/causes.js';
import { LONG_MESSAGES_LOST, messagesLost, SYMPTOMS } from '../../words/diagnosis/symptoms.js';
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

const isRun = (value: unknown): value is readonly [from: number, to: number] =>
  Array.isArray(value) && value.length === 2 && value.every(isNumber);

/** `850 and 1,150 to 1,225`: the sizes that were tried and failed, each run by itself. */
const failingBytes = ({ evidence }: Sweep): string => {
  const { smallestFailingBytes: from, largestFailingBytes: to, failingBytes: runs } = evidence;
  const said = (bytes: number): string => bytes.toLocaleString('en-US');
  const inWords = ([first, last]: readonly [number, number]): string =>
    last === first ? said(first) : `${said(first)} to ${said(last)}`;
  if (!isNumber(from)) return 'some';
  const told = Array.isArray(runs) ? runs.filter(isRun) : [];
  return (told.length > 0 ? told : [[from, isNumber(to) ? to : from] as const]).map(inWords).join(' and ');
};

/** Larger ones pass again: no limit, but a gap. */
const isGap = ({ evidence }: Sweep): boolean => isNumber(evidence.passesAgainFromBytes);

/** What fits a frame passes again, so that no fragment plays a part. */
const MAX_WHOLE = 1472;
const isWhole = ({ evidence: { passesAgainFromBytes: from } }: Sweep): boolean => isNumber(from) && from <= MAX_WHOLE;

/** An INVITE has more bytes than this. */
const LEAST_INVITE = 700;
const hasInvites = ({ evidence: { largestFailingBytes: to } }: Sweep): boolean => !isNumber(to) || to >= LEAST_INVITE;

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
    text: CAUSES['path-mtu/connection'],
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
            text: (ports: string) => CAUSES['sip-size-inspection'](ports, read.map(failingBytes)),
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
            text: (ports: string) => CAUSES['size-gap'](ports, gaps.map(failingBytes), gaps.every(isWhole)),
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
            text: CAUSES['fragments-dropped'],
            grounds: fragments,
          } as const,
          {
            id: 'fragments-dropped-upstream',
            device: 'provider',
            likelihood: 'possible',
            text: CAUSES['fragments-dropped-upstream'],
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
            text: CAUSES['path-mtu/datagram'],
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
        text: gap ? messagesLost(failingBytes(gap), hasInvites(gap)) : LONG_MESSAGES_LOST,
      };
    },
    causes: sizeCauses,
    fixes: pathFixes,
  },
  {
    id: 'long-messages-over-tcp',
    when: (evidence) => longOverTcp(evidence, ({ evidence: { direction } }) => direction !== 'inbound'),
    symptom: { id: 'long-invites-fail', text: SYMPTOMS['long-messages-over-tcp'] },
    causes: segmentCauses,
    fixes: fix('advise'),
  },
  {
    id: 'long-notifies-over-tcp',
    when: (evidence) => longOverTcp(evidence, ({ evidence: { direction } }) => direction === 'inbound'),
    symptom: { id: 'transfers-fail', text: SYMPTOMS['long-notifies-over-tcp'] },
    causes: segmentCauses,
    fixes: fix('advise'),
  },
  {
    id: 'long-notifies-dropped',
    when: (evidence) => sweeps(evidence, (one) => one.evidence.direction === 'inbound'),
    symptom: { id: 'transfers-fail', text: SYMPTOMS['long-notifies-dropped'] },
    causes: sizeCauses,
    fixes: pathFixes,
  },
  {
    id: 'tunnel-carries-nothing',
    when: ({ service }) =>
      signallingStands(service)
        ? itemsOf(requiredOf(service), (item) => isEsp(item) && isBlocked(item) && !hasReason('size-filtered')(item))
        : [],
    symptom: { id: 'wifi-calling-unavailable', text: SYMPTOMS['tunnel-carries-nothing'] },
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'tunnel-loses-large',
    when: ({ service }) =>
      signallingStands(service)
        ? itemsOf(requiredOf(service), (item) => isEsp(item) && hasReason('size-filtered')(item))
        : [],
    symptom: { id: 'long-invites-fail', text: SYMPTOMS['tunnel-loses-large'] },
    causes: pathCauses,
    fixes: pathFixes,
  },
];
