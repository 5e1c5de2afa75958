/**
 * Silent ports asked once more from a connected socket each: only there does the kernel report ICMP errors, so a
 * rejected port shows itself; and the source port is another, so that one flow's stale state is not taken for a rule.
 */
import { failureOf, type SocketError } from '../../net/errno.js';
import type { Tools } from '../tools.js';
import { question } from './exchange.js';
import { failed, offer, type SweptPort } from './port.js';

/** Open at once; each waits for an answer or an ICMP error, both of which take a round trip. */
const OPEN_AT_ONCE = 256;
/** An ICMP error that was still pending takes the place of the sending that it is reported to. */
const PENDING_ICMP = new Set(['ECONNREFUSED', 'EHOSTUNREACH']);
const SEED_BYTES = 32;

const once = async (port: SweptPort, tools: Tools, heardForMs: number, signal: AbortSignal): Promise<() => void> => {
  const { net, totals } = tools;
  const { address, family } = port.check;
  if (address === null || family === null) return () => undefined;
  try {
    const flow = await net.openUdp(
      { address, port: port.check.port, family },
      {
        message: (bytes, atMs) => {
          totals.packetsReceived += 1;
          offer(port, bytes, atMs);
        },
        error: (error) => failed(port, failureOf(error, 'udp'), error),
      },
      { address: net.source ?? undefined },
    );
    await net.pacer.take(1, signal);
    const asked = question(port, tools, flow.local, net.random(SEED_BYTES));
    // Its socket may have closed before a late answer came, so its silence proves less than another's.
    port.counted -= 1;
    asked.heardForMs = heardForMs;
    for (const message of asked.question.messages) {
      await flow.send(message).catch(async (error: SocketError) => {
        failed(port, failureOf(error, 'udp'), error);
        if (PENDING_ICMP.has(error.code)) await flow.send(message).catch(() => undefined);
      });
    }
    return flow.close;
  } catch (error) {
    if (signal.aborted || error instanceof Error) throw error;
    failed(port, failureOf(error as SocketError, 'udp'), error as SocketError);
    return () => undefined;
  }
};

/**
 * Asks every port once from a fresh source port, and listens there for `lateMs` after the last.
 * @param held how long a socket is kept at least before another may take its place, in milliseconds
 */
export const askFresh = async (
  ports: readonly SweptPort[],
  tools: Tools,
  held: { readonly atLeastMs: number; readonly lateMs: number },
  pace: (signal: AbortSignal) => Promise<void>,
  signal: AbortSignal,
): Promise<void> => {
  const { net } = tools;
  const open: { readonly close: () => void; readonly at: number }[] = [];
  try {
    for (const port of ports) {
      const oldest = open.length >= OPEN_AT_ONCE ? open.shift() : undefined;
      if (oldest) {
        const left = oldest.at + held.atLeastMs - net.now();
        if (left >= 1) await net.sleep(left, signal);
        oldest.close();
      }
      await pace(signal);
      open.push({ close: await once(port, tools, held.lateMs, signal), at: net.now() });
    }
    if (open.length > 0) await net.sleep(held.lateMs, signal);
  } finally {
    for (const { close } of open) close();
  }
};
