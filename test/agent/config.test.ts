/** The agent's configuration: every mistake with its line, its path and the fix; the environment over it. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import * as v from 'valibot';
import { type ConfigReading, readConfig } from '../../src/agent/config/load.js';
import { UserError } from '../../src/model/user-error.js';

const folder = mkdtempSync(join(tmpdir(), 'callpath-config-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const token = join(folder, 'token');
writeFileSync(token, 'a token of sufficient length\n', { mode: 0o640 });
chmodSync(token, 0o640);

const FileSchema = v.strictObject({ path: v.string() });

const read = (text: string, env: NodeJS.ProcessEnv = {}): Promise<ConfigReading> => {
  const file = join(folder, 'agent.yaml');
  writeFileSync(file, text);
  return readConfig(file, {
    env,
    exporters: {
      names: ['file'],
      check: async (_type, own) => {
        const checked = v.safeParse(FileSchema, own);
        if (checked.success) return { ok: true, exporter: { open: () => Promise.reject(new Error('not opened')) } };
        const issues = checked.issues.map(({ path, message }) => ({
          path: (path ?? []).map(({ key }) => String(key)),
          message,
        }));
        return { ok: false, issues };
      },
    },
    statusSchema: async () => null,
    checkToken: (path) => {
      if (!path.endsWith('token'))
        throw new UserError('token-unreadable', `--token-file ${path}: cannot be read (ENOENT)`);
    },
  });
};

/** The mistakes, without the file's name. */
const mistakes = async (text: string, env?: NodeJS.ProcessEnv): Promise<readonly string[]> => {
  const reading = await read(text, env);
  return reading.ok ? [] : reading.lines.map((line) => line.replace(`${join(folder, 'agent.yaml')}:`, ''));
};

const FULL = `agent: { name: branch-17, stateDirectory: /var/lib/callpath, logLevel: debug, maxMemoryMegabytes: 128 }
budget: { packetsPerSecond: 100, packetsPerDay: 500000 }
confirmation: { needed: 3, of: 5, secondLookAfter: 10s, flapAfter: 6, flapWithin: 2h }
spool: { maxMegabytes: 64, maxAge: 7d }
targets:
  - name: hq
    host: reflector.example
    tokenFile: token
    profiles: [business-sip, facetime]
    transports: [udp]
    rtpRange: 10000-20000
    families: [4]
    schedules:
      - { kind: light, every: 1m }
      - { kind: sweep, every: 1h, jitter: 5m, packetsPerSecond: 80, timeout: 10m }
      - { kind: deep, cron: "0 3 * * *", timezone: Europe/Berlin, profiles: [business-sip] }
  - host: sip.carrier.example
    reflectors: [reflector.example]
    tokenFile: token
exporters:
  - { type: file, path: /var/log/callpath.ndjson }
  - { type: file, name: beside, path: results.ndjson }
`;

t.test('a whole configuration', async (t) => {
  const reading = await read(FULL);
  t.ok(reading.ok, JSON.stringify(reading));
  if (!reading.ok) return;
  t.same(reading.warnings, []);
  const [hq, carrier] = reading.config.targets;
  t.equal(hq?.tokenFile, token, 'relative to the configuration');
  t.same(
    reading.config.exporters.map(({ path }) => path),
    ['/var/log/callpath.ndjson', join(folder, 'results.ndjson')],
    'and so are the files of exporters',
  );
  t.same(
    hq?.schedules.map(({ every }) => every),
    [60_000, 3_600_000, undefined],
  );
  t.same(hq?.rtpRange, [10_000, 20_000]);
  t.same(carrier?.profiles, ['business-sip']);
  t.same(carrier?.schedules, [{ kind: 'light', every: 60_000 }], 'a light check each minute, if nothing is said');
  const least = await read('targets: [{ host: 192.0.2.1 }]\n');
  t.ok(least.ok);
  chmodSync(token, 0o644);
  const open = await read(FULL);
  t.match(open, { ok: true, warnings: [/token can be read by everybody.*chmod 640/] });
  chmodSync(token, 0o640);
});

