/** What nobody need notice and is to be mended all the same, and why a service could not be judged. */

import { CAUSES } from '../../words/diagnosis/causes.js';
import { hangUpInWords, unreadableInWords } from '../../words/third-party.js';
import { pathCauses, pathFixes } from './path.js';
import {
  type CauseText,
  checkOf,
  type Facts,
  type Ground,
  hasReason,
  isHarmed,
  itemsOf,
  meetsFlowLimit,
  noFix,
  type Rule,
  type RuleInput,
  requiredOf,
  some,
} from './rule.js';

const asIs =
  (cause: Omit<CauseText, 'grounds'>) =>
  (grounds: readonly Ground[]): readonly CauseText[] => [{ ...cause, grounds }];

/** Whether the reflector says that its answers to this would have been larger than what arrived. */
const isTooLarge = ({ id }: Ground, { facts }: RuleInput): boolean =>
  facts.checks.some((one) => {
    const { unanswered } = one.evidence;
    return one.id === id && typeof unanswered === 'object' && unanswered !== null && 'too-large' in unanswered;
  });

/** ` at ADDRESS`, where all grounds are about the same one. */
const named = (grounds: readonly Ground[]): string => {
  const [first, ...others] = [...new Set(grounds.map(({ address }) => address))];
  return first && others.length === 0 ? ` at ${first}` : '';
};

/** What the first of these checks has to tell, behind a colon; nothing where it has nothing. */
const detailOf = (
  grounds: readonly Ground[],
  checks: Facts['checks'],
  tell: (check: Facts['checks'][number]) => string | null,
): string => {
  const told = checks.filter(({ id }) => grounds.some((ground) => ground.id === id)).flatMap((one) => tell(one) ?? []);
  return told[0] === undefined ? '' : `: ${told[0]}`;
};

/** Whether a check without an answer brought this: a connection that stood, an answer from elsewhere. */
const has = (ground: Ground, { facts }: RuleInput, what: 'opened' | 'elsewhere'): boolean =>
  checkOf(ground, facts)?.evidence[what] !== undefined;

/** A reflector answers whoever knows its token: its silence is no stranger's. */
const isOfReflector = ({ id }: Ground, { service }: RuleInput): boolean =>
  itemsOf(service.requirements, (item) => item.id === id).some(({ provable }) => provable);

/** Rows that keep a service from being judged. */
const undecided =
  (reason: string): Rule['when'] =>
  ({ service }) =>
    service.verdict === 'unknown'
      ? itemsOf(
          requiredOf(service).filter(({ state }) => state === 'unknown'),
          hasReason(reason),
        )
      : [];

