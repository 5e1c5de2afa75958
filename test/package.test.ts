/** The package as npm packs it: its commands, and what `import … from 'callpath'` gives, with types, to somebody who installed it. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../src/plan/package-root.js';
import { oneCheckProfile } from './support/one-check.js';

const root = packageRoot();
const folder = mkdtempSync(join(tmpdir(), 'callpath-package-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

/** Unpacked where npm would put it; its dependencies are those of this tree. */
const packed = JSON.parse(
  execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], {
    cwd: root,
    encoding: 'utf8',
  }),
) as readonly { readonly filename: string }[];
const modules = join(folder, 'node_modules');
mkdirSync(modules);
execFileSync('tar', ['-xzf', join(folder, packed[0]?.filename ?? ''), '-C', modules]);
execFileSync('mv', [join(modules, 'package'), join(modules, 'callpath')]);
const { dependencies } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  readonly dependencies: Readonly<Record<string, string>>;
};
for (const name of [...Object.keys(dependencies), '@types/node']) {
  mkdirSync(join(modules, name, '..'), { recursive: true });
  symlinkSync(join(root, 'node_modules', name), join(modules, name));
}

const node = (...args: readonly string[]): string =>
  execFileSync(process.execPath, args, { cwd: folder, encoding: 'utf8' });

const PROFILE = oneCheckProfile('{ probe: sip-options, transport: udp, port: 25060 }');

const PROGRAM = `import { probe, reflector, UserError, type Report } from 'callpath';

const token = 'a-token-for-a-test';
const far = await reflector({ token, udp: '25060', tcp: '25060', controlPort: 25443 });
let told = 0;
const report: Report = await probe({
  target: '127.0.0.1',
  token,
  profiles: ['./one.yaml'],
  nat: false,
  maxPps: 2000,
  onProgress: (done: number) => {
    told = done;
  },
});
await far.close();
const mistake: unknown = await probe({ target: 'https://example.org/' }).catch((error: unknown) => error);
console.log(JSON.stringify({
  verdict: report.services[0]?.verdict,
  role: report.target.role,
  told: told > 0,
  mistake: mistake instanceof UserError ? mistake.message : null,
}));
`;

t.test('a program that imports it compiles, runs and ends', async (t) => {
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
  writeFileSync(join(folder, 'one.yaml'), PROFILE);
  writeFileSync(join(folder, 'program.ts'), PROGRAM);
  const options = ['--strict', '--module', 'nodenext', '--target', 'es2023', '--lib', 'es2023', '--types', 'node'];
  node(join(root, 'node_modules', 'typescript', 'bin', 'tsc'), ...options, 'program.ts');
  const said = JSON.parse(node('program.js')) as Readonly<Record<string, unknown>>;
  t.match(said, { verdict: 'works', role: 'reflector', told: true, mistake: /target.*host/ });
});

t.test('its commands run from there', async (t) => {
  const bin = join(modules, 'callpath', 'dist', 'src', 'cli');
  t.match(node(join(bin, 'callpath.js'), '--version'), /^\d+\.\d+\.\d+/);
  t.match(node(join(bin, 'probe.js'), 'profiles', 'zoom', '--rules', 'nftables'), 'table inet');
  t.match(node(join(bin, 'probe.js'), 'explain', 'dropped'), 'What to do');
});

t.test('the page on security names the licences of all that is installed', async (t) => {
  const { packages } = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<
      Record<string, { readonly license?: string; readonly dev?: true; readonly devOptional?: true }>
    >;
  };
  const installed = Object.entries(packages).filter(([path, one]) => path !== '' && !one.dev && !one.devOptional);
  t.ok(installed.length > 20, `${installed.length} packages`);
  const page = readFileSync(join(root, 'docs', 'security.md'), 'utf8');
  const [, sentence = ''] = /Their licences are ([^;]+);/.exec(page) ?? [];
  const named = sentence.split(/, | and (?:the )?/).sort();
  const unnamed = installed.flatMap(([path, { license }]) => (license === undefined ? [path] : []));
  t.same([...new Set(installed.flatMap(([, { license }]) => license ?? []))].sort(), named);
  t.same(unnamed, ['node_modules/sip'], 'those that name none');
});
