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
  text: (ports) => `A firewall at the reflector blocks what it sends to ${ports}.`,
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
          `This site's firewall, or this computer's own, blocks inbound ${ports} from the reflector. If it admits only the service's networks, that is correct.`,
        grounds: dropped,
      },
    ]),
    ...some(refused, [
      {
        id: 'inbound-refused',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: (ports) =>
          `This site's firewall, or this computer's own, rejects inbound ${ports}, although the probe listens there.`,
        grounds: refused,
      },
    ]),
    ...some([...dropped, ...refused], [farFilter([...dropped, ...refused])]),
    ...some(inspected, [
      {
        id: 'inbound-inspection',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: (ports) =>
          `Inbound connections to ${ports} open, but their data does not arrive: inspection on the path.`,
        grounds: inspected,
      },
    ]),
    ...some(answered, [
      {
        id: 'inbound-answered-by-other',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: (ports) => `Something in front of this computer answers inbound ${ports} in its place.`,
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
    text: 'Incoming calls do not arrive: connections from the service to this site are blocked.',
  })),
  rule('inbound-media-shut', 'media', () => ({
    id: 'one-way-audio-inbound',
    text: 'Callers may not be heard: audio that the service sends first is blocked.',
  })),
  rule('inbound-web-shut', 'web', ({ service }) => roleSymptom(service.profile, 'web')),
  {
    id: 'inbound-altered',
    when: ({ service }) => inboundItems(requiredOf(service), comesAltered),
    symptom: {
      id: 'lost-inbound-calls',
      text: 'Incoming calls may fail: inbound traffic from the service is changed on the path.',
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
              `Something on the path intercepts inbound TLS on ${ports}: what the reflector sent arrives in a different TLS session.`,
            grounds: opened,
          },
        ]),
        ...some(rewritten, [
          {
            id: 'inbound-rewritten',
            device: 'branch-firewall',
            likelihood: 'likely',
            text: (ports) => `Something on the path rewrites inbound traffic to ${ports}.`,
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
          `This site's firewall, or this computer's own, blocks inbound ${ports} from the reflector; a firewall at the reflector looks the same from here.`,
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
          `The NAT does not forward ${ports} to this computer, or a filter drops it; from here the two look the same.`,
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
          `The probe cannot listen on ${ports} of this computer: another program uses it, or the probe lacks the permission.`,
        grounds,
      },
    ],
    fixes: noFix,
  },
];
