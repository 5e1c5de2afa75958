/**
 * `nats`: records to a JetStream stream, one message each, acknowledged by the server and with `Nats-Msg-Id`, so that
 * a stream drops what it has. The way for fleets: `callpath.AGENT.TARGET.KIND`.
 */
import type { JetStreamClient, JetStreamManager } from '@nats-io/jetstream';
import type { ConnectionOptions, NatsConnection } from '@nats-io/transport-node';
import * as v from 'valibot';
import { list, map, use } from '../../model/schema-words.js';
import { UserError } from '../../model/user-error.js';
import { printable } from '../../wire/printable.js';
import type { Delivery, Exporter, SpoolRecord } from './contract.js';
import type { ExporterDeps } from './deps.js';
import { labelled } from './labels.js';
import { readSecret, readTls, Text, TlsFiles } from './settings.js';

const Server = v.pipe(
  Text,
  v.regex(
    /^(nats|tls):\/\/[^\s@/]+$/,
    use('a URL such as nats://host:4222 or tls://host:4222, without user and password'),
  ),
);

export const configSchema = map({
  servers: v.pipe(list(Server), v.minLength(1, 'is an empty list; name a server')),
  /** What subjects begin with. */
  subject: v.optional(
    v.pipe(Text, v.regex(/^[\w-]+(\.[\w-]+)*$/, use('letters, digits, hyphens and underscores, with dots between'))),
    'callpath',
  ),
  /** As `nsc` makes it. */
  credentialsFile: v.exactOptional(Text),
  /** A token, on one line. */
  tokenFile: v.exactOptional(Text),
  ...TlsFiles,
});
type Config = v.InferOutput<typeof configSchema>;

const CONNECT_MS = 10_000;
/** The server's word that a message is stored. */
const ACK_MS = 10_000;
const MAX_WORDS = 120;

/** One token of a subject: no dots, wildcards or spaces; two names that differ may become one, the message has both. */
const token = (text: string): string => text.replace(/[^\w-]/g, '_').slice(0, 128) || '_';

/** What is kept back for good: by the client's words, and by those of JetStream's error 10054. A full stream is none. */
const isTooLarge = (error: unknown): boolean =>
  /max_payload|maximum payload|message size exceeds/i.test(String((error as { message?: unknown }).message));

interface Session {
  readonly connection: NatsConnection;
  readonly client: JetStreamClient;
  readonly manager: JetStreamManager;
}

/** The client's connect takes no signal. What comes too late is closed. */
const orAbort = <T>(coming: Promise<T>, signal: AbortSignal, discard: (late: T) => Promise<void>): Promise<T> =>
  new Promise((resolve, reject) => {
    const leave = (): void => {
      reject(signal.reason);
      coming.then(discard).catch(() => undefined);
    };
    signal.addEventListener('abort', leave, { once: true });
    coming.then(resolve, reject).finally(() => signal.removeEventListener('abort', leave));
    if (signal.aborted) leave();
  });

const retry = (error: unknown): Delivery => {
  const message = error instanceof Error ? error.message : String(error);
  return { outcome: 'retry', why: `nats: ${printable(message, MAX_WORDS)}`, afterMs: null };
};

type Client = typeof import('@nats-io/transport-node');

/** How to connect, with what the configured files hold. @throws UserError for what the user can mend */
const optionsOf = async (config: Config, deps: ExporterDeps, nats: Client): Promise<ConnectionOptions> => {
  const { credentialsFile, tokenFile, servers } = config;
  const { ca, cert, key } = await readTls(config, deps);
  if (credentialsFile !== undefined && tokenFile !== undefined)
    throw new UserError('usage', `exporter ${deps.name}: credentialsFile and tokenFile cannot be combined; keep one`);
  const withTls = ca !== undefined || cert !== undefined || servers.some((server) => server.startsWith('tls:'));
  const tls = {
    ...(ca && { ca: ca.toString() }),
    ...(cert && key && { cert: cert.toString(), key: key.toString() }),
  };
  return {
    servers: [...servers],
    name: `callpath ${deps.agentId}`,
    // The pump decides when to try again; a client that also did would be a second clock.
    reconnect: false,
    timeout: CONNECT_MS,
    ...(withTls && { tls }),
    ...(credentialsFile !== undefined && {
      authenticator: nats.credsAuthenticator(await deps.readFile(credentialsFile)),
    }),
    ...(tokenFile !== undefined && { token: await readSecret(tokenFile, deps) }),
  };
};

