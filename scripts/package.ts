/**
 * `npm run package`: makes what a branch host installs, from this checkout and the npm registry alone. Each package brings
 * Node's own program, so that the host needs none.
 */
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../src/plan/package-root.js';
import { type App, installApp, packSource } from './package/app.js';
import { documentsFor } from './package/documents.js';
import { deb, type Making, rpm, tarball, zip } from './package/formats.js';
import { fetchKernelPart } from './package/kernel-part.js';
import { type Family, portableFolder, systemRoot } from './package/layout.js';
import { fetchNode, PLATFORMS, type Platform } from './package/node.js';
import { runTool } from './package/tools.js';

const HELP = `Makes packages that bring their own Node.js.

Usage: npm run package -- [options]

Options:
  --only FORMAT:PLATFORM   these alone (repeatable), for instance deb:linux-x64; formats are deb, rpm,
                           tar and zip, platforms ${PLATFORMS.join(', ')}
  --out FOLDER             where they go (default packages)
  --quick                  presses nothing: for tests
  --version VERSION        another version than package.json's
  --maintainer "NAME <MAIL>"  who answers for the package (default: a placeholder at example.org)
  --help
`;

type Format = 'deb' | 'rpm' | 'tar' | 'zip';

/** What each platform's people expect. */
const ALL: readonly (readonly [Format, Platform])[] = [
  ['deb', 'linux-x64'],
  ['deb', 'linux-arm64'],
  ['rpm', 'linux-x64'],
  ['rpm', 'linux-arm64'],
  ['tar', 'linux-x64'],
  ['tar', 'linux-arm64'],
  ['tar', 'darwin-x64'],
  ['tar', 'darwin-arm64'],
  ['zip', 'win-x64'],
];

const { values } = parseArgs({
  options: {
    only: { type: 'string', multiple: true },
    out: { type: 'string', default: 'packages' },
    quick: { type: 'boolean', default: false },
    version: { type: 'string' },
    maintainer: { type: 'string', default: 'callpath contributors <callpath@example.org>' },
    help: { type: 'boolean', default: false },
  },
});

const chosen = ALL.filter(([format, platform]) => values.only?.includes(`${format}:${platform}`) ?? true);
const unknown = values.only?.find((one) => !ALL.some(([format, platform]) => one === `${format}:${platform}`));

/** The time of the last commit, or what SOURCE_DATE_EPOCH says (reproducible-builds.org): never the clock. */
const sourceDate = (): Date => {
  const given = process.env.SOURCE_DATE_EPOCH;
  const seconds = given ?? runTool('git', ['log', '-1', '--format=%ct'], { cwd: packageRoot() }).trim();
  return new Date(Number(seconds) * 1000);
};

const completionFor = (app: string, shell: string): string =>
  runTool(process.execPath, [join(app, 'dist/src/cli/probe.js'), 'completion', shell]);

const makeFor = (platform: Platform, formats: readonly Format[], app: App, making: Making): readonly string[] => {
  const scratch = join(making.scratch, platform);
  const node = fetchNode(platform, join(making.scratch, 'node'));
  const native = fetchKernelPart(platform, join(making.scratch, 'native'));
  const parts = { app, node, native, made: making.made };
  const here = { ...making, scratch };
  const portable = join(scratch, `callpath-${making.version}-${platform}`);
  if (formats.includes('tar') || formats.includes('zip')) portableFolder(portable, platform, parts);
  const root = (family: Family): string => {
    const folder = join(scratch, family);
    systemRoot(folder, family, parts, {
      documents: documentsFor(family, app, node, making),
      completions: {
        bash: completionFor(app.folder, 'bash'),
        zsh: completionFor(app.folder, 'zsh'),
        fish: completionFor(app.folder, 'fish'),
      },
    });
    return folder;
  };
  const make: Readonly<Record<Format, () => string>> = {
    tar: () => tarball(portable, here),
    zip: () => zip(portable, here),
    deb: () => deb(root('debian'), platform, here),
    rpm: () => rpm(root('rpm'), platform, here),
  };
  const made = formats.map((format) => make[format]());
  rmSync(scratch, { recursive: true });
  return made;
};

const say = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

const main = (): void => {
  const out = resolve(values.out);
  // What others may read in the packages does not depend on who makes them.
  process.umask(0o022);
  mkdirSync(out, { recursive: true });
  const scratch = mkdtempSync(join(tmpdir(), 'callpath-package-'));
  try {
    const { version } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as { version: string };
    const making: Making = {
      version: values.version ?? version,
      made: sourceDate(),
      pressing: values.quick ? 'quick' : 'small',
      maintainer: values.maintainer,
      out,
      scratch,
    };
    const app = installApp(packSource(join(scratch, 'source')), join(scratch, 'app'), making.made);
    for (const platform of PLATFORMS) {
      const formats = chosen.filter(([, of]) => of === platform).map(([format]) => format);
      if (formats.length === 0) continue;
      say(`${platform}: ${formats.join(', ')}`);
      for (const file of makeFor(platform, formats, app, making)) {
        say(`  ${basename(file)}  ${(statSync(file).size / 1e6).toFixed(1)} MB`);
      }
    }
    const sums = readdirSync(out)
      .filter((name) => name !== 'SHA256SUMS')
      .sort()
      .map(
        (name) =>
          `${createHash('sha256')
            .update(readFileSync(join(out, name)))
            .digest('hex')}  ${name}\n`,
      );
    writeFileSync(join(out, 'SHA256SUMS'), sums.join(''));
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
};

if (values.help) process.stdout.write(HELP);
else if (unknown !== undefined) {
  say(`package: --only ${unknown}: none of ${ALL.map(([format, platform]) => `${format}:${platform}`).join(', ')}`);
  process.exitCode = 2;
} else main();
