/**
 * The bodies of inbound requests and answers: an agent names a port of its own at which it listens, and the reflector
 * connects to it or sends there (docs/protocol.md, "Inbound"). A request begins an attempt or asks what became of one.
 */
import type { Transport } from '../model/kinds.js';

export interface InboundQuery {
  readonly action: 'begin' | 'tell';
  /** The agent's own number of the attempt; the same number begins one attempt at most. */
  readonly attempt: number;
  readonly transport: Transport;
  readonly port: number;
}

/** What became of an attempt, by its number on the wire. */
const STATES = {
  /** Begun, and not over. */
  pending: 0,
  /** Over UDP: handed to the network. Whether it arrived only the agent knows. */
  sent: 1,
  /** The connection opened, TLS included where it was asked for, and carried the knock. */
  connected: 2,
  /** A reset came back. */
  refused: 3,
  /** Nothing came back. */
  silent: 4,
  /** The network said that there is no way there, or that it is prohibited. */
  unreachable: 5,
  /** The connection opened, and TLS failed over it. */
  'tls-failed': 6,
  /** This reflector could not try: it has no socket to spare, or no address of that family. */
  failed: 7,
  /** Its operator does not allow it. */
  'not-offered': 16,
  /** The request came over UDP, where its source may be anybody's. */
  'needs-connection': 17,
  /** Too many of this network or token at the moment. */
  'held-back': 18,
  /** No attempt of this number is known. */
  forgotten: 19,
} as const;
export type InboundState = keyof typeof STATES;
const BY_NUMBER: ReadonlyMap<number, InboundState> = new Map(
  Object.entries(STATES).map(([state, number]) => [number, state as InboundState]),
);

const TRANSPORT_NUMBERS: Readonly<Record<Transport, number>> = { udp: 1, tcp: 2, tls: 3 };
const TRANSPORTS_BY_NUMBER: ReadonlyMap<number, Transport> = new Map(
  Object.entries(TRANSPORT_NUMBERS).map(([transport, number]) => [number, transport as Transport]),
);
const ACTION_NUMBERS = { begin: 1, tell: 2 } as const;

const QUERY_BYTES = 8;
const ANSWER_BYTES = 4;

/** @param padding bytes to add, so that neither the answer nor what goes to the port is larger than the request */
export const encodeInboundQuery = ({ action, attempt, transport, port }: InboundQuery, padding: number): Uint8Array => {
  const body = Buffer.alloc(QUERY_BYTES + padding);
  body.writeUInt8(ACTION_NUMBERS[action], 0);
  body.writeUInt8(TRANSPORT_NUMBERS[transport], 1);
  body.writeUInt16BE(port, 2);
  body.writeUInt32BE(attempt, 4);
  return body;
};

/** Null for a body that is too short, or names no port, transport or action. */
export const readInboundQuery = (body: Uint8Array): InboundQuery | null => {
  if (body.length < QUERY_BYTES) return null;
  const bytes = Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const transport = TRANSPORTS_BY_NUMBER.get(bytes.readUInt8(1));
  const port = bytes.readUInt16BE(2);
  const number = bytes.readUInt8(0);
  const action = number === ACTION_NUMBERS.begin ? 'begin' : number === ACTION_NUMBERS.tell ? 'tell' : null;
  if (transport === undefined || port === 0 || action === null) return null;
  return { action, transport, port, attempt: bytes.readUInt32BE(4) };
};

export const encodeInboundState = (state: InboundState): Uint8Array => {
  const body = Buffer.alloc(ANSWER_BYTES);
  body.writeUInt8(STATES[state], 0);
  return body;
};

/** Null for what this version does not know. */
export const readInboundState = (body: Uint8Array): InboundState | null =>
  body.length < ANSWER_BYTES ? null : (BY_NUMBER.get(body[0] ?? 0xff) ?? null);
