/** `probe daemon`: from a configuration to a running agent, until a signal ends it. */
import { mkdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import type { Logger } from 'pino';
import { aboutOf } from '../agent/about.js';
import type { Rehearsal } from '../agent/config/load.js';
import type { Parts } from '../agent/config/parts.js';
import type { Config } from '../agent/config/schema.js';
import { controlPath, openControl } from '../agent/control.js';
import { startDaemon } from '../agent/daemon.js';
import { containerFinding } from '../agent/doctor.js';
import { type Health, healthOf } from '../agent/health.js';
import { createLateRunner } from '../agent/metrics/run-now.js';
import type { Speaker } from '../agent/recorder.js';
import { runnerIn } from '../agent/runner.js';
import { systemClock } from '../agent/schedule/clock.js';
import { codeOf } from '../model/error-code.js';
import { UserError } from '../model/user-error.js';
import { agentId, packageVersion } from '../probing/who.js';
import { createProbeThread, DAEMON_LIMITS } from '../run/thread/thread.js';
import { judgeConfig, loadConfig, secretsOf, stateDirectoryOf } from './agent-config.js';
import { createLog } from './agent-log.js';
import { openStatusOf } from './agent-status.js';
import { EXIT } from './main.js';
import { openExporter } from './open-exporter.js';
import { parseMistake, usage } from './options.js';
import { rehearse } from './rehearsal.js';

const OPTIONS = { config: { type: 'string' }, check: { type: 'boolean' } } as const;

const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: false, strict: true }).values;
  } catch (error) {
    throw parseMistake(error, OPTIONS);
  }
};

/** Tries the parts of a configuration as the daemon would use them, and silently. */
const rehearsalIn =
  (env: NodeJS.ProcessEnv) =>
  (parts: Parts): Promise<Rehearsal> => {
    const { stateDirectory } = parts;
    const common = {
      ...{ agentId: agentId(), version: packageVersion(), hostname: hostname() },
      ...{ labels: { agent: hostname() }, staleAfterMs: () => 0 },
      ...{ log: createLog('silent', () => []), now: systemClock().wall, probe: null },
    };
    const folder = stateDirectory === null ? null : stateDirectoryOf({ agent: { stateDirectory } }, env);
    return rehearse(parts, folder, (entry) => openExporter(entry, common, () => undefined));
  };

/** `--check`: every mistake on a line of its own, with its place and the fix. */
const checkCommand = async (file: string, env: NodeJS.ProcessEnv): Promise<number> => {
  const reading = await judgeConfig(file, env, rehearsalIn(env));
  if (!reading.ok) {
    process.stderr.write(`${reading.lines.join('\n')}\n`);
    return EXIT.usage;
  }
  const { config } = reading;
  const { budgetInWords, sendingsOf } = await import('../agent/needs.js');
  const budget = budgetInWords(await sendingsOf(config), config.budget);
  const warnings = [...reading.warnings, ...budget.warnings];
  for (const warning of warnings) process.stderr.write(`warning: ${warning}\n`);
  const count = (what: string, items: readonly unknown[]): string =>
    `${items.length} ${what}${items.length === 1 ? '' : 's'}`;
  process.stdout.write(
    `${file}: ok; ${count('target', config.targets)}, ${count('exporter', config.exporters)}, state in ${stateDirectoryOf(config, env)}\n${budget.lines.map((line) => `${line}\n`).join('')}`,
  );
  return EXIT.ok;
};

/** How the agent ends: by a signal, by itself, and at once for who does not want to wait. */
const createEnd = (log: Logger) => {
  const controller = new AbortController();
  let code: number = EXIT.ok;
  const end = (why: string, exitCode: number): void => {
    // The second signal is from somebody who does not want to wait.
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    code = exitCode;
    log.info({ why }, 'agent ends');
    controller.abort(new Error(why));
  };
  const onSignal = (name: NodeJS.Signals): void => end(name, EXIT.ok);
  return {
    signal: controller.signal,
    /** What the process exits with. */
    code: () => code,
    end,
    abort: (cause: unknown) => controller.abort(cause),
    listen: () => {
      process.on('SIGINT', onSignal);
      process.on('SIGTERM', onSignal);
    },
    close: () => {
      process.off('SIGINT', onSignal);
      process.off('SIGTERM', onSignal);
    },
  };
};

