/**
 * A connected UDP socket of our own descriptor: it marks what it sends, and tells of what arrives the hop limit, the traffic
 * class, the kernel's own time, and every ICMP error with who sent it. It is read by a timer and never waits in the kernel:
 * the kernel notes the times, so none is falsified by it, and libuv gives up a descriptor that has errors to read.
 */
import type { Family } from '../../model/check.js';
import type { SocketError } from '../errno.js';
import {
  AF,
  decodeAddress,
  type Endpoint,
  ERRNO,
  type ExtendedError,
  encodeAddress,
  type Marks,
  MSG,
  OPTIONS,
  type Option,
  SOCK,
  TIMESTAMP_NS,
} from './layout.js';
import type { Library } from './library.js';

export interface KernelPeer {
  readonly address: string;
  readonly port: number;
  readonly family: Family;
}

/** How a datagram is marked; what is left out stays as the system has it. */
export interface Marking {
  /** TTL or hop limit, 1–255. */
  readonly hopLimit?: number;
  /** The whole octet: DSCP in the upper six bits, ECN in the lower two (RFC 2474 §3). */
  readonly trafficClass?: number;
}

/** A datagram that arrived; null for what the kernel did not tell of it. */
export interface Heard {
  readonly bytes: Uint8Array;
  readonly hopLimit: number | null;
  readonly trafficClass: number | null;
  /** When the kernel received it, in milliseconds of `performance.now()`. */
  readonly atMs: number;
  /** Whether `atMs` is the kernel's time, or when it was read. */
  readonly isKernelTime: boolean;
}

/** An error that came for what was sent. */
export interface HeardError extends Omit<ExtendedError, 'errno'> {
  /** Errno's name, such as `EHOSTUNREACH`. */
  readonly errno: string;
  /** What the error quotes of the datagram's payload; empty where whoever sent it quotes headers alone. */
  readonly quoted: Uint8Array;
  readonly atMs: number;
}

interface FlowEvents {
  message(heard: Heard): void;
  error(error: HeardError): void;
}

export interface KernelFlow {
  readonly local: Endpoint;
  /**
   * Sends at once; resolves nothing, because nothing is waited for. Returns the time of sending in milliseconds of
   * `performance.now()`.
   * @throws SocketError if the kernel does not take it: it was not sent then
   */
  send(bytes: Uint8Array, marking?: Marking): number;
  /** Reads what has come by now, without waiting for the timer. */
  read(): void;
  close(): void;
}

/** How often it is read, in milliseconds: the buffer of a socket holds far more than comes in this time at our pace. */
const READ_EVERY_MS = 5;
/** What one reading takes at most, so that a flood does not hold up the event loop. */
const MAX_PER_READING = 256;
/** A difference above this is no age of a datagram: somebody has set the clock meanwhile. */
const MAX_AGE_MS = 10_000;
const CLOCK_REALTIME = 0;

export const failure = (library: Library, syscall: string): SocketError => ({
  code: library.errnoName(library.errno()),
  syscall,
});

const unusable = (syscall: string): SocketError => ({ code: 'EINVAL', syscall });

/** The kernel's time of day, in nanoseconds since 1970: the clock that it stamps datagrams with. */
const realtimeNanos = (library: Library): bigint => {
  const time = Buffer.alloc(16);
  library.clock_gettime(CLOCK_REALTIME, time);
  return time.readBigInt64LE(0) * 1_000_000_000n + time.readBigInt64LE(8);
};

/** A kernel's time as one of `performance.now()`; null where it says nothing. */
const momentOf = (library: Library, atNanos: bigint | null): number | null => {
  if (atNanos === null) return null;
  const ageMs = Number(realtimeNanos(library) - atNanos) / 1e6;
  return ageMs >= 0 && ageMs <= MAX_AGE_MS ? performance.now() - ageMs : null;
};

export const setOption = (library: Library, fd: number, { level, name }: Option, value: number): boolean => {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return library.setsockopt(fd, level, name, bytes, bytes.length) === 0;
};

const localOf = (library: Library, fd: number): Endpoint => {
  const bytes = Buffer.alloc(28);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(bytes.length);
  library.getsockname(fd, bytes, length);
  return decodeAddress(bytes) ?? { address: '', port: 0 };
};

/**
 * A socket that is bound as asked and not connected yet, its errors asked for.
 * @throws SocketError; nothing is left open then
 */
