/**
 * Finds and loads profiles. The bundled ones were validated when the package was built and are plain JSON, so that a
 * run on them loads neither the YAML parser nor the validator; a user's file is validated each time.
 */
import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nearest } from '../model/nearest.js';
import type { Profile } from '../model/profile.js';
import { UserError } from '../model/user-error.js';
import { packageRoot } from './package-root.js';

/** A profile takes a few kilobytes; this is room for hundreds of rows, and ends the reading of /dev/zero. */
export const MAX_PROFILE_BYTES = 256 * 1024;

/** The file beside the bundled profiles that lists them; no profile may have its name. */
export const INDEX_NAME = 'index';

export interface ProfileListing {
  readonly name: string;
  readonly title: string;
  readonly summary: string;
}

/** The folder of the compiled profiles, which the build writes and the package ships. */
export const bundledProfilesFolder = (): string => join(packageRoot(), 'dist', 'profiles');

const readBundled = async (name: string): Promise<string> => {
  const file = join(bundledProfilesFolder(), `${name}.json`);
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    throw new UserError('profile-unreadable', `${file}: the bundled profiles are missing; reinstall callpath`, {
      cause,
    });
  }
};

/** The bundled profiles, by name. @throws UserError `profile-unreadable` if the package is incomplete. */
export const listBundledProfiles = async (): Promise<readonly ProfileListing[]> => {
  const listing: readonly ProfileListing[] = JSON.parse(await readBundled(INDEX_NAME));
  return listing;
};

/** Names are words and hyphens; whatever has a separator or a dot in it can only be a file. */
const looksLikeFile = (nameOrFile: string): boolean => /[./\\]/.test(nameOrFile);

const READ_ERRORS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file; check the path',
  ENOTDIR: 'there is no such file; check the path',
  EACCES: 'permission denied; make it readable for this user',
  EPERM: 'permission denied; make it readable for this user',
  EISDIR: 'is a folder; name a file in it',
};

const unreadable = (file: string, cause: unknown): UserError => {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown error';
  const reason = READ_ERRORS[code] ?? `cannot be read (${code}); name a readable file`;
  return new UserError('profile-unreadable', `${file}: ${reason}`, { cause });
};

/** Reads at most one byte more than the limit, because devices and pipes do not tell their size. */
const readBounded = async (file: string): Promise<Uint8Array> => {
  const buffer = Buffer.alloc(MAX_PROFILE_BYTES + 1);
  let length = 0;
  try {
    const handle = await open(file, 'r');
    try {
      while (length < buffer.length) {
        const { bytesRead } = await handle.read(buffer, length, buffer.length - length, null);
        if (bytesRead === 0) break;
        length += bytesRead;
      }
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw unreadable(file, cause);
  }
  return buffer.subarray(0, length);
};

/** A profile, and what the author of its file should write in another way: one line each, with the file's name. */
interface LoadedProfile {
  readonly profile: Profile;
  readonly warnings: readonly string[];
}

const readBundledProfile = async (name: string): Promise<Profile> => {
  const profile: Profile = JSON.parse(await readBundled(name));
  return profile;
};

const bundledProfiles = async (): Promise<ReadonlyMap<string, Profile>> => {
  const names = (await listBundledProfiles()).map(({ name }) => name);
  return new Map(await Promise.all(names.map(async (name) => [name, await readBundledProfile(name)] as const)));
};

const loadFile = async (file: string): Promise<LoadedProfile> => {
  const bytes = await readBounded(file);
  if (bytes.length > MAX_PROFILE_BYTES) {
    const limit = MAX_PROFILE_BYTES / 1024;
    throw new UserError('profile-invalid', `${file}: is larger than ${limit} KiB; a profile takes a few kilobytes`);
  }
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new UserError('profile-invalid', `${file}: is not UTF-8 text; save it as UTF-8`, { cause });
  }
  const { mayExtend, mistakeLine, readProfileText } = await import('./profile-file.js');
  const reading = readProfileText(text, mayExtend(text) ? await bundledProfiles() : undefined);
  if (reading.ok) {
    return { profile: reading.profile, warnings: reading.warnings.map((warning) => `${file}: ${warning}`) };
  }
  const [first, ...rest] = reading.mistakes;
  const others = rest.length === 0 ? '' : ` (and ${rest.length} more ${rest.length === 1 ? 'mistake' : 'mistakes'})`;
  throw new UserError('profile-invalid', `${mistakeLine(file, first)}${others}`);
};

/**
 * Loads a profile by its bundled name, or else from a YAML or JSON file.
 * @throws UserError `usage` for a name that is not bundled, `profile-unreadable`, or `profile-invalid` with a message
 *   of the form `FILE:LINE:PATH: what is wrong; the fix`.
 */
export const readProfile = async (nameOrFile: string): Promise<LoadedProfile> => {
  const names = (await listBundledProfiles()).map(({ name }) => name);
  if (names.includes(nameOrFile)) return { profile: await readBundledProfile(nameOrFile), warnings: [] };
  if (looksLikeFile(nameOrFile)) return loadFile(nameOrFile);
  const shown = JSON.stringify(nameOrFile);
  const meant = nearest(nameOrFile, names);
  const others =
    meant === null ? `bundled: ${names.join(', ')}` : `did you mean ${meant}? "probe profiles" lists all bundled ones`;
  throw new UserError(
    'usage',
    `no profile is called ${shown}; ${others}; to name a file, give its path, such as ./mine.yaml`,
  );
};

/** Warnings that this process has told: a daemon reads its profiles before every run. */
const told = new Set<string>();

/** The same, with its warnings on stderr, each once in the life of the process. */
export const loadProfile = async (nameOrFile: string): Promise<Profile> => {
  const { profile, warnings } = await readProfile(nameOrFile);
  for (const warning of warnings.filter((one) => !told.has(one))) {
    told.add(warning);
    process.stderr.write(`warning: ${warning}\n`);
  }
  return profile;
};
