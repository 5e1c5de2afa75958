/** What a wire with a mind of its own does to each frame: delays, holds, and an ALG's edits. Pure but for its memory. */
import { isIpv4, udpInside, withChecksums, withPayload } from './frames.js';

export type Side = 'outbound' | 'inbound';

/** What an ALG does to SIP in datagrams of port 5060, requests on their way out or responses on their way back. */
interface SipEdit {
  readonly of: 'requests' | 'responses';
  /** By CSeq; default all. */
  readonly methods?: readonly string[];
  /** Names of header fields that are taken out. */
  readonly remove?: readonly string[];
  /** Regular expressions over the whole message, all occurrences, each with what takes their place. */
  readonly replace?: readonly (readonly [pattern: string, replacement: string])[];
  /** It does not go on at all. */
  readonly drop?: boolean;
}

export interface WireRules {
  /** Of all IPv4, each way. */
  readonly delayMs?: Readonly<Partial<Record<Side, number>>>;
  /** So long after the first packet of a UDP flow that leaves, it goes on, and what came meanwhile behind it. */
  readonly holdFirstMs?: number;
  readonly sip?: readonly SipEdit[];
  /** STUN to this port loses all its attributes. */
  readonly bareStun?: number;
  /** UDP to these ports loses all beyond so many octets. */
  readonly cut?: { readonly from: number; readonly to: number; readonly bytes: number };
}

const SIP_PORT = 5060;
const IS_RESPONSE = /^SIP\/2\.0 \d{3} /;
const IS_REQUEST = /^[A-Z]+ \S+ SIP\/2\.0\r\n/;
const HEAD_END = '\r\n\r\n';

/** Content-Length follows the body (RFC 3261 §20.14); nothing else of a message counts octets. */
const withLength = (message: string): string => {
  const end = message.indexOf(HEAD_END);
  if (end < 0) return message;
  const body = message.slice(end + HEAD_END.length);
  const head = message.slice(0, end).replace(/^(Content-Length|l)(\s*:\s*)\d+/im, `$1$2${body.length}`);
  return `${head}${HEAD_END}${body}`;
};

const withoutHeader = (message: string, name: string): string => {
  const end = message.indexOf(HEAD_END);
  const head = message.slice(0, end + 2);
  return head.replace(new RegExp(`^${name}[ \\t]*:.*\\r\\n(?:[ \\t].*\\r\\n)*`, 'gim'), '') + message.slice(end + 2);
};

/** The message after an ALG's edits; null if it was swallowed. What is no SIP stays as it is. */
export const editSip = (edits: readonly SipEdit[], payload: Buffer): Buffer | null => {
  // latin1 keeps every octet, and counts each as one.
  const message = payload.toString('latin1');
  const of = IS_RESPONSE.test(message) ? 'responses' : IS_REQUEST.test(message) ? 'requests' : null;
  const method = /^CSeq[ \t]*:[ \t]*\d+[ \t]+([A-Z]+)/im.exec(message)?.[1] ?? '';
  const fitting = edits.filter((edit) => edit.of === of && (edit.methods?.includes(method) ?? true));
  if (fitting.length === 0) return payload;
  if (fitting.some(({ drop }) => drop === true)) return null;
  const edited = fitting.reduce((text, { remove = [], replace = [] }) => {
    const shorter = remove.reduce(withoutHeader, text);
    return replace.reduce((now, [pattern, by]) => now.replace(new RegExp(pattern, 'gim'), by), shorter);
  }, message);
  return edited === message ? payload : Buffer.from(withLength(edited), 'latin1');
};

/** RFC 8489 §5: type, length, cookie, transaction id. */
const STUN_HEADER_BYTES = 20;
const STUN_COOKIE = 0x2112a442;

const bare = (payload: Buffer): Buffer => {
  if (payload.length <= STUN_HEADER_BYTES || payload.readUInt32BE(4) !== STUN_COOKIE) return payload;
  const header = Buffer.from(payload.subarray(0, STUN_HEADER_BYTES));
  header.writeUInt16BE(0, 2);
  return header;
};

const edited = (rules: WireRules, side: Side, frame: Buffer): Buffer | null => {
  const udp = udpInside(frame);
  if (!udp) return frame;
  const { port, sourcePort, payload } = udp;
  if (rules.sip && (side === 'outbound' ? port : sourcePort) === SIP_PORT) {
    const message = editSip(rules.sip, payload);
    return message === null || message === payload ? message && frame : withPayload(frame, message);
  }
  if (side === 'inbound') return frame;
  if (rules.bareStun === port) return withPayload(frame, bare(payload));
  const { cut } = rules;
  const isCut = cut !== undefined && cut.from <= port && port <= cut.to && payload.length > cut.bytes;
  return isCut ? withPayload(frame, payload.subarray(0, cut.bytes)) : frame;
};

/** A frame as it goes on and when; null if it does not. */
export type Passed = { readonly frame: Buffer; readonly at: number } | null;

/** A wire of these rules. Call it for each frame with the time in milliseconds. */
export const createWire = (rules: WireRules): ((side: Side, frame: Buffer, nowMs: number) => Passed) => {
  const flowsBegun = new Map<string, number>();
  const held = (side: Side, frame: Buffer, nowMs: number): number => {
    const udp = side === 'outbound' && rules.holdFirstMs !== undefined ? udpInside(frame) : null;
    if (!udp) return nowMs;
    const begun = flowsBegun.get(udp.flow) ?? nowMs;
    flowsBegun.set(udp.flow, begun);
    return Math.max(nowMs, begun + (rules.holdFirstMs ?? 0));
  };
  return (side, frame, nowMs) => {
    // Neighbours that look for each other are not what is delayed.
    if (!isIpv4(frame)) return { frame, at: nowMs };
    const message = edited(rules, side, frame);
    if (message === null) return null;
    return { frame: withChecksums(message), at: held(side, frame, nowMs) + (rules.delayMs?.[side] ?? 0) };
  };
};
