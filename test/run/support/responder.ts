/** A reflector on one UDP port of loopback, in a process of its own; prints the port and answers until it is killed. */
import { createSocket } from 'node:dgram';
import { pureReflector } from '../../support/pure-reflector.js';

const nowMicros = (): bigint => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000));
const reflector = pureReflector(nowMicros);
const socket = createSocket('udp4');
socket.on('message', (message, from) => {
  const arrival = { address: from.address, port: from.port, localPort: socket.address().port };
  const answer = reflector.datagram(message, arrival);
  if (answer) socket.send(answer, from.port, from.address);
});
socket.bind(0, '127.0.0.1', () => process.stdout.write(`${socket.address().port}\n`));
