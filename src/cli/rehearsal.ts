/** What `--check` tries beside reading the file: all that would stop the daemon, or leave it without a part. Leaves nothing behind. */
import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { nameOfExporter } from '../agent/config/rules.js';
import type { Config } from '../agent/config/schema.js';
import { askControl, controlPath } from '../agent/control.js';
import type { Exporter } from '../agent/exporters/contract.js';
import { UserError } from '../model/user-error.js';

interface Rehearsal {
  readonly mistakes: readonly string[];
  readonly warnings: readonly string[];
}

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);

/** The folder itself, or the nearest one above it, in which it would be made. */
const nearestFolder = async (path: string): Promise<string> => {
  const found = await stat(path).catch((error: unknown) => codeOf(error));
  const above = dirname(path);
  return found === 'ENOENT' && above !== path ? nearestFolder(above) : path;
};

/** Why nothing can be written there; null if it can. */
const unwritable = async (folder: string): Promise<string | null> => {
  const nearest = await nearestFolder(folder);
  try {
    if (!(await stat(nearest)).isDirectory()) return 'ENOTDIR';
    await access(nearest, constants.W_OK | constants.X_OK);
    return null;
  } catch (error) {
    return codeOf(error);
  }
};

/** Keys that name a file which is read, and those that name one which is written. */
const READ = /File$/;
const filesOf = (settings: Readonly<Record<string, unknown>>, matches: (key: string) => boolean) =>
  Object.entries(settings).flatMap(([key, value]) =>
    matches(key) && typeof value === 'string' ? [{ key, file: value }] : [],
  );

const exporterMistakes = async (
  entry: Config['exporters'][number],
  open: (entry: Config['exporters'][number]) => Promise<Exporter>,
): Promise<readonly string[]> => {
  const name = nameOfExporter(entry);
  // It listens, and connects nowhere: opening it is trying it.
  if (entry.type === 'prometheus') {
    try {
      await (await open(entry)).close();
      return [];
    } catch (error) {
      if (error instanceof UserError) return [error.message];
      throw error;
    }
  }
  const read = await Promise.all(
    filesOf(entry, (key) => READ.test(key)).map(({ key, file }) =>
      access(file, constants.R_OK).then(
        () => null,
        (error: unknown) => `exporter ${name}: ${key} ${file} cannot be read (${codeOf(error)})`,
      ),
    ),
  );
  const written = await Promise.all(
    filesOf(entry, (key) => key === 'path').map(async ({ key, file }) => {
      const why = await unwritable(dirname(file));
      return why === null ? null : `exporter ${name}: ${key} ${file} cannot be written (${why})`;
    }),
  );
  return [...read, ...written].filter((line) => line !== null);
};

const statusMistake = async (config: Config): Promise<readonly string[]> => {
  if (config.status === undefined) return [];
  const [v, { tryStatus }, { StatusSchema }] = await Promise.all([
    import('valibot'),
    import('../agent/status/open.js'),
    import('../agent/status/config.js'),
  ]);
  try {
    await tryStatus(v.parse(StatusSchema, config.status));
    return [];
  } catch (error) {
    if (error instanceof UserError) return [error.message];
    throw error;
  }
};

/** @param open opens one exporter as the daemon would */
export const rehearse = async (
  config: Config,
  stateDirectory: string,
  open: (entry: Config['exporters'][number]) => Promise<Exporter>,
): Promise<Rehearsal> => {
  const folder = await unwritable(stateDirectory);
  const mistakes = [
    ...(folder === null
      ? []
      : [
          `agent.stateDirectory: ${stateDirectory} cannot be written (${folder}); give it to the user that runs the agent, or name another folder`,
        ]),
    ...(await Promise.all(config.exporters.map((entry) => exporterMistakes(entry, open)))).flat(),
    ...(await statusMistake(config)),
  ];
  const isRunning = (await askControl(controlPath(stateDirectory))) !== null;
  // Its own ports are taken by the agent that runs, and free once that one ends.
  const isItsOwn = (line: string): boolean => isRunning && line.includes('(EADDRINUSE)');
  return {
    mistakes: mistakes.filter((line) => !isItsOwn(line)),
    warnings: mistakes
      .filter(isItsOwn)
      .map((line) => `${line}, and an agent with this state folder is running: it may be its own`),
  };
};
