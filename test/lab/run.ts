/** One scenario from the first namespace to the last: builds its network, asks, compares, tidies up. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import pLimit from 'p-limit';
import * as v from 'valibot';
import { type Report, ReportSchema } from '../../src/model/report.js';
import { type Comparison, compare, mergeComparisons, withMistakes } from './compare.js';
import { diagnosisMismatches } from './diagnosed.js';
import { applyFixes, asIptables, type FixDialect, iptablesHelpers } from './fix.js';
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
  /** Puts the rules that the report proposes into the firewall, in this dialect, and asks again; null for not. */
  readonly fix: FixDialect | null;
  /** How often the probe runs, in place of what the scenario says; for soaking. */
  readonly repeat?: number;
  /** Told of each run's report as it comes. */
  readonly onReport?: (report: Report) => void;
}

export interface Outcome extends Comparison {
  readonly scenario: NamedScenario;
  readonly status: 'ok' | 'failed' | 'skipped';
  readonly ms: number;
  /** Of `--keep`: what is still there. */
  readonly kept: Network | null;
}

/** A run takes seconds, of lifetimes minutes; one that hangs is a failure of the probe and must not hold up the lab. */
const PROBE_TIMEOUT_MS = 300_000;
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

/** Options that say themselves what audio a run sends. */
const OWN_AUDIO = ['--media', '--codec', '--calls', '--quick'];

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

interface Asked {
  /** Null where the probe printed none, which `comparison` says. */
  readonly report: Report | null;
  readonly comparison: Comparison;
}

const runProbe = async (
  network: Network,
  scenario: NamedScenario,
  place: Place,
  { logs, onReport }: Pick<LabOptions, 'logs' | 'onReport'>,
): Promise<Asked> => {
  const command = ours(
    'src/cli/probe.js',
    ...['--target', scenario.target ?? ADDRESS.target, '--json'],
    ...(scenario.token === false ? [] : ['--token-file', place.tokenFile]),
    ...(scenario.profiles ?? ['business-sip']).flatMap((profile) => ['--profile', profile]),
    ...(scenario.hops ? ['--hops'] : []),
    ...(scenario.audio === true || OWN_AUDIO.some((option) => scenario.args?.includes(option)) ? [] : ['--media', '0']),
    ...(scenario.args ?? []),
  );
  const finished = await runToEnd(network, 'branch', command, { timeoutMs: PROBE_TIMEOUT_MS });
  if (logs !== null) writeFileSync(join(logs, `${scenario.name}.json`), finished.stdout);
  const report = readReport(finished);
  if (typeof report === 'string') return { report: null, comparison: failure(report) };
  onReport?.(report);
  const comparison = compare(scenario, report, finished.exitCode ?? -1);
  const mismatches = [...comparison.mismatches, ...diagnosisMismatches(scenario, report)];
  return { report, comparison: { ...comparison, mismatches } };
};

const one = <T>(value: T | readonly T[]): readonly T[] => (Array.isArray(value) ? value : [value as T]);

/**
 * A rule that lets something pass is no cure for time: where nothing is blocked or altered any more, a busy machine's
 * round trips count as well.
 */
const verdictOfFixed = (report: Report, profile: string): string => {
  const verdict = report.services.find((service) => service.profile === profile)?.verdict ?? 'unknown';
  const causes = report.services.find((service) => service.profile === profile)?.causes ?? [];
  const lines = [...report.checks, ...report.ranges];
  const lasting = causes
    .flatMap(({ because }) => because)
    .some((id) => lines.some((line) => line.id === id && (line.verdict === 'blocked' || line.verdict === 'altered')));
  return verdict === 'degraded' && !lasting ? 'works' : verdict;
};

/** What users noticed before the rules and would still notice, but for what chance brings. */
const symptomsOfFixed = (
  scenario: NamedScenario,
  before: Report,
  after: Report | null,
  profile: string,
): readonly string[] => {
  const of = (report: Report | null): readonly string[] =>
    report?.services.find((service) => service.profile === profile)?.symptoms.map(({ id }) => id) ?? [];
  const perhaps: readonly string[] = scenario.perhapsSymptoms?.[profile] ?? [];
  return of(after).filter((id) => of(before).includes(id) && !perhaps.includes(id));
};

