/**
 * One attempt to open a TCP connection, and who refused it: Linux holds ICMP errors for a SYN as it does for a datagram
 * (since 5.8), so that a router's refusal is told from a reset. Nothing is said over the connection.
 */
import type { SocketError } from '../errno.js';
import { failure, type HeardError, type KernelPeer, openSocket, readErrors, setOption } from './flow.js';
import { ERRNO, encodeAddress, OPTIONS, PENDING_ERROR } from './layout.js';
import type { Library } from './library.js';

/** What became of it; `silence`: neither, in the time given. */
export type Attempted =
  | { readonly outcome: 'open' }
  /** By errno's name; what ICMP said of it, null where it was no ICMP (a reset, or this host). */
  | { readonly outcome: 'error'; readonly code: string; readonly icmp: HeardError | null }
  | { readonly outcome: 'silence'; readonly icmp: HeardError | null };

const READ_EVERY_MS = 5;
/** poll(2): writable, which a connection is once it stands or has failed. */
const POLLOUT = 4;

const pendingError = (library: Library, fd: number): number => {
  const value = Buffer.alloc(4);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(value.length);
  return library.getsockopt(fd, PENDING_ERROR.level, PENDING_ERROR.name, value, length) === 0
    ? value.readInt32LE(0)
    : 0;
};

const isWritable = (library: Library, fd: number): boolean => {
  const entry = Buffer.alloc(8);
  entry.writeInt32LE(fd, 0);
  entry.writeInt16LE(POLLOUT, 4);
  return library.poll(entry, 1, 0) > 0 && (entry.readInt16LE(6) & ~8) !== 0;
};

/**
 * Resolves with what became of it, at the latest after `timeoutMs` or when `signal` fires; the descriptor is closed then.
 * @throws SocketError (as a rejection) if this host does not even begin
 */
export const tryConnection = (
  library: Library,
  peer: KernelPeer,
  options: {
    readonly source?: string | undefined;
    readonly hopLimit?: number | undefined;
    readonly timeoutMs: number;
    readonly signal: AbortSignal;
  },
): Promise<Attempted> =>
  new Promise((resolve, reject) => {
    const to = encodeAddress(peer.family, peer.address, peer.port);
    if (to === null) return reject({ code: 'EINVAL', syscall: 'connect' } satisfies SocketError);
    let fd: number;
    try {
      fd = openSocket(library, peer.family, 'stream', options.source === undefined ? {} : { address: options.source });
    } catch (error) {
      return reject(error as SocketError);
    }
    let icmp: HeardError | null = null;
    const finish = (what: Attempted): void => {
      clearInterval(timer);
      options.signal.removeEventListener('abort', giveUp);
      library.close(fd);
      resolve(what);
    };
    const giveUp = (): void => finish({ outcome: 'silence', icmp });
    const untilMs = performance.now() + options.timeoutMs;
    const look = (): void => {
      // The last one is what ended it; earlier ones may be soft errors that the kernel bore (RFC 1122 §4.2.3.9).
      icmp = readErrors(library, fd).findLast(({ origin }) => origin !== 'local') ?? icmp;
      if (isWritable(library, fd)) {
        const error = pendingError(library, fd);
        // Whoever reads an ICMP error out of the queue takes it from the socket as well (sock_dequeue_err_skb).
        const code = error === 0 ? icmp?.errno : library.errnoName(error);
        finish(code === undefined ? { outcome: 'open' } : { outcome: 'error', code, icmp });
      } else if (performance.now() >= untilMs) giveUp();
    };
    const timer = setInterval(look, READ_EVERY_MS);
    options.signal.addEventListener('abort', giveUp, { once: true });
    if (options.hopLimit !== undefined) setOption(library, fd, OPTIONS[peer.family].hopLimit, options.hopLimit);
    if (library.connect(fd, to, to.length) === 0) return finish({ outcome: 'open' });
    if (library.errno() !== ERRNO.EINPROGRESS) {
      const error = failure(library, 'connect');
      finish({ outcome: 'error', code: error.code, icmp: null });
      return;
    }
    if (options.signal.aborted) giveUp();
  });