/** The socket for `probe health`, which keeps a second agent out as well. Returns how to close it. @throws UserError if there is one */
const openControlIn = async (
  stateDirectory: string,
  log: Logger,
  answer: () => unknown,
): Promise<() => Promise<void>> => {
  // What is wrong with the folder is said when it is used.
  await mkdir(stateDirectory, { recursive: true, mode: 0o750 }).catch(() => undefined);
  const lost = (): void =>
    log.warn({ stateDirectory }, 'the control socket was removed: "probe health" does not find this agent any more');
  return openControl(controlPath(stateDirectory), answer, lost).catch((error: unknown) => {
    const reason = codeOf(error);
    if (reason === 'EADDRINUSE') {
      throw new UserError(
        'usage',
        `daemon: another agent runs with the state folder ${stateDirectory}; stop it, or set agent.stateDirectory`,
      );
    }
    log.warn(
      { reason, stateDirectory },
      'the control socket cannot be opened: "probe health" will not find this agent',
    );
    return async () => undefined;
  });
};

/** Who this agent is, to whom it speaks. */
const speakerOf = (config: Config): { readonly agent: Speaker; readonly about: ReturnType<typeof aboutOf> } => {
  const about = aboutOf(config, hostname());
  const { agent: name, ...site } = about.labels;
  return { about, agent: { id: agentId(), name, ...site, version: packageVersion(), hostname: hostname() } };
};

/** The mistake of a state folder is the user's to mend. @throws UserError */
const orFolderMistake =
  (stateDirectory: string) =>
  (cause: unknown): never => {
    const reason = (cause as { code?: string }).code;
    if (reason === undefined) throw cause;
    throw new UserError(
      'usage',
      `daemon: the state folder ${stateDirectory} cannot be used (${reason}); set agent.stateDirectory`,
      { cause },
    );
  };

/** Says on the control socket how the agent is, from its first moment. */
const createAnswer = () => {
  let health: () => Health | null = () => null;
  return {
    health: () => health(),
    answer: (): unknown => health() ?? { healthy: false, problems: ['the agent is still starting'] },
    begin: (of: () => Health) => {
      health = of;
    },
  };
};

/** Runs until SIGINT or SIGTERM. @throws UserError for what the user can mend */
export const daemonCommand = async (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> => {
  const { config: file, check } = parse(argv);
  if (file === undefined) throw usage('daemon: --config is missing; name the configuration, see docs/deploy-agent.md');
  if (check) return checkCommand(file, env);
  const { config, warnings } = await loadConfig(file, env);
  const stateDirectory = stateDirectoryOf(config, env);
  const secrets = [...secretsOf(config)];
  const keepSecret = (secret: string): void => void secrets.push(secret);
  const log = createLog(config.agent.logLevel, () => secrets);
  for (const warning of warnings) log.warn(warning);
  const container = containerFinding();
  if (container.ability === 'no') log.warn({ why: container.why }, `results will not be of ${container.what}`);

  // Of the engine's two aims, speed and size, an agent that idles for years wants the second: ten megabytes less.
  setFlagsFromString('--optimize-for-size');
  const clock = systemClock();
  const end = createEnd(log);
  const { signal } = end;
  const thread = createProbeThread(DAEMON_LIMITS);
  const control = createAnswer();
  const closeControl = await openControlIn(stateDirectory, log, control.answer);
  end.listen();
  try {
    const { agent, about } = speakerOf(config);
    const onDemand = createLateRunner(config);
    const common = {
      ...{ ...about, agentId: agent.id, version: agent.version, hostname: agent.hostname, log },
      ...{ now: clock.wall, probe: onDemand.runner, health: control.health },
    };
    const daemon = await startDaemon({
      ...{ config, stateDirectory, agent, clock, log, signal },
      run: runnerIn(thread),
      exporters: await Promise.all(config.exporters.map((entry) => openExporter(entry, common, keepSecret))),
      // A supervisor starts it again; nothing is lost, because what was found is on disk.
      onFatal: (why) => end.end(why, EXIT.trouble),
    }).catch(orFolderMistake(stateDirectory));
    onDemand.begin(daemon.state.probe);
    control.begin(() => healthOf(daemon.state, { wall: clock.wall(), monotonic: clock.monotonic() }));
    const opening = openStatusOf(config, daemon.state, { clock, log, keepSecret, signal });
    const status = await opening.catch(async (error: unknown) => {
      end.abort(error);
      await daemon.ended;
      throw error;
    });
    await daemon.ended;
    await status.close();
    return end.code();
  } finally {
    await thread.close();
    await closeControl();
    end.close();
  }
};
