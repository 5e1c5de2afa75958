/** The packages as a branch host meets them: installed, used, upgraded, removed and purged on a system without Node. */
import { type ChildProcess, execFileSync } from 'node:child_process';
import { once } from 'node:events';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t from 'tap';
import { packageRoot } from '../../src/plan/package-root.js';
import { oneCheckProfile } from '../support/one-check.js';
import { buildImage, cannotBuild } from './container.js';
import { commandOf, openSystem, type System } from './root.js';

/** Two packages are made and an agent probes every ten seconds, on a machine that does much else. */
const TEST_MS = 600_000;
t.setTimeout(TEST_MS);

const root = packageRoot();
const folder = mkdtempSync(join(tmpdir(), 'callpath-packages-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));

const make = (out: string, ...only: readonly string[]): void => {
  const args = only.flatMap((one) => ['--only', one]);
  execFileSync(process.execPath, [join(root, 'dist/scripts/package.js'), '--quick', '--out', out, ...args], {
    stdio: 'pipe',
  });
};
const first = join(folder, 'first');
make(first, 'deb:linux-x64', 'tar:linux-x64', 'tar:darwin-arm64', 'zip:win-x64');
const nameOf = (pattern: RegExp): string => join(first, readdirSync(first).find((name) => pattern.test(name)) ?? '');
const debFile = nameOf(/amd64\.deb$/);

t.test('the same commit gives the same bytes', async (t) => {
  const second = join(folder, 'second');
  make(second, 'deb:linux-x64', 'zip:win-x64');
  const sumsOf = (out: string): readonly string[] =>
    readFileSync(join(out, 'SHA256SUMS'), 'utf8')
      .split('\n')
      .filter((line) => /\.(?:deb|zip)$/.test(line));
  t.equal(sumsOf(second).length, 2);
  t.same(sumsOf(second), sumsOf(first));
  rmSync(second, { recursive: true });
});

const listing = (file: string): readonly string[] =>
  execFileSync('sh', ['-c', file.endsWith('.zip') ? `unzip -Z1 '${file}'` : `tar -tf '${file}'`], {
    encoding: 'utf8',
    maxBuffer: 1e8,
  })
    .trim()
    .split('\n');
/** The first octets of a program: ELF, PE, or Mach-O of 64 bits. */
const magicOf = (file: string, member: string): string =>
  execFileSync(
    'sh',
    [
      '-c',
      `${file.endsWith('.zip') ? `unzip -p '${file}' '${member}'` : `tar -xOf '${file}' '${member}'`} 2>/dev/null | head -c 4 | xxd -p`,
    ],
    {
      encoding: 'utf8',
    },
  ).trim();

t.test('each platform gets its own Node and its own part of koffi, and no other program', async (t) => {
  for (const [pattern, program, magic, native] of [
    [/linux-x64\.tar$/, 'lib/node', '7f454c46', ['linux_x64/koffi.node']],
    [/darwin-arm64\.tar$/, 'lib/node', 'cffaedfe', []],
    [/win-x64\.zip$/, 'lib/node.exe', '4d5a', []],
  ] as const) {
    const file = nameOf(pattern);
    const entries = listing(file);
    const member = entries.find((entry) => entry.endsWith(`/${program}`)) ?? '';
    t.ok(magicOf(file, member).startsWith(magic), `${member} of ${pattern}`);
    t.same(
      entries.filter((entry) => entry.length > 200),
      [],
      'paths that Windows takes',
    );
    t.same(
      entries
        .filter((entry) => /\/app\/.*\.(?:node|so|dylib|dll)$/.test(entry))
        .map((entry) => entry.split('/').slice(-2).join('/')),
      native,
      'native code',
    );
    for (const one of ['LICENSE', 'LICENSE.node', 'LICENSES.dependencies', 'sbom.cdx.json']) {
      t.ok(
        entries.some((entry) => entry.endsWith(`/${one}`)),
        `${one} of ${pattern}`,
      );
    }
  }
});

/** The same package under a lower version, as yesterday's. */
const lowerVersion = (): string => {
  const tree = join(folder, 'lower');
  execFileSync('dpkg-deb', ['-R', debFile, tree]);
  const change = (file: string, from: RegExp, to: string): void => {
    writeFileSync(join(tree, file), readFileSync(join(tree, file), 'utf8').replace(from, to));
  };
  change('DEBIAN/control', /^Version: .*$/m, 'Version: 0.0.1');
  change('usr/lib/callpath/app/package.json', /"version": "[^"]*"/, '"version": "0.0.1"');
  const file = join(folder, 'callpath_0.0.1_amd64.deb');
  execFileSync('dpkg-deb', ['--root-owner-group', '-Znone', '--build', tree, file], { stdio: 'pipe' });
  rmSync(tree, { recursive: true });
  return file;
};

/** Resolves with the first line that matches. @throws Error with all that was said, if the program ends before */
const said = async (child: ChildProcess, pattern: RegExp): Promise<string> => {
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) => {
      lines.push(line);
      child.emit('line', line);
    });
  }
  return new Promise((resolve, reject) => {
    child.on('line', (line: string) => {
      if (pattern.test(line)) resolve(line);
    });
    child.once('exit', (code) => reject(new Error(`ended with ${code}:\n${lines.join('\n')}`)));
  });
};

