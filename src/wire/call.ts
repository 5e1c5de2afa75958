/**
 * The bodies of call requests and answers: by them an agent opens a window in which the reflector calls it and is called by
 * it, tells the far end of a call what to do, and fetches what stood on its wire (docs/protocol.md, "Calls").
 *
 *     query:  action (1)   order (1)   line (1)   ports (1)   number (4)   after ms (4)   index (2)   argument (2)
 *             offset (4)   the reflector's address as the agent knows it (16)   ports (2 each)   then padding
 *     answer: state (1)   zeros (3)   then a piece, as those of evidence, its bits turned over
 */
import { createHmac } from 'node:crypto';
import { type CapturePiece, encodeEvidencePiece, MAX_PIECE_BYTES, readCapturePiece } from './capture.js';
import { sha256Bytes } from './hash.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES } from './tag.js';

/** What the far end does on a line, by its number on the wire. */
const ORDERS = {
  /** Calls what registered on this line. */
  call: 1,
  /** Sends so many packets of sound, 20 ms apart. */
  talk: 2,
  /** Presses the key of this character, as an event. */
  key: 3,
  hold: 4,
  resume: 5,
  /** Refreshes the session (RFC 4028). */
  refresh: 6,
  bye: 7,
  /** How the next call is taken: 0 answered, 1 left ringing, 2 answered after sound came before it (183). */
  manner: 8,
} as const;
export type CallOrder = keyof typeof ORDERS;
const ORDERS_BY_NUMBER: ReadonlyMap<number, CallOrder> = new Map(
  Object.entries(ORDERS).map(([order, number]) => [number, order as CallOrder]),
);

const ACTIONS = ['open', 'do', 'tell'] as const;
/** Lines of a window: telephones that the agent has at the same time. */
export const MAX_LINES = 8;
/** In place of a message's index: what the far end knows of the line. */
export const THE_RECORD = 0xffff;

export interface CallQuery {
  readonly action: (typeof ACTIONS)[number];
  /** Of `do`. */
  readonly order: CallOrder | null;
  /** 0 to 7. */
  readonly line: number;
  /** The agent's own; the same number is done once. */
  readonly number: number;
  readonly afterMs: number;
  /** Of `tell`: which message, or `THE_RECORD`. */
  readonly index: number;
  readonly argument: number;
  readonly offset: number;
  /** Of `open`: the reflector's address as the agent knows it, 16 bytes, IPv4 mapped. */
  readonly as: Uint8Array;
  /** Of `open`: where the lines' sound is to go to, the first line's first; ports that are known to pass. */
  readonly ports: readonly number[];
}

/** What became of a request, by its number on the wire. */
const STATES = {
  ok: 0,
  /** This reflector makes no calls. */
  'not-offered': 16,
  /** A window was asked for over UDP, where its source may be anybody's. */
  'needs-connection': 17,
  'held-back': 18,
  /** No window of this session is open. */
  'not-open': 19,
  /** There is no such message, or nothing on the line to do it with. */
  nothing: 20,
} as const;
export type CallState = keyof typeof STATES;
const STATES_BY_NUMBER: ReadonlyMap<number, CallState> = new Map(
  Object.entries(STATES).map(([state, number]) => [number, state as CallState]),
);

const PORTS_AT = 36;
const STATE_BYTES = 4;
const MAX_DELAY_MS = 300_000;
/** By how much an answer's fixed fields outweigh a request's, which the query's padding makes up for. */
const OVERHEAD = ANSWER_TAG_BYTES - REQUEST_TAG_BYTES + STATE_BYTES + 4;

