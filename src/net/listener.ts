/** A TCP or TLS port of this host, open for as long as something is expected there. It reads and never answers. */
import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Family } from '../model/check.js';
import { socketError } from './errno.js';
import { EXPORTER_BYTES, EXPORTER_LABEL } from './stream.js';

interface ListenEvents {
  /** A connection came from this address, which anybody may have; TLS is still to follow where it is wanted. */
  opened(from: string): void;
  /** All that this connection has brought so far. */
  heard(bytes: Uint8Array, from: string, binding: Uint8Array | null): void;
}

export interface Listening {
  close(): void;
}

/** Anybody may connect to an open port: nobody is read further than this, or kept longer. */
const MAX_BYTES = 1400;
const MAX_CONNECTIONS = 16;
const OPEN_FOR_MS = 5000;

/**
 * Listens.
 * @param address one of this host's own, or null for all of the family
 * @param credentials for TLS, or null for plain TCP
 * @throws SocketError (as a rejection) if the port cannot be had
 */
export const listen = (
  family: Family,
  address: string | null,
  port: number,
  credentials: { readonly cert: string; readonly key: string } | null,
  events: ListenEvents,
): Promise<Listening> =>
  new Promise((resolve, reject) => {
    const context = credentials && createSecureContext({ ...credentials, minVersion: 'TLSv1.2' });
    const sockets = new Set<Socket>();
    const read = (socket: Socket, from: string, bindingOf: () => Uint8Array | null): void => {
      let held = Buffer.alloc(0);
      socket.on('data', (bytes: Buffer) => {
        held = Buffer.concat([held, bytes]).subarray(0, MAX_BYTES);
        events.heard(held, from, bindingOf());
        if (held.length >= MAX_BYTES) socket.destroy();
      });
      socket.on('error', () => socket.destroy());
    };
    const server = createServer((socket) => {
      sockets.add(socket);
      const timer = setTimeout(() => socket.destroy(), OPEN_FOR_MS);
      socket.on('close', () => {
        clearTimeout(timer);
        sockets.delete(socket);
      });
      socket.on('error', () => socket.destroy());
      // Null once the connection is gone again.
      const from = socket.remoteAddress ?? '';
      events.opened(from);
      if (context === null) return read(socket, from, () => null);
      const secure = new TLSSocket(socket, { isServer: true, secureContext: context });
      read(secure, from, () => secure.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0)));
    });
    server.maxConnections = MAX_CONNECTIONS;
    let isOpen = false;
    server.on('error', (error) => {
      if (!isOpen) reject(socketError(error));
    });
    server.listen({ port, host: address ?? (family === 6 ? '::' : '0.0.0.0'), exclusive: true }, () => {
      isOpen = true;
      resolve({
        close: () => {
          server.close();
          for (const socket of sockets) socket.destroy();
        },
      });
    });
  });
