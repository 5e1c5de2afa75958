/** Records as syslog messages (RFC 5424), and their framing on a stream (RFC 6587 §3.4.1). */
import type { SpoolRecord } from './contract.js';
import type { AgentLabels } from './labels.js';
import { type Severity, summarise } from './summary.js';

/** RFC 5424 §6.2.1. */
export const FACILITIES = {
  user: 1,
  daemon: 3,
  local0: 16,
  local1: 17,
  local2: 18,
  local3: 19,
  local4: 20,
  local5: 21,
  local6: 22,
  local7: 23,
} as const;
export type Facility = keyof typeof FACILITIES;

const SEVERITY: Readonly<Record<Severity, number>> = { error: 3, warning: 4, notice: 5, info: 6 };

interface SyslogSender {
  readonly facility: Facility;
  readonly hostname: string;
  readonly agentId: string;
  readonly labels: AgentLabels;
  readonly version: string;
  readonly processId: number;
  /** Octets that a message may have. */
  readonly maxBytes: number;
}

/** PRINTUSASCII without spaces, so long at most; NILVALUE if nothing is left (§6). */
const name = (text: string, length: number): string => text.replace(/[^\x21-\x7e]/g, '').slice(0, length) || '-';

/** §6.3.3: three characters are escaped. */
const param = (text: string): string => text.replace(/["\\\]]/g, '\\$&');

/** §6.2.3: RFC 3339 with six digits of fraction at most, which is what `toISOString` makes. */
const timestamp = (at: string): string => {
  const ms = Date.parse(at);
  return Number.isNaN(ms) ? '-' : new Date(ms).toISOString();
};

/** ASCII only: then no byte order mark has to be sent, which many receivers take for content (§6.4). */
const ascii = (json: string): string =>
  json.replace(/[^\x20-\x7e]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);

/**
 * One message: a summary as JSON, so that what an ALG wrote into a header cannot pose as our words. `origin` is a
 * registered element (§7.2); elements of one's own would need an enterprise number.
 */
export const encodeSyslog = (record: SpoolRecord, sender: SyslogSender): Buffer => {
  const { severity, text } = summarise(record);
  const header = [
    `<${FACILITIES[sender.facility] * 8 + SEVERITY[severity]}>1`,
    timestamp(record.at),
    name(sender.hostname, 255),
    'callpath',
    String(sender.processId),
    name(record.kind, 32),
    `[origin software="callpath" swVersion="${param(name(sender.version, 32))}"]`,
  ].join(' ');
  const message = (fields: object): Buffer =>
    Buffer.from(`${header} ${ascii(JSON.stringify({ id: record.id, ...fields }))}`);
  const told = (shown: string) => ({
    ...{ agent: sender.agentId, labels: sender.labels },
    ...{ target: record.target, text: shown },
  });
  const whole = message({ ...told(text), ...(record.kind === 'report' ? {} : { body: record.body }) });
  if (whole.length <= sender.maxBytes) return whole;
  // What does not fit is cut in the text and not in the JSON. A cut in an escape's six octets is why it is by steps.
  for (let length = text.length; length > 0; length = Math.floor(length / 2)) {
    const cut = message(told(length === text.length ? text : `${text.slice(0, length)}…`));
    if (cut.length <= sender.maxBytes) return cut;
  }
  // The id alone fits into the 480 octets that every receiver takes (RFC 5424 §6.1), whatever the names are.
  return message({});
};

/** Octet counting: the length in decimal, a space, the message. */
export const frameSyslog = (message: Uint8Array): Buffer => Buffer.concat([Buffer.from(`${message.length} `), message]);
