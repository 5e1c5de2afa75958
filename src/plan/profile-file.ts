/**
 * The text of a profile to a profile or to mistakes with their lines. Loads the YAML parser and the validator: import
 * it lazily.
 */
import type { Profile } from '../model/profile.js';
import { checkProfile } from '../model/profile-rules.js';
import { mistakeLine, readText, type TextMistake } from './yaml-text.js';

export { mistakeLine };

export type ProfileReading =
  | { readonly ok: true; readonly profile: Profile }
  /** Never empty; in the order of their lines. */
  | { readonly ok: false; readonly mistakes: readonly [TextMistake, ...TextMistake[]] };

/** Reads a profile. Never throws, whatever the text holds; linear in its length, which the caller bounds. */
export const readProfileText = (text: string): ProfileReading => {
  const reading = readText(text, { noun: 'profile', begins: 'profile: NAME', levels: 'seven' }, (value) => {
    const checked = checkProfile(value);
    return checked.ok ? { ok: true, value: checked.profile } : checked;
  });
  return reading.ok ? { ok: true, profile: reading.value } : reading;
};
