/** `probe profiles [NAME]`: the bundled profiles, or one of them with every row's source. */

import { alternativesOf, type CheckSpec, type RangeSpec, type Requirement, type Source } from '../model/profile.js';
import { listBundledProfiles, loadProfile } from '../plan/profiles.js';
import { wrap } from '../report/layout.js';

const WIDTH = 80;

const hang = (text: string, indent: string): string =>
  wrap(text, WIDTH - indent.length)
    .map((line) => `${indent}${line}\n`)
    .join('');

const specInWords = (spec: CheckSpec | RangeSpec): string =>
  'port' in spec
    ? `${spec.probe} ${spec.transport} ${spec.port}`
    : `${spec.probes.join(' and ')} ${spec.transport} ${spec.from}-${spec.to}`;

const sourceInWords = ({ title, url, evidence, checkedOn }: Source): string =>
  `Source (${evidence}, checked ${checkedOn}): ${title}${url ? `, ${url}` : ''}`;

const requirementInWords = (requirement: Requirement): string =>
  [
    `\n${requirement.id} (${requirement.need}, ${requirement.role}, ${requirement.direction ?? 'outbound'})\n`,
    hang(requirement.purpose, '  '),
    hang(alternativesOf(requirement).map(specInWords).join(', or '), '  '),
    ...(requirement.note ? [hang(requirement.note, '  ')] : []),
    hang(sourceInWords(requirement.source), '  '),
  ].join('');

/** The list, or one profile. @throws UserError if there is no such profile */
export const renderProfiles = async (name: string | null): Promise<string> => {
  if (name === null) {
    const listing = await listBundledProfiles();
    return listing.map((profile) => `${profile.name}\n${hang(profile.summary, '  ')}`).join('');
  }
  const profile = await loadProfile(name);
  const { lossRatio, jitterMs, rttMs } = profile.thresholds;
  return [
    `${profile.profile}: ${profile.title}\n`,
    hang(profile.summary, '  '),
    ...(profile.destinations ? [hang(`To: ${profile.destinations.join(', ')}`, '  ')] : []),
    ...(profile.farSide ? [hang(`The far side must provide: ${profile.farSide}`, '  ')] : []),
    ...profile.notes.map((note) => `\n${hang(note, '  ')}`),
    `\nthresholds: loss ${lossRatio}, round trip ${rttMs} ms, jitter ${jitterMs} ms\n`,
    hang(sourceInWords(profile.thresholdsSource), '  '),
    ...profile.requirements.map(requirementInWords),
  ].join('');
};
