/**
 * The rules of a whole service, out of its profile and nothing else: what goes out, what comes in, to and from which
 * networks, with which mark, and why. Every dialect writes these down in its own way.
 */
import { isWithin, type NetworkText, parseNetwork } from '../../../model/network-text.js';
import {
  alternativesOf,
  type DestinationList,
  destinationsOf,
  type Profile,
  type Requirement,
  type Source,
} from '../../../model/profile.js';
import { type PortRun, portRuns, textOf, writePorts } from '../ask.js';

export interface ServiceRule {
  /** The id of the row; unique among the rules of a direction and protocol. */
  readonly row: string;
  readonly direction: 'outbound' | 'inbound';
  readonly protocol: 'udp' | 'tcp';
  readonly ports: readonly PortRun[];
  /** None: anywhere. */
  readonly networks: readonly NetworkText[];
  /** Names without a star, for firewalls that follow what a name resolves to. */
  readonly hosts: readonly string[];
  readonly dscp: number | null;
  /** Lines for whoever reads the rule: purpose, notes, sources. */
  readonly comments: readonly string[];
}

interface ServiceRules {
  readonly profile: string;
  /** Lines about the service as a whole. */
  readonly head: readonly string[];
  readonly rules: readonly ServiceRule[];
  readonly udpTimeoutSeconds: number | null;
  /** Some of it is SIP that a helper could read and rewrite: UDP or TCP without TLS. */
  readonly hasPlainSip: boolean;
}

/** How a writer of a whole service is called. */
export type ServiceWriter = (service: ServiceRules) => string;

/** The address that stands for the PBX or border controller inside, for its owner to replace (RFC 5737, RFC 3849). */
export const PBX = { 4: '192.0.2.10', 6: '2001:db8::10' } as const;

export const sourceLine = ({ title, url, evidence, checkedOn, dated }: Source): string =>
  [
    `source (${evidence}${checkedOn ? `, read ${checkedOn}` : ''}${dated ? `, dated ${dated}` : ''}): ${title}`,
    ...(url ? [url] : []),
  ].join(', ');

const listComments = (list: DestinationList): readonly string[] => [
  ...(list.networks ? [`networks ${list.id}, ${sourceLine(list.source)}`] : []),
  ...(list.hosts ? [`names ${list.id}: ${list.hosts.join(', ')}; ${sourceLine(list.source)}`] : []),
  ...(list.wildcards
    ? [
        `${list.id}: ${list.wildcards.join(', ')}: no rule of addresses can be made of a star, a proxy or DNS filter can use it`,
      ]
    : []),
];

const protocolsOf = (row: Requirement): readonly ('udp' | 'tcp')[] => [
  ...new Set(alternativesOf(row).map(({ transport }) => (transport === 'udp' ? 'udp' : 'tcp'))),
];

const portsOf = (row: Requirement, protocol: 'udp' | 'tcp'): readonly PortRun[] =>
  portRuns(
    alternativesOf(row)
      .filter(({ transport }) => (transport === 'udp') === (protocol === 'udp'))
      .map((spec) => ('port' in spec ? { from: spec.port, to: spec.port } : { from: spec.from, to: spec.to })),
  );

const directionsOf = ({ direction = 'outbound' }: Requirement): readonly ServiceRule['direction'][] =>
  direction === 'both' ? ['outbound', 'inbound'] : [direction];

/** A row is part of the set if it is required, or serves in the place of one that is. */
const isNeeded = (row: Requirement, profile: Profile): boolean => {
  const standIns = (ids: readonly string[]): readonly string[] => {
    const next = profile.requirements
      .filter(({ id, fallback }) => ids.includes(id) && fallback !== undefined && !ids.includes(fallback.row))
      .flatMap(({ fallback }) => fallback?.row ?? []);
    return next.length === 0 ? ids : standIns([...ids, ...next]);
  };
  const required = profile.requirements.filter(({ need }) => need === 'required').map(({ id }) => id);
  return standIns(required).includes(row.id);
};

