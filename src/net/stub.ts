/**
 * A stub resolver (RFC 1034 §5.3.1) that remembers who was silent. It asks the servers in turn, the next one as well when
 * the first takes its time, goes over to TCP for what is too long for UDP, and never blames one question on another.
 */
import { randomInt } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { connect, isIPv6 } from 'node:net';
import { accept, type Parsed, refuse } from '../model/refusal.js';
import {
  answersQuestion,
  buildQuery,
  type DnsMessage,
  type DnsRecord,
  type DnsType,
  dnsStream,
  frameDnsTcp,
  parseDns,
  RCODES,
} from '../wire/dns.js';
import type { DnsFailure } from './dns.js';
import { socketError } from './errno.js';
import { afterReading } from './pacing.js';

/** What a server has been like so far. */
export interface ServerSeen {
  readonly address: string;
  /** It was asked and given the time that a slow one takes. */
  readonly asked: boolean;
  readonly state: 'answers' | 'silent' | 'refuses';
}

interface StubOptions {
  /** `address`, `address:port` or `[address]:port`, in the order in which they are asked. */
  readonly servers: readonly string[];
  /** How long one question may take, all servers and repetitions together, in milliseconds. */
  readonly patienceMs: number;
}

type RecordOf<T extends DnsType> = Extract<DnsRecord, { readonly type: T }>;

interface Stub {
  ask<T extends DnsRecord['type']>(
    name: string,
    type: T,
    signal: AbortSignal,
  ): Promise<Parsed<readonly RecordOf<T>[], DnsFailure>>;
  servers(): readonly ServerSeen[];
}

/** A resolver that has to ask the root answers within a second; after this the next one is asked as well. */
const NEXT_AFTER_MS = 1_500;
/** Of the patience, where that is short: three sendings fit in. */
const SENDINGS = 3;
/** A resolver that is being restarted refuses for a moment: it is believed when it has done so this often, at such intervals. */
const REFUSALS_BELIEVED = 3;
const REFUSED_AGAIN_MS = 500;
/** Aliases that are followed in one answer; a chain that is longer is a loop or an attack. */
const MAX_ALIASES = 12;
const DNS_PORT = 53;

interface Server {
  readonly address: string;
  readonly port: number;
  asked: boolean;
  answered: boolean;
  refused: boolean;
}

const readServer = (text: string): Server => {
  const bracketed = /^\[([^\]]+)\]:(\d+)$/.exec(text);
  const plain = isIPv6(text) ? null : /^([^:]+):(\d+)$/.exec(text);
  const [, address = text, port] = bracketed ?? plain ?? [];
  return { address, port: Number(port ?? DNS_PORT), asked: false, answered: false, refused: false };
};

/** What one server said to one question: records, or why there are none, and whether another one may know better. */
type Said = { readonly result: Parsed<DnsMessage, DnsFailure>; readonly final: boolean };

const judged = (message: DnsMessage): Said => {
  switch (message.rcode) {
    case RCODES.noError:
      return { result: accept(message), final: true };
    case RCODES.nameError:
      return { result: refuse('not-found'), final: true };
    case RCODES.serverFailure:
      return { result: refuse('server-failure'), final: false };
    case RCODES.refused:
    case RCODES.notImplemented:
      return { result: refuse('refused'), final: false };
    default:
      return { result: refuse('bad-answer'), final: false };
  }
};

/** The records of the type that was asked for, at the name or at what it is an alias of (RFC 1034 §3.6.2). */
const recordsOf = <T extends DnsRecord['type']>(message: DnsMessage, name: string, type: T): readonly RecordOf<T>[] => {
  const names = new Set([name.toLowerCase()]);
  for (let turn = 0; turn < MAX_ALIASES; turn += 1) {
    const before = names.size;
    for (const record of message.answers) {
      if (record.type === 'CNAME' && names.has(record.name.toLowerCase())) names.add(record.target.toLowerCase());
    }
    if (names.size === before) break;
  }
  return message.answers.filter(
    (record): record is RecordOf<T> => record.type === type && names.has(record.name.toLowerCase()),
  );
};

/** Sends one query over UDP; `heard` gets what belongs to it, `failed` what the kernel says. Returns what closes it. */
const overUdp = (
  { address, port }: Server,
  query: Uint8Array,
  heard: (bytes: Uint8Array) => void,
  failed: (code: string) => void,
): (() => void) => {
  const family = isIPv6(address) ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    // Addresses are literals here; the default lookup would cost a getaddrinfo per packet.
    lookup: (host, _options, done) => done(null, host, family),
  });
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    socket.close();
  };
  socket.on('error', (error) => failed(socketError(error).code));
  socket.on('message', heard);
  // Connected, so that only the server itself is heard, and its host's refusal as well.
  socket.connect(port, address, ((error?: Error) => {
    if (closed) return;
    if (error) failed(socketError(error).code);
    else socket.send(query, (sendError) => sendError && !closed && failed(socketError(sendError).code));
  }) as () => void);
  return close;
};

/** The same over TCP (RFC 7766). */
const overTcp = (
  { address, port }: Server,
  query: Uint8Array,
  heard: (bytes: Uint8Array) => void,
  failed: (code: string) => void,
): (() => void) => {
  const socket = connect({ host: address, port, family: isIPv6(address) ? 6 : 4 });
  const stream = dnsStream();
  socket.on('connect', () => socket.write(frameDnsTcp(query)));
  socket.on('data', (bytes) => {
    for (const item of stream.push(bytes)) {
      if (item.kind === 'message') heard(item.bytes);
      else failed('EBADRESP');
    }
  });
  socket.on('error', (error) => failed(socketError(error).code));
  socket.on('close', () => failed('ECONNRESET'));
  return () => socket.destroy();
};

