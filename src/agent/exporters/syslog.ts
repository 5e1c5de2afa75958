/**
 * `syslog`: RFC 5424 over UDP (RFC 5426), TCP with octet counting (RFC 6587) or TLS (RFC 5425). Syslog acknowledges
 * nothing: delivered means that the peer read to the end of the connection, and over UDP that the bytes were sent.
 */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { connect as connectTcp, isIP, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import * as v from 'valibot';
import { map, oneOf } from '../../model/schema-words.js';
import { printable } from '../../wire/printable.js';
import type { Exporter } from './contract.js';
import type { ExporterDeps } from './deps.js';
import { Endpoint, Flag, readTls, TlsFiles, whole } from './settings.js';
import { encodeSyslog, FACILITIES, type Facility, frameSyslog } from './syslog-encode.js';

const facilities: readonly Facility[] = Object.keys(FACILITIES) as Facility[];

export const configSchema = map({
  server: Endpoint,
  transport: v.optional(oneOf(['udp', 'tcp', 'tls']), 'tcp'),
  facility: v.optional(v.picklist(facilities, `use one of ${facilities.join(', ')}`), 'local0'),
  /** RFC 5425 §4.3.1 and RFC 5426 §3.2: receivers should take 2048 octets and may cut what is longer. */
  maxBytes: v.optional(whole(480, 65_000), 2048),
  /** TCP and TLS: wait until the receiver has read all and closes its side. False for one that never does. */
  confirm: v.optional(Flag, true),
  ...TlsFiles,
});
type Config = v.InferOutput<typeof configSchema>;

const MAX_WORDS = 120;
/** A batch of 64 KB over a slow uplink, to a receiver that is busy. */
const CONFIRM_MS = 30_000;

const words = (error: unknown, signal: AbortSignal): string => {
  const { code, message } = (signal.aborted ? signal.reason : error) as { code?: unknown; message?: unknown };
  return printable(typeof code === 'string' ? code : typeof message === 'string' ? message : 'failed', MAX_WORDS);
};

/** Sends messages, or rejects with why not. */
interface Transport {
  send(messages: readonly Buffer[], signal: AbortSignal): Promise<void>;
}

const udp = ({ host, port }: Endpoint): Transport => ({
  send: async (messages) => {
    // Looked up once for all; a literal costs nothing.
    const address = isIP(host) ? host : (await lookup(host)).address;
    const socket = createSocket(isIPv6(address) ? 'udp6' : 'udp4');
    try {
      for (const message of messages)
        await new Promise<void>((resolve, reject) => {
          socket.send(message, port, address, (error) => (error ? reject(error) : resolve()));
        });
    } finally {
      socket.close();
    }
  },
});

/**
 * A connection per batch, because its end is the one acknowledgement there is: a receiver closes its side when it has
 * read to the end of ours. Into a connection that is kept open one may write for a quarter of an hour after the path is gone.
 */
const stream = (open: () => Socket, ready: 'connect' | 'secureConnect', confirm: boolean): Transport => ({
  send: (messages, signal) =>
    new Promise((resolve, reject) => {
      if (signal.aborted) return reject(signal.reason);
      const socket = open();
      let sent = false;
      const finish = (error?: Error): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', aborted);
        socket.destroy();
        if (error) reject(error);
        else resolve();
      };
      const timer = setTimeout(() => finish(new Error('the receiver does not read to the end')), CONFIRM_MS);
      const aborted = (): void => finish(new Error('aborted'));
      signal.addEventListener('abort', aborted);
      // Nothing is expected from a receiver; only what is read can end.
      socket.resume();
      socket.on('error', finish);
      socket.on('close', () => finish(new Error('the receiver closed the connection')));
      socket.on('end', () => finish(sent ? undefined : new Error('the receiver closed the connection')));
      socket.once(ready, () => {
        sent = true;
        socket.end(Buffer.concat(messages.map(frameSyslog)), () => {
          if (!confirm) finish();
        });
      });
    }),
});

export const create = async (config: Config, deps: ExporterDeps): Promise<Exporter> => {
  const { name } = deps;
  const { host, port } = config.server;
  const tls = await readTls(config, deps);
  const servername = isIP(host) ? {} : { servername: host };
  const transport =
    config.transport === 'udp'
      ? udp(config.server)
      : config.transport === 'tcp'
        ? stream(() => connectTcp({ host, port }), 'connect', config.confirm)
        : stream(
            () => connectTls({ host, port, minVersion: 'TLSv1.2', ...servername, ...tls }),
            'secureConnect',
            config.confirm,
          );
  const sender = {
    facility: config.facility,
    hostname: deps.hostname,
    agentId: deps.agentId,
    labels: deps.labels,
    version: deps.version,
    processId: process.pid,
    maxBytes: config.maxBytes,
  };
  return {
    name,
    deliver: async (records, signal) => {
      try {
        await transport.send(
          records.map((record) => encodeSyslog(record, sender)),
          signal,
        );
        return { outcome: 'delivered' };
      } catch (error) {
        return { outcome: 'retry', why: `syslog: ${words(error, signal)}`, afterMs: null };
      }
    },
    close: async () => undefined,
  };
};
