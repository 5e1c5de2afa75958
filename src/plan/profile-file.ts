/**
 * The text of a profile to a profile or to mistakes with their lines. Loads the YAML parser and the validator: import
 * it lazily.
 */
import type { Profile } from '../model/profile.js';
import { extendProfile } from '../model/profile-extends.js';
import { checkProfile } from '../model/profile-rules.js';
import { upgradeProfile } from '../model/profile-upgrade.js';
import { isMap } from '../model/schema-words.js';
import { type Checked, mistakeLine, readText, type TextMistake } from './yaml-text.js';

export { mistakeLine };

type ProfileReading =
  | {
      readonly ok: true;
      readonly profile: Profile;
      /** What its author should write in another way, a sentence each, without the file's name. */
      readonly warnings: readonly string[];
    }
  /** Never empty; in the order of their lines. */
  | { readonly ok: false; readonly mistakes: readonly [TextMistake, ...TextMistake[]] };

interface Content {
  readonly profile: Profile;
  readonly warnings: readonly string[];
}

const checkContent = (value: unknown, bases: ReadonlyMap<string, Profile>): Checked<Content> => {
  const { value: present, warnings } = upgradeProfile(value);
  if (!isMap(present) || !('extends' in present)) {
    const checked = checkProfile(present);
    return checked.ok ? { ok: true, value: { profile: checked.profile, warnings } } : checked;
  }
  const extended = extendProfile(present, bases);
  if (!extended.ok) return extended;
  const checked = checkProfile(extended.value);
  return checked.ok
    ? { ok: true, value: { profile: checked.profile, warnings } }
    : { ok: false, mistakes: checked.mistakes.map(extended.inFile) };
};

/**
 * Reads a profile. Never throws, whatever the text holds; linear in its length, which the caller bounds.
 * @param bases what a profile may extend, by name; a bundled profile extends none
 */
export const readProfileText = (text: string, bases: ReadonlyMap<string, Profile> = new Map()): ProfileReading => {
  const reading = readText(text, { noun: 'profile', begins: 'profile: NAME', levels: 'seven' }, (value) =>
    checkContent(value, bases),
  );
  return reading.ok ? { ok: true, ...reading.value } : reading;
};

/** Does a text name another profile as its base? Only then the bundled ones are read for it. */
export const mayExtend = (text: string): boolean => /(^|[{,\s"'])extends["']?\s*:/m.test(text);
