/** Enough of irtt's protocol (packet.go and params.go of irtt 0.9.0) to open a test on its server and fill it with echo requests. */
import { createHmac } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';

const MAGIC = [0x14, 0xa7, 0x5b] as const;
const OPEN = 1;
const HMAC = 8;
const MAC_AT = 4;
const TOKEN_AT = 20;
const SEQUENCE_AT = 28;
/** The reply's fields: received count and window, wall and monotonic clock at receiving and at sending. */
const FIELDS_END = 32 + 12 + 32;
/** Version 1, for an hour, every 10 ms, `length` octets, with all statistics and stamps, which are irtt's defaults. */
const PARAMETERS = {
  version: 1,
  durationNs: 3600 * 1e9,
  intervalNs: 1e7,
  statistics: 3,
  stamps: 3,
  clocks: 3,
} as const;

/** Go's `binary.PutVarint`: zigzag, seven bits at a time, the lowest first. */
const varint = (value: number): readonly number[] => {
  const octets: number[] = [];
  let rest = BigInt(value) * 2n;
  for (; rest >= 0x80n; rest >>= 7n) octets.push(Number(rest & 0x7fn) | 0x80);
  return [...octets, Number(rest)];
};

const sealed = (packet: Buffer, key: string): Buffer => {
  packet.set(createHmac('md5', key).update(packet).digest(), MAC_AT);
  return packet;
};

const head = (flags: number, length: number): Buffer => {
  const packet = Buffer.alloc(length);
  packet.set([...MAGIC, flags | HMAC]);
  return packet;
};

/** Opens a test at 127.0.0.1:`port` from port `local`; resolves with `count` echo requests of `length` octets for it. */
export const irttRequests = async (
  { port, local, key }: { readonly port: number; readonly local: number; readonly key: string },
  length: number,
  count: number,
): Promise<readonly Uint8Array[]> => {
  const { version, durationNs, intervalNs, statistics, stamps, clocks } = PARAMETERS;
  const values = [version, durationNs, intervalNs, length, statistics, stamps, clocks];
  const parameters = Buffer.from(values.flatMap((value, index) => [index + 1, ...varint(value)]));
  const open = head(OPEN, TOKEN_AT + parameters.length);
  open.set(parameters, TOKEN_AT);
  const socket = createSocket('udp4').bind(local, '127.0.0.1');
  socket.send(sealed(open, key), port, '127.0.0.1');
  const [reply] = (await once(socket, 'message', { signal: AbortSignal.timeout(2000) })) as [Buffer];
  socket.close();
  await once(socket, 'close');
  const token = reply.subarray(TOKEN_AT, SEQUENCE_AT);
  return Array.from({ length: count }, (_, sequence) => {
    const packet = head(0, Math.max(length, FIELDS_END));
    packet.set(token, TOKEN_AT);
    packet.writeUInt32LE(sequence, SEQUENCE_AT);
    return sealed(packet, key);
  });
};
