/**
 * A far end that knows nothing of the product: `observer CERT KEY ADDRESS,… UDP,… TCP,…` answers every question and
 * logs, one JSON line each, what arrived from where. Each TCP port takes TLS as well.
 */
import { X509Certificate } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { readFileSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { createSecureContext, TLSSocket } from 'node:tls';
import { answerTo } from './questions.js';

const [certFile = '', keyFile = '', addresses = '', udpPorts = '', tcpPorts = ''] = process.argv.slice(2);
const cert = readFileSync(certFile);
const context = createSecureContext({ cert, key: readFileSync(keyFile) });
const { fingerprint256 } = new X509Certificate(cert);
/** First byte of a TLS record that opens a handshake (RFC 8446 §5.1). */
const TLS_HANDSHAKE = 0x16;

const numbers = (text: string): readonly number[] => text.split(',').filter(Boolean).map(Number);

const log = (entry: { transport: string; port: number; from: string; fromPort: number; bytes: Buffer }): void => {
  console.log(JSON.stringify({ ...entry, bytes: entry.bytes.toString('base64') }));
};

const converse = (socket: Socket, transport: 'tcp' | 'tls', port: number): void => {
  socket.on('error', () => socket.destroy());
  socket.once('data', (bytes: Buffer) => {
    log({ transport, port, from: socket.remoteAddress ?? '', fromPort: socket.remotePort ?? 0, bytes });
    // Who sees another certificate than this one was intercepted.
    socket.end(Buffer.concat([answerTo(bytes), Buffer.from(transport === 'tls' ? `\n${fingerprint256}` : '')]));
  });
};

const bound: Promise<void>[] = [];
for (const address of addresses.split(',')) {
  for (const port of numbers(udpPorts)) {
    const family = address.includes(':') ? 6 : 4;
    const socket = createSocket({
      type: family === 6 ? 'udp6' : 'udp4',
      lookup: (name, _options, done) => done(null, name, family),
    });
    socket.on('message', (bytes, from) => {
      log({ transport: 'udp', port, from: from.address, fromPort: from.port, bytes });
      socket.send(answerTo(bytes), from.port, from.address, () => undefined);
    });
    bound.push(new Promise((resolve) => socket.bind(port, address, resolve)));
  }
  for (const port of numbers(tcpPorts)) {
    const server = createServer((socket) => {
      socket.on('error', () => socket.destroy());
      socket.once('data', (first: Buffer) => {
        socket.pause();
        socket.unshift(first);
        if (first[0] !== TLS_HANDSHAKE) {
          converse(socket, 'tcp', port);
          socket.resume();
          return;
        }
        const secure = new TLSSocket(socket, { isServer: true, secureContext: context });
        converse(secure, 'tls', port);
      });
    });
    bound.push(new Promise((resolve) => server.listen(port, address, resolve)));
  }
}
await Promise.all(bound);
console.log('observer ready');
