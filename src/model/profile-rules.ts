/** What a well-formed profile must also satisfy to make sense; each rule names the value at fault and the fix. */
import * as v from 'valibot';
import { type AskedKind, kindOf, type Transport } from './kinds.js';
import { type Mistake, type PathKey, shapeMistakes } from './mistake.js';
import {
  alternativesOf,
  type CheckSpec,
  type Profile,
  type RangeSpec,
  type Requirement,
  type Source,
} from './profile.js';
import { ProfileSchema } from './profile-schema.js';
import { quoted } from './schema-words.js';

const transportMistake = (probe: AskedKind, transport: Transport): string | null => {
  const possible = kindOf(probe).transports;
  if (possible.includes(transport)) return null;
  return `is "${transport}", over which ${probe} cannot be asked; use ${possible.join(' or ')}`;
};

type Found = readonly [at: readonly PathKey[], message: string];

const checkMistakes = (check: CheckSpec): readonly Found[] => {
  const transport = transportMistake(check.probe, check.transport);
  return transport === null ? [] : [[['transport'], transport]];
};

/** RTP on even ports and RTCP on the odd port above (RFC 3550 §11), if a range asks both in turns. */
const parityMistake = (range: RangeSpec): string | null => {
  const [first, second] = range.probes;
  const pair = `${first}+${second}`;
  if (pair !== 'rtp-echo+rtcp-echo' && pair !== 'rtcp-echo+rtp-echo') return null;
  const startsEven = range.from % 2 === 0;
  if (startsEven === (first === 'rtp-echo')) return null;
  const order = startsEven ? '[rtp-echo, rtcp-echo]' : '[rtcp-echo, rtp-echo]';
  return `puts RTP on odd ports, as ${range.from} is ${startsEven ? 'even' : 'odd'}; use ${order}`;
};

const rangeMistakes = (range: RangeSpec): readonly Found[] => {
  const found: Found[] = [];
  const [transport] = range.probes.map((probe) => transportMistake(probe, range.transport)).filter((t) => t !== null);
  if (transport !== undefined) found.push([['transport'], transport]);
  const [first, second] = range.probes;
  if (first === second) found.push([['probes'], `names ${first} twice; name it once`]);
  if (range.from > range.to) {
    found.push([['to'], `is ${range.to}, below "from" (${range.from}); swap the two`]);
  } else if (range.from === range.to && second !== undefined) {
    found.push([['probes'], 'names two probes for one port; name one probe, or widen the range']);
  }
  const parity = parityMistake(range);
  if (parity !== null) found.push([['probes'], parity]);
  return found;
};

const questionPath = (requirement: Requirement, index: number): readonly PathKey[] => {
  if ('check' in requirement) return ['check'];
  if ('range' in requirement) return ['range'];
  return ['anyOf', index];
};

/** What a mark promises, and whether the source keeps it. */
const sourceMistakes = ({ evidence, url, checkedOn }: Source): readonly Found[] => {
  const found: Found[] = [];
  if (evidence === 'primary' && url === undefined) {
    found.push([['evidence'], 'is "primary" without a url; give the document\'s address, or mark it secondary']);
  }
  if (evidence === 'unverified' && checkedOn !== undefined) {
    found.push([['checkedOn'], 'dates what nobody has read; remove it, or read the source and mark it']);
  }
  if (evidence !== 'unverified' && checkedOn === undefined) {
    found.push([['evidence'], `is "${evidence}" without checkedOn; add the day on which the source was read`]);
  }
  return found;
};

/** Of which host, and by which lists: only what the profile itself explains. */
const requirementMistakes = (requirement: Requirement, lists: readonly string[]): readonly Found[] => {
  const found: Found[] = sourceMistakes(requirement.source).map(([at, message]) => [['source', ...at], message]);
  for (const [index, id] of (requirement.destinations ?? []).entries()) {
    if (lists.includes(id)) continue;
    const known = lists.length > 0 ? `use one of ${lists.join(', ')}` : 'add the list under "destinations"';
    found.push([['destinations', index], `is ${quoted(id)}, a list that this profile does not have; ${known}`]);
  }
  for (const [index, spec] of alternativesOf(requirement).entries()) {
    const mistakes = 'probes' in spec ? rangeMistakes(spec) : checkMistakes(spec);
    for (const [at, message] of mistakes) found.push([[...questionPath(requirement, index), ...at], message]);
  }
  return found;
};

