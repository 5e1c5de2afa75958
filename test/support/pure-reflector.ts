/** The reflector without its sockets: bytes in, bytes out, for tests that bring their own network. */

import type { ReflectorInfo } from '../../src/model/far-end.js';
import { createAuthority } from '../../src/reflector/authority.js';
import { createEvidenceBook } from '../../src/reflector/captures.js';
import { answerDatagram } from '../../src/reflector/datagrams.js';
import type { Arrival, Host } from '../../src/reflector/exchange.js';
import { createKeepaliveBook, createLimiter } from '../../src/reflector/limits.js';
import { createSessions } from '../../src/reflector/sessions.js';
import { type Conversation, createConversation } from '../../src/reflector/streams.js';
import { encodeInfo } from '../../src/wire/info.js';
import { parseIp, toMappedBytes } from '../../src/wire/ip.js';

export const TOKEN = Buffer.from('a token that both ends of a test share');
export const EVERYWHERE: ReflectorInfo = {
  version: '0.0.0-test',
  udp: [[1, 65_535]],
  tcp: [[1, 65_535]],
  certificateSha256: null,
};

export interface From {
  readonly address: string;
  readonly port: number;
  readonly localPort: number;
  /** Of TLS, or null. */
  readonly binding?: Uint8Array | null;
}

interface PureReflector {
  /** The answer to a datagram, or null. */
  datagram(message: Uint8Array, from: From): Uint8Array | null;
  /** @param write takes what the reflector sends unasked */
  conversation(write?: (bytes: Uint8Array) => void): Conversation;
  arrival(from: From): Arrival;
}

const mapped = (address: string): Uint8Array => {
  const parsed = parseIp(address);
  if (!parsed) throw new RangeError(`not an address: ${address}`);
  return toMappedBytes(parsed.bytes);
};

/** A reflector over TOKEN, whose clock is the caller's. */
export const pureReflector = (
  nowMicros: () => bigint = () => 0n,
  info: ReflectorInfo = EVERYWHERE,
  token: Uint8Array = TOKEN,
  { inbound = null, calls = null }: Pick<Host, 'inbound' | 'calls'> = {},
): PureReflector => {
  const keepalives = createKeepaliveBook();
  const host: Host = {
    authority: createAuthority([{ name: 'test', token }]),
    nowMicros,
    keepalives: keepalives.count,
    info: (_asker, room) => encodeInfo(info, room),
    sessions: createSessions(1),
    evidence: createEvidenceBook(),
    refused: () => 0,
    version: info.version,
    ...{ inbound, calls },
  };
  const limiter = createLimiter(() => Number(nowMicros() / 1000n));
  const arrival = ({ address, port, localPort, binding }: From): Arrival => ({
    sourceBytes: mapped(address),
    sourceAddress: address,
    sourcePort: port,
    localPort,
    receivedAtMicros: nowMicros(),
    binding: binding ?? null,
    localAddress: null,
    surroundings: null,
  });
  return {
    arrival,
    datagram: (message, from) =>
      answerDatagram(message, arrival(from), { host, limiter, sawKeepalive: keepalives.saw })?.bytes ?? null,
    conversation: (write) => createConversation(host, write),
  };
};
