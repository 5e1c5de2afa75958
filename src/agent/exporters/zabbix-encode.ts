/**
 * The Zabbix sender protocol: `ZBXD`, a flag, the length, JSON. Encoder, decoder and the items that records become
 * are pure functions.
 */
import type { Report } from '../../model/report.js';
import { type Answer, CHECK_NUMBERS, SERVICE_NUMBERS } from '../../report/metrics.js';
import { printable } from '../../wire/printable.js';
import type { SpoolRecord } from './contract.js';
import type { createLatest } from './latest.js';
import { summarise } from './summary.js';

const MAGIC = Buffer.from('ZBXD');
/** Only this bit is set: neither compressed (2) nor with 64-bit lengths (4). */
const FLAG_PROTOCOL = 0x01;
/** Magic, flags, length and a reserved word, both little-endian 32 bits. */
const ZABBIX_HEADER_BYTES = 13;
/** An answer is one short sentence. */
const MAX_ANSWER_BYTES = 64 * 1024;

export const encodeZabbix = (message: object): Buffer => {
  const data = Buffer.from(JSON.stringify(message));
  const header = Buffer.alloc(ZABBIX_HEADER_BYTES);
  MAGIC.copy(header);
  header.writeUInt8(FLAG_PROTOCOL, 4);
  header.writeUInt32LE(data.length, 5);
  return Buffer.concat([header, data]);
};

export type ZabbixAnswer =
  | { readonly kind: 'partial' }
  | { readonly kind: 'malformed' }
  | {
      readonly kind: 'answer';
      readonly success: boolean;
      readonly processed: number;
      readonly failed: number;
      readonly info: string;
    };

/** Reads an answer from what has arrived so far. */
export const readZabbixAnswer = (bytes: Buffer): ZabbixAnswer => {
  if (!MAGIC.subarray(0, bytes.length).equals(bytes.subarray(0, MAGIC.length))) return { kind: 'malformed' };
  if (bytes.length < ZABBIX_HEADER_BYTES) return { kind: 'partial' };
  const length = bytes.readUInt32LE(5);
  if (bytes.readUInt8(4) !== FLAG_PROTOCOL || length > MAX_ANSWER_BYTES) return { kind: 'malformed' };
  if (bytes.length < ZABBIX_HEADER_BYTES + length) return { kind: 'partial' };
  let answer: unknown;
  try {
    answer = JSON.parse(bytes.subarray(ZABBIX_HEADER_BYTES, ZABBIX_HEADER_BYTES + length).toString('utf8'));
  } catch {
    return { kind: 'malformed' };
  }
  if (typeof answer !== 'object' || answer === null) return { kind: 'malformed' };
  const { response, info } = answer as { response?: unknown; info?: unknown };
  const text = typeof info === 'string' ? info : '';
  const counted = /processed: (\d{1,9}); failed: (\d{1,9});/.exec(text);
  const success = response === 'success';
  // A success that does not say of what is none that can be relied upon.
  if (success && counted === null) return { kind: 'malformed' };
  return {
    kind: 'answer',
    success,
    processed: Number(counted?.[1] ?? 0),
    failed: Number(counted?.[2] ?? 0),
    info: printable(text, 120),
  };
};

export interface ZabbixValue {
  readonly host: string;
  readonly key: string;
  readonly value: string;
  /** Seconds since 1970, and the rest in nanoseconds. */
  readonly clock: number;
  readonly ns: number;
}

/** A parameter of an item key in quotes, inside of which only the quote itself is escaped. */
const param = (text: string): string => `"${printable(text, 200).replaceAll('"', '\\"')}"`;
const key = (name: string, ...params: readonly string[]): string => `callpath.${name}[${params.map(param).join(',')}]`;

/**
 * What low-level discovery makes items of, over all targets that are known: Zabbix takes for gone what a list leaves out.
 * Keys, and JSON as value.
 */
export const discoveryOf = (reports: readonly { readonly target: string; readonly report: Report }[]) => ({
  'callpath.discovery.targets': JSON.stringify(reports.map(({ target }) => ({ '{#TARGET}': target }))),
  'callpath.discovery.services': JSON.stringify(
    reports.flatMap(({ target, report }) =>
      report.services.map(({ profile }) => ({ '{#TARGET}': target, '{#PROFILE}': profile })),
    ),
  ),
  'callpath.discovery.checks': JSON.stringify(
    reports.flatMap(({ target, report }) => report.checks.map(({ id }) => ({ '{#TARGET}': target, '{#CHECK}': id }))),
  ),
});

const ofReport = (target: string, report: Report, answer: Answer): readonly (readonly [string, string])[] => [
  ...(answer.success === null ? [] : [[key('success', target), String(Number(answer.success))] as const]),
  ...(report.network.lossUpperBound === null
    ? []
    : [[key('loss', target), String(report.network.lossUpperBound)] as const]),
  ...answer.services.map(
    ({ profile, verdict }) => [key('service', target, profile), String(SERVICE_NUMBERS[verdict])] as const,
  ),
  ...report.checks.flatMap(({ id, verdict, rttMs }) => [
    [key('check', target, id), String(CHECK_NUMBERS[verdict])] as const,
    ...(rttMs === null ? [] : [[key('rtt', target, id), String(rttMs.median / 1000)] as const]),
  ]),
];

/**
 * The item values of a record, all at its time.
 * @param latest learns of the record
 */
export const valuesOf = (
  record: SpoolRecord,
  host: string,
  latest: ReturnType<typeof createLatest>,
): readonly ZabbixValue[] => {
  const standing = latest.standingWith(record);
  const ms = Date.parse(record.at);
  const clock = Math.floor((Number.isNaN(ms) ? 0 : ms) / 1000);
  const ns = Number.isNaN(ms) ? 0 : (ms % 1000) * 1_000_000;
  const pairs =
    standing === null
      ? [[key(record.kind, record.target), summarise(record).text] as const]
      : ofReport(record.target, standing.report, standing.answer);
  return pairs.map(([item, value]) => ({ host, key: item, value, clock, ns }));
};
