/** Peers on loopback that do what no honest peer does. Each binds a port of its own and counts what reached it. */
import { createSocket, type RemoteInfo, type Socket as UdpSocket } from 'node:dgram';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import type { Credentials } from '../../../src/reflector/certificate.js';

export const HOST = '127.0.0.1';

export interface Peer {
  readonly port: number;
  /** Datagrams, or connections, that reached it. */
  reached(): number;
  close(): void;
}

/** A UDP socket that does `react` with each datagram. */
export const udpPeer = async (
  react: (message: Buffer, from: RemoteInfo, socket: UdpSocket) => void = () => undefined,
  address = HOST,
): Promise<Peer> => {
  const socket = createSocket('udp4');
  let reached = 0;
  socket.on('message', (message, from) => {
    reached += 1;
    react(message, from, socket);
  });
  // A client that has gone answers with ICMP, which is no concern of a hostile peer.
  socket.on('error', () => undefined);
  socket.bind(0, address);
  await once(socket, 'listening');
  return { port: socket.address().port, reached: () => reached, close: () => socket.close() };
};

/** A TCP server that does `react` with each connection. */
export const tcpPeer = async (react: (socket: Socket) => void = () => undefined): Promise<Peer> => {
  const connections = new Set<Socket>();
  let reached = 0;
  const server: Server = createServer((socket) => {
    reached += 1;
    connections.add(socket);
    socket.on('error', () => undefined);
    socket.on('close', () => connections.delete(socket));
    react(socket);
  });
  server.listen(0, HOST);
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    reached: () => reached,
    close: () => {
      for (const socket of connections) socket.destroy();
      server.close();
    },
  };
};

/** A TLS server that shows `credentials` and does `react` with what comes out of it. */
export const tlsPeer = (
  credentials: Credentials,
  react: (socket: TLSSocket) => void = () => undefined,
): Promise<Peer> => {
  const secureContext = createSecureContext({ cert: credentials.cert, key: credentials.key });
  return tcpPeer((socket) => {
    const secure = new TLSSocket(socket, { isServer: true, secureContext });
    secure.on('error', () => undefined);
    react(secure);
  });
};

/** A port on which nothing listens: bound once, to know that it was free, and given back. */
export const closedPort = async (open: () => Promise<Peer>): Promise<number> => {
  const peer = await open();
  peer.close();
  return peer.port;
};

/** Writes `chunk` for as long as the other side takes it. */
export const forever = (socket: Socket, chunk: Uint8Array): void => {
  const pour = (): void => {
    while (!socket.destroyed && socket.write(chunk));
  };
  socket.on('drain', pour);
  pour();
};
