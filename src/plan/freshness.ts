/** How old what a profile rests on is: vendors move ports and networks, and a row that nobody compared lately may send admins wrong. */
import type { Profile, Source } from '../model/profile.js';

/** Longer than vendors' notice of a change, a month to half a year, and than a yearly round of checking with some delay. */
export const STALE_AFTER_MONTHS = 18;

interface StaleSource {
  /** Rows and lists that rest on it, by id; `thresholds` for the thresholds. */
  readonly rests: readonly string[];
  readonly source: Source;
  /** `read`: nobody compared it since · `dated`: what was read then was that old. */
  readonly why: 'read' | 'dated';
  /** The date that is too long ago. */
  readonly since: string;
}

/** Text in order of time: `2023-06` is taken for its last day, so that no document counts as older than it is. */
const lastDay = (date: string): string => (date.length === 7 ? `${date}-31` : date);

const monthsBefore = (now: Date, months: number): string => {
  const date = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() - months, 1));
  // The day that the earlier month has: the 31st of a month may not exist in it.
  const days = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 0)).getUTCDate();
  date.setUTCDate(Math.min(now.getUTCDate(), days));
  return date.toISOString().slice(0, 10);
};

/** The sources of a profile that are older than they should be, each once with all that rests on it. */
export const staleSources = (profile: Profile, now: Date): readonly StaleSource[] => {
  const limit = monthsBefore(now, STALE_AFTER_MONTHS);
  const all = [
    ...profile.requirements.map(({ id, source }) => ({ id, source })),
    ...(profile.destinations ?? []).map(({ id, source }) => ({ id: `networks ${id}`, source })),
    ...profile.thresholdsSources.map((source) => ({ id: 'thresholds', source })),
  ];
  const found = new Map<string, StaleSource>();
  for (const { id, source } of all) {
    const { checkedOn, dated } = source;
    const isOldReading = checkedOn !== undefined && checkedOn < limit;
    const since = isOldReading ? checkedOn : dated !== undefined && lastDay(dated) < limit ? dated : null;
    if (since === null) continue;
    const key = JSON.stringify(source);
    const known = found.get(key);
    const rests = [...new Set([...(known?.rests ?? []), id])];
    found.set(key, { rests, source, why: isOldReading ? 'read' : 'dated', since });
  }
  return [...found.values()];
};

/** `https, http (dated 2023-06): Microsoft, Plan Direct Routing, https://…`. */
export const staleInWords = ({ rests, source, why, since }: StaleSource): string =>
  `${rests.join(', ')} (${why === 'read' ? 'read' : 'document dated'} ${since}): ${source.title}${source.url ? `, ${source.url}` : ''}`;
