/**
 * The container image of packaging/Dockerfile, built by buildah from a package on a minimal Debian that debootstrap makes here, in
 * place of the one that a registry would give.
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { packageRoot } from '../../src/plan/package-root.js';

/** As the Dockerfile names it. */
const BASE = 'docker.io/library/debian:bookworm-slim';

/** Why none can be built here, or false; in CI a missing builder is a failure. */
export const cannotBuild = (): string | false => {
  if (process.env.CI === 'true') return false;
  const missing = ['buildah', 'debootstrap'].filter((name) => spawnSync(name, ['--version']).error !== undefined);
  return missing.length > 0 && `not installed: ${missing.join(' ')}`;
};

interface Image {
  /** Runs a program in it as its own user, to its end. @throws Error with what it said */
  readonly run: (...command: readonly string[]) => string;
  /** The image's own settings, as Docker has them. */
  readonly settings: () => {
    readonly User?: string;
    readonly Healthcheck?: { readonly Test: readonly string[] };
  };
  readonly close: () => void;
}

/** @param debFile the package for this machine's platform @throws Error with what the builder said */
export const buildImage = (debFile: string): Image => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-image-'));
  const buildah = (command: string, ...args: readonly string[]): string =>
    execFileSync(
      'buildah',
      [
        ...['--storage-driver', 'vfs', '--root', join(folder, 'storage'), '--runroot', join(folder, 'run')],
        ...[command, ...args],
      ],
      { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] },
    ).trim();
  const debian = join(folder, 'debian');
  execFileSync('debootstrap', ['--variant=minbase', 'bookworm', debian], { stdio: 'pipe' });
  const bare = buildah('from', 'scratch');
  buildah('add', '--quiet', bare, debian, '/');
  buildah('commit', '--quiet', '--rm', bare, BASE);
  rmSync(debian, { recursive: true });
  const context = join(folder, 'context');
  mkdirSync(context);
  copyFileSync(debFile, join(context, basename(debFile)));
  const chroot = ['--isolation', 'chroot'];
  const file = join(packageRoot(), 'packaging/Dockerfile');
  buildah(
    'build',
    ...chroot,
    '--pull-never',
    '--quiet',
    '--format',
    'docker',
    '--file',
    file,
    '--tag',
    'callpath',
    context,
  );
  const container = buildah('from', '--pull-never', 'callpath');
  return {
    run: (...command) => buildah('run', ...chroot, container, '--', ...command),
    settings: () => {
      const { Docker } = JSON.parse(buildah('inspect', 'callpath')) as {
        readonly Docker: { readonly config: ReturnType<Image['settings']> };
      };
      return Docker.config;
    },
    close: () => {
      buildah('rm', '--all');
      rmSync(folder, { recursive: true, force: true });
    },
  };
};
