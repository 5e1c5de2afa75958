/** Opens the status page, and tries again while its address is taken: the agent measures without it as well. */
import { readFile } from 'node:fs/promises';
import { UserError } from '../../model/user-error.js';
import { isLoopback } from '../http/guard.js';
import { plain, type ServeOptions, type Serving, serve } from '../http/serve.js';
import { type Clock, pause } from '../schedule/clock.js';
import type { StatusConfig } from './config.js';
import { createPages, OPEN_PATHS, type StatusView } from './pages.js';

/** An address of the host may come up after the agent; a port may be freed. */
const TRY_AGAIN_MS = 60_000;
/** Shorter ones can be guessed. */
const MIN_SECRET_LENGTH = 16;

export interface StatusDeps {
  readonly view: StatusView;
  readonly clock: Clock;
  readonly log: {
    info(details: Readonly<Record<string, unknown>>, message: string): void;
    warn(details: Readonly<Record<string, unknown>>, message: string): void;
    error(details: Readonly<Record<string, unknown>>, message: string): void;
  };
  /** Told, so that no log line shows it. */
  readonly keepSecret: (secret: string) => void;
  readonly signal: AbortSignal;
}

const fileOf = async (key: string, file: string): Promise<Buffer> =>
  readFile(file).catch((cause: unknown) => {
    const reason = (cause as { code?: string }).code ?? 'unknown error';
    throw new UserError('config-invalid', `status.${key}: ${file} cannot be read (${reason})`, { cause });
  });

const secretOf = async (file: string): Promise<string> => {
  const secret = (await fileOf('secretFile', file)).toString('utf8').trim();
  if (secret.length < MIN_SECRET_LENGTH || /[^\x21-\x7e]/.test(secret))
    throw new UserError(
      'config-invalid',
      `status.secretFile: ${file} must hold one line of at least ${MIN_SECRET_LENGTH} printable characters without blanks`,
    );
  return secret;
};

const tlsOf = async ({ certFile, keyFile }: StatusConfig): Promise<ServeOptions['tls']> =>
  certFile === undefined || keyFile === undefined
    ? null
    : { cert: await fileOf('certFile', certFile), key: await fileOf('keyFile', keyFile) };

/** Whether the page could be served now; it is closed again at once. @throws UserError saying why not */
export const tryStatus = async (config: StatusConfig): Promise<void> => {
  const serving = await serve({
    ...{ purpose: 'status.listen', ...config.listen, hosts: [], open: [] },
    secret: config.secretFile === undefined ? null : await secretOf(config.secretFile),
    tls: await tlsOf(config),
    answer: async () => plain(503, 'being tried\n'),
    onError: () => undefined,
  });
  await serving.close();
};

interface StatusPage {
  /** Null while the address cannot be bound. */
  readonly serving: () => Serving | null;
  close(): Promise<void>;
}

/** @throws UserError if a file that the configuration names cannot be used */
export const openStatus = async (config: StatusConfig, deps: StatusDeps): Promise<StatusPage> => {
  const { log, clock, view } = deps;
  const { host, port } = config.listen;
  const secret = config.secretFile === undefined ? null : await secretOf(config.secretFile);
  if (secret !== null) deps.keepSecret(secret);
  const tls = await tlsOf(config);
  if (tls === null && !isLoopback(host))
    log.warn(
      { host },
      'the status page is served without TLS: its secret can be read on the way; name certFile and keyFile',
    );
  const options: ServeOptions = {
    ...{ purpose: 'status.listen', host, port, secret, tls },
    hosts: config.hosts.map((name) => name.toLowerCase()),
    open: OPEN_PATHS,
    answer: createPages(view),
    onError: (error) => log.error({ error: String(error) }, 'a status page could not be made'),
  };
  let serving: Serving | null = null;
  const tryOnce = async (): Promise<string | null> => {
    try {
      serving = await serve(options);
      const url = new URL(`${tls === null ? 'http' : 'https'}://host`);
      url.hostname = serving.host.includes(':') ? `[${serving.host}]` : serving.host;
      url.port = String(serving.port);
      log.info({ url: url.href }, 'status page ready');
      return null;
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      return error.message;
    }
  };
  const first = await tryOnce();
  if (first !== null) log.error({ why: first }, 'the status page is not available; the agent retries every minute');
  const ended = new AbortController();
  const end = (): void => ended.abort();
  deps.signal.addEventListener('abort', end, { once: true });
  if (deps.signal.aborted) end();
  const trying = (async () => {
    for (let failed = first; failed !== null && !ended.signal.aborted; ) {
      await pause(clock, TRY_AGAIN_MS, ended.signal);
      if (!ended.signal.aborted) failed = await tryOnce();
    }
  })();
  return {
    serving: () => serving,
    close: async () => {
      end();
      deps.signal.removeEventListener('abort', end);
      await trying;
      await serving?.close();
    },
  };
};
