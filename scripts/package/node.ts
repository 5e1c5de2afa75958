/** Node's own program for each platform, unmodified, from its npm package: pinned by version and by what it hashes to. */
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/plan/package-root.js';
import { runTool } from './tools.js';

export const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64', 'win-x64'] as const;
export type Platform = (typeof PLATFORMS)[number];

interface Pins {
  readonly version: string;
  readonly platforms: Readonly<Record<Platform, { readonly package: string; readonly integrity: string }>>;
}

export const NODE_PINS = JSON.parse(readFileSync(join(packageRoot(), 'packaging', 'node.json'), 'utf8')) as Pins;

/** Windows' package holds the program alone; the licence is the same everywhere. */
const LICENCE_FROM: Platform = 'linux-x64';

/** Subresource Integrity, as npm writes it into lock files: `sha512-` and base64. */
export const integrityOf = (file: string): string =>
  `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;

const fetched = new Map<Platform, string>();

const fetchPackage = (platform: Platform, folder: string): string => {
  const before = fetched.get(platform);
  if (before !== undefined) return before;
  const { package: name, integrity } = NODE_PINS.platforms[platform];
  mkdirSync(folder, { recursive: true });
  const printed = runTool('npm', ['pack', '--silent', `${name}@${NODE_PINS.version}`, '--pack-destination', folder]);
  const file = join(folder, printed.trim().split('\n').at(-1) ?? '');
  const found = integrityOf(file);
  if (found !== integrity) {
    throw new Error(`${name}@${NODE_PINS.version} is ${found}, and packaging/node.json pins ${integrity}`);
  }
  fetched.set(platform, file);
  return file;
};

export interface NodeProgram {
  readonly program: string;
  readonly licence: string;
}

/**
 * Fetches Node for a platform and unpacks its program and licence below `folder`.
 * @throws Error if the package is not what is pinned
 */
export const fetchNode = (platform: Platform, folder: string): NodeProgram => {
  const program = platform === 'win-x64' ? 'node.exe' : 'node';
  const into = join(folder, platform);
  mkdirSync(into, { recursive: true });
  const unpack = (of: Platform, members: readonly string[]): void => {
    runTool('tar', ['-xzf', fetchPackage(of, join(folder, 'npm')), '-C', into, '--strip-components=1', ...members]);
  };
  unpack(platform, [`package/bin/${program}`, ...(platform === 'win-x64' ? [] : ['package/LICENSE'])]);
  if (platform === 'win-x64') unpack(LICENCE_FROM, ['package/LICENSE']);
  copyFileSync(join(into, 'LICENSE'), join(into, 'LICENSE.node'));
  return { program: join(into, 'bin', program), licence: join(into, 'LICENSE.node') };
};
