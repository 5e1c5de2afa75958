/**
 * Who is to blame for what happened on the way, as far as evidence goes. From one end a firewall of the branch, one of
 * the provider and one in front of the far end look alike, so none is named alone unless something tells them apart:
 * an error of this host's own socket, or the same port that passes to another address.
 */
import type { Evidence, Ground } from './rule.js';
import { type CauseText, hasReason, itemsOf } from './rule.js';

const familyOf = (address: string | null): string => (address?.includes(':') ? '6' : '4');

/** The same question passes to another address of the same family: no rule about the port alone explains that. */
export const passesElsewhere = (ground: Ground, { service }: Evidence): boolean =>
  itemsOf(
    service.requirements,
    (item) =>
      item.probe === ground.probe &&
      item.transport === ground.transport &&
      item.from === ground.from &&
      item.to === ground.to &&
      item.address !== ground.address &&
      familyOf(item.address) === familyOf(ground.address) &&
      (item.finding.verdict === 'pass' || item.finding.verdict === 'degraded'),
  ).length > 0;

const isProvable = (ground: Ground, { service }: Evidence): boolean =>
  itemsOf(service.requirements, ({ id }) => id === ground.id).some(({ provable }) => provable);

const farDevice = (grounds: readonly Ground[], evidence: Evidence): 'reflector' | 'carrier' =>
  grounds.some((ground) => isProvable(ground, evidence)) ? 'reflector' : 'carrier';

const some = (grounds: readonly Ground[], causes: readonly CauseText[]): readonly CauseText[] =>
  grounds.length > 0 ? causes : [];

const isDropped = hasReason('dropped', 'dropped-outbound', 'dropped-inbound', 'rejected');

const dropCauses = (all: readonly Ground[], evidence: Evidence): readonly CauseText[] => {
  const theirs = all.filter((ground) => passesElsewhere(ground, evidence));
  const ours = all.filter((ground) => !theirs.includes(ground));
  const inbound = ours.filter(hasReason('dropped-inbound'));
  return [
    ...some(theirs, [
      {
        id: 'far-side-filter',
        device: farDevice(theirs, evidence),
        likelihood: 'likely',
        text: (ports) =>
          `${ports} passes to another far end, so no rule of this branch about the port blocks it; look at the firewall in front of this far end.`,
        grounds: theirs,
      },
      {
        id: 'address-filter',
        device: 'branch-firewall',
        likelihood: 'possible',
        text: (ports) => `A rule of this branch is about this very address and blocks ${ports}.`,
        grounds: theirs,
      },
      {
        id: 'provider-filter',
        device: 'provider',
        likelihood: 'possible',
        text: (ports) => `The provider's path to this far end blocks ${ports}, and the path to the other one does not.`,
        grounds: theirs,
      },
    ]),
    ...some(ours, [
      {
        id: 'port-filter',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: (ports) => `The firewall or router of this branch does not let ${ports} pass.`,
        grounds: ours,
      },
      {
        id: 'provider-filter',
        device: 'provider',
        likelihood: 'possible',
        text: (ports) => `The access provider blocks ${ports}; from here that looks the same.`,
        grounds: ours,
      },
      {
        id: 'far-side-filter',
        device: farDevice(ours, evidence),
        likelihood: 'possible',
        text: (ports) => `A firewall in front of the far end blocks ${ports}; a second reflector elsewhere would tell.`,
        grounds: ours,
      },
    ]),
    ...some(inbound, [
      {
        id: 'host-inbound-filter',
        device: 'host',
        likelihood: 'possible',
        text: (ports) => `This computer's own firewall drops the answers of ${ports}.`,
        grounds: inbound,
      },
    ]),
  ];
};

/** Something that reads along: whoever does it knows the protocol. */
const inspection = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'inspection',
      device: 'branch-firewall',
      likelihood: 'likely',
      text: (ports) =>
        `Inspection or an IPS of the branch's firewall drops this protocol on ${ports}; other bytes pass.`,
      grounds,
    },
    {
      id: 'inspection-upstream',
      device: 'provider',
      likelihood: 'possible',
      text: (ports) => `The provider, or its modem, inspects ${ports} and drops this protocol.`,
      grounds,
    },
  ]);