export const OTHER_RULES: readonly Rule[] = [
  {
    id: 'required-harmed',
    when: ({ service }) => itemsOf(requiredOf(service), (item) => isHarmed(item)),
    symptom: null,
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'required-degraded',
    when: ({ service }) =>
      service.verdict === 'degraded'
        ? itemsOf(requiredOf(service), ({ finding }) => finding.verdict === 'degraded')
        : [],
    symptom: null,
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'nothing-passes',
    when: undecided('target-unreachable'),
    symptom: null,
    causes: asIs({
      id: 'nothing-passes',
      device: 'unknown',
      likelihood: 'possible',
      text: CAUSES['nothing-passes'],
    }),
    fixes: noFix,
  },
  {
    id: 'unproven',
    when: undecided('unproven'),
    symptom: null,
    causes: (grounds, { facts }) => [
      facts.tokenRefused
        ? {
            id: 'wrong-token',
            device: 'reflector',
            likelihood: 'likely',
            text: CAUSES['wrong-token'],
            grounds,
          }
        : {
            id: 'unproven',
            device: 'unknown',
            likelihood: 'likely',
            text: CAUSES.unproven,
            grounds,
          },
    ],
    fixes: noFix,
  },
  {
    id: 'nothing-listens',
    // Of a far end that something stands in for, its refusals are no news.
    when: (evidence) => (undecided('unproven')(evidence).length > 0 ? [] : undecided('closed')(evidence)),
    symptom: null,
    causes: (grounds, { service }) => {
      const ids = new Set(grounds.map(({ id }) => id));
      const provable = itemsOf(service.requirements, ({ id }) => ids.has(id)).some((item) => item.provable);
      return [
        {
          id: 'nothing-listens',
          device: provable ? 'reflector' : 'unknown',
          likelihood: 'possible',
          text: CAUSES['nothing-listens'],
          grounds,
        },
      ];
    },
    fixes: noFix,
  },
  {
    id: 'hung-up',
    when: undecided('tls-refused'),
    symptom: null,
    causes: (grounds, { facts }) => [
      {
        id: 'hung-up',
        device: 'carrier',
        likelihood: 'likely',
        text: (ports) => CAUSES['hung-up'](ports, detailOf(grounds, facts.checks, hangUpInWords)),
        grounds,
      },
    ],
    fixes: noFix,
  },
  {
    id: 'unreadable-answer',
    when: undecided('unreadable'),
    symptom: null,
    causes: (grounds, { facts }) => [
      {
        id: 'unreadable-answer',
        device: 'carrier',
        likelihood: 'likely',
        text: (ports) => CAUSES['unreadable-answer'](ports, detailOf(grounds, facts.checks, unreadableInWords)),
        grounds,
      },
    ],
    fixes: noFix,
  },
  {
    id: 'ended-early',
    when: ({ service, facts }) =>
      service.verdict === 'unknown' && facts.ended ? itemsOf(requiredOf(service), () => true) : [],
    symptom: null,
    causes: (grounds, { facts: { ended } }) => [
      ...(ended === 'cut-off'
        ? [
            {
              id: 'cut-off',
              device: 'branch-firewall',
              likelihood: 'possible',
              text: CAUSES['cut-off/everything'],
              grounds,
            } as const,
          ]
        : []),
      // A far end that hangs, and a line that goes down, end a run in the same silence.
      {
        id: 'outage',
        device: 'unknown',
        likelihood: 'possible',
        text: CAUSES.outage,
        grounds,
      },
    ],
    fixes: noFix,
  },
  {
    id: 'shut-during-run',
    when: (evidence) => (evidence.facts.ended || evidence.facts.comesAndGoes ? [] : undecided('cut-off')(evidence)),
    symptom: null,
    causes: asIs({
      id: 'cut-off',
      device: 'branch-firewall',
      likelihood: 'possible',
      text: CAUSES['cut-off/ports'],
    }),
    fixes: noFix,
  },
  {
    id: 'comes-and-goes',
    when: (evidence) => (evidence.facts.comesAndGoes && !evidence.facts.ended ? undecided('cut-off')(evidence) : []),
    symptom: null,
    causes: asIs({
      id: 'comes-and-goes',
      device: 'unknown',
      likelihood: 'possible',
      text: CAUSES['comes-and-goes'],
    }),
    fixes: noFix,
  },
  {
    id: 'answer-from-elsewhere',
    when: (evidence) => undecided('no-answer')(evidence).filter((ground) => has(ground, evidence, 'elsewhere')),
    symptom: null,
    causes: asIs({
      id: 'answer-from-elsewhere',
      device: 'carrier',
      likelihood: 'likely',
      text: CAUSES['answer-from-elsewhere'],
    }),
    fixes: noFix,
  },
  {
    id: 'not-listening',
    when: (evidence) =>
      undecided('not-run')(evidence).filter(
        (ground) => checkOf(ground, evidence.facts)?.evidence.notRun === 'not-listening',
      ),
    symptom: null,
    causes: asIs({
      id: 'not-listening',
      device: 'reflector',
      likelihood: 'proven',
      text: CAUSES['not-listening'],
    }),
    fixes: noFix,
  },
  {
    id: 'transport-not-offered',
    when: ({ service, facts }) => {
      const signalling = itemsOf(requiredOf(service, 'signalling'), () => true);
      const isNotOffered = (ground: Ground): boolean => checkOf(ground, facts)?.evidence.notRun === 'not-offered';
      return signalling.length > 0 && signalling.every(isNotOffered) ? signalling : [];
    },
    symptom: null,
    causes: asIs({
      id: 'transport-not-offered',
      device: 'carrier',
      likelihood: 'likely',
      text: CAUSES['transport-not-offered'],
    }),
    fixes: noFix,
  },
  {
    id: 'silent-server',
    when: (evidence) =>
      undecided('no-answer')(evidence).filter(
        (ground) => !isOfReflector(ground, evidence) && has(ground, evidence, 'opened'),
      ),
    symptom: null,
    causes: asIs({
      id: 'silent-server',
      device: 'carrier',
      likelihood: 'likely',
      text: CAUSES['silent-server'],
    }),
    fixes: noFix,
  },
  {
    id: 'silent-stranger',
    when: (evidence) =>
      undecided('no-answer')(evidence).filter(
        (ground) =>
          !isOfReflector(ground, evidence) &&
          !meetsFlowLimit(ground, evidence) &&
          !has(ground, evidence, 'opened') &&
          !has(ground, evidence, 'elsewhere'),
      ),
    symptom: null,
    causes: asIs({
      id: 'silent-stranger',
      device: 'unknown',
      likelihood: 'possible',
      text: CAUSES['silent-stranger'],
    }),
    fixes: noFix,
  },
  {
    id: 'silent-reflector',
    when: (evidence) =>
      undecided('no-answer')(evidence).filter(
        (ground) => isOfReflector(ground, evidence) && !meetsFlowLimit(ground, evidence),
      ),
    symptom: null,
    causes: asIs({
      id: 'silent-reflector',
      device: 'unknown',
      likelihood: 'possible',
      text: CAUSES['silent-reflector'],
    }),
    fixes: noFix,
  },
  {
    // Two of three operators do it over IPv6, one of seven over IPv4 (a study of 2024, MobiSys).
    id: 'gateway-abroad',
    when: (evidence) =>
      undecided('no-answer')(evidence).filter(
        (ground) =>
          ground.probe === 'ike-sa-init' &&
          itemsOf(evidence.service.requirements, ({ id }) => id === ground.id).every((item) => !item.provable),
      ),
    symptom: null,
    causes: asIs({
      id: 'gateway-abroad',
      device: 'carrier',
      likelihood: 'possible',
      text: CAUSES['gateway-abroad'],
    }),
    fixes: noFix,
  },
  {
    id: 'answers-held-back',
    when: undecided('limited'),
    symptom: null,
    causes: (grounds, evidence) => {
      const tooLarge = grounds.filter((ground) => isTooLarge(ground, evidence));
      const others = grounds.filter((ground) => !tooLarge.includes(ground));
      return [
        ...some(others, [
          {
            id: 'answers-held-back',
            device: 'reflector',
            likelihood: 'proven',
            text: (ports) => CAUSES['answers-held-back'](ports, named(others)),
            grounds: others,
          },
        ]),
        ...some(tooLarge, [
          {
            id: 'answers-too-large',
            device: 'branch-firewall',
            likelihood: 'likely',
            text: (ports) => CAUSES['answers-too-large'](ports, named(tooLarge)),
            grounds: tooLarge,
          },
        ]),
      ];
    },
    fixes: noFix,
  },
];