const end = async (child: ChildProcess): Promise<void> => {
  const ended = once(child, 'exit');
  child.kill('SIGTERM');
  await ended;
};

const install = (system: System, file: string): void => {
  execFileSync('cp', [file, join(system.root, 'tmp')]);
  // Not synced to a disk: the system is gone after the test.
  system.run('root', 'dpkg', '--force-unsafe-io', '-i', `/tmp/${file.split('/').at(-1)}`);
};

interface Delivered {
  readonly id: string;
}

const RESULTS = '/var/lib/callpath/results.ndjson';
const RECEIVED = '/var/lib/callpath/received.ndjson';
const RECEIVER_PORT = 9080;

/** A receiver of the webhook, which writes each record into a line of its own. */
const RECEIVER = `
const { appendFileSync } = require('node:fs');
require('node:http').createServer(async (request, response) => {
  const { records } = JSON.parse((await request.toArray()).join(''));
  for (const { id } of records) appendFileSync('${RECEIVED}', JSON.stringify({ id }) + '\\n');
  response.end();
}).listen(${RECEIVER_PORT}, '127.0.0.1', () => console.log('ready'));
`;

const PROFILE = oneCheckProfile('{ probe: sip-options, transport: udp, port: 5060 }');

t.test('a branch host without Node', async (t) => {
  const lower = lowerVersion();
  const system = openSystem();
  const children: ChildProcess[] = [];
  t.teardown(() => {
    for (const child of children) child.kill('SIGKILL');
    system.close();
  });
  t.throws(() => system.run('root', 'node', '--version'), 'there is no Node');

  install(system, lower);
  t.match(system.run('root', 'callpath', '--version'), '0.0.1');
  t.match(system.run('root', 'id', 'callpath'), /uid=\d+\(callpath\)/);

  await t.test('an ordinary user sees a report', async (t) => {
    t.match(system.run('nobody:nogroup', 'probe', 'demo', '--profile', 'facetime'), /YES/);
  });

  mkdirSync(join(system.root, 'var/lib/callpath'), { recursive: true });
  writeFileSync(join(system.root, 'etc/callpath/one.yaml'), PROFILE);
  system.run('root', 'chown', 'callpath:callpath', '/var/lib/callpath');
  const variables = {
    STATE_DIRECTORY: '/var/lib/callpath',
    REFLECTOR_OPTIONS: '--listen 127.0.0.1 --profile /etc/callpath/one.yaml --control-port 8443',
  };
  const start = (unit: string): ChildProcess => {
    const command = commandOf(system, unit, variables);
    const child = system.start('callpath:callpath', { STATE_DIRECTORY: '/var/lib/callpath' }, ...command);
    children.push(child);
    return child;
  };
  system.run(
    'root',
    'sh',
    '-c',
    'head -c 24 /dev/urandom | base64 > /var/lib/callpath/token; chown callpath: /var/lib/callpath/token; chmod 0640 /var/lib/callpath/token',
  );
  const reflector = start('callpath-reflector.service');
  await said(reflector, /listening|ready/i);

  await t.test('three answers make a configuration that the unit starts with', async (t) => {
    const written = system.run(
      ...(['root', 'callpath', 'setup', '--host', '127.0.0.1', '--token-file', '/var/lib/callpath/token'] as const),
      ...['--profile', '/etc/callpath/one.yaml'],
    );
    t.match(written, 'systemctl enable --now callpath-agent');
    const file = join(system.root, 'etc/callpath/agent.yaml');
    writeFileSync(file, readFileSync(file, 'utf8').replace('every: 1m', 'every: 10s'));
    const webhook = `{ type: webhook, url: "http://127.0.0.1:${RECEIVER_PORT}/" }`;
    appendFileSync(file, `exporters:\n  - { type: file, path: ${RESULTS} }\n  - ${webhook}\n`);
    t.match(
      system.run('callpath:callpath', 'probe', 'daemon', '--config', '/etc/callpath/agent.yaml', '--check'),
      'ok',
    );
  });

  const recordsIn = (path: string): readonly Delivered[] => {
    const file = join(system.root, path);
    if (!existsSync(file)) return [];
    // The last line may be half written.
    return readFileSync(file, 'utf8')
      .split('\n')
      .slice(0, -1)
      .map((line) => JSON.parse(line) as Delivered);
  };
  const idsIn = (path: string): readonly string[] => recordsIn(path).map(({ id }) => id);
  const until = async (agent: ChildProcess, isSo: () => boolean): Promise<void> => {
    while (!isSo()) {
      if (agent.exitCode !== null) throw new Error(`the agent ended with ${agent.exitCode}`);
      await new Promise((resolve) => setTimeout(resolve, 200));
    }
  };

  await t.test('an upgrade loses no result that waits for its receiver, and delivers none twice', async (t) => {
    const old = start('callpath-agent.service');
    await until(old, () => recordsIn(RESULTS).length >= 2);
    await end(old);
    const before = recordsIn(RESULTS);
    install(system, debFile);
    t.match(system.run('root', 'callpath', '--version'), /^0\.[1-9]/);
    const receiver = system.start('callpath:callpath', {}, '/usr/lib/callpath/node', '-e', RECEIVER);
    children.push(receiver);
    await said(receiver, /ready/);
    const agent = start('callpath-agent.service');
    await until(agent, () => recordsIn(RESULTS).length >= before.length + 2);
    await until(agent, () => before.every(({ id }) => idsIn(RECEIVED).includes(id)));
    t.match(system.run('root', 'callpath', 'health', '--config', '/etc/callpath/agent.yaml'), /^healthy/);
    await end(agent);
    await end(receiver);
    t.same(recordsIn(RESULTS).slice(0, before.length), before, 'what was delivered stands');
    for (const path of [RESULTS, RECEIVED]) {
      const ids = idsIn(path);
      t.equal(new Set(ids).size, ids.length, `none twice in ${path}`);
    }
  });

  await end(reflector);
  await t.test('removed, the state stays; purged, nothing is left', async (t) => {
    system.run('root', 'dpkg', '--remove', 'callpath');
    t.ok(existsSync(join(system.root, 'etc/callpath/agent.yaml')));
    t.ok(existsSync(join(system.root, RESULTS)));
    t.notOk(existsSync(join(system.root, 'usr/bin/callpath')));
    system.run('root', 'dpkg', '--purge', 'callpath');
    for (const path of [
      'etc/callpath',
      'var/lib/callpath',
      'usr/lib/callpath',
      'lib/systemd/system/callpath-agent.service',
    ]) {
      t.notOk(existsSync(join(system.root, path)), path);
    }
  });

  await t.test('the tarball runs from a home folder, through a link', async (t) => {
    const home = join(system.root, 'tmp/home');
    mkdirSync(home);
    execFileSync('tar', ['-xf', nameOf(/linux-x64\.tar$/), '-C', home]);
    const [name = ''] = readdirSync(home);
    system.run('root', 'chown', '-R', 'nobody', '/tmp/home');
    system.run('nobody:nogroup', 'ln', '-s', `${name}/bin/probe`, '/tmp/home/p');
    t.match(system.run('nobody:nogroup', '/tmp/home/p', 'demo', '--profile', 'facetime'), /YES/);
    const setup = ['setup', '--host', '127.0.0.1', '--no-token', '--profile', 'zoom'];
    const written = system.run('nobody:nogroup', '/tmp/home/p', ...setup);
    const file = /^(\/tmp\/\.config\/callpath\/agent\.yaml) is written/.exec(written)?.[1] ?? '';
    t.match(system.run('nobody:nogroup', '/tmp/home/p', 'daemon', '--config', file, '--check'), 'ok');
  });
});

t.test('the container image runs as its own user', { skip: cannotBuild() }, async (t) => {
  const image = buildImage(debFile);
  t.teardown(image.close);
  const { User, Healthcheck } = image.settings();
  t.equal(User, 'callpath');
  t.same(Healthcheck?.Test, ['CMD', 'probe', 'health']);
  t.match(image.run('id', '-un'), 'callpath');
  t.throws(() => image.run('node', '--version'), 'Node is in the package alone');
  t.match(image.run('reflector', '--version'), /^\d+\.\d+\.\d+/);
  const report = JSON.parse(image.run('probe', 'demo', '--json', '--media', '0')) as {
    readonly services: readonly { readonly verdict: string }[];
  };
  t.same(
    report.services.map(({ verdict }) => verdict),
    ['works', 'works', 'works'],
  );
});
