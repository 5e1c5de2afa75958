/**
 * What `--check` tries beside reading the file: all that would stop the daemon, or leave it without a part. Each mistake has its path
 * in the configuration. Leaves nothing behind.
 */

import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:net';
import { dirname } from 'node:path';
import * as v from 'valibot';
import type { Rehearsal } from '../agent/config/load.js';
import type { Parts } from '../agent/config/parts.js';
import { nameOfExporter } from '../agent/config/rules.js';
import type { Config } from '../agent/config/schema.js';
import { askAgent } from '../agent/control.js';
import type { Exporter } from '../agent/exporters/contract.js';
import { Endpoint, readSecret, readTls } from '../agent/exporters/settings.js';
import { codeOf } from '../model/error-code.js';
import type { Mistake, PathKey } from '../model/mistake.js';
import { UserError } from '../model/user-error.js';
import { isOwnAddress, ownAddresses } from '../net/local.js';
import { pathText } from '../plan/yaml-text.js';

/** `taken`: another process has the port. */
interface Found extends Mistake {
  readonly taken: boolean;
}

const found = (path: readonly PathKey[], message: string, taken = false): Found => ({
  ...{ path, message, taken },
  atKey: false,
});

/** The folder itself, or the nearest one above it, in which it would be made. */
const nearestFolder = async (path: string): Promise<string> => {
  const seen = await stat(path).catch((error: unknown) => codeOf(error));
  const above = dirname(path);
  return seen === 'ENOENT' && above !== path ? nearestFolder(above) : path;
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

type Settings = Readonly<Record<string, unknown>>;

/** Keys that name a file which is read. */
const READ = /File$/;
const filesOf = (settings: Settings) =>
  Object.entries(settings).flatMap(([key, file]) =>
    READ.test(key) && typeof file === 'string' ? [{ key, file }] : [],
  );

const READ_MENDS: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file, check the path',
  EACCES: 'let the user that runs the agent read it',
};

const unreadableFiles = async (path: readonly PathKey[], settings: Settings): Promise<readonly Found[]> => {
  const all = await Promise.all(
    filesOf(settings).map(({ key, file }) =>
      access(file, constants.R_OK).then(
        () => [],
        (error: unknown) => {
          const code = codeOf(error);
          const mend = READ_MENDS[code] ?? 'name another file';
          return [found([...path, key], `names ${file}, which cannot be read (${code}); ${mend}`)];
        },
      ),
    ),
  );
  return all.flat();
};

const BIND_MENDS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'end what listens there, or name another port',
  EADDRNOTAVAIL: 'name an address of this host',
  EACCES: 'name a port above 1023',
};

/** What is wrong with a place to listen at; it is given back at once. */
const unbindable = (path: readonly PathKey[], { host, port }: Endpoint): Promise<readonly Found[]> =>
  new Promise((resolve) => {
    const server = createServer();
    const place = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    server.once('error', (error: unknown) => {
      const code = codeOf(error);
      const mend = BIND_MENDS[code] ?? 'name another address';
      resolve([found([...path, 'listen'], `${place} cannot be bound (${code}); ${mend}`, code === 'EADDRINUSE')]);
    });
    server.listen({ host, port }, () => server.close(() => resolve([])));
  });

/** The key whose file, or which itself, a message names. Of two files the longer name, because one may begin the other. */
const keyNamedIn = (message: string, settings: Settings): string | null => {
  const files = filesOf(settings).sort((a, b) => b.file.length - a.file.length);
  const named = files.find(({ file }) => message.includes(file)) ?? files.find(({ key }) => message.includes(key));
  return named?.key ?? null;
};

/** What a step throws that the user can mend; null if it goes well. */
const refusalOf = async (step: () => Promise<unknown>): Promise<string | null> => {
  try {
    await step();
    return null;
  } catch (error) {
    if (error instanceof UserError) return error.message;
    throw error;
  }
};

/** Keys that name a file which holds a secret on one line. */
const SECRETS = new Set(['secretFile', 'tokenFile']);

type Open = (entry: Config['exporters'][number]) => Promise<Exporter>;

