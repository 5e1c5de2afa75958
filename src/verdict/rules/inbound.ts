/** What the far side begins: what people notice when it does not come in, and what keeps it out. */

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
  text: (ports) => `A firewall at the reflector does not let it begin ${ports}.`,
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
        text: (ports) =>
          `The firewall, or this computer's own, does not let ${ports} in from the reflector. If it lets in the networks of the service alone, that is as it should be.`,
        grounds: dropped,
      },
    ]),
    ...some(refused, [
      {
        id: 'inbound-refused',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: (ports) =>
          `The firewall, or this computer's own, refuses ${ports} from outside: the probe listened there.`,
        grounds: refused,
      },
    ]),
    ...some([...dropped, ...refused], [farFilter([...dropped, ...refused])]),
    ...some(inspected, [
      {
        id: 'inbound-inspection',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: (ports) => `Connections to ${ports} come in, and what is said over them does not: inspection on the way.`,
        grounds: inspected,
      },
    ]),
    ...some(answered, [
      {
        id: 'inbound-answered-by-other',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: (ports) => `Something in front of this computer answers ${ports} from outside in its place.`,
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
    text: 'Incoming calls do not arrive: what the service begins towards this site is not let in.',
  })),
  rule('inbound-media-shut', 'media', () => ({
    id: 'one-way-audio-inbound',
    text: 'Callers may not be heard: audio that the service begins towards this site is not let in.',
  })),
  rule('inbound-web-shut', 'web', ({ service }) => roleSymptom(service.profile, 'web')),
  {
    id: 'inbound-altered',
    when: ({ service }) => inboundItems(requiredOf(service), comesAltered),
    symptom: {
      id: 'lost-inbound-calls',
      text: 'Incoming calls may fail: what the service begins towards this site comes in, and not as it was sent.',
    },
    causes: (grounds) => {
      const opened = grounds.filter(hasReason('tls-intercepted'));
      const rewritten = grounds.filter(hasReason('payload-rewritten'));
      return [
        ...some(opened, [
          {
            id: 'inbound-tls-opened',
            device: 'branch-firewall',
            likelihood: 'likely',
            text: (ports) =>
              `Something on the way opens the TLS of ${ports} from outside: what the reflector said came in another session than its own.`,
            grounds: opened,
          },
        ]),
        ...some(rewritten, [
          {
            id: 'inbound-rewritten',
            device: 'branch-firewall',
            likelihood: 'likely',
            text: (ports) => `Something on the way rewrites what comes to ${ports} from outside.`,
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
        text: (ports) =>
          `The firewall, or this computer's own, does not let ${ports} in from the reflector: from here this and the next look alike.`,
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
        text: (ports) =>
          `The NAT does not forward ${ports} to this computer, or a filter drops it: from here these look alike.`,
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
        text: (ports) =>
          `The probe cannot listen on ${ports} of this computer: another program does, or it takes rights that the probe does not have.`,
        grounds,
      },
    ],
    fixes: noFix,
  },
];
