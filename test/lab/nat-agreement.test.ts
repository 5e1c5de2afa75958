/**
 * Three witnesses of every kind of NAT that the lab can make: coturn's own tool against coturn, the probe against a
 * reflector with two addresses, and the probe against two reflectors with one address each.
 */
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Report } from '../../src/model/report.js';
import { loadScenarios } from './load.js';
import { cannotRun, missingPackages } from './needs.js';
import { createNetwork, type Network } from './network.js';
import type { Part, Place } from './part.js';
import { coturn, reflector } from './parts.js';
import { ours, runToEnd, startPart } from './processes.js';
import type { NamedScenario } from './scenario.js';
import { ADDRESS } from './topology.js';

const KINDS = [
  'open-routed',
  'routed-filtered',
  'nat-full-cone',
  'nat-restricted',
  'nat-port-restricted',
  'nat-by-address',
  'nat-symmetric',
] as const;
/** What a routed network without any rule filters is nowhere said among the scenarios, because one address cannot tell. */
const OPEN_ROUTED = { mapping: 'none', filtering: 'endpoint-independent' };

const TOOL = 'turnutils_natdiscovery';
/** The tool waits seconds for each silence, a run of the probe as long; both on a busy machine. */
const ASKING_MS = 90_000;
const TEST_MS = 600_000;
const JOBS = 3;

const missing = process.env.CI === 'true' ? [] : missingPackages({ [TOOL]: 'coturn' });
const obstacle = cannotRun() ?? (missing.length > 0 ? `not installed: ${missing.join(' ')}` : null);

const PROFILE = `profile: nat
title: NAT
summary: As little as shows what a NAT does
thresholds: { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.0005 }
thresholdsSource: { title: A test, evidence: secondary, checkedOn: 2026-11-21 }
symptomWhenBlocked: cannot-register
requirements:
  - id: stun
    need: required
    role: media
    purpose: Mapped addresses
    check: { probe: stun-binding, transport: udp, port: 3478 }
    source: { title: A test, evidence: secondary, checkedOn: 2026-11-21 }
  - id: rtp
    need: required
    role: media
    purpose: Another port
    check: { probe: rtp-echo, transport: udp, port: 16384 }
    source: { title: A test, evidence: secondary, checkedOn: 2026-11-21 }
`;

interface Behaviour {
  readonly mapping: string | null;
  readonly filtering: string | null;
}

const inNetworkOf = async <T>(
  { topology, rules }: NamedScenario,
  parts: readonly Part[],
  use: (network: Network, place: Place) => Promise<T>,
): Promise<T> => {
  const network = createNetwork({
    topology: topology ?? 'masquerade',
    rules: rules ?? '',
    sysctl: {},
    resolver: null,
    keep: false,
  });
  try {
    const { directory } = network;
    const tokenFile = join(directory, 'token');
    writeFileSync(tokenFile, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
    writeFileSync(join(directory, 'nat.yaml'), PROFILE);
    const place: Place = { directory, tokenFile, certificate: () => ({ cert: '', key: '' }) };
    for (const part of parts) await startPart(network, part, place);
    return await use(network, place);
  } finally {
    network.close();
  }
};

/** `NAT with Address and Port Dependent Filtering!` as RFC 5780 and we write it. */
const said = (text: string, what: 'Mapping' | 'Filtering'): string | null =>
  new RegExp(`NAT with (.*) ${what}!`).exec(text)?.[1]?.toLowerCase().replaceAll(' ', '-') ?? null;

const askTheTool = (kind: NamedScenario): Promise<Behaviour> =>
  inNetworkOf(kind, [coturn()], async (network) => {
    // Without its local address it cannot know that there is no NAT.
    const command = [TOOL, '-m', '-f', '-L', ADDRESS.branch, ADDRESS.target];
    const { stdout } = await runToEnd(network, 'branch', command, { timeoutMs: ASKING_MS });
    const mapping = /No NAT!/.test(stdout) ? 'none' : said(stdout, 'Mapping');
    return { mapping, filtering: said(stdout, 'Filtering') };
  });

const PORTS = ['--udp', '3478,3479,16384', '--tcp', '5060'] as const;

const askTheProbe = (kind: NamedScenario, parts: readonly Part[], args: readonly string[]): Promise<Behaviour> =>
  inNetworkOf(kind, parts, async (network, { directory, tokenFile }) => {
    const command = ours(
      'src/cli/probe.js',
      ...['--target', ADDRESS.target, '--profile', join(directory, 'nat.yaml'), '--token-file', tokenFile, '--json'],
      ...['--media', '0', ...args],
    );
    const { stdout, stderr } = await runToEnd(network, 'branch', command, { timeoutMs: ASKING_MS });
    if (stdout === '') throw new Error(stderr);
    const { nat } = JSON.parse(stdout) as Report;
    return { mapping: nat.mapping, filtering: nat.filtering };
  });

t.setTimeout(TEST_MS);
t.jobs = JOBS;

for (const kind of obstacle === null ? await loadScenarios([...KINDS]) : []) {
  t.test(kind.name, { timeout: TEST_MS, buffered: true }, async (t) => {
    const truth = kind.name === 'open-routed' ? OPEN_ROUTED : kind.report?.nat;
    const expected = { mapping: truth?.mapping, filtering: truth?.filtering };
    const { target, second } = ADDRESS;
    t.same(await askTheTool(kind), expected, 'coturn and its tool');
    const two = [reflector({ listen: [target, second], args: PORTS })];
    t.same(await askTheProbe(kind, two, []), expected, 'the probe and a reflector with two addresses');
    const one = [reflector({ listen: [target], args: PORTS }), reflector({ listen: [second], args: PORTS })];
    const both = ['--reflector', target, '--reflector', second];
    t.same(await askTheProbe(kind, one, both), expected, 'the probe and two reflectors with one address each');
  });
}
if (obstacle !== null) t.test('kinds of NAT', { skip: obstacle }, async () => undefined);
