/** `probe daemon`, `probe health` and `probe doctor` as an operator uses them. */
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { askControl, controlPath, openControl } from '../../src/agent/control.js';
import { openSpool } from '../../src/agent/spool/spool.js';
import { oneCheckProfile } from '../support/one-check.js';
import { commandLine, probe } from './command.js';

/** The light run comes every ten seconds, on a machine that does much else. */
const TEST_MS = 300_000;
t.setTimeout(TEST_MS);

const folder = mkdtempSync(join(tmpdir(), 'callpath-daemon-cli-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const file = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
};
const SECRET = 'a-token-that-nobody-may-read';
file('token', `${SECRET}\n`);
const PAGE_SECRET = 'a-password-for-the-page';
file('page-secret', `${PAGE_SECRET}\n`);

/** A third party that accepts connections, at a port that is free. */
const listener = createServer((socket) => socket.on('error', () => undefined).end());
await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
t.teardown(() => listener.close());
const address = listener.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;

file('tcp.yaml', oneCheckProfile(`{ probe: tcp-connect, transport: tcp, port: ${port} }`));

const configFor = (name: string, state: string): string =>
  file(
    name,
    `agent: { stateDirectory: "${state}", logLevel: debug }
targets:
  - name: here
    host: 127.0.0.1
    profiles: [./tcp.yaml]
    schedules: [{ kind: light, every: 10s }]
  - name: gone
    host: 127.0.0.1
    tokenFile: token
    profiles: [./tcp.yaml]
    schedules: [{ kind: sweep, every: 1h }]
exporters:
  - { type: file, path: "${folder}/results.ndjson" }
status: { listen: "127.0.0.1:0", secretFile: page-secret }
`,
  );

interface Started {
  readonly child: ChildProcess;
  readonly log: () => string;
  readonly ended: Promise<number | null>;
}

const start = (config: string, env: NodeJS.ProcessEnv = {}): Started => {
  const [command = '', ...args] = commandLine('probe', ['daemon', '--config', config]);
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    env: { PATH: process.env.PATH, HOME: folder, ...env },
  });
  let log = '';
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    log += chunk;
  });
  const ended = new Promise<number | null>((resolve) => child.on('close', resolve));
  t.teardown(() => child.kill('SIGKILL'));
  return { child, log: () => log, ended };
};

const until = async (holds: () => boolean | Promise<boolean>): Promise<void> => {
  while (!(await holds())) await new Promise((resolve) => setTimeout(resolve, 50));
};

interface HealthSeen {
  readonly jobs?: Readonly<
    Record<string, { readonly runs: number; readonly verdicts: Readonly<Record<string, string>> }>
  >;
}

