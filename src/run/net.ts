/** What `run` touches of the world: sockets, clocks, chance. Passed in, so that tests can put their own in its place. */
import { randomBytes } from 'node:crypto';
import type { InboundPort } from '../model/check.js';
import { hasKernel, type KernelView, kernelView } from '../net/kernel/kernel.js';
import { createPacer, type Pacer, sleep } from '../net/pacing.js';
import { openStream } from '../net/stream.js';
import { openUdp } from '../net/udp.js';
import { openSharedUdp } from '../net/udp-shared.js';

export interface Net {
  readonly openUdp: typeof openUdp;
  readonly openSharedUdp: typeof openSharedUdp;
  readonly openStream: typeof openStream;
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>;
  readonly pacer: Pacer;
  /** Monotonic milliseconds. */
  readonly now: () => number;
  /** Microseconds since 1970, for clocks to be compared with. */
  readonly nowMicros: () => bigint;
  readonly random: (bytes: number) => Uint8Array;
  /** What Node's sockets hide; left out where nobody may look. */
  readonly kernel?: () => Promise<KernelView>;
  /** The local address to send from, where the user chose one. */
  readonly source: string | null;
}

/** The real world, at most `maxPps` packets per second of it. */
export const systemNet = (maxPps: number, source: string | null): Net => ({
  openUdp,
  openSharedUdp,
  openStream,
  sleep,
  pacer: createPacer(maxPps),
  now: () => performance.now(),
  // performance.now() has the resolution that Date.now() lacks, and its origin is a time of day.
  nowMicros: () => BigInt(Math.round((performance.timeOrigin + performance.now()) * 1000)),
  random: (bytes) => randomBytes(bytes),
  kernel: kernelView,
  source,
});

/**
 * The same network, in which no socket gets one of these UDP ports by chance: a flow that leaves it may open a way in to it,
 * and whoever tries the port from outside afterwards would find it open.
 */
export const sparing = (net: Net, ports: readonly InboundPort[]): Net => {
  const kept = new Set(ports.flatMap(({ transport, port }) => (transport === 'udp' ? port : [])));
  if (kept.size === 0) return net;
  const another = async <S extends { readonly local: { readonly port: number }; close(): void }>(
    open: () => Promise<S>,
  ): Promise<S> => {
    const given = await open();
    if (!kept.has(given.local.port)) return given;
    // Open as long as the next one is looked for, so that it cannot be the same.
    return another(open).finally(() => given.close());
  };
  const { kernel } = net;
  /** The same of the kernel's own sockets. */
  const elsewhere = (view: KernelView): KernelView => {
    if (!hasKernel(view)) return view;
    const openFlow: typeof view.openFlow = (...how) => {
      const given = view.openFlow(...how);
      if (!kept.has(given.local.port)) return given;
      try {
        return openFlow(...how);
      } finally {
        given.close();
      }
    };
    return { ...view, openFlow };
  };
  return {
    ...net,
    ...(kernel && { kernel: async () => elsewhere(await kernel()) }),
    // A port that was asked for is given: studies ask for it once the way in was tried.
    openUdp: (peer, events, local) =>
      (local?.port ?? 0) > 0 ? net.openUdp(peer, events, local) : another(() => net.openUdp(peer, events, local)),
    openSharedUdp: (...how) => another(() => net.openSharedUdp(...how)),
  };
};
