/** What a report has to say about the profiles themselves: weak evidence that weighs, rows served by others, old sources. */
import type { Profile } from '../model/profile.js';
import { staleSources } from '../plan/freshness.js';
import type { RequirementState, ServiceState } from '../verdict/services.js';
import { fromMemory, fromOthers, servedBy, staleSince } from '../words/catalogue.js';

const HARMED: readonly RequirementState['state'][] = ['blocked', 'altered', 'degraded'];

const isRequired = ({ requirement }: RequirementState): boolean => requirement.need === 'required';
const ids = (rows: readonly RequirementState[]): readonly string[] => rows.map(({ requirement }) => requirement.id);

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
    ...(memory.length > 0 ? [fromMemory(profile.profile, ids(memory))] : []),
    ...(quoted.length > 0 ? [fromOthers(profile.profile, ids(quoted), titles)] : []),
  ];
};

const servedNotes = ({ profile, requirements }: ServiceState): readonly string[] =>
  requirements
    .filter(
      (row) =>
        isRequired(row) && row.served !== undefined && row.items.some(({ finding }) => finding.verdict === 'blocked'),
    )
    .map(({ requirement, served }) =>
      servedBy(profile.profile, requirement.id, served?.by ?? '', served?.leaves === 'works'),
    );

/** Only what a firewall's keeper would act on: rows and networks, not thresholds. */
const staleNotes = (profile: Profile, now: Date): readonly string[] => {
  const stale = staleSources(profile, now).filter(({ rests }) => rests.some((one) => one !== 'thresholds'));
  if (stale.length === 0) return [];
  const [first] = stale.map(({ since }) => since).toSorted();
  const rests = [...new Set(stale.flatMap((one) => one.rests))].join(', ');
  return [staleSince(profile.profile, rests, first ?? '')];
};

/** One sentence each, for all services of a run. */
export const catalogueNotes = (services: readonly ServiceState[], now: Date): readonly string[] =>
  services.flatMap((service) => [...weakNotes(service), ...servedNotes(service), ...staleNotes(service.profile, now)]);
