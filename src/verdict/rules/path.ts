/** The causes of what happened on the way, each by its own reason, and what to ask for. */
import { CAUSES } from '../../words/diagnosis/causes.js';
import { dropCauses, isDropped, isIntercepted, passesElsewhere } from './drops.js';
import { algDrops, algRewrites, inspection, interception, rewriting, sizes } from './meddling.js';
import { type CauseText, type Ground, hasReason, meetsFlowLimit, type Rule, type RuleInput, some } from './rule.js';

const quality = (grounds: readonly Ground[], evidence: RuleInput): readonly CauseText[] => {
  const { comesAndGoes = false } = evidence.facts;
  const away = comesAndGoes ? grounds.filter(hasReason('loss')) : [];
  const uneven = grounds.filter((ground) => hasReason('loss', 'jitter', 'reordered')(ground) && !away.includes(ground));
  const late = grounds.filter(hasReason('latency'));
  const limited = grounds.filter((ground) => hasReason('rate-limited')(ground) && !meetsFlowLimit(ground, evidence));
  return [
    ...some(limited, [
      {
        id: 'flood-guard',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['flood-guard'],
        grounds: limited,
      },
      {
        id: 'provider-policer',
        device: 'provider',
        likelihood: 'possible',
        text: CAUSES['provider-policer'],
        grounds: limited,
      },
    ]),
    ...some(away, [
      {
        id: 'comes-and-goes',
        device: 'unknown',
        likelihood: 'likely',
        text: CAUSES['comes-and-goes'],
        grounds: away,
      },
    ]),
    ...some(uneven, [
      {
        id: 'overloaded-line',
        device: 'provider',
        likelihood: 'possible',
        text: CAUSES['overloaded-line'],
        grounds: uneven,
      },
      {
        id: 'local-network',
        device: 'branch-firewall',
        likelihood: 'possible',
        text: CAUSES['local-network'],
        grounds: uneven,
      },
    ]),
    ...some(late, [
      {
        id: 'long-way',
        device: 'unknown',
        likelihood: 'possible',
        text: CAUSES['long-way'],
        grounds: late,
      },
    ]),
  ];
};

/** The comparison of methods: what is dropped there is dropped for what it says. */
const isSipStudy = ({ probe }: Ground): boolean => probe === 'sip-alg';

/** What a NAT forgets is no filter's doing, and has rules of its own (nat.ts). */
const isNat = ({ probe }: Ground): boolean => probe === 'nat-behavior';

/** The causes of what happened to these, each by its own reason. */
export const pathCauses = (all: readonly Ground[], evidence: RuleInput): readonly CauseText[] => {
  const grounds = all.filter((ground) => !isNat(ground));
  return causesByReason(grounds, evidence);
};

const causesByReason = (grounds: readonly Ground[], evidence: RuleInput): readonly CauseText[] => [
  ...dropCauses(grounds.filter(isDropped), evidence),
  ...inspection(
    grounds.filter(
      (ground) => hasReason('payload-filtered')(ground) && !isSipStudy(ground) && ground.probe !== 'size-sweep',
    ),
  ),
  ...algDrops(grounds.filter((ground) => hasReason('payload-filtered')(ground) && isSipStudy(ground))),
  // Sizes of SIP messages have rules of their own (size.ts), which know whether fragments are to blame.
  ...sizes(
    grounds.filter((ground) => hasReason('size-filtered')(ground) && ground.probe !== 'size-sweep'),
    evidence,
  ),
  ...algRewrites(grounds.filter(hasReason('sip-alg'))),
  ...rewriting(grounds.filter(hasReason('payload-rewritten'))),
  ...interception(
    grounds.filter(hasReason('tls-intercepted', 'http-intercepted', 'dns-intercepted', 'answered-by-other')),
  ),
  ...quality(
    grounds.filter(({ finding }) => finding.verdict === 'degraded'),
    evidence,
  ),
];

const KIND_OF = {
  'sip-alg': 'alg-off',
  'payload-rewritten': 'advise',
  'tls-intercepted': 'no-redirect',
  'http-intercepted': 'no-redirect',
  'dns-intercepted': 'no-redirect',
  'answered-by-other': 'no-redirect',
  'rate-limited': 'allow',
} as const;

const isKnown = (reason: string): reason is keyof typeof KIND_OF => reason in KIND_OF;

/** What to ask for, by what happened; loss and delay are nothing that a rule could mend. */
export const pathFixes: Rule['fixes'] = (grounds, evidence) =>
  grounds.flatMap((ground): ReturnType<Rule['fixes']> => {
    const { verdict, reason } = ground.finding;
    if (reason === 'rate-limited' && meetsFlowLimit(ground, evidence)) return [];
    if (isKnown(reason)) return [{ kind: KIND_OF[reason], ground }];
    if (verdict !== 'blocked' || isNat(ground)) return [];
    // A rule that lets a port pass lets no fragment and no packet beyond the MTU pass, and leaves the limit where it is.
    if (reason === 'size-filtered') return [{ kind: 'advise', ground }];
    const allow = { kind: 'allow', ground } as const;
    if (isSipStudy(ground) && reason === 'payload-filtered') return [{ kind: 'alg-off', ground }, allow];
    if (isDropped(ground) && passesElsewhere(ground, evidence)) return [{ kind: 'far-side', ground }];
    return isDropped(ground) && isIntercepted(ground, evidence) ? [{ kind: 'no-redirect', ground }, allow] : [allow];
  });
