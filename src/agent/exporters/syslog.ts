/**
 * `syslog`: RFC 5424 over UDP (RFC 5426), TCP with octet counting (RFC 6587) or TLS (RFC 5425). Syslog acknowledges
 * nothing: delivered means that the peer's host has the bytes as far as TCP can tell, and over UDP that they were sent.
 */
import { createSocket } from 'node:dgram';
import { lookup } from 'node:dns/promises';
import { once } from 'node:events';
import { connect as connectTcp, isIP, isIPv6, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import * as v from 'valibot';
import { map, oneOf } from '../../model/schema-words.js';
import { printable } from '../../wire/printable.js';
import type { Exporter } from './contract.js';
import type { ExporterDeps } from './deps.js';
import { Endpoint, readTls, TlsFiles, whole } from './settings.js';
import { encodeSyslog, FACILITIES, type Facility, frameSyslog } from './syslog-encode.js';

const facilities: readonly Facility[] = Object.keys(FACILITIES) as Facility[];

export const configSchema = map({
  server: Endpoint,
  transport: v.optional(oneOf(['udp', 'tcp', 'tls']), 'tcp'),
  facility: v.optional(v.picklist(facilities, `use one of ${facilities.join(', ')}`), 'local0'),
  /** RFC 5425 §4.3.1 and RFC 5426 §3.2: receivers should take 2048 octets and may cut what is longer. */
  maxBytes: v.optional(whole(480, 65_000), 2048),
  ...TlsFiles,
});
type Config = v.InferOutput<typeof configSchema>;

const MAX_WORDS = 120;

const words = (error: unknown, signal: AbortSignal): string => {
  const { code, message } = (signal.aborted ? signal.reason : error) as { code?: unknown; message?: unknown };
  return printable(typeof code === 'string' ? code : typeof message === 'string' ? message : 'failed', MAX_WORDS);
};

/** Sends messages, or rejects with why not. */
interface Transport {
  send(messages: readonly Buffer[], signal: AbortSignal): Promise<void>;
  close(): void;
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
  close: () => undefined,
});

/** Resolves when the bytes were handed on, or rejects when the connection ends before that. */
const write = (socket: Socket, bytes: Buffer, signal: AbortSignal): Promise<void> =>
  new Promise((resolve, reject) => {
    const finish = (error?: Error | null): void => {
      socket.off('close', closed);
      signal.removeEventListener('abort', aborted);
      if (error) reject(error);
      else resolve();
    };
    const closed = (): void => finish(new Error('the receiver closed the connection'));
    const aborted = (): void => {
      socket.destroy();
      finish(new Error('aborted'));
    };
    socket.once('close', closed);
    signal.addEventListener('abort', aborted);
    if (signal.aborted) aborted();
    else socket.write(bytes, finish);
  });

const stream = (open: () => Socket, ready: 'connect' | 'secureConnect'): Transport => {
  let current: Socket | null = null;
  const connected = async (signal: AbortSignal): Promise<Socket> => {
    if (current !== null && !current.destroyed && current.writable) return current;
    const socket = open();
    // Errors reach the write, or the next connection; without a listener they would end the process.
    socket.on('error', () => undefined);
    // A receiver has nothing to say. Reading is how its end of the connection is noticed.
    socket.resume();
    socket.on('end', () => socket.destroy());
    socket.setKeepAlive(true, 60_000);
    try {
      await once(socket, ready, { signal });
    } catch (error) {
      socket.destroy();
      throw error;
    }
    current = socket;
    return socket;
  };
  return {
    send: async (messages, signal) => {
      try {
        await write(await connected(signal), Buffer.concat(messages.map(frameSyslog)), signal);
      } catch (error) {
        current?.destroy();
        current = null;
        throw error;
      }
    },
    close: () => current?.destroy(),
  };
};

export const create = async (config: Config, deps: ExporterDeps): Promise<Exporter> => {
  const { name } = deps;
  const { host, port } = config.server;
  const tls = await readTls(config, deps);
  const servername = isIP(host) ? {} : { servername: host };
  const transport =
    config.transport === 'udp'
      ? udp(config.server)
      : config.transport === 'tcp'
        ? stream(() => connectTcp({ host, port }), 'connect')
        : stream(() => connectTls({ host, port, minVersion: 'TLSv1.2', ...servername, ...tls }), 'secureConnect');
  const sender = {
    facility: config.facility,
    hostname: deps.hostname,
    agentId: deps.agentId,
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
    close: async () => transport.close(),
  };
};
