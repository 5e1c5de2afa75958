/** npm packages that a package of ours brings: fetched from the registry, and refused where they are not what is pinned. */
import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/plan/package-root.js';
import { runTool } from './tools.js';

/** A package as the lock file has it. */
interface Locked {
  readonly version: string;
  readonly integrity: string;
  readonly dev?: boolean;
  readonly devOptional?: boolean;
  readonly optional?: boolean;
  readonly os?: unknown;
  readonly cpu?: unknown;
}

/** By the folder in which npm installs each. */
export const lockedPackages = (): Readonly<Record<string, Locked>> =>
  (
    JSON.parse(readFileSync(join(packageRoot(), 'package-lock.json'), 'utf8')) as {
      readonly packages: Readonly<Record<string, Locked>>;
    }
  ).packages;

/** Subresource Integrity, as npm writes it into lock files: `sha512-` and base64. */
const integrityOf = (file: string): string =>
  `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;

const fetched = new Map<string, string>();

/**
 * Fetches `name@version` into a folder, once. @param pinnedIn the file that says what it hashes to, for the error
 * @returns the archive @throws Error if it is not what is pinned
 */
export const fetchPinned = (spec: string, integrity: string, pinnedIn: string, folder: string): string => {
  const before = fetched.get(join(folder, spec));
  if (before !== undefined) return before;
  mkdirSync(folder, { recursive: true });
  const printed = runTool('npm', ['pack', '--silent', spec, '--pack-destination', folder]);
  const file = join(folder, printed.trim().split('\n').at(-1) ?? '');
  const found = integrityOf(file);
  if (found !== integrity) throw new Error(`${spec} is ${found}, and ${pinnedIn} pins ${integrity}`);
  fetched.set(join(folder, spec), file);
  return file;
};