t.test('each mistake, its place and the fix', async (t) => {
  const target = (more: string): string => `targets:\n  - host: a.example\n${more}`;
  const cases: Readonly<Record<string, readonly [text: string, ...lines: RegExp[]]>> = {
    empty: ['', /^1: is empty; a configuration begins with "targets:"$/],
    syntax: ['targets: [\n', /^\d: is not valid YAML/],
    'no targets': ['budget: {}\n', /^1:targets: is missing; add it$/],
    'an empty list': ['targets: []\n', /^1:targets: is an empty list; add a target$/],
    'a misspelt key': [
      target('    profile: [x]\n'),
      /^3:targets\[0\]\.profile: is not a key that belongs here; did you mean "profiles"\?$/,
    ],
    'a secret': [
      target('    token: hunter2hunter2\n'),
      /^3:targets\[0\]\.token: holds a secret; put it into a file and name the file with tokenFile$/,
    ],
    'a token that is not there': [
      target('    tokenFile: nowhere\n'),
      /^3:targets\[0\]\.tokenFile: names a file that holds no token: .*nowhere: cannot be read \(ENOENT\)$/,
    ],
    'a host': [
      'targets:\n  - host: sip:me@example.org\n',
      /^2:targets\[0\]\.host: is "sip:me@example\.org", which is not a host \(uri\)/,
    ],
    'a profile': [
      target('    profiles: [busines-sip]\n'),
      /^3:targets\[0\]\.profiles\[0\]: names a profile that cannot be used: .*did you mean business-sip\?/,
    ],
    'a profile file': [
      target('    profiles: [./none.yaml]\n'),
      /^3:targets\[0\]\.profiles\[0\]: .*none\.yaml: there is no such file/,
    ],
    'reflectors without a token': [
      target('    reflectors: [b.example]\n'),
      /^3:targets\[0\]\.reflectors: need the reflector's token; add tokenFile$/,
    ],
    'a duration': [
      target('    schedules: [{ kind: light, every: 5 }]\n'),
      /^3:.*every: is 5; use a duration such as 30s/,
    ],
    'too often': [
      target('    schedules: [{ kind: light, every: 1s }]\n'),
      /^3:.*every: is "1s"; use one from 10s to 7d$/,
    ],
    'neither every nor cron': [
      target('    schedules:\n      - kind: light\n'),
      /^4:targets\[0\]\.schedules\[0\]: has neither every nor cron/,
    ],
    both: [
      target('    schedules:\n      - kind: light\n        every: 1m\n        cron: "* * * * *"\n'),
      /^6:.*cron: stands beside every; keep one/,
    ],
    'a cron pattern': [
      target('    schedules:\n      - kind: deep\n        cron: "0 3 * *"\n'),
      /^5:.*cron: is "0 3 \* \*", which cannot be used/,
    ],
    'a timezone': [
      target('    schedules: [{ kind: deep, cron: "0 3 * * *", timezone: Mars/Base }]\n'),
      /^3:.*cron: .*cannot be used/,
    ],
    'two of a kind': [
      target('    schedules:\n      - { kind: light, every: 1m }\n      - { kind: light, every: 2m }\n'),
      /^5:.*kind: is "light", as in schedules\[0\]/,
    ],
    'no majority': [
      'confirmation: { needed: 1, of: 3 }\ntargets: [{ host: a.example }]\n',
      /^1:confirmation\.needed: is 1 of 3, which is no majority; raise it to 2$/,
    ],
    'more than all': [
      'confirmation: { needed: 4 }\ntargets: [{ host: a.example }]\n',
      /^1:confirmation\.needed: is 4, more than "of" \(3\)/,
    ],
    'a name twice': [
      'targets:\n  - { name: a, host: a.example }\n  - { name: a, host: b.example }\n',
      /^3:targets\[1\]\.name: is "a", as in targets\[0\]/,
    ],
    'a type of exporter': [
      'targets: [{ host: a.example }]\nexporters:\n  - type: pigeon\n',
      /^3:exporters\[0\]\.type: is "pigeon"; use one of file$/,
    ],
    "an exporter's own key": [
      'targets: [{ host: a.example }]\nexporters:\n  - type: file\n',
      /^3:exporters\[0\]\.path: /,
    ],
    'several at once': [
      'agent: { logLevel: loud }\nspool: { maxMegabytes: 1 }\ntargets: 7\n',
      /^1:agent\.logLevel/,
      /^2:spool\.maxMegabytes/,
      /^3:targets/,
    ],
    'a misspelt key and what it leaves open': [
      target('    tokenfile: token\n    reflectors: [b.example]\n    profile: [x]\n'),
      /^3:targets\[0\]\.tokenfile: .*did you mean "tokenFile"\?$/,
      /^5:targets\[0\]\.profile: .*did you mean "profiles"\?$/,
    ],
    'one value that is wrong in two ways': [
      `budget: { packetsPerSecond: 1.5 }\n${target('    source: ""\n    schedules: [{ kind: light, every: soon }]\n')}`,
      /^1:budget\.packetsPerSecond: is 1\.5; use a whole number/,
      /^4:targets\[0\]\.source: is ""; use one line of text$/,
      /^5:.*every: is "soon"; use a duration such as/,
    ],
    'a part that is wrong beside others that make no sense': [
      `agent: 7\nconfirmation: { needed: 4 }\ntargets:\n  - 7\n  - { host: "a b" }\nexporters:\n  - file\n  - { type: file }\n`,
      /^1:agent: is 7; use a map/,
      /^2:confirmation\.needed: is 4, more than "of" \(3\)/,
      /^4:targets\[0\]: is 7; use a map/,
      /^5:targets\[1\]\.host: is "a b", which is not a host/,
      /^7:exporters\[0\]: is "file"; use a map/,
      /^8:exporters\[1\]\.path: /,
    ],
    'an alias': ['targets:\n  - &a { host: a.example }\n  - *a\n', /^3:targets\[1\]: is an alias/],
  };
  for (const [name, [text, ...patterns]] of Object.entries(cases)) {
    const found = await mistakes(text);
    t.equal(found.length, patterns.length, `${name}: ${found.join(' | ')}`);
    for (const [index, pattern] of patterns.entries()) t.match(found[index], pattern, name);
  }
});