/** A query that carries one order, or opens a window; left out fields are 0. */
export const encodeCallQuery = (query: Partial<CallQuery> & Pick<CallQuery, 'action'>): Uint8Array => {
  const { action, order = null, line = 0, number = 0, afterMs = 0, index = 0, argument = 0, offset = 0 } = query;
  const { as = new Uint8Array(16), ports = [] } = query;
  const body = Buffer.alloc(
    Math.max(PORTS_AT + 2 * ports.length, OVERHEAD) + (action === 'tell' ? MAX_PIECE_BYTES : 0),
  );
  body.writeUInt8(ACTIONS.indexOf(action), 0);
  body.writeUInt8(order === null ? 0 : ORDERS[order], 1);
  body.writeUInt8(line, 2);
  body.writeUInt8(ports.length, 3);
  body.writeUInt32BE(number, 4);
  body.writeUInt32BE(afterMs, 8);
  body.writeUInt16BE(index, 12);
  body.writeUInt16BE(argument, 14);
  body.writeUInt32BE(offset, 16);
  body.set(as.subarray(0, 16), 20);
  for (const [at, port] of ports.entries()) body.writeUInt16BE(port, PORTS_AT + 2 * at);
  return body;
};

/** Null for a body that is cut off, or names no action, order or line that there is. */
export const readCallQuery = (body: Uint8Array): CallQuery | null => {
  if (body.length < PORTS_AT) return null;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const action = ACTIONS[bytes.readUInt8(0)];
  const order = ORDERS_BY_NUMBER.get(bytes.readUInt8(1)) ?? null;
  const line = bytes.readUInt8(2);
  const count = bytes.readUInt8(3);
  const afterMs = bytes.readUInt32BE(8);
  if (!action || (action === 'do' && order === null) || line >= MAX_LINES || count > MAX_LINES) return null;
  if (body.length < PORTS_AT + 2 * count || afterMs > MAX_DELAY_MS) return null;
  return {
    ...{ action, order, line, afterMs },
    number: bytes.readUInt32BE(4),
    index: bytes.readUInt16BE(12),
    argument: bytes.readUInt16BE(14),
    offset: bytes.readUInt32BE(16),
    as: Uint8Array.from(bytes.subarray(20, PORTS_AT)),
    ports: Array.from({ length: count }, (_, at) => bytes.readUInt16BE(PORTS_AT + 2 * at)),
  };
};

/** @param whole of what a piece is wanted; null for nothing */
export const encodeCallAnswer = (
  state: CallState,
  whole: Uint8Array | null,
  offset: number,
  queryLength: number,
): Uint8Array => {
  const piece = encodeEvidencePiece(whole, { offset, isTurned: true }, queryLength - STATE_BYTES);
  const body = Buffer.alloc(STATE_BYTES + piece.length);
  body.writeUInt8(STATES[state], 0);
  body.set(piece, STATE_BYTES);
  return body;
};

/** Null for what this version does not know. */
export const readCallAnswer = (
  body: Uint8Array,
): { readonly state: CallState; readonly piece: CapturePiece } | null => {
  const state = STATES_BY_NUMBER.get(body[0] ?? 0xff);
  const piece = readCapturePiece(body.subarray(STATE_BYTES));
  return state === undefined || piece === null ? null : { state, piece };
};

/** The names and the password of a window's lines: both ends derive them, so that they never travel. */
export interface CallIdentity {
  /** Of the line with this number, without a domain. */
  readonly user: (line: number) => string;
  readonly password: string;
}

const USER_BYTES = 8;
const PASSWORD_BYTES = 16;
const USER = /^c([0-9a-f]{16})([0-7])$/;

/** @param toAgent the session's key of the direction reflector → agent */
export const callIdentity = (toAgent: Uint8Array): CallIdentity => {
  const secret = createHmac('sha256', toAgent).update('callpath/1 call').digest();
  const name = secret.subarray(0, USER_BYTES).toString('hex');
  return {
    user: (line) => `c${name}${line}`,
    password: secret.subarray(USER_BYTES, USER_BYTES + PASSWORD_BYTES).toString('hex'),
  };
};

