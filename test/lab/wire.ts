/**
 * A wire with a mind of its own: `wire RULES` stands between the firewall and the far end in a namespace with two
 * interfaces and no address, and passes frames on as RULES (JSON, wire-rules.ts) says. Node has no packet sockets, so
 * one socat an interface turns frames into datagrams on loopback and back.
 */
import { spawn } from 'node:child_process';
import { createSocket, type Socket } from 'node:dgram';
import { createQueue } from './relay.js';
import { createWire, type Side, type WireRules } from './wire-rules.js';

const LOOPBACK = '127.0.0.1';
/** More than a frame with its header; socat's own default is 8 kB. */
const MAX_FRAME = 65_536;
/** An Ethernet frame without its checksum: what a rule makes longer, no interface here takes, and socat ends on it. */
const MAX_SENT = 1514;
/** Bursts wait here until Node has read them; the kernel gives what it allows. */
const BUFFER_BYTES = 4 * 1024 * 1024;

/** By where it comes in: the interface towards the firewall is `in0`, towards the far end `out0`. */
const ENDS = {
  outbound: { device: 'in0', here: 7001, socat: 7002 },
  inbound: { device: 'out0', here: 7003, socat: 7004 },
} as const satisfies Record<Side, unknown>;
const OTHER: Readonly<Record<Side, Side>> = { outbound: 'inbound', inbound: 'outbound' };

const bind = (port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = createSocket({ type: 'udp4', lookup: (name, _options, done) => done(null, name, 4) });
    socket.once('error', reject);
    socket.bind(port, LOOPBACK, () => {
      socket.removeAllListeners('error').on('error', () => undefined);
      socket.setRecvBufferSize(BUFFER_BYTES);
      resolve(socket);
    });
  });

/** Resolves when frames flow; the whole wire ends when one of its ends does. */
const openEnd = ({ device, here, socat }: (typeof ENDS)[Side]): Promise<void> =>
  new Promise((resolve) => {
    const words = ['-d', '-d', '-b', String(MAX_FRAME), `INTERFACE:${device}`];
    const child = spawn('socat', [...words, `UDP4-DATAGRAM:${LOOPBACK}:${here},bind=${LOOPBACK}:${socat}`], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      if (text.includes('starting data transfer loop')) resolve();
      else if (/ [EF] /.test(text)) process.stderr.write(text);
    });
    child.once('error', (error) => {
      throw error;
    });
    child.once('exit', (code) => process.exit(code ?? 1));
    process.once('exit', () => child.kill());
  });

const pass = createWire(JSON.parse(process.argv[2] ?? '{}') as WireRules);
const sockets = { outbound: await bind(ENDS.outbound.here), inbound: await bind(ENDS.inbound.here) };
for (const side of ['outbound', 'inbound'] as const) {
  const onwards = ENDS[OTHER[side]].socat;
  const send = (frame: Buffer): void => sockets[OTHER[side]].send(frame, onwards, LOOPBACK, () => undefined);
  // Late timers of a busy host fire in any order: what waits leaves in its own.
  const waiting = createQueue();
  sockets[side].on('message', (frame) => {
    const now = performance.now();
    const passed = pass(side, frame, now);
    if (passed === null || passed.frame.length > MAX_SENT) return;
    waiting.add(passed.at, () => send(passed.frame));
    if (passed.at <= now) waiting.releaseUntil(now);
    else setTimeout(() => waiting.releaseUntil(Math.max(passed.at, performance.now())), passed.at - now);
  });
}
await Promise.all([openEnd(ENDS.outbound), openEnd(ENDS.inbound)]);
console.log('wire ready');