/** The rules that the report proposes, put into the firewall: is the service well then? */
const retest = async (
  network: Network,
  scenario: NamedScenario,
  place: Place,
  before: Report,
  dialect: FixDialect,
): Promise<readonly string[]> => {
  const mended = applyFixes(network, before, dialect);
  if (mended.length === 0) return [];
  const { report: after } = await runProbe(network, { ...scenario, name: `${scenario.name}-fixed` }, place, {
    logs: null,
  });
  return before.services
    .filter(({ profile }) => mended.includes(profile))
    .flatMap(({ profile }) => {
      const wanted: readonly string[] = one(scenario.fixed?.[profile] ?? 'works');
      const got = after === null ? 'no report' : verdictOfFixed(after, profile);
      const lasting = got === 'works' ? symptomsOfFixed(scenario, before, after, profile) : [];
      return [
        ...(wanted.includes(got)
          ? []
          : [`service ${profile} after its ${dialect} fix: expected ${wanted.join(' or ')}, got ${got}`]),
        ...lasting.map((id) => `service ${profile} after its ${dialect} fix: users still notice ${id}`),
      ];
    });
};

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
  const limit = pLimit(ROUNDS_AT_ONCE);
  const rounds = Array.from({ length: options.repeat ?? scenario.repeat ?? 1 }, () =>
    limit(() => runProbe(network, scenario, place, options)),
  );
  const all = await Promise.all(rounds);
  const compared = mergeComparisons(all.map(({ comparison }) => comparison));
  const [{ report = null } = {}] = all;
  if (options.fix === null || all.length !== 1 || report === null || scenario.notFixed !== undefined) return compared;
  const unmended = await retest(network, scenario, place, report, options.fix);
  return { ...compared, mismatches: [...compared.mismatches, ...unmended] };
};

/** Keeps what the parts wrote; the directory itself goes with the network. */
const keepLogs = (network: Network, scenario: NamedScenario, logs: string): void => {
  const directory = join(logs, scenario.name);
  mkdirSync(directory, { recursive: true });
  execFileSync('sh', ['-c', 'cp "$0"/*.log "$0"/*.json "$1" 2>/dev/null || true', network.directory, directory]);
};

/** One network from its first namespace to its removal. */
const runOnce = async (scenario: NamedScenario, options: LabOptions): Promise<Outcome> => {
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
      rules: options.fix === 'iptables' ? asIptables(scenario.rules ?? '') : (scenario.rules ?? ''),
      sysctl: scenario.sysctl ?? {},
      resolver: scenario.parts?.find((part) => part.resolver !== undefined)?.resolver ?? null,
      keep: options.keep,
    });
    if (scenario.hostRules !== undefined) {
      execFileSync('ip', ['netns', 'exec', network.namespace('branch'), 'nft', '-f', '-'], {
        input: scenario.hostRules,
      });
    }
    if (scenario.carrierRules !== undefined) {
      execFileSync('ip', ['netns', 'exec', network.namespace('cgn'), 'nft', '-f', '-'], {
        input: scenario.carrierRules,
      });
    }
    if (options.fix === 'iptables') {
      for (const command of iptablesHelpers(scenario.rules ?? '')) {
        execFileSync('ip', ['netns', 'exec', network.namespace('fw'), ...command], { stdio: 'ignore' });
      }
    }
    if (options.logs !== null) mkdirSync(options.logs, { recursive: true });
    const comparison = await inNetwork(network, scenario, options);
    if (options.keep) kept = network;
    return { scenario, status: 'ok', ...comparison, ms: ms(), kept };
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    return { scenario, status: 'failed', ...failure(message), ms: ms(), kept };
  } finally {
    if (network && options.logs !== null) keepLogs(network, scenario, options.logs);
    if (network && kept) leaveUp(network);
    else network?.close();
  }
};

/** Runs in networks of their own, side by side. */
const NETWORKS_AT_ONCE = 3;
const SEVERITY = ['ok', 'skipped', 'failed'] as const;

const judged = (outcome: Outcome): Outcome => {
  const { mismatches } = withMistakes(outcome);
  return {
    ...outcome,
    mismatches,
    status: outcome.status === 'ok' && mismatches.length > 0 ? 'failed' : outcome.status,
  };
};

/** Runs a scenario. Never rejects: what goes wrong is a failed outcome. */
export const runScenario = async (scenario: NamedScenario, options: LabOptions): Promise<Outcome> => {
  const times = options.repeat ?? scenario.repeat ?? 1;
  if (scenario.eachAlone !== true || options.verifyRules || times === 1)
    return judged(await runOnce(scenario, options));
  const limit = pLimit(NETWORKS_AT_ONCE);
  const all = await Promise.all(
    Array.from({ length: times }, () => limit(() => runOnce(scenario, { ...options, repeat: 1 }))),
  );
  const status = SEVERITY.findLast((one) => all.some((outcome) => outcome.status === one)) ?? 'ok';
  return judged({
    ...{ scenario, status, ...mergeComparisons(all) },
    ms: Math.max(...all.map(({ ms }) => ms)),
    kept: all.at(-1)?.kept ?? null,
  });
};
