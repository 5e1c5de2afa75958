/** `probe daemon`: from a configuration to a running agent, until a signal ends it. */
import { mkdir, readFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { aboutOf } from '../agent/about.js';
import type { Rehearsal } from '../agent/config/load.js';
import type { Parts } from '../agent/config/parts.js';
import { nameOfExporter } from '../agent/config/rules.js';
import type { Config } from '../agent/config/schema.js';
import { controlPath, openControl } from '../agent/control.js';
import { startDaemon } from '../agent/daemon.js';
import { containerFinding } from '../agent/doctor.js';
import { EXPORTER_TYPES, type ExporterDeps } from '../agent/exporter-modules.js';
import type { Exporter } from '../agent/exporters/contract.js';
import { type Health, healthOf } from '../agent/health.js';
import { createLateRunner } from '../agent/metrics/run-now.js';
import { runnerIn } from '../agent/runner.js';
import { systemClock } from '../agent/schedule/clock.js';
import { UserError } from '../model/user-error.js';
import { agentId, packageVersion } from '../probing/who.js';
import { createProbeThread, DAEMON_LIMITS } from '../run/thread/thread.js';
import { judgeConfig, loadConfig, secretsOf, stateDirectoryOf } from './agent-config.js';
import { createLog } from './agent-log.js';
import { openStatusOf } from './agent-status.js';
import { EXIT } from './main.js';
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

/** Opens a configured exporter. What it reads from files is taken for secret. @throws UserError */
const openExporter = async (
  entry: Config['exporters'][number],
  common: Omit<ExporterDeps, 'name' | 'readFile'>,
  keepSecret: (secret: string) => void,
): Promise<Exporter> => {
  const name = nameOfExporter(entry);
  const { type, name: _name, ...own } = entry;
  const checked = await EXPORTER_TYPES.check(type, own);
  if (!checked.ok) throw new UserError('config-invalid', `exporter ${name}: ${checked.issues[0]?.message}`);
  return checked.exporter.open({
    ...common,
    name,
    readFile: async (file) => {
      const content = await readFile(file).catch((cause: unknown) => {
        const reason = (cause as { code?: string }).code ?? 'unknown error';
        throw new UserError('config-invalid', `exporter ${name}: ${file} cannot be read (${reason})`, { cause });
      });
      keepSecret(content.toString('utf8').trim());
      return content;
    },
  });
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

/** Runs until SIGINT or SIGTERM. @throws UserError for what the user can mend */
export const daemonCommand = async (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> => {
  const { config: file, check } = parse(argv);
  if (file === undefined) throw usage('daemon: --config is missing; name the configuration, see docs/deploy-agent.md');
  if (check) return checkCommand(file, env);
  const { config, warnings } = await loadConfig(file, env);
  const stateDirectory = stateDirectoryOf(config, env);
  const secrets = [...secretsOf(config)];
  const log = createLog(config.agent.logLevel, () => secrets);
  for (const warning of warnings) log.warn(warning);
  const container = containerFinding();
  if (container.ability === 'no') log.warn({ why: container.why }, `results will not be of ${container.what}`);

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

  // Of the engine's two aims, speed and size, an agent that idles for years wants the second: ten megabytes less.
  setFlagsFromString('--optimize-for-size');
  const clock = systemClock();
  const thread = createProbeThread(DAEMON_LIMITS);
  let health: () => Health | null = () => null;
  let answer: () => unknown = () => ({ healthy: false, problems: ['the agent is still starting'] });
  // What is wrong with the folder is said when it is used.
  await mkdir(stateDirectory, { recursive: true, mode: 0o750 }).catch(() => undefined);
  const lost = (): void =>
    log.warn({ stateDirectory }, 'the control socket was removed: "probe health" does not find this agent any more');
  const closeControl = await openControl(controlPath(stateDirectory), () => answer(), lost).catch((error: unknown) => {
    const reason = (error as { code?: string }).code ?? String(error);
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
  process.on('SIGINT', onSignal);
  process.on('SIGTERM', onSignal);
  try {
    const about = aboutOf(config, hostname());
    const { agent: name, ...site } = about.labels;
    const agent = { id: agentId(), name, ...site, version: packageVersion(), hostname: hostname() };
    const onDemand = createLateRunner(config);
    const common = {
      ...about,
      ...{ agentId: agent.id, version: agent.version, hostname: agent.hostname },
      log,
      now: clock.wall,
      probe: onDemand.runner,
      health: () => health(),
    };
    const daemon = await startDaemon({
      config,
      stateDirectory,
      agent,
      run: runnerIn(thread),
      exporters: await Promise.all(
        config.exporters.map((entry) => openExporter(entry, common, (secret) => secrets.push(secret))),
      ),
      clock,
      log,
      // A supervisor starts it again; nothing is lost, because what was found is on disk.
      onFatal: (why) => end(why, EXIT.trouble),
      signal: controller.signal,
    }).catch((cause: unknown) => {
      const reason = (cause as { code?: string }).code;
      if (reason === undefined) throw cause;
      throw new UserError(
        'usage',
        `daemon: the state folder ${stateDirectory} cannot be used (${reason}); set agent.stateDirectory`,
        { cause },
      );
    });
    onDemand.begin(daemon.state.probe);
    health = () => healthOf(daemon.state, { wall: clock.wall(), monotonic: clock.monotonic() });
    answer = health;
    const keepSecret = (secret: string) => secrets.push(secret);
    const status = await openStatusOf(config, daemon.state, {
      clock,
      log,
      keepSecret,
      signal: controller.signal,
    }).catch(async (error: unknown) => {
      controller.abort(error);
      await daemon.ended;
      throw error;
    });
    await daemon.ended;
    await status.close();
    return code;
  } finally {
    await thread.close();
    await closeControl();
    process.off('SIGINT', onSignal);
    process.off('SIGTERM', onSignal);
  }
};
