/** The product as npm installs it: its own npm package with the dependencies of the lock file, for one platform. */
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { packageRoot } from '../../src/plan/package-root.js';
import { KERNEL_PART_LICENCE, kernelPartInBill } from './kernel-part.js';
import { NODE_PINS } from './node.js';
import { lockedPackages } from './pinned.js';
import { runTool } from './tools.js';

/** What compilers, debuggers and browsers read, and a branch host never does. */
const UNUSED = /\.(?:d\.[cm]?ts|map|[cm]?ts|(?:min|umd)\.[cm]?js)$/;

/** What packages bring for those who read or change them: at their top, because folders of code have such names as well. */
const FOR_DEVELOPERS = /^(?:\..*|tests?|bench(?:marks?)?|examples?|docs?|browser|.*\.(?:md|markdown|html|sh))$/i;

/** npm's words for "what runs": our compiler is also an optional part of a library, for its types. */
const RUNS = ['--omit=dev', '--omit=optional'];

const filesBelow = (folder: string): readonly string[] =>
  readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly license?: unknown;
  /** A bundle for browsers, from a content network. */
  readonly unpkg?: string;
}

const readManifest = (file: string): Manifest => JSON.parse(readFileSync(file, 'utf8')) as Manifest;

/** The bill of materials without its random serial number and its time, so that the same input gives the same bytes. */
const writeBillOfMaterials = (app: string, file: string, made: Date): void => {
  const printed = runTool('npm', ['sbom', '--sbom-format', 'cyclonedx', ...RUNS, '--package-lock-only'], { cwd: app });
  const bill = JSON.parse(printed) as {
    serialNumber?: string;
    metadata: { timestamp: string; tools?: unknown; component: { name: string } };
    components: object[];
  };
  delete bill.serialNumber;
  delete bill.metadata.tools;
  bill.metadata.timestamp = made.toISOString();
  bill.metadata.component.name = 'callpath';
  bill.components.push(kernelPartInBill(), {
    'bom-ref': `node@${NODE_PINS.version}`,
    type: 'application',
    name: 'node',
    version: NODE_PINS.version,
    licenses: [{ license: { id: 'MIT' } }],
  });
  writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`);
};

/** The manifest of every dependency. */
const manifestsOf = (app: string): readonly string[] =>
  filesBelow(join(app, 'node_modules')).filter((path) => /node_modules\/(?:@[^/]+\/)?[^/]+\/package\.json$/.test(path));

/** Every dependency with its licence: the name that its package declares, and the text that it brings. */
const writeLicences = (app: string, file: string): void => {
  const texts: string[] = manifestsOf(app).map((path) => {
    const { name, version, license } = readManifest(path);
    const folder = dirname(path);
    const text = readdirSync(folder).find((entry) => /^licen[cs]e/i.test(entry));
    const declared = typeof license === 'string' ? license : 'none declared in package.json; see the text';
    const body = text === undefined ? '(no text in the package)' : readFileSync(join(folder, text), 'utf8').trim();
    return `${name} ${version}\nLicence: ${declared}\n\n${body}\n`;
  });
  texts.push(`koffi\nLicence: MIT\n\n(on Linux alone; its text is ${KERNEL_PART_LICENCE})\n`);
  writeFileSync(file, texts.join(`\n${'-'.repeat(78)}\n\n`));
};

/** Packs this checkout as npm would publish it. @returns the archive */
export const packSource = (folder: string): string => {
  mkdirSync(folder, { recursive: true });
  const args = ['pack', '--silent', '--ignore-scripts', '--pack-destination', folder];
  const printed = runTool('npm', args, { cwd: packageRoot() });
  return join(folder, printed.trim().split('\n').at(-1) ?? '');
};

export interface App {
  readonly folder: string;
  readonly billOfMaterials: string;
  readonly licences: string;
  readonly version: string;
}

/** koffi comes with each package for its own platform (kernel-part.ts). */
const KERNEL_PART = /^node_modules\/(?:koffi|@koromix\/.*)$/;

/** What is optional is left out, and what is for some platforms alone would be there on all of them. */
const refuseNativeParts = (): void => {
  for (const [name, { dev, devOptional, optional, os, cpu }] of Object.entries(lockedPackages())) {
    if (dev === true || devOptional === true || KERNEL_PART.test(name)) continue;
    if (optional === true || (os ?? cpu) !== undefined) {
      throw new Error(`${name} is optional or for some platforms alone; packages hold the same JavaScript everywhere`);
    }
  }
};

/**
 * Installs the packed product with its dependencies into `folder`, as the lock file says and without any script. It is
 * JavaScript alone, the same for each platform.
 * @throws Error if a dependency is for some platforms alone
 */
export const installApp = (archive: string, folder: string, made: Date): App => {
  refuseNativeParts();
  rmSync(folder, { recursive: true, force: true });
  const app = join(folder, 'app');
  mkdirSync(app, { recursive: true });
  runTool('tar', ['-xzf', archive, '-C', app, '--strip-components=1']);
  for (const file of ['package-lock.json', '.npmrc']) copyFileSync(join(packageRoot(), file), join(app, file));
  runTool('npm', ['ci', ...RUNS, '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: app });
  const billOfMaterials = join(folder, 'sbom.cdx.json');
  const licences = join(folder, 'LICENSES.dependencies');
  writeBillOfMaterials(app, billOfMaterials, made);
  writeLicences(app, licences);
  // npm's note of what it installed names where each package came from.
  for (const left of ['package-lock.json', '.npmrc', 'node_modules/.package-lock.json', 'node_modules/.bin']) {
    rmSync(join(app, left), { recursive: true, force: true });
  }
  for (const manifest of manifestsOf(app)) {
    const { unpkg } = readManifest(manifest);
    if (unpkg !== undefined) rmSync(join(dirname(manifest), unpkg), { force: true });
    for (const name of readdirSync(dirname(manifest))) {
      if (FOR_DEVELOPERS.test(name)) rmSync(join(dirname(manifest), name), { recursive: true });
    }
  }
  for (const file of filesBelow(app)) if (UNUSED.test(file)) rmSync(file);
  const { version } = readManifest(join(app, 'package.json'));
  if (!existsSync(join(app, 'dist/src/cli/callpath.js'))) throw new Error('the npm package has no command in it');
  return { folder: app, billOfMaterials, licences, version };
};
