/** Can the lab run here, and if not, what is missing? */
import { accessSync, constants } from 'node:fs';
import { delimiter, isAbsolute, join } from 'node:path';
import type { Needs } from './part.js';
import { BASIC_NEEDS } from './parts.js';
import type { Scenario } from './scenario.js';

const isThere = (command: string): boolean => {
  const candidates = isAbsolute(command)
    ? [command]
    : (process.env.PATH ?? '').split(delimiter).map((directory) => join(directory, command));
  return candidates.some((path) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
};

/** Why no scenario can run here at all, in one line; null if they can. */
export const cannotRun = (): string | null => {
  if (process.platform !== 'linux')
    return `skipped: the lab needs Linux's network namespaces, this is ${process.platform}`;
  if (process.getuid?.() !== 0) return 'skipped: the lab makes network namespaces, which takes root';
  return null;
};

/** The Debian packages that are missing here for something. */
export const missingPackages = (...needs: readonly Needs[]): readonly string[] => [
  ...new Set(
    [BASIC_NEEDS, ...needs].flatMap((one) =>
      Object.entries(one).flatMap(([command, debian]) => (isThere(command) ? [] : debian)),
    ),
  ),
];

/** The Debian packages that are missing here for a scenario, or for verifying its rules. */
export const missingFor = (scenario: Scenario, { verifyRules }: { readonly verifyRules: boolean }): readonly string[] =>
  missingPackages(
    ...(scenario.parts ?? []).flatMap(({ needs, witness }) => [needs, (verifyRules && witness?.needs) || {}]),
  );
