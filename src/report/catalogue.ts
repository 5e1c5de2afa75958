/** What a report has to say about the profiles themselves: weak evidence that weighs, rows served by others, old sources. */
import type { Profile } from '../model/profile.js';
import { staleSources } from '../plan/freshness.js';
import type { RequirementState, ServiceState } from '../verdict/services.js';

const HARMED: readonly RequirementState['state'][] = ['blocked', 'altered', 'degraded'];

const isRequired = ({ requirement }: RequirementState): boolean => requirement.need === 'required';
const ids = (rows: readonly RequirementState[]): string => rows.map(({ requirement }) => requirement.id).join(', ');
const plural = (rows: readonly unknown[], one: string, several: string): string => (rows.length === 1 ? one : several);

/** What nobody has read is said whenever it was asked; another's word only where it harms, and who said it. */
const weakNotes = ({ profile, requirements }: ServiceState): readonly string[] => {
  const required = requirements.filter(isRequired);
  const memory = required.filter(
    ({ requirement, state }) => requirement.source.evidence === 'unverified' && state !== 'untested',
  );
  const quoted = required.filter(
    ({ requirement, state }) => requirement.source.evidence === 'secondary' && HARMED.includes(state),
  );
  const titles = [...new Set(quoted.map(({ requirement }) => requirement.source.title))].join('; ');
  return [
    ...(memory.length > 0
      ? [
          `${profile.profile}: ${plural(memory, 'the row', 'the rows')} ${ids(memory)} ${plural(memory, 'is', 'are')} from memory, and nobody has read them in a document: compare them with the provider's list before you rely on the verdict.`,
        ]
      : []),
    ...(quoted.length > 0
      ? [
          `${profile.profile}: ${plural(quoted, 'the row', 'the rows')} ${ids(quoted)} ${plural(quoted, 'comes', 'come')} from another source than the provider's own document (${titles}): compare before you open a port for it.`,
        ]
      : []),
  ];
};

const servedNotes = ({ profile, requirements }: ServiceState): readonly string[] =>
  requirements
    .filter(
      (row) =>
        isRequired(row) && row.served !== undefined && row.items.some(({ finding }) => finding.verdict === 'blocked'),
    )
    .map(
      ({ requirement, served }) =>
        `${profile.profile}: ${requirement.id} does not pass, and ${served?.by} serves in its place, as the vendor says; ${served?.leaves === 'works' ? 'users notice nothing' : 'it works, and worse'}.`,
    );

/** Only what a firewall's keeper would act on: rows and networks, not thresholds. */
const staleNotes = (profile: Profile, now: Date): readonly string[] => {
  const stale = staleSources(profile, now).filter(({ rests }) => rests.some((one) => one !== 'thresholds'));
  if (stale.length === 0) return [];
  const [first] = stale.map(({ since }) => since).toSorted();
  const rests = [...new Set(stale.flatMap((one) => one.rests))].join(', ');
  return [
    `${profile.profile}: what ${rests} rest on is older than 18 months (since ${first}): compare it with the provider's list of today; "probe profiles ${profile.profile} --check-dates" names the sources.`,
  ];
};

/** One sentence each, for all services of a run. */
export const catalogueNotes = (services: readonly ServiceState[], now: Date): readonly string[] =>
  services.flatMap((service) => [...weakNotes(service), ...servedNotes(service), ...staleNotes(service.profile, now)]);
