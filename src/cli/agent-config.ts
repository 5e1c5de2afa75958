/** What the agent's commands share: the configuration, where the state lies, and what exporters there are. */
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { type ConfigReading, type Rehearsal, readConfig } from '../agent/config/load.js';
import type { Parts } from '../agent/config/parts.js';
import type { Config } from '../agent/config/schema.js';
import { EXPORTER_TYPES } from '../agent/exporter-modules.js';
import { UserError } from '../model/user-error.js';
import { findToken } from '../probing/token.js';

/** Where the agent keeps what outlives it: as configured, as systemd says, or as the XDG specification does. */
export const stateDirectoryOf = (
  config: { readonly agent: { readonly stateDirectory?: string | undefined } } | null,
  env: NodeJS.ProcessEnv,
): string => {
  const chosen = config?.agent.stateDirectory ?? env.STATE_DIRECTORY?.split(':')[0];
  if (chosen) return isAbsolute(chosen) ? chosen : resolve(chosen);
  return join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'callpath', 'agent');
};

/**
 * Reads and judges a configuration.
 * @param rehearse tries what it names; nothing is tried if left out
 * @throws UserError if the file itself cannot be read
 */
export const judgeConfig = (
  file: string,
  env: NodeJS.ProcessEnv,
  rehearse?: (parts: Parts) => Promise<Rehearsal>,
): Promise<ConfigReading> =>
  readConfig(file, {
    env,
    exporters: EXPORTER_TYPES,
    statusSchema: async () => (await import('../agent/status/config.js')).StatusSchema,
    checkToken: (path) => {
      findToken(path, {});
    },
    ...(rehearse && { rehearse }),
  });

/** Reads a configuration that is to be used. @throws UserError with the first mistake and how many there are */
export const loadConfig = async (file: string, env: NodeJS.ProcessEnv) => {
  const reading = await judgeConfig(file, env);
  if (reading.ok) return reading;
  const [first = file, ...rest] = reading.lines;
  const more = rest.length === 0 ? '' : ` (and ${rest.length} more; "probe daemon --config ${file} --check" shows all)`;
  throw new UserError('config-invalid', `${first}${more}`);
};

/** The secrets that the configuration's files hold, so that no log line shows one. */
export const secretsOf = (config: Config): readonly string[] =>
  config.targets.flatMap(({ tokenFile }) => {
    if (tokenFile === undefined) return [];
    try {
      return [readFileSync(tokenFile, 'utf8').trim()];
    } catch {
      return [];
    }
  });
