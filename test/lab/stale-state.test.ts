/** The firewall changes its outer address and keeps its states: the agent's old flow is dead, every new one works. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cannotRun, missingPackages } from './needs.js';
import { createNetwork } from './network.js';
import { reflector } from './parts.js';
import { ours, startPart, startProcess } from './processes.js';
import { translate } from './scenario.js';
import { ADDRESS } from './topology.js';

const missing = process.env.CI === 'true' ? [] : missingPackages();
const obstacle = cannotRun() ?? (missing.length > 0 ? `not installed: ${missing.join(' ')}` : null);

/** Some looks at intervals of twenty seconds, on a machine that does much else. */
const TEST_MS = 400_000;
const LOOK_EVERY_MS = 100;

/** Established flows go on as they were translated at first, whatever the rule says later. */
const translateTo = (address: string): string => translate(`oifname "wan0" snat to ${address}`);

const PROFILE = `profile: signalling
title: Signalling
summary: SIP for a test
thresholds: { lossRatio: 0.01, rttMs: 5000, jitterMs: 30, reorderRatio: 0.0005 }
thresholdsSources: [{ title: A test, evidence: secondary, checkedOn: 2026-11-21 }]
symptoms: { signalling: cannot-register }
requirements:
  - id: sip
    need: required
    role: signalling
    purpose: Registration and calls
    check: { probe: sip-options, transport: udp, port: 5060 }
    source: { title: A test, evidence: secondary, checkedOn: 2026-11-21 }
  - id: stun
    need: optional
    role: media
    purpose: Mapped addresses
    check: { probe: stun-binding, transport: udp, port: 3478 }
    source: { title: A test, evidence: secondary, checkedOn: 2026-11-21 }
`;

interface Line {
  readonly change?: {
    readonly subject: { readonly kind: string; readonly id: string };
    readonly after: { readonly verdict: string };
  };
  readonly event?: { readonly type: string };
}

t.setTimeout(TEST_MS);

t.test('an agent that keeps a flow', { skip: obstacle ?? false, timeout: TEST_MS }, async (t) => {
  const network = createNetwork({
    topology: 'own-nat',
    rules: translateTo(ADDRESS.firewall),
    // Longer than any pause between two looks: what is forgotten is not stale.
    sysctl: { 'net.netfilter.nf_conntrack_udp_timeout': '300', 'net.netfilter.nf_conntrack_udp_timeout_stream': '300' },
    resolver: null,
    keep: false,
  });
  t.teardown(() => network.close());
  const { directory } = network;
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  writeFileSync(join(directory, 'signalling.yaml'), PROFILE);
  writeFileSync(
    join(directory, 'agent.yaml'),
    JSON.stringify({
      agent: { stateDirectory: join(directory, 'state') },
      confirmation: { secondLookAfter: '1s' },
      targets: [
        {
          name: 'hq',
          host: ADDRESS.target,
          tokenFile: 'token',
          profiles: ['./signalling.yaml'],
          schedules: [{ kind: 'light', every: '20s', timeout: '19s' }],
        },
      ],
    }),
  );
  const place = { directory, tokenFile, certificate: () => ({ cert: '', key: '' }) };
  await startPart(network, reflector({ args: ['--udp', '3478,5060', '--tcp', '5060'] }), place);
  const command = ours('src/cli/probe.js', 'daemon', '--config', join(directory, 'agent.yaml'));
  const { log } = await startProcess(network, 'branch', 'daemon', command, { log: 'agent ready' });
  const lines = (): readonly Line[] =>
    readFileSync(log, 'utf8')
      .split('\n')
      .slice(0, -1)
      .filter((line) => line.startsWith('{'))
      .map((line) => JSON.parse(line) as Line);
  const until = async <T>(find: () => T | undefined): Promise<T> => {
    for (;;) {
      const found = find();
      if (found !== undefined) return found;
      await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
    }
  };
  const changes = () => lines().flatMap(({ change }) => change ?? []);
  const staleChange = () => changes().find(({ subject }) => subject.id === 'nat.staleState');
  await until(() => lines().find(({ event }) => event?.type === 'baseline'));

  const inFirewall = (...words: readonly string[]): void =>
    void execFileSync('ip', ['netns', 'exec', network.namespace('fw'), ...words]);
  inFirewall('nft', 'delete', 'table', 'ip', 'nat');
  execFileSync('ip', ['netns', 'exec', network.namespace('fw'), 'nft', '-f', '-'], {
    input: translateTo(ADDRESS.firewallSecond),
  });
  inFirewall('ip', 'addr', 'del', `${ADDRESS.firewall}/24`, 'dev', 'wan0');
  inFirewall('ip', 'addr', 'replace', `${ADDRESS.firewallSecond}/24`, 'dev', 'wan0');

  const stale = await until(staleChange);
  t.equal(stale.after.verdict, 'true');
  t.same(
    changes().filter(({ subject }) => subject.kind === 'check' || subject.kind === 'service'),
    [],
    'new flows work, and nothing else changed',
  );
});