const exporterMistakes = async (
  entry: Config['exporters'][number],
  index: number,
  open: Open,
): Promise<readonly Found[]> => {
  const path = ['exporters', index];
  if (typeof entry.path === 'string') {
    const why = await unwritable(dirname(entry.path));
    const mend = 'give its folder to the user that runs the agent, or name another file';
    return why === null
      ? []
      : [found([...path, 'path'], `is ${entry.path}, which cannot be written (${why}); ${mend}`)];
  }
  const name = nameOfExporter(entry);
  const own = (message: string): string => message.replace(`exporter ${name}: `, '');
  const wrong = [...(await unreadableFiles(path, entry))];
  const isWrong = (key: string): boolean => wrong.some((one) => one.path.at(-1) === key);
  for (const { key, file } of filesOf(entry)) {
    if (!SECRETS.has(key) || isWrong(key)) continue;
    const refusal = await refusalOf(() => readSecret(file, { name, readFile: (one) => readFile(one) }));
    if (refusal !== null) wrong.push(found([...path, key], own(refusal)));
  }
  // Nothing is read: whether both halves are named.
  const named = Object.fromEntries(filesOf(entry).map(({ key, file }) => [key, file]));
  const alone = await refusalOf(() => readTls(named, { name, readFile: async () => Buffer.alloc(0) }));
  if (alone !== null) wrong.push(found([...path, named.certFile === undefined ? 'keyFile' : 'certFile'], own(alone)));
  if (entry.type === 'prometheus') {
    const { DEFAULT_LISTEN } = await import('../agent/exporters/prometheus.js');
    wrong.push(...(await unbindable(path, v.parse(Endpoint, entry.listen ?? DEFAULT_LISTEN))));
  }
  // Opening connects nowhere, and shows what only the exporter itself knows of its files.
  const refusal = await refusalOf(async () => (await open(entry)).close());
  if (refusal === null) return wrong;
  const key = keyNamedIn(refusal, entry) ?? (entry.type === 'prometheus' ? 'listen' : null);
  if (key === null) return [...wrong, found(path, own(refusal))];
  return isWrong(key) ? wrong : [...wrong, found([...path, key], own(refusal))];
};

const statusMistakes = async ({ status }: Parts): Promise<readonly Found[]> => {
  if (status === null) return [];
  const [{ tryStatus }, { StatusSchema }] = await Promise.all([
    import('../agent/status/open.js'),
    import('../agent/status/config.js'),
  ]);
  const settings = v.parse(StatusSchema, status);
  const wrong = [...(await unreadableFiles(['status'], settings)), ...(await unbindable(['status'], settings.listen))];
  // On any port: whether its own is free was seen above.
  const refusal = await refusalOf(() => tryStatus({ ...settings, listen: { host: '127.0.0.1', port: 0 } }));
  if (refusal === null) return wrong;
  const [, prefix = 'listen', message = refusal] = /^status\.(\w+): (.*)$/s.exec(refusal) ?? [];
  const key = keyNamedIn(message, settings) ?? prefix;
  const isTold = wrong.some(({ path }) => path.at(-1) === key);
  return isTold ? wrong : [...wrong, found(['status', key], message)];
};

const sourceMistakes = async ({ targets }: Parts): Promise<readonly Found[]> => {
  const all: Found[] = [];
  for (const [index, target] of targets.entries()) {
    const source = target?.source;
    if (source === undefined || (await isOwnAddress(source))) continue;
    const message = `is ${source}, which is not an address of this host; it has ${ownAddresses()}`;
    all.push(found(['targets', index, 'source'], message));
  }
  return all;
};

const stateMistakes = async (folder: string | null): Promise<readonly Found[]> => {
  const why = folder === null ? null : await unwritable(folder);
  const mend = 'give it to the user that runs the agent, or name another folder';
  return why === null ? [] : [found(['agent', 'stateDirectory'], `${folder} cannot be written (${why}); ${mend}`)];
};

/**
 * @param stateDirectory null if the configuration is wrong where it would say
 * @param open opens one exporter as the daemon would
 */
export const rehearse = async (parts: Parts, stateDirectory: string | null, open: Open): Promise<Rehearsal> => {
  const all = [...(await stateMistakes(stateDirectory)), ...(await sourceMistakes(parts))];
  // One after the other: two that want the same port do not get into each other's way by chance.
  for (const [index, entry] of parts.exporters.entries())
    if (entry !== null) all.push(...(await exporterMistakes(entry, index, open)));
  all.push(...(await statusMistakes(parts)));
  // Its own ports are taken by the agent that runs, and free once that one ends. Without its folder nobody knows whose they are.
  const isRunning = stateDirectory !== null && (await askAgent(stateDirectory)) !== null;
  const mayBeItsOwn = ({ taken }: Found): boolean => taken && (isRunning || stateDirectory === null);
  return {
    mistakes: all.filter((one) => !mayBeItsOwn(one)),
    warnings: all
      .filter(mayBeItsOwn)
      .map(
        ({ path, message }) =>
          `${pathText(path)}: ${message}; but an agent with this state folder is running: it may be its own`,
      ),
  };
};
