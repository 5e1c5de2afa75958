/**
 * A UDP socket that is not connected: it speaks to several peers from one port and hears whoever sends to it, which is
 * how NAT behaviour shows (RFC 5780 §4). It is told of no ICMP error.
 */
import { createSocket } from 'node:dgram';
import type { Family } from '../model/check.js';
import { socketError } from './errno.js';

interface Endpoint {
  readonly address: string;
  readonly port: number;
}

export interface OpenSocket {
  readonly localPort: number;
  /** What cannot be sent is lost like any datagram. */
  send(bytes: Uint8Array, to: Endpoint): void;
  close(): void;
}

/**
 * Opens one on a fresh port, or on the given one.
 * @throws SocketError (as a rejection) if it cannot be bound
 */
export const openSocket = (
  family: Family,
  address: string | null,
  heard: (bytes: Uint8Array, from: Endpoint) => void,
  port = 0,
): Promise<OpenSocket> =>
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
      if (open) return;
      close();
      reject(socketError(error));
    });
    socket.on('message', (bytes, from) => heard(bytes, { address: from.address, port: from.port }));
    socket.bind({ port, ...(address !== null && { address }) }, () => {
      open = true;
      resolve({
        localPort: socket.address().port,
        send: (bytes, to) => {
          if (!closed) socket.send(bytes, to.port, to.address, () => undefined);
        },
        close,
      });
    });
  });
