/** What the far side begins: what people notice when it does not come in, and what keeps it out. */

import { CAUSES } from '../../words/diagnosis/causes.js';
import { SYMPTOMS } from '../../words/diagnosis/symptoms.js';
import type { Item, RequirementState } from '../services.js';
import { roleSymptom } from './roles.js';
import {
  type CauseText,
  fix,
  type Ground,
  hasReason,
  isHarmed,
  noFix,
  type Rule,
  type RuleInput,
  requiredOf,
  type SymptomText,
  some,
} from './rule.js';

const inboundItems = (rows: readonly RequirementState[], matches: (item: Item) => boolean): readonly Item[] =>
  [...new Map(rows.flatMap(({ inbound }) => inbound?.items ?? []).map((item) => [item.id, item])).values()].filter(
    matches,
  );

/** It comes in, and not as it was sent. */
const comesAltered = hasReason('tls-intercepted', 'payload-rewritten');

/** Ways in that do not pass, of rows that no other way in serves. */
const shut = ({ service }: RuleInput, role?: string): readonly Item[] =>
  inboundItems(
    requiredOf(service, role).filter(({ inbound }) => inbound?.state === 'blocked' || inbound?.state === 'altered'),
    (item) => isHarmed(item) && !comesAltered(item),
  );

const unsure =
  (...reasons: readonly string[]) =>
  ({ service }: RuleInput): readonly Item[] =>
    inboundItems(requiredOf(service), hasReason(...reasons));

const farFilter = (grounds: readonly Ground[]): CauseText => ({
  id: 'inbound-far-filter',
  device: 'reflector',
  likelihood: 'possible',
  text: CAUSES['inbound-far-filter'],
  grounds,
});

const causesOfShut = (grounds: readonly Ground[]): readonly CauseText[] => {
  const dropped = grounds.filter(hasReason('not-let-in'));
  const refused = grounds.filter(hasReason('rejected'));
  const inspected = grounds.filter(hasReason('dropped'));
  const answered = grounds.filter(hasReason('answered-by-other'));
  return [
    ...some(dropped, [
      {
        id: 'inbound-filter',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['inbound-filter'],
        grounds: dropped,
      },
    ]),
    ...some(refused, [
      {
        id: 'inbound-refused',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['inbound-refused'],
        grounds: refused,
      },
    ]),
    ...some([...dropped, ...refused], [farFilter([...dropped, ...refused])]),
    ...some(inspected, [
      {
        id: 'inbound-inspection',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['inbound-inspection'],
        grounds: inspected,
      },
    ]),
    ...some(answered, [
      {
        id: 'inbound-answered-by-other',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['inbound-answered-by-other'],
        grounds: answered,
      },
    ]),
  ];
};

const rule = (id: string, role: string, symptom: (evidence: RuleInput) => SymptomText): Rule => ({
  id,
  when: (evidence) => shut(evidence, role),
  symptom,
  causes: causesOfShut,
  fixes: fix('advise'),
});

export const INBOUND_RULES: readonly Rule[] = [
  rule('inbound-signalling-shut', 'signalling', () => ({
    id: 'lost-inbound-calls',
    text: SYMPTOMS['inbound-signalling-shut'],
  })),
  rule('inbound-media-shut', 'media', () => ({
    id: 'one-way-audio-inbound',
    text: SYMPTOMS['inbound-media-shut'],
  })),
  rule('inbound-web-shut', 'web', ({ service }) => roleSymptom(service.profile, 'web')),
  {
    id: 'inbound-altered',
    when: ({ service }) => inboundItems(requiredOf(service), comesAltered),
    symptom: { id: 'lost-inbound-calls', text: SYMPTOMS['inbound-altered'] },
    causes: (grounds) => {
      const opened = grounds.filter(hasReason('tls-intercepted'));
      const rewritten = grounds.filter(hasReason('payload-rewritten'));
      return [
        ...some(opened, [
          {
            id: 'inbound-tls-opened',
            device: 'branch-firewall',
            likelihood: 'likely',
            text: CAUSES['inbound-tls-opened'],
            grounds: opened,
          },
        ]),
        ...some(rewritten, [
          {
            id: 'inbound-rewritten',
            device: 'branch-firewall',
            likelihood: 'likely',
            text: CAUSES['inbound-rewritten'],
            grounds: rewritten,
          },
        ]),
      ];
    },
    fixes: fix('advise'),
  },
  {
    id: 'inbound-nothing-comes',
    when: unsure('no-way-in'),
    symptom: null,
    causes: (grounds) => [
      {
        id: 'inbound-kept-out',
        device: 'branch-firewall',
        likelihood: 'possible',
        text: CAUSES['inbound-kept-out'],
        grounds,
      },
      farFilter(grounds),
    ],
    fixes: fix('advise'),
  },
  {
    id: 'inbound-not-forwarded',
    when: unsure('not-forwarded'),
    symptom: null,
    causes: (grounds) => [
      {
        id: 'inbound-not-forwarded',
        device: 'branch-firewall',
        likelihood: 'possible',
        text: CAUSES['inbound-not-forwarded'],
        grounds,
      },
    ],
    fixes: fix('advise'),
  },
  {
    id: 'inbound-port-in-use',
    when: unsure('local-error'),
    symptom: null,
    causes: (grounds) => [
      {
        id: 'inbound-port-in-use',
        device: 'host',
        likelihood: 'proven',
        text: CAUSES['inbound-port-in-use'],
        grounds,
      },
    ],
    fixes: noFix,
  },
];
