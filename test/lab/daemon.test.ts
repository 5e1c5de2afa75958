/**
 * The daemon behind a real firewall: one lost packet and a reflector that restarts are no change, a rule that is added is
 * a confirmed one within two intervals, a reflector that dies is one event and not one per check.
 */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { askControl, controlPath } from '../../src/agent/control.js';
import { cannotRun, missingPackages } from './needs.js';
import { createNetwork } from './network.js';
import { reflector } from './parts.js';
import { ours, startPart, startProcess } from './processes.js';
import { forward } from './scenario.js';
import { ADDRESS } from './topology.js';

const missing = process.env.CI === 'true' ? [] : missingPackages();
const obstacle = cannotRun() ?? (missing.length > 0 ? `not installed: ${missing.join(' ')}` : null);

/** Six looks at intervals of ten seconds, on a machine that does much else. */
const TEST_MS = 400_000;
const LOOK_EVERY_MS = 100;

const PROFILE = `profile: signalling
title: Signalling
summary: SIP for a test
thresholds: { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.0005 }
thresholdsSources: [{ title: A test, evidence: secondary, checkedOn: 2026-11-21 }]
symptoms: { signalling: cannot-register }
requirements:
  - id: sip
    need: required
    role: signalling
    purpose: Registration and calls
    anyOf:
      - { probe: sip-options, transport: udp, port: 5060 }
      - { probe: sip-options, transport: tcp, port: 5060 }
    source: { title: A test, evidence: secondary, checkedOn: 2026-11-21 }
  - id: stun
    need: optional
    role: media
    purpose: Mapped addresses
    check: { probe: stun-binding, transport: udp, port: 3478 }
    source: { title: A test, evidence: secondary, checkedOn: 2026-11-21 }
`;

interface Line {
  readonly msg: string;
  readonly change?: {
    readonly subject: { readonly kind: string; readonly id: string };
    readonly what: string;
    readonly after: { readonly verdict: string; readonly reason: string | null };
    readonly reports: readonly string[];
    readonly members: readonly { readonly subject: { readonly kind: string } }[];
  };
  readonly event?: { readonly type: string };
}

t.setTimeout(TEST_MS);

t.test('the daemon behind a firewall', { skip: obstacle ?? false, timeout: TEST_MS }, async (t) => {
  const network = createNetwork({ topology: 'masquerade', rules: '', sysctl: {}, resolver: null, keep: false });
  t.teardown(() => network.close());
  const { directory } = network;
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  writeFileSync(join(directory, 'signalling.yaml'), PROFILE);
  const state = join(directory, 'state');
  writeFileSync(
    join(directory, 'agent.yaml'),
    JSON.stringify({
      agent: { stateDirectory: state },
      // Three looks are a host's silence: a reflector that starts on a busy machine has to be back before the third.
      confirmation: { secondLookAfter: '4s' },
      targets: [
        {
          name: 'hq',
          host: ADDRESS.target,
          tokenFile: 'token',
          profiles: ['./signalling.yaml'],
          schedules: [{ kind: 'light', every: '20s', timeout: '8s' }],
        },
      ],
    }),
  );
  const place = { directory, tokenFile, certificate: () => ({ cert: '', key: '' }) };
  const startFarEnd = () => startPart(network, reflector({ args: ['--udp', '3478,5060', '--tcp', '5060'] }), place);
  let farEnd = await startFarEnd();
  const command = ours('src/cli/probe.js', 'daemon', '--config', join(directory, 'agent.yaml'));
  const { log } = await startProcess(network, 'branch', 'daemon', command, { log: 'agent ready' });

  const lines = (): readonly Line[] =>
    readFileSync(log, 'utf8')
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Line);
  const until = async <T>(find: () => T | undefined | Promise<T | undefined>): Promise<T> => {
    for (;;) {
      const found = await find();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  };
  const changes = () => lines().flatMap(({ change }) => change ?? []);
  const job = async () => {
    const health = (await askControl(controlPath(state))) as {
      jobs?: Record<string, { runs: number; verdicts: Record<string, string> }>;
    } | null;
    return health?.jobs?.['hq/light'];
  };
  const runs = async (): Promise<number> => (await job())?.runs ?? 0;

  await until(() => lines().find(({ event }) => event?.type === 'baseline'));
  t.same(changes(), [], 'a baseline is no change');

  const nft = (args: readonly string[], input = ''): string =>
    execFileSync('ip', ['netns', 'exec', network.namespace('fw'), 'nft', ...args], { input, encoding: 'utf8' });
  const looked = async (times: number): Promise<void> => {
    const from = await runs();
    await until(async () => ((await runs()) >= from + times ? true : undefined));
  };

  // The counter of numgen begins at 0 and comes back after a million packets: exactly one is lost.
  nft(['-f', '-'], forward('udp dport 5060 numgen inc mod 1000000 0 counter drop'));
  await looked(2);
  t.match(nft(['list', 'ruleset']), /numgen inc mod 1000000 0 counter packets 1 /, 'one packet was lost');
  t.same(changes(), [], 'a lost packet is no change');

  farEnd.child.kill('SIGKILL');
  await looked(1);
  farEnd = await startFarEnd();
  await looked(2);
  t.same(changes(), [], 'a reflector that was away for one look is no change');

  const before = await runs();
  nft(['-f', '-'], forward('udp dport 5060 drop'));
  const change = await until(() => changes().find(({ subject }) => subject.kind === 'check'));
  const looks = (await runs()) - before;
  t.match(change, {
    subject: { id: 'sip-options/udp/5060' },
    what: 'changed',
    after: { verdict: 'blocked', reason: 'dropped-outbound' },
  });
  t.equal(change.reports.length, 2, 'two looks agree');
  // Two intervals with a second look each, and what was under way when the rule came or when we counted.
  t.ok(looks <= 6, `told within two intervals: ${looks} looks`);
  t.same(
    change.members.map(({ subject }) => subject.kind),
    ['service'],
    'the check and its service are one thing',
  );
  t.equal(changes().length, 1, 'and nothing else is told');

  farEnd.child.kill('SIGKILL');
  execFileSync('ip', ['netns', 'exec', network.namespace('wan'), 'ip', 'link', 'set', 'wan0', 'down']);
  const silent = await until(() => changes().find(({ subject }) => subject.kind === 'host'));
  // The firewall may answer in its place that there is no such host.
  t.match(silent, { subject: { id: ADDRESS.target }, after: { verdict: /^(silent|refuses)$/ } });
  await looked(1);
  t.same((await job())?.verdicts, { signalling: 'unknown' }, 'what cannot be known is unknown');
  t.equal(changes().length, 2, 'a reflector that dies is one change');
});
