/**
 * Connections to a small HTTP server: how many, and who goes when there are too many. Whoever asks is served; whoever holds a
 * connection open and asks nothing makes room, however many do so.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

/** Scrapers, a browser with a few tabs, and a health check; a flood is not ours to serve. */
const MAX_CONNECTIONS = 64;
/** To say what is wanted. Answers take as long as they take. */
const REQUEST_MS = 5000;
/** Between two requests of a browser that looks at several pages. */
const IDLE_MS = 5000;

/** For `createServer`: what a request may take to arrive, and how often that is looked at. */
export const HTTP_LIMITS = {
  requestTimeout: REQUEST_MS,
  headersTimeout: REQUEST_MS,
  keepAliveTimeout: IDLE_MS,
  connectionsCheckingInterval: 1000,
} as const;

/** Keeps the server below its ceiling: the connection goes that has stood longest without a request under way. */
export const boundConnections = (server: Server, most: number = MAX_CONNECTIONS): void => {
  /** By when they came or were last of use. */
  const idle = new Set<Socket>();
  const busy = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    if (idle.size + busy.size >= most) {
      const [longest] = idle;
      (longest ?? socket).destroy();
      if (!longest) return;
      idle.delete(longest);
    }
    idle.add(socket);
    // One that never begins to speak, TLS handshake included, is not waited for.
    const silent = setTimeout(() => {
      if (idle.has(socket)) socket.destroy();
    }, REQUEST_MS + IDLE_MS).unref();
    socket.once('close', () => {
      clearTimeout(silent);
      idle.delete(socket);
      busy.delete(socket);
    });
  });
  server.on('request', ({ socket }, response) => {
    const raw = rawOf(socket, idle);
    if (raw) {
      idle.delete(raw);
      busy.add(raw);
      response.once('close', () => {
        if (busy.delete(raw) && !raw.destroyed) idle.add(raw);
      });
    }
  });
};

/** Under TLS a request names the socket inside; the connection is the one below, of the same far end. */
const rawOf = (socket: Socket, idle: ReadonlySet<Socket>): Socket | null => {
  if (idle.has(socket)) return socket;
  const { remoteAddress, remotePort } = socket;
  for (const one of idle) if (one.remotePort === remotePort && one.remoteAddress === remoteAddress) return one;
  return null;
};
