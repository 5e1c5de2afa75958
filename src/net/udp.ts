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

interface UdpEvents {
  message(bytes: Uint8Array, atMs: number): void;
  error(error: SocketError): void;
  /**
   * Where it is given the socket is not connected: it hears whoever sends to it, what comes from elsewhere goes here, and
   * the kernel reports no ICMP error.
   */
  stray?(bytes: Uint8Array, from: { readonly address: string; readonly port: number }, atMs: number): void;
}

/** Two spellings of one IPv6 address are one address; a scope is this host's own word for a link. */
const isSameAddress = (one: string, other: string): boolean =>
  one === other || one.split('%')[0] === other.split('%')[0];

/**
 * Opens a flow from a fresh local port (or `local`). The kernel drops what comes from any other address than the
 * peer's, so an answer is matched by its source before a probe sees it; where strays are wanted the flow does it itself.
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
    const { stray } = events;
    socket.on('message', (bytes, from) => {
      const isPeer = from.port === peer.port && isSameAddress(from.address, peer.address);
      if (isPeer || stray === undefined) events.message(bytes, performance.now());
      else stray(bytes, { address: from.address, port: from.port }, performance.now());
    });
    const sendOver = (bytes: Uint8Array, sent: (error?: Error | null) => void): void => {
      if (stray === undefined) socket.send(bytes, sent);
      else socket.send(bytes, peer.port, peer.address, sent);
    };
    const ready = (): void => {
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
            sendOver(bytes, (sendError) => (sendError ? failed(socketError(sendError)) : sent(at)));
          }),
        close,
      });
    };
    const connect = (): void =>
      socket.connect(peer.port, peer.address, ((error?: Error) => {
        if (error) {
          close();
          reject(socketError(error));
          return;
        }
        ready();
      }) as () => void);
    const begin = stray === undefined ? connect : ready;
    if (stray === undefined && local.address === undefined && local.port === undefined) connect();
    else socket.bind({ port: local.port ?? 0, ...(local.address && { address: local.address }) }, begin);
  });
