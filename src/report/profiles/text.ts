/** A profile for somebody at a terminal: every row with what it asks, why, and where that comes from. */
import {
  alternativesOf,
  type CheckSpec,
  type DestinationList,
  type Profile,
  type RangeSpec,
  type Requirement,
  type Source,
  symptomOf,
} from '../../model/profile.js';
import { wrap } from '../layout.js';

const WIDTH = 80;

export const hang = (text: string, indent: string): string =>
  wrap(text, WIDTH - indent.length)
    .map((line) => `${indent}${line}\n`)
    .join('');

const specInWords = (spec: CheckSpec | RangeSpec): string =>
  'port' in spec
    ? `${spec.probe} ${spec.transport} ${spec.port}`
    : `${spec.probes.join(' and ')} ${spec.transport} ${spec.from}-${spec.to}`;

const sourceInWords = ({ title, url, evidence, checkedOn, dated }: Source): string =>
  `Source (${evidence}${checkedOn ? `, checked ${checkedOn}` : ''}${dated ? `, dated ${dated}` : ''}): ${title}${url ? `, ${url}` : ''}`;

const listInWords = ({ id, networks = [], hosts = [], wildcards = [], source }: DestinationList): string =>
  [
    hang(`${id}: ${[...networks, ...hosts].join(', ')}`, '  '),
    ...(wildcards.length > 0
      ? [hang(`${wildcards.join(', ')} (no rule of addresses can be made of them)`, '    ')]
      : []),
    hang(sourceInWords(source), '    '),
  ].join('');

const detailsOf = (requirement: Requirement): readonly string[] => [
  ...(requirement.host ? [`asked of ${requirement.host}`] : []),
  ...(requirement.destinations ? [`to ${requirement.destinations.join(', ')}`] : []),
  ...(requirement.dscp === undefined ? [] : [`DSCP ${requirement.dscp}`]),
  ...(requirement.fallback
    ? [
        `else ${requirement.fallback.row}, which leaves it ${requirement.fallback.leaves === 'works' ? 'working' : 'degraded'}`,
      ]
    : []),
];

const requirementInWords = (requirement: Requirement): string =>
  [
    `\n${requirement.id} (${requirement.need}, ${requirement.role}, ${requirement.direction ?? 'outbound'})\n`,
    hang(requirement.purpose, '  '),
    hang([alternativesOf(requirement).map(specInWords).join(', or '), ...detailsOf(requirement)].join('; '), '  '),
    ...(requirement.note ? [hang(requirement.note, '  ')] : []),
    hang(sourceInWords(requirement.source), '  '),
  ].join('');

const demands = ({ appliesTo, udpTimeoutSeconds, keepaliveSeconds, inspection }: Profile): readonly string[] => [
  ...(appliesTo ? [`for ${appliesTo.join(', ')}`] : []),
  ...(udpTimeoutSeconds ? [`UDP timeout ${udpTimeoutSeconds} s or more`] : []),
  ...(keepaliveSeconds ? [`keepalive every ${keepaliveSeconds} s`] : []),
  ...(inspection ? [inspection === 'never' ? 'no inspection of TLS or packets' : 'inspection allowed'] : []),
];

/** One profile. */
export const renderProfileText = (profile: Profile): string => {
  const { lossRatio, jitterMs, rttMs } = profile.thresholds;
  const more = demands(profile);
  const roles = [...new Set(profile.requirements.filter(({ need }) => need === 'required').map(({ role }) => role))];
  return [
    `${profile.profile}: ${profile.title}\n`,
    hang(profile.summary, '  '),
    ...(more.length > 0 ? [hang(more.join('; '), '  ')] : []),
    ...(profile.farSide ? [hang(`The far side must provide: ${profile.farSide}`, '  ')] : []),
    ...profile.notes.map((note) => `\n${hang(note, '  ')}`),
    `\nwhen it does not pass\n`,
    ...roles.map((role) => hang(`${role}: ${symptomOf(profile, role)}`, '  ')),
    ...(profile.destinations ? ['\ndestinations\n', ...profile.destinations.map(listInWords)] : []),
    `\nthresholds: loss ${lossRatio}, round trip ${rttMs} ms, jitter ${jitterMs} ms\n`,
    ...profile.thresholdsSources.map((source) => hang(sourceInWords(source), '  ')),
    ...profile.requirements.map(requirementInWords),
  ].join('');
};