/** A stub for these servers; without any, every question fails as `closed`. Never rejects. */
export const createStub = ({ servers: given, patienceMs }: StubOptions): Stub => {
  const servers = given.map(readServer);
  const stepMs = Math.min(NEXT_AFTER_MS, patienceMs / SENDINGS);
  let firstAnswerAt = Number.POSITIVE_INFINITY;
  /** Who answered last is asked first: a silent one before it would cost every question its time. */
  let first = 0;

  const ask: Stub['ask'] = (name, type, signal) =>
    new Promise((resolve) => {
      const startedAt = performance.now();
      const closers: (() => void)[] = [];
      const failures: DnsFailure[] = [];
      const isOut = new Set<Server>();
      const refusals = new Map<Server, number>();
      /** Asked over TCP as well: once each, however many answers say that they are cut short. */
      const overTcpToo = new Set<Server>();
      let isGarbled = false;
      let over = false;
      let sendings = 0;
      let sentAt = Number.NEGATIVE_INFINITY;
      let sentTo: Server | null = null;
      let next: NodeJS.Timeout | undefined;
      const finish = (result: Parsed<DnsMessage, DnsFailure>): void => {
        if (over) return;
        over = true;
        clearTimeout(next);
        signal.removeEventListener('abort', cancel);
        for (const close of closers) close();
        if (!result.ok) {
          resolve(result);
          return;
        }
        const records = recordsOf(result.value, name, type);
        resolve(records.length > 0 ? accept(records) : refuse('no-record'));
      };
      const cancel = (): void => finish(refuse(signal.reason === 'timeout' ? 'timeout' : 'cancelled'));
      /** The server will not do better; the next one may. */
      const giveUp = (server: Server, failure: DnsFailure): void => {
        if (over || isOut.has(server)) return;
        isOut.add(server);
        failures.push(failure);
        if (isOut.size === servers.length) finish(refuse(failures[0] ?? 'other'));
        else send();
      };
      const hear = (server: Server, query: DnsMessage, bytes: Uint8Array, isTcp: boolean): void => {
        if (over) return;
        const response = parseDns(bytes);
        if (!response.ok) {
          // It came from the server; whether it belongs to this question nobody can read.
          if (!isGarbled) failures.push('bad-answer');
          isGarbled = true;
          return;
        }
        if (!answersQuestion(query, response.value)) return;
        server.answered = true;
        firstAnswerAt = Math.min(firstAnswerAt, performance.now());
        if (response.value.flags.truncated && !isTcp) {
          if (overTcpToo.has(server)) return;
          overTcpToo.add(server);
          closers.push(
            overTcp(
              server,
              queryBytes,
              (more) => hear(server, query, more, true),
              () => giveUp(server, 'truncated'),
            ),
          );
          return;
        }
        const { result, final } = judged(response.value);
        if (final) {
          first = servers.indexOf(server);
          finish(result);
        } else if (!result.ok) giveUp(server, result.refusal);
      };
      const after = (ms: number, then: () => void): void => {
        // Each question has a socket of its own, and one answer in it.
        next = setTimeout(afterReading, ms, 1, () => {
          if (!over) then();
        });
      };
      const pause = (ms: number): void => {
        clearTimeout(next);
        after(Math.min(ms, stepMs), send);
      };
      const send = (): void => {
        clearTimeout(next);
        const left = servers.filter((server) => !isOut.has(server));
        const turn = (first + sendings) % servers.length;
        const server = left.includes(servers[turn] as Server) ? servers[turn] : left[sendings % left.length];
        const elapsed = performance.now() - startedAt;
        // Sent once more, to a server that answered others, and silent still: something swallows it (AAAA, NAPTR).
        const isBeside = sentAt >= firstAnswerAt && sentTo?.answered === true;
        if (!server || elapsed >= patienceMs || isBeside) {
          finish(refuse(failures[0] ?? 'timeout'));
          return;
        }
        sendings += 1;
        sentAt = performance.now();
        sentTo = server;
        closers.push(
          overUdp(
            server,
            queryBytes,
            (bytes) => hear(server, asked, bytes, false),
            (code) => {
              if (over) return;
              if (code !== 'ECONNREFUSED') {
                giveUp(server, 'unreachable');
                return;
              }
              server.refused = true;
              const times = (refusals.get(server) ?? 0) + 1;
              refusals.set(server, times);
              if (times >= REFUSALS_BELIEVED) giveUp(server, 'closed');
              else if (isOut.size < servers.length - 1) send();
              else pause(REFUSED_AGAIN_MS);
            },
          ),
        );
        const isLast = patienceMs - elapsed <= stepMs;
        after(isLast ? patienceMs - elapsed : stepMs, () => {
          server.asked = true;
          send();
        });
      };
      if (signal.aborted) return cancel();
      if (servers.length === 0) return finish(refuse('closed'));
      let queryBytes: Uint8Array;
      try {
        // Random, because it is what somebody off the path has to guess, with the port (RFC 5452 §4).
        queryBytes = buildQuery({ id: randomInt(0x10000), name, type, recursionDesired: true });
      } catch {
        return finish(refuse('other'));
      }
      const parsed = parseDns(queryBytes);
      if (!parsed.ok) return finish(refuse('other'));
      const asked = parsed.value;
      signal.addEventListener('abort', cancel);
      send();
    });

  return {
    ask,
    servers: () =>
      servers.map(({ address, asked, answered, refused }) => ({
        address,
        asked: asked || answered || refused,
        state: answered ? 'answers' : refused ? 'refuses' : 'silent',
      })),
  };
};
