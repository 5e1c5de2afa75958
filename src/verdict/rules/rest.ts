/** What nobody need notice and is to be mended all the same, and why a service could not be judged. */

import { hangUpInWords, unreadableInWords } from '../../words/third-party.js';
import { pathCauses, pathFixes } from './path.js';
import {
  type CauseText,
  type Facts,
  type Ground,
  hasReason,
  isHarmed,
  itemsOf,
  meetsFlowLimit,
  noFix,
  type Rule,
  requiredOf,
} from './rule.js';

const asIs =
  (cause: Omit<CauseText, 'grounds'>) =>
  (grounds: readonly Ground[]): readonly CauseText[] => [{ ...cause, grounds }];

/** What the first of these checks has to tell, behind a colon; nothing where it has nothing. */
const detailOf = (
  grounds: readonly Ground[],
  checks: Facts['checks'],
  tell: (check: Facts['checks'][number]) => string | null,
): string => {
  const told = checks.filter(({ id }) => grounds.some((ground) => ground.id === id)).flatMap((one) => tell(one) ?? []);
  return told[0] === undefined ? '' : `: ${told[0]}`;
};

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
      text: () =>
        'Not one answer came: the far end is down, the address is wrong, or a firewall blocks everything to it.',
    }),
    fixes: noFix,
  },
  {
    id: 'nothing-listens',
    when: undecided('closed'),
    symptom: null,
    causes: (grounds, { service }) => {
      const ids = new Set(grounds.map(({ id }) => id));
      const provable = itemsOf(service.requirements, ({ id }) => ids.has(id)).some((item) => item.provable);
      return [
        {
          id: 'nothing-listens',
          device: provable ? 'reflector' : 'unknown',
          likelihood: 'possible',
          text: (ports) =>
            `Refused on ${ports}: by the far end, where nothing listens there, or by a firewall in its name.`,
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
        text: (ports) =>
          `Something listens at the far end on ${ports}, and refuses the conversation${detailOf(grounds, facts.checks, hangUpInWords)}.`,
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
        text: (ports) =>
          `The far end answers on ${ports} in a way that cannot be read${detailOf(grounds, facts.checks, unreadableInWords)}.`,
        grounds,
      },
    ],
    fixes: noFix,
  },
  {
    id: 'silent-stranger',
    when: (evidence) => undecided('no-answer')(evidence).filter((ground) => !meetsFlowLimit(ground, evidence)),
    symptom: null,
    causes: asIs({
      id: 'silent-stranger',
      device: 'unknown',
      likelihood: 'possible',
      text: (ports) =>
        `The far end does not answer strangers on ${ports}, or something on the way drops it; a reflector would tell.`,
    }),
    fixes: noFix,
  },
  {
    id: 'answers-held-back',
    when: undecided('limited'),
    symptom: null,
    causes: asIs({
      id: 'answers-held-back',
      device: 'reflector',
      likelihood: 'proven',
      text: () => 'The reflector held back answers to protect itself, and says so; ask again more slowly.',
    }),
    fixes: noFix,
  },
];
