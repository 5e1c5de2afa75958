/** Node's own program for each platform, unmodified, from its npm package: pinned by version and by what it hashes to. */
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../src/plan/package-root.js';
import { fetchPinned } from './pinned.js';
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
    const { package: name, integrity } = NODE_PINS.platforms[of];
    const spec = `${name}@${NODE_PINS.version}`;
    const archive = fetchPinned(spec, integrity, 'packaging/node.json', join(folder, 'npm'));
    runTool('tar', ['-xzf', archive, '-C', into, '--strip-components=1', ...members]);
  };
  unpack(platform, [`package/bin/${program}`, ...(platform === 'win-x64' ? [] : ['package/LICENSE'])]);
  if (platform === 'win-x64') unpack(LICENCE_FROM, ['package/LICENSE']);
  copyFileSync(join(into, 'LICENSE'), join(into, 'LICENSE.node'));
  return { program: join(into, 'bin', program), licence: join(into, 'LICENSE.node') };
};
