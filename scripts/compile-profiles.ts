/**
 * Validates profiles/*.yaml and writes them as dist/profiles/NAME.json with an index, so that the shipped commands
 * load a bundled profile without a parser or a validator. Prints every mistake as FILE:LINE:PATH and exits 1.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import type { Profile } from '../src/model/profile.js';
import { packageRoot } from '../src/plan/package-root.js';
import { mistakeLine, readProfileText } from '../src/plan/profile-file.js';
import { bundledProfilesFolder, INDEX_NAME, type ProfileListing } from '../src/plan/profiles.js';

const sources = join(packageRoot(), 'profiles');
const target = bundledProfilesFolder();

const profiles: Profile[] = [];
const mistakes: string[] = [];

// Sorted, because the order of a folder depends on the file system and the output must not.
const names = readdirSync(sources)
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => basename(file, '.yaml'));
for (const name of names.sort()) {
  const path = join(sources, `${name}.yaml`);
  const shown = relative(process.cwd(), path);
  const reading = readProfileText(readFileSync(path, 'utf8'));
  if (!reading.ok) {
    mistakes.push(...reading.mistakes.map((mistake) => mistakeLine(shown, mistake)));
    continue;
  }
  // What is bundled is in the present form.
  mistakes.push(...reading.warnings.map((warning) => `${shown}: ${warning}`));
  if (reading.profile.profile !== name) {
    mistakes.push(`${shown}:1:profile: is "${reading.profile.profile}"; name it "${name}", after its file`);
  } else if (name === INDEX_NAME) {
    mistakes.push(`${shown}:1:profile: is "${INDEX_NAME}", the name of the list of profiles; rename it`);
  }
  profiles.push(reading.profile);
}
if (profiles.length === 0 && mistakes.length === 0) mistakes.push(`${sources}: holds no profile; add NAME.yaml`);

if (mistakes.length > 0) {
  process.stderr.write(`${mistakes.join('\n')}\n`);
  process.exitCode = 1;
} else {
  mkdirSync(target, { recursive: true });
  for (const stale of readdirSync(target)) if (stale.endsWith('.json')) rmSync(join(target, stale));
  const write = (name: string, value: unknown) =>
    writeFileSync(join(target, `${name}.json`), `${JSON.stringify(value)}\n`);
  for (const profile of profiles) write(profile.profile, profile);
  const index = profiles.map(({ profile: name, title, summary }): ProfileListing => ({ name, title, summary }));
  write(INDEX_NAME, index);
}