/** Networks of which none holds another, each once. */
export const apart = (networks: readonly NetworkText[]): readonly NetworkText[] =>
  networks.filter(
    (one, index) =>
      !networks.some((other, at) => at !== index && isWithin(one, other) && (other.length < one.length || at < index)),
  );

const rowRules = (row: Requirement, profile: Profile): readonly ServiceRule[] => {
  const lists = destinationsOf(profile, row);
  const networks = apart(lists.flatMap((list) => list.networks ?? []).flatMap((text) => parseNetwork(text) ?? []));
  const hosts = lists.flatMap((list) => list.hosts ?? []);
  return directionsOf(row).flatMap((direction) =>
    protocolsOf(row).map((protocol): ServiceRule => {
      const places =
        networks.length > 0
          ? []
          : [
              `no networks are known for it, so a rule of addresses is ${direction === 'outbound' ? 'to' : 'from'} anywhere`,
            ];
      return {
        row: row.id,
        direction,
        protocol,
        ports: portsOf(row, protocol),
        networks,
        hosts,
        dscp: row.dscp ?? null,
        comments: [
          `${row.id} (${row.need}, ${direction}): ${row.purpose}`,
          ...(row.note ? [row.note] : []),
          ...(row.fallback
            ? [
                `where it does not pass, the row ${row.fallback.row} serves: the service ${row.fallback.leaves === 'works' ? 'works' : 'is degraded'}`,
              ]
            : []),
          sourceLine(row.source),
          ...lists.flatMap(listComments),
          ...places,
        ],
      };
    }),
  );
};

const leftOut = (profile: Profile): readonly string[] =>
  profile.requirements
    .filter((row) => !isNeeded(row, profile))
    .map(
      (row) =>
        `left out, as it is optional: ${row.id}, ${protocolsOf(row)
          .map((protocol) => `${protocol.toUpperCase()} ${writePorts(portsOf(row, protocol))}`)
          .join(' and ')}`,
    );

/** The rules of a profile. */
export const serviceRules = (profile: Profile): ServiceRules => {
  const needed = profile.requirements.filter((row) => isNeeded(row, profile));
  const rules = needed.flatMap((row) => rowRules(row, profile));
  const hasPlainSip = needed
    .flatMap(alternativesOf)
    .some((spec) => ('probe' in spec ? [spec.probe] : spec.probes).includes('sip-options') && spec.transport !== 'tls');
  return {
    profile: profile.profile,
    head: [
      `${profile.title} (callpath profile ${profile.profile})`,
      'compare it with the list of today before you use it; read it before you paste it',
      ...(rules.some(({ direction }) => direction === 'inbound')
        ? [
            `replace ${PBX[4]} and ${PBX[6]} by the PBX or border controller inside; behind NAT, forward the inbound ports to it too`,
          ]
        : []),
      ...(profile.inspection === 'never'
        ? ['the vendor asks to exempt this from TLS inspection, proxies and IPS']
        : []),
      ...(profile.udpTimeoutSeconds === undefined
        ? []
        : [`the vendor asks that idle UDP mappings last ${profile.udpTimeoutSeconds} s or more`]),
      ...(profile.keepaliveSeconds === undefined
        ? []
        : [`its phones or servers send something every ${profile.keepaliveSeconds} s`]),
      ...leftOut(profile),
    ],
    rules,
    udpTimeoutSeconds: profile.udpTimeoutSeconds ?? null,
    hasPlainSip,
  };
};

/** The networks of one family; null where the rule is about the other family only. `[]` is anywhere. */
export const ofFamily = ({ networks }: ServiceRule, family: 4 | 6): readonly string[] | null => {
  if (networks.length === 0) return [];
  const own = networks.filter((network) => network.family === family);
  return own.length === 0 ? null : own.map(textOf);
};