const sizes = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'size-limit',
      device: 'unknown',
      likelihood: 'likely',
      text: (ports) =>
        `Large packets of ${ports} are dropped: fragments, a size limit, or a path MTU below 1,500 bytes.`,
      grounds,
    },
  ]);

const alg = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'sip-alg',
      device: 'branch-firewall',
      likelihood: 'likely',
      text: (ports) =>
        `A SIP ALG (SIP helper, SIP inspection) of the branch's firewall or router rewrites SIP on ${ports}.`,
      grounds,
    },
    {
      id: 'sip-alg-upstream',
      device: 'provider',
      likelihood: 'possible',
      text: (ports) => `A SIP ALG in the provider's modem or network rewrites SIP on ${ports}.`,
      grounds,
    },
  ]);

const rewriting = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'rewriting',
      device: 'branch-firewall',
      likelihood: 'likely',
      text: (ports) => `Inspection or an ALG of the branch's firewall changes what is sent on ${ports}.`,
      grounds,
    },
    {
      id: 'rewriting-upstream',
      device: 'provider',
      likelihood: 'possible',
      text: (ports) => `Something in the provider's network changes what is sent on ${ports}.`,
      grounds,
    },
  ]);

const interception = (grounds: readonly Ground[]): readonly CauseText[] =>
  some(grounds, [
    {
      id: 'interception',
      device: 'branch-firewall',
      likelihood: 'likely',
      text: (ports) =>
        `A proxy, portal or inspection of the branch's firewall answers ${ports} in the far end's place.`,
      grounds,
    },
    {
      id: 'interception-upstream',
      device: 'provider',
      likelihood: 'possible',
      text: (ports) => `The provider redirects ${ports} to a host of its own.`,
      grounds,
    },
  ]);

const quality = (grounds: readonly Ground[]): readonly CauseText[] => {
  const uneven = grounds.filter(hasReason('loss', 'jitter', 'reordered'));
  const late = grounds.filter(hasReason('latency'));
  const limited = grounds.filter(hasReason('rate-limited'));
  return [
    ...some(limited, [
      {
        id: 'flood-guard',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: (ports) => `A flood guard or rate limit of the firewall lets only so many packets of ${ports} pass.`,
        grounds: limited,
      },
      {
        id: 'provider-policer',
        device: 'provider',
        likelihood: 'possible',
        text: (ports) => `The provider polices ${ports}.`,
        grounds: limited,
      },
    ]),
    ...some(uneven, [
      {
        id: 'overloaded-line',
        device: 'provider',
        likelihood: 'possible',
        text: () => 'The access line is overloaded or faulty.',
        grounds: uneven,
      },
      {
        id: 'local-network',
        device: 'branch-firewall',
        likelihood: 'possible',
        text: () => 'The network of the branch loses packets: Wi-Fi, cabling, or a router without priority for voice.',
        grounds: uneven,
      },
    ]),
    ...some(late, [
      {
        id: 'long-way',
        device: 'unknown',
        likelihood: 'possible',
        text: () =>
          'The way is long, or queues on it are: repeat at a quiet hour, and against a far end that is nearer.',
        grounds: late,
      },
    ]),
  ];
};

/** The causes of what happened to these, each by its own reason. */
export const pathCauses = (grounds: readonly Ground[], evidence: Evidence): readonly CauseText[] => [
  ...dropCauses(grounds.filter(isDropped), evidence),
  ...inspection(grounds.filter(hasReason('payload-filtered'))),
  ...sizes(grounds.filter(hasReason('size-filtered'))),
  ...alg(grounds.filter(hasReason('sip-alg'))),
  ...rewriting(grounds.filter(hasReason('payload-rewritten'))),
  ...interception(
    grounds.filter(hasReason('tls-intercepted', 'http-intercepted', 'dns-intercepted', 'answered-by-other')),
  ),
  ...quality(grounds.filter(({ finding }) => finding.verdict === 'degraded')),
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
export const pathFixes = (
  grounds: readonly Ground[],
): readonly {
  readonly kind: 'allow' | 'alg-off' | 'no-redirect' | 'advise';
  readonly ground: Ground;
}[] =>
  grounds.flatMap((ground) => {
    const { verdict, reason } = ground.finding;
    if (isKnown(reason)) return [{ kind: KIND_OF[reason], ground }];
    return verdict === 'blocked' ? [{ kind: 'allow', ground }] : [];
  });
