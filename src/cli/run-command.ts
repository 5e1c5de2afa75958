/** `probe --target HOST`: from options to a report on stdout. */
import { createHash, randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { alternativesOf, type Profile } from '../model/profile.js';
import type { Report } from '../model/report.js';
import { UserError } from '../model/user-error.js';
import type { Resolved } from '../plan/destination.js';
import { addressesOf, type Destination, type Plan, type PlanInput, plan, questionsOf } from '../plan/plan.js';
import { loadProfile } from '../plan/profiles.js';
import { exitCode } from '../report/exit-code.js';
import { render } from '../report/render.js';
import type { ProbeThread } from '../run/thread/thread.js';
import { EXIT, packageVersion } from './main.js';
import { type ProbeOptions, usage } from './options.js';
import { findToken, warnOfExposed } from './token.js';

/** What a run asks and of whom; `probe demo` makes its own. */
export interface Prepared {
  readonly target: Destination;
  readonly reflectors: readonly Destination[];
  readonly profiles: readonly Profile[];
  readonly plan: Plan;
  readonly token: Uint8Array | null;
  readonly sessionId: Uint8Array;
  readonly notes: readonly string[];
}

const SESSION_ID_BYTES = 8;
/** How much of a hash names a host: enough to tell agents apart, too little to find the machine id again. */
const AGENT_ID_LENGTH = 16;

/** Stable per host and not reversible to it. */
export const agentId = (): string => {
  const machine = (() => {
    try {
      return readFileSync('/etc/machine-id', 'utf8').trim();
    } catch {
      return hostname();
    }
  })();
  return createHash('sha256').update(`callpath agent ${machine}`).digest('hex').slice(0, AGENT_ID_LENGTH);
};

/** UUIDv7 (RFC 9562 §5.7): 48 bits of milliseconds, then chance. */
const uuidV7 = (at: Date): string => {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(at.getTime(), 0, 6);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x70, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
};

/** A repeatable stream of chance from a seed (mulberry32), so that a plan depends on its inputs alone. */
export const seededRandom = (seed: number): (() => number) => {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

const asksSip = (profiles: readonly Profile[]): boolean =>
  profiles.some(({ requirements }) =>
    requirements.flatMap(alternativesOf).some((spec) => 'probe' in spec && spec.probe.startsWith('sip-')),
  );

/**
 * Reads everything that the options name, and plans the run.
 * @param watched by range: ports to ask besides the sample
 * @throws UserError for what the user can mend
 */
export const prepare = async (
  options: ProbeOptions,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  watched: PlanInput['watched'] = {},
): Promise<Prepared> => {
  const token = findToken(options.tokenFile, env);
  warnOfExposed(options.tokenFile ?? env.CALLPATH_TOKEN_FILE, options.strict);
  const [{ addressesOfName, readTarget, resolveDestination, withoutDns }, epdg] = await Promise.all([
    import('../plan/destination.js'),
    import('../plan/epdg.js'),
  ]);
  const { checkPlmn, hostOf, inventedAddresses, screenEpdg } = epdg;
  checkPlmn(options.plmn);
  const profiles = await Promise.all(options.profiles.map(loadProfile));
  const gateway = options.target === null ? hostOf(profiles, options.plmn) : null;
  const named = options.target ?? gateway;
  if (named === null) throw usage('--target is missing: name a reflector or a carrier, or try "probe demo"');
  const target = readTarget(named, '--target');
  const reflectorTargets = options.reflectors.map((text) => readTarget(text, '--reflector'));
  if (reflectorTargets.length > 0 && token === null) {
    throw usage("--reflector needs the reflector's token: give --token-file FILE");
  }
  const resolve = async (one: typeof target, withSip: boolean): Promise<Resolved> =>
    options.dryRun && one.kind === 'name'
      ? withoutDns(one.name, options.families)
      : resolveDestination(one, withSip, options.families, signal);
  const screened = async (resolved: Resolved): Promise<Resolved> => {
    if (options.dryRun) return screenEpdg(resolved, gateway !== null);
    const invented = await inventedAddresses(resolved, gateway !== null, (name) =>
      addressesOfName(name, options.families, signal),
    );
    return screenEpdg(resolved, gateway !== null, invented);
  };
  const [found, ...others] = await Promise.all([
    resolve(target, asksSip(profiles)).then(screened),
    ...reflectorTargets.map((one) => resolve(one, false)),
  ]);
  const sessionId = randomBytes(SESSION_ID_BYTES);
  return {
    target: found.destination,
    reflectors: others.map(({ destination }) => destination),
    profiles,
    token,
    sessionId,
    notes: [found, ...others].flatMap(({ notes }) => notes),
    plan: plan({
      profiles,
      target: found.destination,
      reflectors: others.map(({ destination }) => destination),
      hasToken: token !== null,
      rtpRange: options.rtpRange,
      transports: options.transports,
      exhaustive: options.exhaustive,
      random: seededRandom(sessionId.readUInt32BE(0)),
      portMap: new Map(),
      watched,
    }),
  };
};

/** From the lowest to the highest port of the largest range's kind: what a map of ports shows. */
const spanOf = (ranges: Plan['ranges']): readonly [from: number, to: number] | null => {
  const [widest] = [...ranges].sort((a, b) => b.to - b.from - (a.to - a.from));
  return widest ? [widest.from, widest.to + widest.step - 1] : null;
};

/** What differs between a run of a person's and one of the daemon's. */
export interface RunHow {
  readonly drawn?: { readonly isTTY?: boolean; write(text: string): unknown };
  readonly run?: ProbeThread['run'];
  /** A source port that is the same in each run, so that what firewalls remember of it shows. */
  readonly persistentPort?: number;
  /** Ports asked between those of the samples, at each address at most; a default that finds holes of 64 ports. */
  readonly scouts?: number;
}

/**
 * Runs what was prepared and reports it; when the signal fires, with what is known by then.
 * @param how an agent's way: another place for the progress than stderr, a thread that stands ready
 */
export const runPrepared = async (
  prepared: Prepared,
  options: Pick<ProbeOptions, 'source' | 'maxPps' | 'timeoutMs' | 'deep' | 'nat'>,
  signal: AbortSignal,
  how: RunHow = {},
): Promise<Report> => {
  const [{ runInThread }, { buildReport }, { localAddressFor }, { createProgress }] = await Promise.all([
    import('../run/thread/thread.js'),
    import('../report/build.js'),
    import('../net/local.js'),
    import('./progress.js'),
  ]);
  const startedAt = new Date();
  const started = performance.now();
  const questions = questionsOf(prepared.plan);
  const progress = createProgress(questions.length, how.drawn ?? process.stderr, spanOf(prepared.plan.ranges));
  const everywhere = [prepared.target, ...prepared.reflectors].flatMap(({ endpoints }) => endpoints);
  const ofFamily = (family: 4 | 6) => everywhere.find((endpoint) => endpoint.family === family)?.address;
  const routed = ([4, 6] as const).map((family) => {
    const address = ofFamily(family);
    return address ? localAddressFor(address, family) : null;
  });
  // What the user chose to send from is what the far end should see, whatever the routes would have taken.
  const local = options.source === null ? await Promise.all(routed) : [options.source];
  const output = await (how.run ?? runInThread)(
    {
      questions,
      ranges: prepared.plan.ranges,
      token: prepared.token,
      reflectorAddresses: prepared.reflectors.length > 0 ? addressesOf(prepared.reflectors) : null,
      sessionId: prepared.sessionId,
      maxPps: options.maxPps,
      timeoutMs: options.timeoutMs,
      source: options.source,
      ...(how.scouts !== undefined && { scouts: how.scouts }),
      stages: {
        deep: options.deep,
        nat: options.nat,
        ...(how.persistentPort !== undefined && { persistentPort: how.persistentPort }),
      },
    },
    signal,
    progress.update,
  );
  progress.clear();
  const named = (destination: Destination) => ({ host: destination.host, addresses: addressesOf([destination]) });
  const proven = output.identities.some(([, { identity }]) => identity !== null);
  return buildReport({
    id: uuidV7(startedAt),
    startedAt,
    durationMs: performance.now() - started,
    agent: {
      id: agentId(),
      version: packageVersion(),
      hostname: hostname(),
      platform: `${process.platform}-${process.arch}`,
    },
    target: named(prepared.target),
    reflectors: prepared.reflectors.map(named),
    localAddresses: local.flatMap((address) => address ?? []),
    profiles: prepared.profiles,
    plan: prepared.plan,
    output,
    notes: [
      ...prepared.notes,
      ...(options.nat ? [] : ['How the NAT maps and filters was not asked (--no-nat).']),
      ...(prepared.token !== null && !proven
        ? ['A token was given and no reflector proved itself with it: what answered was judged as a third party.']
        : []),
    ],
  });
};

/** Writes a report where the options say, and returns the exit code. */
export const publish = async (report: Report, options: ProbeOptions): Promise<number> => {
  const toTerminal = options.outFile === null && process.stdout.isTTY;
  const text = await render(options.output, report, {
    color: options.color ?? toTerminal,
    width: toTerminal ? Math.max(60, Math.min(process.stdout.columns ?? 80, 120)) : 80,
    verbose: options.verbose,
  });
  if (options.outFile === null) process.stdout.write(text);
  else {
    await writeFile(options.outFile, text).catch((cause: unknown) => {
      throw new UserError(
        'output-unwritable',
        `--out ${options.outFile}: cannot be written (${(cause as { code?: string }).code})`,
        { cause },
      );
    });
  }
  if (options.output !== 'nagios') return exitCode(report);
  const { renderNagios } = await import('../report/nagios.js');
  return renderNagios(report).exitCode;
};

/** The command itself. */
export const runCommand = async (options: ProbeOptions, env: NodeJS.ProcessEnv): Promise<number> => {
  const controller = new AbortController();
  const interrupt = (): void => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    controller.abort(new Error('interrupted'));
  };
  process.on('SIGINT', interrupt);
  process.on('SIGTERM', interrupt);
  const thread = options.dryRun ? null : (await import('../run/thread/thread.js')).createProbeThread();
  // It loads while the question is still being put together.
  thread?.start();
  try {
    const prepared = await prepare(options, env, controller.signal);
    if (thread === null) {
      const { renderDryRun } = await import('./dry-run.js');
      process.stdout.write(await renderDryRun(prepared, options));
      return EXIT.ok;
    }
    const report = await runPrepared(prepared, options, controller.signal, { run: thread.run });
    const code = await publish(report, options);
    return controller.signal.aborted ? EXIT.interrupted : code;
  } finally {
    process.off('SIGINT', interrupt);
    process.off('SIGTERM', interrupt);
    await thread?.close();
  }
};