/**
 * The id of this agent's newest message in the stream. The stream's own memory of ids lasts two minutes unless
 * configured otherwise, an outage longer; messages go out one by one and in order, so whatever lies before the
 * newest is stored too.
 * @param own what the subjects of this agent begin with
 */
const newestStored = async ({ manager }: Session, own: string, { name, log }: ExporterDeps): Promise<string | null> => {
  try {
    const stream = await manager.streams.find(`${own}.x.x`);
    const newest = await manager.streams.getMessage(stream, { last_by_subj: `${own}.>` });
    return newest?.header.get('Nats-Msg-Id') ?? null;
  } catch (error) {
    // Agents need no right to read. Without it the stream's memory is what there is.
    log.info(
      { exporter: name, why: printable(String(error), MAX_WORDS) },
      'the stream could not be asked for its newest result',
    );
    return null;
  }
};

export const create = async (config: Config, deps: ExporterDeps): Promise<Exporter> => {
  const { name } = deps;
  const [nats, jetstream] = await Promise.all([import('@nats-io/transport-node'), import('@nats-io/jetstream')]);
  const options = await optionsOf(config, deps, nats);
  const told = (record: SpoolRecord): string => JSON.stringify(labelled(record, deps.labels));
  const own = `${config.subject}.${token(deps.agentId)}`;
  let session: Session | null = null;
  /** After a failure it is not known what the server stored of what it did not acknowledge. */
  let doubtful = true;

  const connected = async (signal: AbortSignal): Promise<Session> => {
    if (session !== null && !session.connection.isClosed()) return session;
    const connection = await orAbort(nats.connect(options), signal, (late) => late.close());
    session = {
      connection,
      client: jetstream.jetstream(connection, { timeout: ACK_MS }),
      manager: await jetstream.jetstreamManager(connection, { checkAPI: false, timeout: ACK_MS }),
    };
    return session;
  };

  const unstored = async (open: Session, records: readonly SpoolRecord[]): Promise<readonly SpoolRecord[]> => {
    if (!doubtful) return records;
    const newest = await newestStored(open, own, deps);
    return records.slice(records.findIndex(({ id }) => id === newest) + 1);
  };

  const shut = async (): Promise<void> => {
    const closing = session;
    session = null;
    doubtful = true;
    await closing?.connection.close();
  };

  const publish = async (records: readonly SpoolRecord[], signal: AbortSignal): Promise<void> => {
    const open = await connected(signal);
    const left = await unstored(open, records);
    doubtful = true;
    for (const record of left) {
      signal.throwIfAborted();
      await open.client.publish(`${own}.${token(record.target)}.${record.kind}`, told(record), {
        msgID: record.id,
      });
    }
    doubtful = false;
  };

  return {
    name,
    deliver: async (records, signal) => {
      const stop = (): void => {
        session?.connection.close().catch(() => undefined);
      };
      signal.addEventListener('abort', stop);
      try {
        const limit = session?.connection.info?.max_payload;
        const isLarge = (record: SpoolRecord): boolean =>
          limit !== undefined && Buffer.byteLength(told(record)) > limit;
        if (records.some(isLarge))
          return { outcome: 'refused', why: `nats: larger than the server takes (${limit} bytes)` };
        await publish(records, signal);
        return { outcome: 'delivered' };
      } catch (error) {
        if (isTooLarge(error)) return { outcome: 'refused', why: 'nats: larger than the stream takes' };
        await shut().catch(() => undefined);
        return retry(error);
      } finally {
        signal.removeEventListener('abort', stop);
      }
    },
    close: shut,
  };
};
