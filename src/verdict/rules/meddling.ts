/** Who is to blame where something reads along, changes what passes, or answers in the far end's place. */
import { CAUSES } from '../../words/diagnosis/causes.js';
import { type CauseText, checkOf, type Ground, type RuleInput, some } from './rule.js';

/** Of a call that stands: other requests of the same flow passed, so that whoever drops this one tells them apart, or counts time. */
export const callBreaks =
  (what: string) =>
  (grounds: readonly Ground[]): readonly CauseText[] =>
    some(grounds, [
      {
        id: 'call-inspection',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: (ports) => CAUSES['call-inspection'](ports, what),
        grounds,
      },
      {
        id: 'call-inspection-upstream',
        device: 'provider',
        likelihood: 'possible',
        text: (ports) => CAUSES['call-inspection-upstream'](ports, what),
        grounds,
      },
    ]);

/** Something that reads along: whoever does it knows the protocol. */
export const inspection = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'inspection',
      device: 'branch-firewall',
      likelihood: 'likely',
      text: CAUSES.inspection,
      grounds,
    },
    {
      id: 'inspection-upstream',
      device: 'provider',
      likelihood: 'possible',
      text: CAUSES['inspection-upstream'],
      grounds,
    },
  ]);

/** Their packets have some two hundred octets: no MTU is that small, and no fragment is needed for them. */
const SHORT: ReadonlySet<string> = new Set(['rtp-echo', 'rtcp-echo', 'stun-binding', 'udp-echo', 'dns']);
export const isShort = ({ probe }: Pick<Ground, 'probe'>): boolean => SHORT.has(probe);

/** A longer message passes on the same port: no limit, but a gap. */
const isGap = (ground: Ground, { facts }: RuleInput): boolean =>
  checkOf(ground, facts)?.evidence.passesAgainAtBytes !== undefined;

export const sizes = (grounds: readonly Ground[], evidence: RuleInput): readonly CauseText[] => {
  const gaps = grounds.filter((one) => isGap(one, evidence));
  const short = grounds.filter((one) => isShort(one) && !gaps.includes(one));
  const long = grounds.filter((one) => !short.includes(one) && !gaps.includes(one));
  return [
    ...some(gaps, [
      {
        id: 'size-gap',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['size-gap/some'],
        grounds: gaps,
      },
    ]),
    ...some(short, [
      {
        id: 'size-limit',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['size-limit/short'],
        grounds: short,
      },
    ]),
    ...some(long, [
      {
        id: 'size-limit',
        device: 'unknown',
        likelihood: 'likely',
        text: CAUSES['size-limit'],
        grounds: long,
      },
    ]),
  ];
};

/** SIP's own texts are changed: only what reads SIP does that. */
export const algRewrites = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'sip-alg',
      device: 'branch-firewall',
      likelihood: 'likely',
      text: CAUSES['sip-alg/rewrites'],
      grounds,
    },
    {
      id: 'sip-alg-upstream',
      device: 'provider',
      likelihood: 'possible',
      text: CAUSES['sip-alg-upstream/rewrites'],
      grounds,
    },
  ]);

/** What vanishes by its method is dropped by something that reads methods. */
export const algDrops = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'sip-alg',
      device: 'branch-firewall',
      likelihood: 'likely',
      text: CAUSES['sip-alg/drops'],
      grounds,
    },
    {
      id: 'sip-alg-upstream',
      device: 'provider',
      likelihood: 'possible',
      text: CAUSES['sip-alg-upstream/drops'],
      grounds,
    },
  ]);

export const rewriting = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'rewriting',
      device: 'branch-firewall',
      likelihood: 'likely',
      text: CAUSES.rewriting,
      grounds,
    },
    {
      id: 'rewriting-upstream',
      device: 'provider',
      likelihood: 'possible',
      text: CAUSES['rewriting-upstream'],
      grounds,
    },
  ]);

export const interception = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'interception',
      device: 'branch-firewall',
      likelihood: 'likely',
      text: CAUSES.interception,
      grounds,
    },
    {
      id: 'interception-upstream',
      device: 'provider',
      likelihood: 'possible',
      text: CAUSES['interception-upstream'],
      grounds,
    },
  ]);