/** The window and the line that a user part names; null for anybody else's. */
export const readCallUser = (user: string): { readonly window: string; readonly line: number } | null => {
  const [, window, line] = USER.exec(user) ?? [];
  return window === undefined || line === undefined ? null : { window, line: Number(line) };
};

/** By which both ends see whether a message arrived as it was sent, without fetching it: eight octets of SHA-256. */
export const messageDigest = (bytes: Uint8Array): string => sha256Bytes(bytes, 8).toString('hex');

const MAX_RECORD_MESSAGES = 400;
const MAX_DONE = 64;

/** What the far end knows of a line. */
export interface CallRecord {
  /** By the far end's clock, in milliseconds. */
  readonly nowMs: number;
  readonly registration: { readonly contact: string; readonly expires: number; readonly algorithm: string } | null;
  readonly cancelled: number;
  /** Requests of its own that are over: of which order, and with which status; null for none. */
  readonly done: readonly { readonly number: number; readonly status: number | null }[];
  readonly call: {
    /** Whether its 200 was acknowledged; null while that is open. */
    readonly acknowledged: boolean | null;
    readonly stands: boolean;
    readonly ssrc: number;
    readonly soundSent: number;
    readonly soundHeard: number;
    readonly keys: string;
    readonly relayed: string;
  } | null;
  readonly messages: readonly {
    readonly direction: 'heard' | 'sent';
    readonly atMs: number;
    readonly name: string;
    readonly digest: string;
  }[];
}

const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null;
const isCount = (value: unknown): value is number => typeof value === 'number' && Number.isFinite(value);
const isShort = (value: unknown): value is string => typeof value === 'string' && value.length <= 256;

const readCallOf = (value: unknown): CallRecord['call'] | undefined => {
  if (value === null) return null;
  if (!isObject(value)) return undefined;
  const { acknowledged, stands, ssrc, soundSent, soundHeard, keys, relayed } = value;
  if (acknowledged !== null && typeof acknowledged !== 'boolean') return undefined;
  if (typeof stands !== 'boolean' || !isCount(ssrc) || !isCount(soundSent) || !isCount(soundHeard)) return undefined;
  if (!isShort(keys) || !isShort(relayed)) return undefined;
  return { acknowledged, stands, ssrc, soundSent, soundHeard, keys, relayed };
};

/** Reads a record; null for what is none. Never throws. */
export const readCallRecord = (bytes: Uint8Array): CallRecord | null => {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return null;
  }
  if (!isObject(value)) return null;
  const { nowMs, registration, cancelled, done, messages } = value;
  const call = readCallOf(value.call);
  if (!isCount(nowMs) || !isCount(cancelled) || call === undefined) return null;
  if (!Array.isArray(done) || done.length > MAX_DONE) return null;
  if (!Array.isArray(messages) || messages.length > MAX_RECORD_MESSAGES) return null;
  const known =
    isObject(registration) &&
    isShort(registration.contact) &&
    isCount(registration.expires) &&
    isShort(registration.algorithm)
      ? { contact: registration.contact, expires: registration.expires, algorithm: registration.algorithm }
      : null;
  return {
    ...{ nowMs, cancelled, call, registration: known },
    done: done.flatMap((one: unknown) =>
      isObject(one) && isCount(one.number) && (one.status === null || isCount(one.status))
        ? [{ number: one.number, status: one.status }]
        : [],
    ),
    messages: messages.flatMap((one: unknown): CallRecord['messages'][number][] => {
      if (!Array.isArray(one)) return [];
      const [direction, atMs, name, digest] = one as unknown[];
      return isCount(atMs) && isShort(name) && isShort(digest)
        ? [{ direction: direction === 0 ? 'heard' : 'sent', atMs, name, digest }]
        : [];
    }),
  };
};

/** The user part of a SIP URI; null where it has none. */
export const userOf = (uri: string): string | null => /^sips?:([^@:;]{1,64})(?::[^@]*)?@/i.exec(uri)?.[1] ?? null;