t.test('a configuration is judged without running it', async (t) => {
  const good = await probe(['daemon', '--config', configFor('good.yaml', join(folder, 'unused')), '--check']);
  t.equal(good.code, 0, good.stderr);
  t.match(good.stdout, /good\.yaml: ok; 2 targets, 1 exporter, state in .*unused/);
  t.match(good.stdout, /\nlight: 1 target × \d+ packets every 10 seconds need \d+ packets\/s of 200\n/);
  const list = Array.from(
    { length: 40 },
    (_, index) => `  - { name: b${index}, host: b${index}.example, tokenFile: token }\n`,
  );
  const many = await probe(['daemon', '--config', file('many.yaml', `targets:\n${list.join('')}`), '--check']);
  t.equal(many.code, 0, many.stderr);
  const [, packets = '', needed = ''] =
    /light: 40 targets × (\d+) packets each minute need (\d+) packets\/s of 200/.exec(many.stdout) ?? [];
  t.equal(Number(needed), Math.ceil((40 * Number(packets)) / 60), many.stdout);
  t.ok(Number(packets) > 150 && Number(packets) < 400, `${packets} packets, as a light run sends`);
  t.match(
    many.stderr,
    /^warning: budget\.packetsPerSecond is 200, and all schedules together need \d+.*raise it to \d+/m,
  );
  const bad = file('bad.yaml', 'agent: { logLevel: loud }\ntargets:\n  - host: a.example\n    token: x\n');
  const judged = await probe(['daemon', '--config', bad, '--check']);
  t.equal(judged.code, 2);
  t.equal(judged.stdout, '');
  t.equal(
    judged.stderr,
    `${bad}:1:agent.logLevel: is "loud"; use one of debug, info, warn, error\n${bad}:4:targets[0].token: holds a secret; put it into a file and name the file with tokenFile\n`,
  );
  const open = file('open.yaml', 'targets:\n  - host: a.example\nstatus:\n  listen: 0.0.0.0:9893\n  secret: x\n');
  const shown = await probe(['daemon', '--config', open, '--check']);
  t.equal(shown.code, 2);
  t.match(shown.stderr, /open\.yaml:5:status\.secret: is not a key that belongs here; did you mean "secretFile"\?/);
  const bare = file('bare.yaml', 'targets:\n  - host: a.example\nstatus:\n  listen: 0.0.0.0:9893\n');
  t.match(
    (await probe(['daemon', '--config', bare, '--check'])).stderr,
    /bare\.yaml:4:status\.listen: .*use 127\.0\.0\.1:9893 or \[::1\]:9893, or set secretFile/,
  );
  const lost = file(
    'lost.yaml',
    `agent: { stateDirectory: "${folder}/lost" }\ntargets:\n  - host: 127.0.0.1\nstatus: { secretFile: nowhere }\n`,
  );
  const without = await probe(['daemon', '--config', lost]);
  t.equal(without.code, 2);
  t.match(without.stderr, /^probe: status\.secretFile: .*nowhere cannot be read \(ENOENT\)$/m);
  const run = await probe(['daemon', '--config', bad]);
  t.equal(run.code, 2);
  t.match(run.stderr, /^probe: .*bad\.yaml:1:agent\.logLevel.*\(and 1 more; .*--check" shows all\)\n$/);
  t.match((await probe(['daemon'])).stderr, /^probe: daemon: --config is missing/);
  t.match(
    (await probe(['daemon', '--config', join(folder, 'none.yaml')])).stderr,
    /none\.yaml: cannot be read \(ENOENT\)/,
  );
});

t.test('--check finds all that would stop the daemon', async (t) => {
  const short = file('short-secret', 'abc\n');
  const pages = file(
    'pages.yaml',
    `agent: { stateDirectory: "${join(folder, 'tcp.yaml', 'state')}" }
targets:
  - name: here
    host: 127.0.0.1
    profiles: [./tcp.yaml]
exporters:
  - { type: prometheus, listen: "127.0.0.1:${port}" }
  - { type: prometheus, name: open, listen: "0.0.0.0:0" }
  - { type: file, path: "${join(folder, 'tcp.yaml', 'out.ndjson')}" }
  - { type: webhook, name: hook, url: "http://127.0.0.1:1/", secretFile: "${join(folder, 'no-secret')}" }
status: { listen: "127.0.0.1:${port}", secretFile: "${short}" }
`,
  );
  const { code, stdout, stderr } = await probe(['daemon', '--config', pages, '--check']);
  t.equal(code, 2);
  t.equal(stdout, '');
  const lines = stderr.trim().replaceAll(`${pages}:`, '').split('\n');
  t.match(lines, [
    /^1:agent\.stateDirectory: .*cannot be written \(ENOTDIR\); give it to the user/,
    new RegExp(
      `^7:exporters\\[0\\]\\.listen: 127\\.0\\.0\\.1:${port} cannot be bound \\(EADDRINUSE\\); end what listens`,
    ),
    /^8:exporters\[1\]\.listen: 0\.0\.0\.0 is reachable from other hosts; set secretFile/,
    /^9:exporters\[2\]\.path: is .*out\.ndjson, which cannot be written \(ENOTDIR\); give its folder/,
    /^10:exporters\[3\]\.secretFile: names .*no-secret, which cannot be read \(ENOENT\); there is no such file, check/,
    new RegExp(`^11:status\\.listen: 127\\.0\\.0\\.1:${port} cannot be bound \\(EADDRINUSE\\); `),
    /^11:status\.secretFile: .*at least 16/,
  ]);
  t.equal(lines.length, 7, stderr);
  const taken = file(
    'taken.yaml',
    readFileSync(pages, 'utf8')
      .replace(/exporters:[\s\S]*$/, `status: { listen: "127.0.0.1:${port}" }\n`)
      .replace(/^agent.*$/m, `agent: { stateDirectory: "${join(folder, 'free')}" }`),
  );
  const page = await probe(['daemon', '--config', taken, '--check']);
  t.equal(page.code, 2, 'the page would not be there');
  t.match(
    page.stderr,
    /taken\.yaml:6:status\.listen: 127\.0\.0\.1:\d+ cannot be bound \(EADDRINUSE\); end what listens there.*\n$/,
  );
  t.notOk(readdirSync(folder).includes('free'), 'nothing is made');
});

/** What `--check` says of a configuration, without the file's name. */
const judgedLines = async (name: string, text: string): Promise<readonly string[]> => {
  const config = file(name, text);
  const { code, stdout, stderr } = await probe(['daemon', '--config', config, '--check']);
  t.same([code, stdout], [2, ''], stderr);
  return stderr.trimEnd().replaceAll(`${config}:`, '').split('\n');
};

t.test('--check tells mistakes of every kind in one round, in the order of the lines', async (t) => {
  file('short-token', 'abc\n');
  const lines = await judgedLines(
    'every-kind.yaml',
    `agent:
  logLevel: loud
  stateDirectory: "${join(folder, 'tcp.yaml', 'state')}"
confirmation: { needed: 1, of: 3 }
targets:
  - host: a.example
    tokenfile: token
    reflectors: [b.example]
    profile: [./tcp.yaml]
  - host: sip:b@example.org
    tokenFile: nowhere
    profiles: [busines-sip]
  - host: 127.0.0.1
    source: 192.0.2.77
    profiles: [./tcp.yaml]
exporters:
  - { type: webhook, ulr: "http://127.0.0.1:1/" }
  - type: prometheus
    listen: "127.0.0.1:${port}"
    secretFile: short-token
  - { type: pigeon }
  - type: webhook
    name: hook
    url: "http://127.0.0.1:1/"
    certFile: token
    secretFile: no-secret
    tokenFile: short-token
  - { type: prometheus, name: tls, listen: "127.0.0.1:0", certFile: token, keyFile: token }
status:
  listen: "127.0.0.1:${port}"
`,
  );
  t.match(lines, [
    /^2:agent\.logLevel: is "loud"; use one of/,
    /^3:agent\.stateDirectory: .*cannot be written \(ENOTDIR\); /,
    /^4:confirmation\.needed: is 1 of 3, which is no majority; raise it to 2$/,
    /^7:targets\[0\]\.tokenfile: is not a key that belongs here; did you mean "tokenFile"\?$/,
    /^9:targets\[0\]\.profile: is not a key that belongs here; did you mean "profiles"\?$/,
    /^10:targets\[1\]\.host: is "sip:b@example\.org", which is not a host \(uri\); /,
    /^11:targets\[1\]\.tokenFile: names a file that holds no token: .*ENOENT/,
    /^12:targets\[1\]\.profiles\[0\]: names a profile that cannot be used: .*did you mean business-sip\?/,
    /^14:targets\[2\]\.source: is 192\.0\.2\.77, which is not an address of this host; it has /,
    /^17:exporters\[0\]\.ulr: is not a key that belongs here; did you mean "url"\?$/,
    new RegExp(`^19:exporters\\[1\\]\\.listen: 127\\.0\\.0\\.1:${port} cannot be bound \\(EADDRINUSE\\); `),
    /^20:exporters\[1\]\.secretFile: .*short-token must hold one line of at least 16 characters$/,
    /^21:exporters\[2\]\.type: is "pigeon"; use one of file, /,
    /^25:exporters\[3\]\.certFile: certFile and keyFile belong together; set both or none$/,
    /^26:exporters\[3\]\.secretFile: names .*no-secret, which cannot be read \(ENOENT\); there is no such file/,
    /^27:exporters\[3\]\.tokenFile: .*short-token must hold one line of at least 16 characters$/,
    /^28:exporters\[4\]\.certFile: certFile and keyFile cannot be used \(ERR_OSSL_.*\); name a certificate and its key/,
    new RegExp(`^30:status\\.listen: 127\\.0\\.0\\.1:${port} cannot be bound \\(EADDRINUSE\\); `),
  ]);
  t.equal(lines.length, 18, lines.join('\n'));
});

t.test('--check beside the agent that runs: a port that is taken may be its own', async (t) => {
  const state = mkdtempSync(join(folder, 'held-'));
  const close = await openControl(controlPath(state), () => ({}));
  t.teardown(close);
  const targets = 'targets: [{ host: 127.0.0.1, source: 127.0.0.1, profiles: [./tcp.yaml] }]';
  const page = `status: { listen: "127.0.0.1:${port}" }`;
  const own = file('own.yaml', `agent: { stateDirectory: "${state}" }\n${targets}\n${page}\n`);
  const { code, stderr } = await probe(['daemon', '--config', own, '--check']);
  t.equal(code, 0, stderr);
  t.match(
    stderr,
    /^warning: status\.listen: .*EADDRINUSE.*an agent with this state folder is running: it may be its own$/m,
  );
  const misspelt = `agent: { stateDir: "${state}" }\n${targets}\n${page}\n`;
  const lines = await judgedLines('misspelt.yaml', misspelt);
  t.equal(lines.length, 1, 'whose port it is depends on the folder');
  t.match(lines[0], /^1:agent\.stateDir: is not a key that belongs here/);
});

t.test('an agent runs, says how it is, and ends in good order', { timeout: TEST_MS }, async (t) => {
  const state = join(folder, 'state');
  const config = configFor('agent.yaml', state);
  const none = await probe(['health', '--config', config]);
  t.equal(none.code, 3);
  t.match(none.stdout, /no agent answers/);

  const first = start(config);
  await until(() => first.log().includes('agent ready'));
  const second = await probe(['daemon', '--config', config]);
  t.equal(second.code, 2);
  t.match(second.stderr, /another agent runs with the state folder/);

  await until(async () => {
    const health = (await askControl(controlPath(state))) as HealthSeen | null;
    return (health?.jobs?.['here/light']?.runs ?? 0) >= 1;
  });
  const health = await probe(['health', '--config', config, '--json']);
  t.equal(health.code, 0);
  const told = JSON.parse(health.stdout) as HealthSeen;
  t.equal(told.jobs?.['here/light']?.verdicts['one-check'], 'works');
  t.match(await probe(['health', '--state', state]), { code: 0, stdout: /^healthy\n/ });

  await until(() => first.log().includes('status page ready'));
  const [, url = ''] = /"url":"([^"]+)","msg":"status page ready"/.exec(first.log()) ?? [];
  t.equal((await fetch(url)).status, 401);
  t.match(await (await fetch(`${url}readyz`)).text(), /^(not ready|ready)\n$/, 'one word is told to everybody');
  const page = await fetch(`${url}targets/here`, { headers: { authorization: `Bearer ${PAGE_SECRET}` } });
  t.equal(page.status, 200);
  t.match(await page.text(), /tcp-connect\/tcp\/\d+, 24 hours: available 100 %/);
  t.notMatch(first.log(), PAGE_SECRET);

  // A killed agent leaves its socket, its spool and its memory as they are.
  first.child.kill('SIGKILL');
  await first.ended;
  t.equal((await probe(['health', '--config', config])).code, 3);
  const again = start(config);
  await until(() => again.log().includes('agent ready'));
  t.equal((await probe(['health', '--config', config])).code, 0);
  // One that is stopped answers nobody, and still holds what is its own.
  again.child.kill('SIGSTOP');
  const intruder = await probe(['daemon', '--config', config]);
  t.equal(intruder.code, 2);
  t.match(intruder.stderr, /another agent runs with the state folder/);
  again.child.kill('SIGCONT');
  t.equal((await probe(['health', '--config', config])).code, 0);
  // Somebody who stands in the door keeps nobody in.
  const guest = connect({ path: controlPath(state), allowHalfOpen: true });
  guest.on('error', () => undefined).resume();
  await new Promise((resolve) => guest.once('end', resolve));
  again.child.kill('SIGTERM');
  t.equal(await again.ended, 0);
  guest.destroy();
  t.match(again.log(), /"why":"SIGTERM","msg":"agent ends"/);
  t.notMatch(again.log(), /defect/);
  t.notMatch(first.log() + again.log(), new RegExp(SECRET));
  t.equal(readFileSync(join(state, 'memory.json'), 'utf8').includes(SECRET), false);

  const spool = await openSpool({
    folder: join(state, 'spool'),
    policy: { maxBytes: 1e9, maxAgeMs: 1e12 },
    exporters: [],
    now: () => Date.now(),
    say: (message) => t.fail(message),
  });
  const delivered = readFileSync(join(folder, 'results.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => (JSON.parse(line) as { readonly id: string }).id);
  t.equal(new Set(delivered).size, delivered.length, 'nothing was delivered twice');
  const { records } = await spool.read(0, { records: 1000, bytes: 1e9 });
  const stored = records.map(({ record }) => record.id);
  t.same(delivered, stored.slice(0, delivered.length), 'and in order');
  t.ok(delivered.length > 0, 'the last words of an agent may wait for the next one');
  await spool.close();
  t.ok(records.some(({ record }) => record.kind === 'report' && record.target === 'here'));
  t.equal(records.filter(({ record: { body } }) => body.type === 'agent-started').length, 2);
  t.equal(records.at(-1)?.record.body.type, 'agent-stopped');
});

/** A port that is free just now. */
const freePort = async (): Promise<number> => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const bound = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
};

t.test('a probe on demand is run, and says in the log what fails', { timeout: TEST_MS }, async (t) => {
  const listen = await freePort();
  const config = file(
    'on-demand.yaml',
    `agent: { stateDirectory: "${join(folder, 'on-demand')}" }
targets:
  - { name: here, host: 127.0.0.1, profiles: [./tcp.yaml], schedules: [{ kind: sweep, every: 1h }] }
  - { name: nowhere, host: 127.0.0.1, tokenFile: token-that-goes, profiles: [./tcp.yaml], schedules: [{ kind: sweep, every: 1h }] }
exporters:
  - { type: prometheus, listen: "127.0.0.1:${listen}" }
`,
  );
  const tokenThatGoes = file('token-that-goes', `${SECRET}\n`);
  const agent = start(config);
  await until(() => agent.log().includes('agent ready'));
  rmSync(tokenThatGoes);
  const ask = (query: string, headers: Readonly<Record<string, string>> = {}): Promise<Response> =>
    fetch(`http://127.0.0.1:${listen}/probe?${query}`, { headers });

  const answer = await ask('target=here', { 'x-prometheus-scrape-timeout-seconds': '12.5' });
  t.equal(answer.status, 200);
  const metrics = await answer.text();
  t.match(metrics, /^probe_success 1$/m);
  t.match(metrics, /^callpath_check_verdict\{.*tcp-connect.*\} 0$/m);
  const debug = await (await ask('target=here&debug=true')).text();
  t.match(debug, /One check[\s\S]*Metrics that would have been returned:[\s\S]*^probe_success 1$/m);
  t.equal((await ask('target=here', { 'sec-fetch-site': 'cross-site' })).status, 403);
  t.equal((await ask('target=nowhere')).status, 500);
  await until(() => /"target":"nowhere".*token.*a probe on demand could not run/.test(agent.log()));
  t.notMatch(agent.log(), SECRET);
  agent.child.kill('SIGTERM');
  t.equal(await agent.ended, 0);
});

/** Debian's package `faketime`; the library for programs with threads. */
const FAKETIME = ['x86_64', 'aarch64']
  .map((cpu) => `/usr/lib/${cpu}-linux-gnu/faketime/libfaketimeMT.so.1`)
  .find((library) => existsSync(library));
const NEEDS_FAKETIME = { skip: FAKETIME ? false : 'needs libfaketime (Debian: faketime)', timeout: TEST_MS };

t.test(
  "the host's clock is set forward and right again: told each time, and the agent goes on",
  NEEDS_FAKETIME,
  async (t) => {
    const state = join(folder, 'clock');
    const clock = file('clock-offset', '+0d');
    const config = file(
      'clock.yaml',
      `agent: { stateDirectory: "${state}" }
targets:
  - { name: here, host: 127.0.0.1, profiles: [./tcp.yaml], schedules: [{ kind: light, every: 10s }] }
`,
    );
    const agent = start(config, {
      LD_PRELOAD: FAKETIME,
      FAKETIME_TIMESTAMP_FILE: clock,
      FAKETIME_NO_CACHE: '1',
      // Monotonic time is what a set clock leaves alone.
      DONT_FAKE_MONOTONIC: '1',
    });
    const runs = async (): Promise<number> =>
      ((await askControl(controlPath(state))) as HealthSeen | null)?.jobs?.['here/light']?.runs ?? 0;
    const told = (): readonly number[] =>
      agent
        .log()
        .split('\n')
        .flatMap((line) => {
          if (!line.includes("the host's clock was set")) return [];
          return [Math.round((JSON.parse(line) as { readonly byMs: number }).byMs / 86_400_000)];
        });
    await until(async () => (await runs()) > 0);
    for (const [index, offset] of ['+1d', '+0d'].entries()) {
      const before = await runs();
      file('clock-offset', offset);
      await until(() => told().length > index);
      await until(async () => (await runs()) > before);
    }
    t.same(told(), [1, -1], 'by so many days');
    const { code, stdout } = await probe(['health', '--config', config]);
    t.equal(code, 0, stdout);
    agent.child.kill('SIGTERM');
    t.equal(await agent.ended, 0);
  },
);

t.test('a state folder that cannot be used is said in one line', async (t) => {
  const notAFolder = file('a-file', '');
  const { code, stderr } = await probe(['daemon', '--config', configFor('nowhere.yaml', join(notAFolder, 'state'))]);
  t.equal(code, 2);
  t.match(
    stderr.trim().split('\n').at(-1),
    /^probe: daemon: the state folder .* cannot be used \((ENOTDIR|ENOENT)\); set agent\.stateDirectory$/,
  );
  t.same(readdirSync(folder).includes('a-file'), true);
});

t.test('the doctor says what can be measured here, and why not', async (t) => {
  const { stdout, stderr } = await probe(['doctor', '--json']);
  t.equal(stderr, '');
  const { findings } = JSON.parse(stdout) as { findings: readonly { what: string; ability: string; why: string }[] };
  for (const what of ['IPv4', 'IPv6', 'this site as phones see it', 'names', 'results over restarts']) {
    const finding = findings.find((one) => one.what === what);
    t.ok(finding && finding.why.length > 10 && ['yes', 'limited', 'no'].includes(finding.ability), what);
  }
  const text = await probe(['doctor']);
  t.equal(text.stdout.trim().split('\n').length, findings.length);
});