export const openSocket = (
  library: Library,
  family: Family,
  kind: 'stream' | 'datagram',
  from: { readonly address?: string | undefined; readonly port?: number | undefined },
): number => {
  const fd = library.socket(AF[family], SOCK[kind] | SOCK.nonBlocking | SOCK.closeOnExec, 0);
  if (fd < 0) throw failure(library, 'socket');
  const giveUp = (error: SocketError): never => {
    library.close(fd);
    throw error;
  };
  if (!setOption(library, fd, OPTIONS[family].receiveErrors, 1)) giveUp(failure(library, 'setsockopt'));
  if (from.address !== undefined || from.port !== undefined) {
    const any = family === 4 ? '0.0.0.0' : '::';
    const address = encodeAddress(family, from.address ?? any, from.port ?? 0);
    if (address === null) return giveUp(unusable('bind'));
    if (library.bind(fd, address, address.length) !== 0) giveUp(failure(library, 'bind'));
  }
  return fd;
};

/** One message from a socket or from its error queue; null where there is none. */
export const receive = (
  library: Library,
  fd: number,
  flags: number,
): { readonly bytes: Uint8Array; readonly marks: Marks } | 'nothing' | 'again' => {
  library.inbox.reset();
  const received = library.recvmsg(fd, library.inbox.header, flags | MSG.dontWait);
  if (received >= 0) return library.inbox.read(received);
  const errno = library.errno();
  // An error that was pending takes the place of what is to be read; its details are in the error queue.
  return errno === ERRNO.EAGAIN ? 'nothing' : 'again';
};

/** The errors that wait for a socket; each once. */
export const readErrors = (library: Library, fd: number): readonly HeardError[] => {
  const found: HeardError[] = [];
  for (let i = 0; i < MAX_PER_READING; i += 1) {
    const got = receive(library, fd, MSG.errorQueue);
    if (typeof got === 'string') break;
    const { error, atNanos } = got.marks;
    if (error === null) continue;
    const { errno, ...told } = error;
    found.push({
      ...told,
      errno: library.errnoName(errno),
      quoted: got.bytes,
      atMs: momentOf(library, atNanos) ?? performance.now(),
    });
  }
  return found;
};

const heardOf = (library: Library, bytes: Uint8Array, marks: Marks): Heard => {
  const atMs = momentOf(library, marks.atNanos);
  return {
    bytes,
    hopLimit: marks.hopLimit,
    trafficClass: marks.trafficClass,
    atMs: atMs ?? performance.now(),
    isKernelTime: atMs !== null,
  };
};

/** Asks the kernel for all that it tells of what arrives; what an old one does not know stays null. */
const askForMarks = (library: Library, fd: number, family: Family): void => {
  setOption(library, fd, OPTIONS[family].receiveHopLimit, 1);
  setOption(library, fd, OPTIONS[family].receiveTrafficClass, 1);
  setOption(library, fd, TIMESTAMP_NS, 1);
};

/**
 * Opens one from a fresh port, or from what is asked for. Whoever opens it closes it.
 * @throws SocketError if it cannot be bound or connected; nothing is left open then
 */
export const openKernelFlow = (
  library: Library,
  peer: KernelPeer,
  events: FlowEvents,
  from: { readonly address?: string | undefined; readonly port?: number | undefined } = {},
): KernelFlow => {
  const { family } = peer;
  const to = encodeAddress(family, peer.address, peer.port);
  if (to === null) throw unusable('connect');
  const fd = openSocket(library, family, 'datagram', from);
  askForMarks(library, fd, family);
  if (library.connect(fd, to, to.length) !== 0) {
    const error = failure(library, 'connect');
    library.close(fd);
    throw error;
  }
  let isOpen = true;
  const readErrorQueue = (): void => {
    for (const error of readErrors(library, fd)) if (isOpen) events.error(error);
  };
  const read = (): void => {
    if (!isOpen) return;
    readErrorQueue();
    for (let i = 0; i < MAX_PER_READING && isOpen; i += 1) {
      const got = receive(library, fd, 0);
      if (got === 'nothing') break;
      if (got !== 'again') events.message(heardOf(library, got.bytes, got.marks));
    }
  };
  const timer = setInterval(read, READ_EVERY_MS);
  const set: { hopLimit?: number; trafficClass?: number } = {};
  const mark = (what: 'hopLimit' | 'trafficClass', value: number | undefined): void => {
    if (value === undefined || set[what] === value) return;
    if (!setOption(library, fd, OPTIONS[family][what], value)) throw failure(library, 'setsockopt');
    set[what] = value;
  };
  return {
    local: localOf(library, fd),
    send: (bytes, marking = {}) => {
      if (!isOpen) throw { code: 'ERR_SOCKET_DGRAM_NOT_RUNNING', syscall: 'send' } satisfies SocketError;
      mark('hopLimit', marking.hopLimit);
      mark('trafficClass', marking.trafficClass);
      // An error that is still pending would take this datagram's place.
      readErrorQueue();
      const atMs = performance.now();
      if (library.send(fd, bytes, bytes.length, MSG.dontWait | MSG.noSignal) < 0) throw failure(library, 'send');
      return atMs;
    },
    read,
    close: () => {
      if (!isOpen) return;
      isOpen = false;
      clearInterval(timer);
      library.close(fd);
    },
  };
};
