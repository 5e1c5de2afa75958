/**
 * One UDP socket that asks many ports: unconnected, so that a sweep of thousands of ports needs one descriptor and one
 * source port. The kernel reports no ICMP error to it (`net/udp.ts` does), and filters nothing by source: who listens
 * here compares address and port.
 */
import { createSocket } from 'node:dgram';
import type { Family } from '../model/check.js';
import { type SocketError, socketError } from './errno.js';

export interface SharedUdp {
  readonly local: { readonly address: string; readonly port: number };
  /** Bytes of receive buffer that the kernel granted, as it counts them. */
  readonly receiveBuffer: number;
  /** What cannot be sent is told to `failed`, and not thrown. */
  send(bytes: Uint8Array, port: number, address: string, failed: (error: SocketError) => void): void;
  close(): void;
}

/** Called for every datagram, whoever sent it. */
type SharedMessage = (bytes: Uint8Array, address: string, port: number, atMs: number) => void;

/** What is asked for; systems grant less (Linux: net.core.rmem_max, doubled), so the answer is read back. */
const WANTED_BUFFER = 4 * 1024 * 1024;

/**
 * Opens a shared socket from a fresh local port.
 * @throws SocketError (as a rejection) if it cannot be bound
 */
export const openSharedUdp = (family: Family, message: SharedMessage, source: string | null): Promise<SharedUdp> =>
  new Promise((resolve, reject) => {
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      // Addresses are literals here; the default lookup would cost a getaddrinfo per packet.
      lookup: (hostname, _options, done) => done(null, hostname, family),
    });
    let open = false;
    let closed = false;
    const close = (): void => {
      if (closed) return;
      closed = true;
      socket.close();
    };
    socket.on('error', (error) => {
      // An unconnected socket hears of no peer's errors; what comes after binding belongs to one sending, whose own
      // callback tells it.
      if (open) return;
      close();
      reject(socketError(error));
    });
    socket.on('message', (bytes, from) => message(bytes, from.address, from.port, performance.now()));
    socket.bind({ port: 0, ...(source !== null && { address: source }) }, () => {
      open = true;
      try {
        socket.setRecvBufferSize(WANTED_BUFFER);
      } catch {
        // Some systems refuse what is above their limit instead of granting less; what is granted is read back below.
      }
      const { address, port } = socket.address();
      resolve({
        local: { address, port },
        receiveBuffer: socket.getRecvBufferSize(),
        send: (bytes, to, host, failed) => {
          if (closed) return;
          socket.send(bytes, to, host, (error) => {
            if (error) failed(socketError(error));
          });
        },
        close,
      });
    });
  });
