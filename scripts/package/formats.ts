/** Archives and packages, each byte for byte the same when it is made again from the same tree. */
import { chmodSync, copyFileSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { packageRoot } from '../../src/plan/package-root.js';
import type { Platform } from './node.js';
import { runTool } from './tools.js';

/**
 * How hard to press: `small` is for releases (xz, a minute and a half for one package), `quick` for tests: not at all. One
 * thread, because the output of several depends on how many there are.
 */
type Pressing = 'small' | 'quick';

const XZ_LEVEL = 6;

/** The best that deflate gives, for three minutes: 5 % less than zip's own best. */
const DEFLATE = ['-mx=9', '-mfb=258', '-mpass=10'] as const;

export interface Making {
  readonly version: string;
  readonly made: Date;
  readonly pressing: Pressing;
  readonly maintainer: string;
  /** Where packages go. */
  readonly out: string;
  /** For what is made on the way. */
  readonly scratch: string;
}

const epochOf = (made: Date): string => String(Math.floor(made.getTime() / 1000));

/** A folder as `.tar.xz` (quickly: `.tar`), its owner root whoever made it. */
export const tarball = (folder: string, { made, pressing, out }: Making): string => {
  const isSmall = pressing === 'small';
  const press = isSmall ? ['-I', `xz -T1 -${XZ_LEVEL}`] : [];
  const file = join(out, `${basename(folder)}.tar${isSmall ? '.xz' : ''}`);
  const owner = ['--owner=0', '--group=0', '--numeric-owner'];
  const order = ['--sort=name', `--mtime=@${epochOf(made)}`, '--format=gnu'];
  runTool('tar', [...order, ...owner, ...press, '-cf', file, '-C', dirname(folder), basename(folder)]);
  return file;
};

/** A folder as `.zip`; entries in the order of their names, times in UTC, without what only Unix reads. */
export const zip = (folder: string, { pressing, out, scratch }: Making): string => {
  const file = join(out, `${basename(folder)}.zip`);
  const entries = runTool('find', [basename(folder), '-type', 'f'], { cwd: dirname(folder) });
  const input = `${entries.trim().split('\n').sort().join('\n')}\n`;
  const where = { cwd: dirname(folder), env: { ...process.env, TZ: 'UTC' } };
  if (pressing === 'quick') {
    runTool('zip', ['-q', '-X', '-D', '-0', file, '-@'], { ...where, input });
    return file;
  }
  const list = join(scratch, 'zip.list');
  writeFileSync(list, input);
  runTool('7z', ['a', '-tzip', ...DEFLATE, '-mtc=off', '-mmt=1', file, `@${list}`], where);
  return file;
};

const DEBIAN_ARCHITECTURE: Readonly<Partial<Record<Platform, string>>> = {
  'linux-x64': 'amd64',
  'linux-arm64': 'arm64',
};
const RPM_ARCHITECTURE: Readonly<Partial<Record<Platform, string>>> = {
  'linux-x64': 'x86_64',
  'linux-arm64': 'aarch64',
};

/** A version as Debian and RPM sort it: 1.0.0-rc.1 comes before 1.0.0, and says nothing of a revision. */
export const versionOfSystem = (version: string): string => version.replace('-', '~');

/** Kibibytes of a tree, as `Installed-Size` wants them. */
const sizeOf = (root: string): number => Number(runTool('du', ['-sk', '--apparent-size', root]).split('\t')[0]);

const control = (root: string, platform: Platform, { version, maintainer }: Making): string => `Package: callpath
Version: ${versionOfSystem(version)}
Architecture: ${DEBIAN_ARCHITECTURE[platform]}
Maintainer: ${maintainer}
Installed-Size: ${sizeOf(root)}
Depends: adduser, libc6 (>= 2.28), libstdc++6, libgcc-s1, libatomic1
Recommends: ca-certificates
Section: net
Priority: optional
Description: proves which firewall, NAT or SIP ALG breaks voice calls
 An active probe agent and its reflector. It sends what phones send (SIP, STUN,
 RTP, IKE, IPsec NAT-T) and says which ports and transports pass, in which
 direction the others fail, and what users will notice.
 .
 Brings its own Node.js. Neither agent nor reflector starts by itself:
 "callpath setup" writes a configuration.
`;

/** A tree below `/` as `.deb`. The tree is changed: it gets Debian's control files. */
export const deb = (root: string, platform: Platform, making: Making): string => {
  const { version, made, pressing, out } = making;
  const from = join(packageRoot(), 'packaging', 'deb');
  const folder = join(root, 'DEBIAN');
  mkdirSync(folder);
  writeFileSync(join(folder, 'control'), control(root, platform, making));
  writeFileSync(join(folder, 'conffiles'), '/etc/callpath/reflector.env\n');
  const files = runTool('find', ['.', '-path', './DEBIAN', '-prune', '-o', '-type', 'f', '-print'], { cwd: root })
    .trim()
    .split('\n')
    .map((path) => path.slice(2))
    .filter((path) => !path.startsWith('etc/'))
    .sort();
  writeFileSync(join(folder, 'md5sums'), runTool('md5sum', files, { cwd: root }));
  for (const script of ['postinst', 'prerm', 'postrm']) {
    copyFileSync(join(from, script), join(folder, script));
    chmodSync(join(folder, script), 0o755);
  }
  const file = join(out, `callpath_${versionOfSystem(version)}_${DEBIAN_ARCHITECTURE[platform]}.deb`);
  const press = pressing === 'small' ? ['-Zxz', `-z${XZ_LEVEL}`, '--threads-max=1'] : ['-Znone'];
  runTool('dpkg-deb', ['--root-owner-group', ...press, '--build', root, file], {
    env: { ...process.env, SOURCE_DATE_EPOCH: epochOf(made) },
  });
  return file;
};

/** A tree below `/` as `.rpm`. */
export const rpm = (root: string, platform: Platform, making: Making): string => {
  const { version, made, pressing, out, scratch } = making;
  const spec = join(packageRoot(), 'packaging', 'rpm', 'callpath.spec');
  const top = join(scratch, 'rpmbuild');
  const architecture = RPM_ARCHITECTURE[platform];
  const defines = {
    tree: root,
    our_version: versionOfSystem(version),
    _topdir: top,
    _binary_payload: pressing === 'small' ? `w${XZ_LEVEL}.xzdio` : 'w.ufdio',
  };
  const options = Object.entries(defines).flatMap(([name, value]) => ['--define', `${name} ${value}`]);
  runTool('rpmbuild', ['-bb', '--target', `${architecture}-linux`, ...options, spec], {
    env: { ...process.env, SOURCE_DATE_EPOCH: epochOf(made) },
  });
  const made1 = join(top, 'RPMS', architecture ?? '');
  const [name = ''] = readdirSync(made1);
  copyFileSync(join(made1, name), join(out, name));
  return join(out, name);
};
