/** A profile as a worksheet for a ticket: one table of what to open, with a box to tick, and the sources below. */

import {
  alternativesOf,
  type CheckSpec,
  destinationsOf,
  type Profile,
  type RangeSpec,
  type Requirement,
  type Source,
} from '../../model/profile.js';
import { fallbackServes } from '../../words/catalogue.js';

/** What a cell must not contain in its own right (GitHub Flavored Markdown, section 4.10), and what would be markup. */
const cell = (text: string): string => text.replace(/[\\|`*_<>[\]]/g, (mark) => `\\${mark}`);

const portText = (spec: CheckSpec | RangeSpec): string => {
  const transport = spec.transport === 'tls' ? 'TCP (TLS)' : spec.transport.toUpperCase();
  return `${transport} ${'port' in spec ? spec.port : `${spec.from}-${spec.to}`}`;
};

const placesOf = (profile: Profile, row: Requirement): string => {
  const lists = destinationsOf(profile, row);
  const names = lists.flatMap(({ networks = [], hosts = [], wildcards = [] }) => [
    ...networks,
    ...hosts,
    ...wildcards.map((wildcard) => `${wildcard} (by name only)`),
  ]);
  return names.length > 0 ? names.join(', ') : 'anywhere';
};

const fallbackText = ({ fallback }: Requirement): string =>
  fallback === undefined ? '' : ` ${fallbackServes(fallback.row, fallback.leaves === 'works')}`;

const rowLine = (profile: Profile, row: Requirement, mark: number): string =>
  [
    '',
    '☐',
    row.need,
    row.direction ?? 'outbound',
    alternativesOf(row).map(portText).join(' or '),
    cell(placesOf(profile, row)),
    row.dscp === undefined ? '' : String(row.dscp),
    cell(`${row.purpose}.${fallbackText(row)}`),
    `${row.source.evidence} (${mark})`,
    '',
  ]
    .join(' | ')
    .trim();

const sourceLine = ({ title, url, evidence, checkedOn, dated }: Source, mark: number): string =>
  `${mark}. ${cell(title)}${url ? `, <${url}>` : ''} (${[evidence, ...(checkedOn ? [`read ${checkedOn}`] : []), ...(dated ? [`dated ${dated}`] : [])].join(', ')})`;

/** One profile. Sources are numbered by their first use. */
export const renderProfileMarkdown = (profile: Profile): string => {
  const sources = new Map<string, { readonly source: Source; readonly mark: number }>();
  const markOf = (source: Source): number => {
    const key = JSON.stringify(source);
    const known = sources.get(key) ?? { source, mark: sources.size + 1 };
    sources.set(key, known);
    return known.mark;
  };
  const rows = profile.requirements.map((row) => rowLine(profile, row, markOf(row.source)));
  for (const { source } of profile.destinations ?? []) markOf(source);
  const demands = [
    ...(profile.udpTimeoutSeconds ? [`- [ ] Idle UDP mappings last ${profile.udpTimeoutSeconds} s or more`] : []),
    ...(profile.inspection === 'never' ? ['- [ ] No TLS inspection, proxy or IPS on this traffic'] : []),
    ...(profile.keepaliveSeconds ? [`- Its phones or servers send something every ${profile.keepaliveSeconds} s`] : []),
    ...(profile.appliesTo ? [`- For: ${profile.appliesTo.join(', ')}`] : []),
  ];
  return [
    `# ${cell(profile.title)}: ports to open`,
    '',
    cell(profile.summary),
    '',
    '| Done | Need | Direction | Ports | To or from | DSCP | Purpose | Evidence |',
    '| --- | --- | --- | --- | --- | --- | --- | --- |',
    ...rows,
    '',
    ...(demands.length > 0 ? [...demands, ''] : []),
    '## Notes',
    '',
    ...profile.notes.map((note) => `- ${cell(note)}`),
    '',
    '## Sources',
    '',
    ...[...sources.values()].map(({ source, mark }) => sourceLine(source, mark)),
    '',
    `Verify with: \`probe --profile ${profile.profile} --target REFLECTOR --token-file FILE\``,
    '',
  ].join('\n');
};
