/**
 * What Node's sockets hide, for those who ask: marks of datagrams that leave and arrive, and ICMP errors with their sender. All of
 * it may be absent, for a reason that is told; nothing else depends on it. Native support in Node may replace what is behind it.
 */
import { tryConnection } from './connection.js';
import { openKernelFlow } from './flow.js';
import { type Library, loadLibrary, type NoLibrary } from './library.js';

export type { Attempted } from './connection.js';
export type { Heard, HeardError, KernelFlow, KernelPeer, Marking } from './flow.js';

type Bound<F> = F extends (library: Library, ...rest: infer R) => infer T ? (...rest: R) => T : never;

export interface Kernel {
  /** @throws SocketError if it cannot be bound or connected; nothing is left open then */
  readonly openFlow: Bound<typeof openKernelFlow>;
  readonly tryConnection: Bound<typeof tryConnection>;
}

/** The kernel's window, or why there is none. */
export type KernelView = Kernel | NoLibrary;

export const hasKernel = (view: KernelView): view is Kernel => 'openFlow' in view;

const isLibrary = (loaded: Library | NoLibrary): loaded is Library => !('why' in loaded);

let known: Promise<KernelView> | null = null;

/** Loads what it takes when it is first asked; never rejects. */
export const kernelView = (): Promise<KernelView> => {
  known ??= loadLibrary().then((loaded): KernelView => viewOf(loaded));
  return known;
};

export const viewOf = (loaded: Library | NoLibrary): KernelView =>
  isLibrary(loaded)
    ? {
        openFlow: (...how) => openKernelFlow(loaded, ...how),
        tryConnection: (...how) => tryConnection(loaded, ...how),
      }
    : loaded;