t.test('of many unknown keys the first twenty are told', async (t) => {
  const keys = Array.from({ length: 1000 }, (_, index) => `x${index}: 1\n`);
  const found = await mistakes(`targets: [{ host: a.example }]\n${keys.join('')}`);
  t.equal(found.length, 20);
  t.match(found[19], /^21:x19: is not a key that belongs here/);
});

t.test('the environment over the file', async (t) => {
  const reading = await read('targets:\n  - host: a.example\n', {
    CALLPATH__budget__packetsPerSecond: '50',
    CALLPATH__targets__0__host: '2001:db8::1',
    CALLPATH__targets__1__host: 'b.example',
    CALLPATH__agent__name: '007',
    CALLPATH_TOKEN: 'not for here',
  });
  t.match(reading, {
    ok: true,
    config: { budget: { packetsPerSecond: 50 }, targets: [{ host: '2001:db8::1' }, { host: 'b.example' }] },
  });
  t.same(await mistakes('targets:\n  - host: a.example\n', { CALLPATH__budget__packetsPerSecond: 'many' }), [
    'environment CALLPATH__budget__packetsPerSecond: is "many"; use a whole number from 10 to 20000',
  ]);
  t.match(await mistakes('targets:\n  - host: a.example\n', { CALLPATH__budget__packetPerSecond: '50' }), [
    /^environment CALLPATH__budget__packetPerSecond: .*did you mean "packetsPerSecond"/,
  ]);
  await read('targets:\n  - host: a.example\n', {
    CALLPATH____proto____polluted: 'yes',
    CALLPATH__constructor__prototype: '1',
  });
  t.equal(({} as { polluted?: string }).polluted, undefined);
});

t.test('whatever a file holds, it is judged and nothing is thrown', async (t) => {
  const hostile = fc.asyncProperty(
    fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.json(),
      fc.object().map((one) => JSON.stringify({ targets: [one] })),
    ),
    async (text) => {
      const reading = await read(text);
      return reading.ok || (reading.lines.length > 0 && reading.lines.every((line) => !/[\n\p{Cc}]/u.test(line)));
    },
  );
  const result = await fc.check(hostile, { numRuns: 60 });
  t.equal(result.failed, false, JSON.stringify(result.counterexample));
});
