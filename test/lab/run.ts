/** One scenario from the first namespace to the last: builds its network, asks, compares, tidies up. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as v from 'valibot';
import { type Report, ReportSchema } from '../../src/model/report.js';
import { type Comparison, compare } from './compare.js';
import { missingFor } from './needs.js';
import { createNetwork, leaveUp, type Network } from './network.js';
import type { Place } from './part.js';
import { reflector } from './parts.js';
import { type Finished, ours, runToEnd, startPart, startProcess } from './processes.js';
import type { NamedScenario } from './scenario.js';
import { ADDRESS } from './topology.js';
import { verifyRules } from './verify.js';

export interface LabOptions {
  /** Asks the firewalls themselves with hand-made messages, and not the product. */
  readonly verifyRules: boolean;
  /** Leaves the last network up. */
  readonly keep: boolean;
  /** Where the firewall's packets are written, one file a scenario; null for nowhere. */
  readonly pcap: string | null;
  /** Where reports and the parts' logs are kept; null for nowhere. */
  readonly logs: string | null;
  /** How often the probe runs, in place of what the scenario says; for soaking. */
  readonly repeat?: number;
}

export interface Outcome extends Comparison {
  readonly scenario: NamedScenario;
  readonly status: 'ok' | 'failed' | 'skipped';
  readonly ms: number;
  /** Of `--keep`: what is still there. */
  readonly kept: Network | null;
}

/** A run takes seconds; one that hangs is a failure of the probe and must not hold up the lab. */
const PROBE_TIMEOUT_MS = 120_000;
/** Repetitions of a scenario are runs beside each other: they mostly wait, and chance does not mind company. */
const ROUNDS_AT_ONCE = 5;

const tail = (text: string): string => text.trim().split('\n').slice(-3).join(' | ').slice(0, 600);

const placeOf = (network: Network): Place => {
  const { directory } = network;
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  return {
    directory,
    tokenFile,
    certificate: (name) => {
      const cert = join(directory, `${name}.cert.pem`);
      const key = join(directory, `${name}.key.pem`);
      if (!existsSync(cert)) {
        const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
        const files = ['-keyout', key, '-out', cert, '-days', '2', '-subj', `/CN=${name}`];
        execFileSync('openssl', ['req', '-x509', ...curve, ...files], { stdio: 'ignore' });
      }
      return { cert, key };
    },
  };
};

const failure = (...mismatches: readonly string[]): Comparison => ({ mismatches, cells: [], later: [] });

const readReport = (finished: Finished): Report | string => {
  if (finished.timedOut) return `the probe did not end within ${PROBE_TIMEOUT_MS / 1000} s: ${tail(finished.stderr)}`;
  let parsed: unknown;
  try {
    parsed = JSON.parse(finished.stdout);
  } catch {
    return `the probe ended with ${finished.exitCode} and printed no report: ${tail(finished.stderr)}`;
  }
  const checked = v.safeParse(ReportSchema, parsed);
  if (checked.success) return checked.output;
  const [issue] = checked.issues;
  return `the report is not as its schema says: ${v.getDotPath(issue) ?? ''} ${issue.message}`;
};

const runProbe = async (
  network: Network,
  scenario: NamedScenario,
  place: Place,
  logs: string | null,
): Promise<Comparison> => {
  const command = ours(
    'src/cli/probe.js',
    ...['--target', scenario.target ?? ADDRESS.target, '--json'],
    ...(scenario.token === false ? [] : ['--token-file', place.tokenFile]),
    ...(scenario.profiles ?? ['business-sip']).flatMap((profile) => ['--profile', profile]),
    ...(scenario.args ?? []),
  );
  const finished = await runToEnd(network, 'branch', command, { timeoutMs: PROBE_TIMEOUT_MS });
  if (logs !== null) writeFileSync(join(logs, `${scenario.name}.json`), finished.stdout);
  const report = readReport(finished);
  return typeof report === 'string' ? failure(report) : compare(scenario, report, finished.exitCode ?? -1);
};

const merge = (all: readonly Comparison[]): Comparison => ({
  mismatches: [...new Set(all.flatMap(({ mismatches }) => mismatches))],
  cells: all.flatMap(({ cells }) => cells),
  later: all.flatMap(({ later }) => later),
});

const inNetwork = async (network: Network, scenario: NamedScenario, options: LabOptions): Promise<Comparison> => {
  const place = placeOf(network);
  if (options.pcap !== null) {
    mkdirSync(options.pcap, { recursive: true });
    const file = join(options.pcap, `${scenario.name}.pcap`);
    // Every packet shows twice, as it comes and as it goes: what changed in between is what one looks for.
    const command = ['tcpdump', '-i', 'any', '-n', '-U', '-Z', 'root', '-w', file];
    await startProcess(network, 'fw', 'tcpdump', command, { log: 'listening on' });
  }
  const parts = scenario.parts ?? [reflector()];
  const instead = options.verifyRules ? parts.filter(({ reflectorAt }) => !reflectorAt) : parts;
  await Promise.all(instead.map((part) => startPart(network, part, place)));
  if (options.verifyRules) return failure(...(await verifyRules(network, scenario, parts, place)));
  const rounds = Array.from(
    { length: options.repeat ?? scenario.repeat ?? 1 },
    () => () => runProbe(network, scenario, place, options.logs),
  );
  const all: Comparison[] = [];
  for (let at = 0; at < rounds.length; at += ROUNDS_AT_ONCE) {
    all.push(...(await Promise.all(rounds.slice(at, at + ROUNDS_AT_ONCE).map((round) => round()))));
  }
  return merge(all);
};

/** Keeps what the parts wrote; the directory itself goes with the network. */
const keepLogs = (network: Network, scenario: NamedScenario, logs: string): void => {
  const directory = join(logs, scenario.name);
  mkdirSync(directory, { recursive: true });
  execFileSync('sh', ['-c', 'cp "$0"/*.log "$0"/*.json "$1" 2>/dev/null || true', network.directory, directory]);
};

/** Runs a scenario. Never rejects: what goes wrong is a failed outcome. */
export const runScenario = async (scenario: NamedScenario, options: LabOptions): Promise<Outcome> => {
  const begun = performance.now();
  const missing = missingFor(scenario, options);
  const ms = (): number => Math.round(performance.now() - begun);
  if (missing.length > 0) {
    const reason = `not installed: ${missing.join(' ')}`;
    return { scenario, status: 'skipped', ...failure(reason), ms: ms(), kept: null };
  }
  let network: Network | null = null;
  let kept: Network | null = null;
  try {
    network = createNetwork({
      topology: scenario.topology ?? 'masquerade',
      rules: scenario.rules ?? '',
      sysctl: scenario.sysctl ?? {},
      resolver: scenario.parts?.find((part) => part.resolver !== undefined)?.resolver ?? null,
      keep: options.keep,
    });
    if (options.logs !== null) mkdirSync(options.logs, { recursive: true });
    const comparison = await inNetwork(network, scenario, options);
    if (options.keep) kept = network;
    const status = comparison.mismatches.length === 0 ? 'ok' : 'failed';
    return { scenario, status, ...comparison, ms: ms(), kept };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { scenario, status: 'failed', ...failure(message), ms: ms(), kept };
  } finally {
    if (network && options.logs !== null) keepLogs(network, scenario, options.logs);
    if (network && kept) leaveUp(network);
    else network?.close();
  }
};
