/**
 * Profiles in the form that files had before rows named their destinations and roles their symptoms. Such a file is read
 * as what it says in the present form, and a warning names each key that its author should write instead.
 */
import { isNetwork } from './network-text.js';
import { isMap } from './schema-words.js';

interface Upgraded {
  readonly value: unknown;
  /** One sentence for each older key, without the file's name; empty for a file in the present form. */
  readonly warnings: readonly string[];
}

/** The list that takes over an older profile's destinations, which were about the profile as a whole. */
const LIST_ID = 'far-side';

const isWildcard = (text: string): boolean => /^\*(\.[a-z0-9-]{1,63})+$/.test(text);
const isHost = (text: string): boolean => /^[a-z0-9-]{1,63}(\.[a-z0-9-]{1,63})+$/.test(text);

const listOf = (texts: readonly string[]): Record<string, unknown> => {
  const networks = texts.filter(isNetwork);
  const hosts = texts.filter((text) => !isNetwork(text) && isHost(text));
  const wildcards = texts.filter(isWildcard);
  return {
    id: LIST_ID,
    ...(networks.length > 0 && { networks }),
    ...(hosts.length > 0 && { hosts }),
    ...(wildcards.length > 0 && { wildcards }),
    source: { title: 'The profile itself, in its older form', evidence: 'unverified' },
  };
};

const isTexts = (value: unknown): value is readonly string[] =>
  Array.isArray(value) && value.length > 0 && value.every((one) => typeof one === 'string');

/** A mark once demanded less than it does now. */
const upgradeSource = (source: unknown, warn: (text: string) => void): unknown => {
  if (!isMap(source)) return source;
  if (source.evidence === 'primary' && source.url === undefined) {
    warn('a source marked primary needs a url, and is read as secondary without one; add "url"');
    return { ...source, evidence: 'secondary' };
  }
  if (source.evidence === 'unverified' && source.checkedOn !== undefined) {
    warn('a source marked unverified has no date; remove "checkedOn"');
    const { checkedOn: _, ...rest } = source;
    return rest;
  }
  return source;
};

/** Reads the older keys. What is in the present form, or is no map, comes back as it is. */
export const upgradeProfile = (value: unknown): Upgraded => {
  if (!isMap(value) || !('symptomWhenBlocked' in value) || 'symptoms' in value) return { value, warnings: [] };
  const warnings = new Set<string>();
  const warn = (text: string): void => {
    warnings.add(text);
  };
  const { symptomWhenBlocked, thresholdsSource, destinations, requirements, ...rest } = value;
  warn('symptomWhenBlocked is an older key; write "symptoms: { signalling: … }", a symptom for each role');
  const lists = isTexts(destinations) ? destinations : null;
  if (lists !== null) {
    warn(
      'destinations holds plain texts; write lists with id, networks, hosts, wildcards and source, and name them in rows',
    );
    const lost = lists.filter((text) => !isNetwork(text) && !isHost(text) && !isWildcard(text));
    if (lost.length > 0)
      warn(`destinations holds ${lost.length} that are neither a network nor a name; they are left out`);
  }
  if (thresholdsSource !== undefined) warn('thresholdsSource is an older key; write "thresholdsSources", a list');
  const list = lists === null ? null : listOf(lists);
  const named = list !== null && ('networks' in list || 'hosts' in list || 'wildcards' in list);
  return {
    value: {
      ...rest,
      ...(thresholdsSource !== undefined && { thresholdsSources: [upgradeSource(thresholdsSource, warn)] }),
      symptoms: { signalling: symptomWhenBlocked },
      ...(lists === null && destinations !== undefined && { destinations }),
      ...(named && { destinations: [list] }),
      requirements: Array.isArray(requirements)
        ? requirements.map((row: unknown) =>
            isMap(row)
              ? {
                  ...row,
                  ...(row.source !== undefined && { source: upgradeSource(row.source, warn) }),
                  ...(named && row.destinations === undefined && { destinations: [LIST_ID] }),
                }
              : row,
          )
        : requirements,
    },
    warnings: [...warnings],
  };
};