/** A row serves in another's place only if it is there, and does not itself wait for that other one. */
const fallbackMistake = (profile: Profile, requirement: Requirement): string | null => {
  const { fallback } = requirement;
  if (fallback === undefined) return null;
  const rows = new Map(profile.requirements.map((row) => [row.id, row]));
  if (!rows.has(fallback.row)) {
    const others = [...rows.keys()].filter((id) => id !== requirement.id);
    return `is ${quoted(fallback.row)}, a row that this profile does not have; use one of ${others.join(', ')}`;
  }
  const passed = new Set([requirement.id]);
  for (let next: string | undefined = fallback.row; next !== undefined; next = rows.get(next)?.fallback?.row) {
    if (passed.has(next))
      return `is ${quoted(fallback.row)}, which leads back to this row; name a row that stands by itself`;
    passed.add(next);
  }
  return null;
};

const listMistakes = ({ destinations = [] }: Profile): readonly Mistake[] => {
  const mistakes: Mistake[] = [];
  for (const [index, one] of destinations.entries()) {
    const at = (path: readonly PathKey[], message: string): void => {
      mistakes.push({ path: ['destinations', index, ...path], atKey: false, message });
    };
    const first = destinations.findIndex(({ id }) => id === one.id);
    if (first !== index) at(['id'], `is ${quoted(one.id)}, as in destinations[${first}]; give each its own id`);
    if (!one.networks && !one.hosts && !one.wildcards) {
      at([], 'names no place; add networks, hosts or wildcards');
    }
    for (const [path, message] of sourceMistakes(one.source)) at(['source', ...path], message);
  }
  return mistakes;
};

/** The mistakes of a well-formed profile. */
const senseMistakes = (profile: Profile): readonly Mistake[] => {
  const mistakes: Mistake[] = [...listMistakes(profile)];
  const lists = (profile.destinations ?? []).map(({ id }) => id);
  for (const [index, source] of profile.thresholdsSources.entries()) {
    for (const [path, message] of sourceMistakes(source)) {
      mistakes.push({ path: ['thresholdsSources', index, ...path], atKey: false, message });
    }
  }
  const firstWithId = new Map<string, number>();
  for (const [index, requirement] of profile.requirements.entries()) {
    const first = firstWithId.get(requirement.id);
    if (first === undefined) firstWithId.set(requirement.id, index);
    else {
      const message = `is ${quoted(requirement.id)}, as in requirements[${first}]; give each its own id`;
      mistakes.push({ path: ['requirements', index, 'id'], atKey: false, message });
    }
    for (const [at, message] of requirementMistakes(requirement, lists)) {
      mistakes.push({ path: ['requirements', index, ...at], atKey: false, message });
    }
    const fallback = fallbackMistake(profile, requirement);
    if (fallback !== null) {
      mistakes.push({ path: ['requirements', index, 'fallback', 'row'], atKey: false, message: fallback });
    }
  }
  if (!profile.requirements.some((requirement) => requirement.need === 'required')) {
    const message = 'holds no required row, so the service would always seem to work; make one required';
    mistakes.push({ path: ['requirements'], atKey: true, message });
  }
  return mistakes;
};

/** A profile that is well-formed and makes sense, or every mistake that was found in it. */
type ProfileCheck =
  | { readonly ok: true; readonly profile: Profile }
  | { readonly ok: false; readonly mistakes: readonly Mistake[] };

/** Checks a value of unknown origin. Sense is judged only once the shape is right. */
export const checkProfile = (value: unknown): ProfileCheck => {
  const parsed = v.safeParse(ProfileSchema, value);
  if (!parsed.success) return { ok: false, mistakes: shapeMistakes(parsed.issues) };
  const mistakes = senseMistakes(parsed.output);
  return mistakes.length === 0 ? { ok: true, profile: parsed.output } : { ok: false, mistakes };
};
