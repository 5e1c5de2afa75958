/** A connected UDP socket with one owner. Connected, because only then does the kernel report ICMP errors to it. */
import { createSocket } from 'node:dgram';
import type { Family } from '../model/check.js';
import { type SocketError, socketError } from './errno.js';

export interface UdpPeer {
  readonly address: string;
  readonly port: number;
  readonly family: Family;
}

export interface UdpFlow {
  readonly local: { readonly address: string; readonly port: number };
  /** Resolves with the time of sending, in milliseconds of `performance.now()`; rejects with a `SocketError`. */
  send(bytes: Uint8Array): Promise<number>;
  close(): void;
}

export interface UdpEvents {
  message(bytes: Uint8Array, atMs: number): void;
  error(error: SocketError): void;
}

/**
 * Opens a flow from a fresh local port (or `local`). The kernel drops what comes from any other address than the
 * peer's, so an answer is matched by its source before a probe sees it.
 * @throws SocketError (as a rejection) if the socket cannot be bound or connected.
 */
export const openUdp = (
  peer: UdpPeer,
  events: UdpEvents,
  local: { readonly address?: string | undefined; readonly port?: number } = {},
): Promise<UdpFlow> =>
  new Promise((resolve, reject) => {
    const socket = createSocket({
      type: peer.family === 6 ? 'udp6' : 'udp4',
      // Addresses are literals here; the default lookup would cost a getaddrinfo per packet.
      lookup: (hostname, _options, done) => done(null, hostname, peer.family),
    });
    let open = false;
    let closed = false;
    const close = (): void => {
      if (closed) return;
      closed = true;
      socket.close();
    };
    socket.on('error', (error) => {
      if (open) return events.error(socketError(error));
      close();
      reject(socketError(error));
    });
    socket.on('message', (bytes) => events.message(bytes, performance.now()));
    const connect = (): void =>
      socket.connect(peer.port, peer.address, ((error?: Error) => {
        if (error) {
          close();
          reject(socketError(error));
          return;
        }
        open = true;
        const { address, port } = socket.address();
        resolve({
          local: { address, port },
          send: (bytes) =>
            new Promise((sent, failed) => {
              if (closed) {
                failed({ code: 'ERR_SOCKET_DGRAM_NOT_RUNNING', syscall: 'send' } satisfies SocketError);
                return;
              }
              const at = performance.now();
              socket.send(bytes, (sendError) => (sendError ? failed(socketError(sendError)) : sent(at)));
            }),
          close,
        });
      }) as () => void);
    if (local.address === undefined && local.port === undefined) connect();
    else socket.bind({ port: local.port ?? 0, ...(local.address && { address: local.address }) }, connect);
  });
