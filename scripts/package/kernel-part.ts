/**
 * koffi with the part for one platform, from their npm packages as the lock file pins them: an optional dependency, which npm would
 * install for the platform that makes the package and not for the one that it is made for.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Platform } from './node.js';
import { fetchPinned, lockedPackages } from './pinned.js';
import { runTool } from './tools.js';

/** Where src/net/kernel works. */
const PARTS: Partial<Record<Platform, string>> = {
  'linux-x64': '@koromix/koffi-linux-x64',
  'linux-arm64': '@koromix/koffi-linux-arm64',
};
/** Node's programs for Linux are built for glibc, and never load the part for musl. What a compiler would read stays out. */
const LEFT_OUT = [
  'README.md',
  'CHANGELOG.md',
  'cnoke.cjs',
  'index.d.ts',
  'doc',
  'lib',
  'vendor',
  'musl_*',
  'CMakeLists.txt',
];
const SOURCES = ['*.cc', '*.hh', '*.inc', '*.def', '*.S', '*.asm'];

/** Where its licence lies in the application's folder. */
export const KERNEL_PART_LICENCE = 'node_modules/koffi/LICENSE.txt';

const lockedAs = (name: string) => {
  const locked = lockedPackages()[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`package-lock.json does not pin ${name}`);
  return locked;
};

const unpack = (name: string, modules: string, downloads: string): void => {
  const { version, integrity } = lockedAs(name);
  const archive = fetchPinned(`${name}@${version}`, integrity, 'package-lock.json', downloads);
  const into = join(modules, name);
  mkdirSync(into, { recursive: true });
  const without = [...LEFT_OUT, ...SOURCES].map((pattern) => `--exclude=${pattern}`);
  runTool('tar', ['-xzf', archive, '-C', into, '--strip-components=1', ...without]);
};

/**
 * Fetches koffi for a platform.
 * @returns a folder as `node_modules` is one; null for a platform on which it would not be used
 * @throws Error if a package is not what is pinned
 */
export const fetchKernelPart = (platform: Platform, folder: string): string | null => {
  const part = PARTS[platform];
  if (part === undefined) return null;
  const modules = join(folder, platform, 'node_modules');
  for (const name of ['koffi', part]) unpack(name, modules, join(folder, 'npm'));
  return modules;
};

/** What a bill of materials says of it, for the platforms that it is on. */
export const kernelPartInBill = (): object => {
  const { version } = lockedAs('koffi');
  return {
    'bom-ref': `koffi@${version}`,
    type: 'library',
    name: 'koffi',
    version,
    scope: 'optional',
    purl: `pkg:npm/koffi@${version}`,
    licenses: [{ license: { id: 'MIT' } }],
  };
};
