/** `zabbix`: values for trapper items of a Zabbix server or proxy, over TCP or TLS with certificates. */
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import * as v from 'valibot';
import { map, oneOf } from '../../model/schema-words.js';
import { printable } from '../../wire/printable.js';
import type { Delivery, Exporter } from './contract.js';
import type { ExporterDeps } from './deps.js';
import { createLatest } from './latest.js';
import { Endpoint, readTls, Text, TlsFiles } from './settings.js';
import {
  discoveryOf,
  encodeZabbix,
  readZabbixAnswer,
  valuesOf,
  type ZabbixAnswer,
  type ZabbixValue,
} from './zabbix-encode.js';

export const configSchema = map({
  server: v.optional(Endpoint, '127.0.0.1:10051'),
  /** The host's technical name in Zabbix; this host's own if it is left out. */
  host: v.exactOptional(Text),
  transport: v.optional(oneOf(['tcp', 'tls']), 'tcp'),
  ...TlsFiles,
});
type Config = v.InferOutput<typeof configSchema>;

const MAX_WORDS = 120;
/** Of many targets the lists are long; who links the template later gets them after so many seconds. */
const DISCOVER_EVERY_S = 600;
/** Header and the longest answer that is read. */
const MAX_BYTES = 80 * 1024;

/** One connection per request, as the protocol has it. Rejects with why there was no answer. */
const ask = (open: () => Socket, request: Buffer, signal: AbortSignal): Promise<ZabbixAnswer> =>
  new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Error('aborted'));
    const socket = open();
    let received = Buffer.alloc(0);
    const finish = (result: ZabbixAnswer | Error): void => {
      signal.removeEventListener('abort', aborted);
      socket.destroy();
      if (result instanceof Error) reject(result);
      else resolve(result);
    };
    const aborted = (): void => finish(new Error(words(signal.reason)));
    signal.addEventListener('abort', aborted);
    socket.on('error', finish);
    socket.on('close', () => finish(new Error('the server closed the connection without an answer')));
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      const answer = readZabbixAnswer(received);
      if (answer.kind !== 'partial') finish(answer);
      else if (received.length > MAX_BYTES) finish({ kind: 'malformed' });
    });
    socket.write(request);
  });

const words = (error: unknown): string => {
  const { code, message } = error as { code?: unknown; message?: unknown };
  return printable(typeof code === 'string' ? code : typeof message === 'string' ? message : 'failed', MAX_WORDS);
};

const retry = (why: string): Delivery => ({ outcome: 'retry', why: `zabbix: ${why}`, afterMs: null });

export const create = async (config: Config, deps: ExporterDeps): Promise<Exporter> => {
  const { name, log, now } = deps;
  const { host, port } = config.server;
  const tls = await readTls(config, deps);
  const servername = isIP(host) ? {} : { servername: host };
  const open = (): Socket =>
    config.transport === 'tcp'
      ? connectTcp({ host, port })
      : connectTls({ host, port, minVersion: 'TLSv1.2', ...servername, ...tls });
  /** Said once until it changes: every run has the same items. */
  let lastFailed = 0;
  /** Whether Zabbix has taken a value yet: its host is known there. */
  let taken = false;
  const latest = createLatest(deps.staleAfterMs);
  const as = config.host ?? deps.hostname;
  /** The lists that Zabbix has, when they were sent, and whether it has rules for them: then items are its own choice. */
  const lists = { sent: '', at: Number.NEGATIVE_INFINITY, taken: false };

  const send = async (data: readonly ZabbixValue[], seconds: number, signal: AbortSignal) => {
    let answer: ZabbixAnswer;
    try {
      answer = await ask(open, encodeZabbix({ request: 'sender data', data, clock: seconds, ns: 0 }), signal);
    } catch (error) {
      return retry(words(error));
    }
    if (answer.kind !== 'answer') return retry('the server does not speak the sender protocol');
    return answer.success ? answer : retry(`the server refuses: ${answer.info}`);
  };

  /** What there is, before its values: items are made of the lists. In a request of its own, because not everybody has rules. */
  const sendLists = async (seconds: number, signal: AbortSignal): Promise<Delivery | null> => {
    const found = discoveryOf(latest.standings(now()));
    const text = JSON.stringify(found);
    if (text === lists.sent && Math.abs(seconds - lists.at) < DISCOVER_EVERY_S) return null;
    const values = Object.entries(found).map(([key, value]) => ({ host: as, key, value, clock: seconds, ns: 0 }));
    const answer = await send(values, seconds, signal);
    if ('outcome' in answer) return answer;
    Object.assign(lists, { sent: text, at: seconds, taken: answer.processed > 0 });
    return null;
  };

  return {
    name,
    remember: latest.take,
    deliver: async (records, signal) => {
      const seconds = Math.floor(now() / 1000);
      const data = records.flatMap((record) => valuesOf(record, as, latest));
      const hasReport = records.some(({ kind }) => kind === 'report');
      const failed = hasReport ? await sendLists(seconds, signal) : null;
      if (failed !== null) return failed;
      const answer = await send(data, seconds, signal);
      if ('outcome' in answer) return answer;
      if (answer.failed !== lastFailed && answer.failed > 0)
        log.warn(
          { exporter: name, failed: answer.failed, processed: answer.processed },
          'Zabbix has no trapper items for some values',
        );
      lastFailed = answer.failed;
      if (answer.processed > 0) taken = true;
      // Neither host nor items are known there. That is mended in Zabbix, and nothing need be lost until then. A host
      // that has items for reports may well have none for changes and events: those alone hold nothing up.
      const expected = !taken || (hasReport && !lists.taken);
      if (answer.processed === 0 && data.length > 0 && expected) return retry(`no value was taken: ${answer.info}`);
      return { outcome: 'delivered' };
    },
    close: async () => undefined,
  };
};
