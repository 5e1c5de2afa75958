/**
 * Asks an IKE responder once and prints what came back as JSON. Runs inside a test's network namespace, where the
 * fixed ports 500 and 4500 belong to nobody else.
 * Arguments: port, group, initiator SPI in hex, cookie in hex or nothing.
 */
import { createHash } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import {
  buildSaInitRequest,
  IKE_GROUPS,
  isIkeGroup,
  makeKeyExchange,
  NO_SPI,
  natDetectionHash,
  readSaInitResponse,
} from '../../../src/wire/ike.js';
import { classifyNatT, withNonEspMarker } from '../../../src/wire/nat-t.js';
import { plain } from './bytes.js';

const LOOPBACK = Uint8Array.of(127, 0, 0, 1);
const NAT_T_PORT = 4500;
const ANSWER_WITHIN_MS = 5000;

const port = Number(process.argv[2]);
const group = Number(process.argv[3]);
const spiI = Buffer.from(process.argv[4] ?? '', 'hex');
const cookie = process.argv[5] ? Buffer.from(process.argv[5], 'hex') : null;
if (!isIkeGroup(group)) throw new RangeError(`no such group: ${group}`);

const socket = createSocket('udp4');
socket.bind(0, '127.0.0.1');
await once(socket, 'listening');
const local = socket.address();
const request = buildSaInitRequest({
  spiI,
  groups: Object.values(IKE_GROUPS),
  ke: { group, value: makeKeyExchange(group) },
  nonce: createHash('sha256').update(spiI).digest(),
  natDetection: {
    source: natDetectionHash(spiI, NO_SPI, LOOPBACK, local.port),
    destination: natDetectionHash(spiI, NO_SPI, LOOPBACK, port),
  },
  cookie,
  vendorIds: [Buffer.from('callpath test')],
  fragmentationSupported: true,
});
socket.send(port === NAT_T_PORT ? withNonEspMarker(request) : request, port, '127.0.0.1');
const [datagram]: Buffer[] = await once(socket, 'message', { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
socket.close();

const unwrapped = port === NAT_T_PORT && datagram ? classifyNatT(datagram) : null;
const message = unwrapped?.ok && unwrapped.value.kind === 'ike' ? unwrapped.value.message : datagram;
if (!message) throw new Error('no message');
process.stdout.write(JSON.stringify({ localPort: local.port, response: plain(readSaInitResponse(message, { spiI })) }));
