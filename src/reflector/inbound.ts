/**
 * The way in, tried from outside: to whom the reflector connects of itself, how often, and what became of it. Only to the
 * address from which an authenticated request came over a connection, because a connection shows that its address is
 * nobody else's; only where the operator allows it; and never more than a few at a time.
 */
import type { InboundQuery, InboundState } from '../wire/inbound.js';
import type { Called, Dial, Dialled } from './dial.js';
import { createBuckets } from './limits.js';
import { createShares, ownerOf } from './quotas.js';

/** A run asks a handful of ports, each a few times. */
const PER_PREFIX = { rate: 0.5, burst: 40 } as const;
/** All agents together. */
const FOR_ALL = { rate: 20, burst: 400 } as const;
/** Attempts that are under way at the same time; a token has its share of them. */
const MAX_OPEN = 64;
/** Attempts of which the end is remembered; the oldest is forgotten first. */
const MAX_REMEMBERED = 2048;

/** Who asks, and from where. */
interface Asker {
  /** Names token and session. */
  readonly name: string;
  readonly sourceBytes: Uint8Array;
  readonly sourceAddress: string;
  /** The address of ours that it asked, which is the one that it knows: another is somebody else to a filter. */
  readonly localAddress: string | null;
  /** The request came over TCP or TLS: who sent it receives what is sent to its address. */
  readonly overConnection: boolean;
  /** Makes the message for the port. */
  readonly knock: (port: number, binding: Uint8Array | null) => Uint8Array;
}

export interface Inbound {
  /** Begins an attempt once, or says what became of it. */
  answer(query: InboundQuery, asker: Asker): InboundState;
  close(): void;
}

interface InboundOptions {
  readonly dial: Dial;
  /** Monotonic milliseconds. */
  readonly now?: () => number;
}

const familyOf = (address: string): 4 | 6 => (address.includes(':') ? 6 : 4);

export const createInbound = ({ dial, now }: InboundOptions): Inbound => {
  const attempts = new Map<string, InboundState>();
  const open = new Set<Dialled>();
  const places = createShares(MAX_OPEN);
  const rate = createBuckets({ each: PER_PREFIX, all: FOR_ALL }, now);

  const remember = (key: string, state: InboundState): void => {
    attempts.delete(key);
    attempts.set(key, state);
    const oldest = attempts.size > MAX_REMEMBERED ? attempts.keys().next().value : undefined;
    if (oldest !== undefined) attempts.delete(oldest);
  };

  const begin = (key: string, { transport, port }: InboundQuery, asker: Asker): InboundState => {
    const owner = ownerOf(asker.name);
    if (!rate.allow(asker.sourceBytes) || !places.take(owner)) return 'held-back';
    const family = familyOf(asker.sourceAddress);
    const called: Called = {
      address: asker.sourceAddress,
      ...{ family, port, transport },
      from: asker.localAddress,
    };
    remember(key, 'pending');
    const dialled = dial(called, (binding) => asker.knock(port, binding));
    open.add(dialled);
    void dialled.over.then((state) => {
      open.delete(dialled);
      places.release(owner);
      if (attempts.has(key)) remember(key, state);
    });
    return 'pending';
  };

  return {
    answer: (query, asker) => {
      // The source of a datagram may be forged by whoever holds a token; that of a connection may not.
      if (!asker.overConnection) return 'needs-connection';
      const key = `${asker.name} ${query.attempt}`;
      const known = attempts.get(key);
      if (known !== undefined) return known;
      return query.action === 'begin' ? begin(key, query, asker) : 'forgotten';
    },
    close: () => {
      for (const one of open) one.close();
      open.clear();
    },
  };
};
