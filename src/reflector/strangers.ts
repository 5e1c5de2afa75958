/**
 * What strangers may cost over TCP and TLS: the same rates as over UDP, and fewer handshakes still, because one costs as much as
 * dozens of answers. Who has lately shown a token is no stranger, and shares a rate with nobody outside its own network.
 */
import { mayCarryTag } from './datagrams.js';
import { createBuckets, type Limiter } from './limits.js';

export interface Strangers {
  /** True if what came from one who has not shown a token may be looked into. */
  mayAsk(source: Uint8Array, chunk: Uint8Array): boolean;
  /** True if one more answer may go to one who has not shown a token. */
  mayBeAnswered(source: Uint8Array): boolean;
  /** True if one more connection may be taken from this network. */
  mayConnect(source: Uint8Array): boolean;
  /** True if one more TLS handshake may be made with this network. */
  mayHandshake(source: Uint8Array, address: string): boolean;
  /** Whether a token was lately shown from this address. */
  isKnown(address: string): boolean;
  /** A token was shown from this address. */
  proved(address: string): void;
  /** Another process says so. */
  heard(address: string): void;
}

/** A run makes some twenty, several agents behind one address start at once. */
const HANDSHAKES = { rate: 50, burst: 200 } as const;
/** All strangers together: at some 0.7 ms each this is a tenth of a core, and a scanner gets its answer all the same. */
const HANDSHAKES_FOR_ALL = { rate: 150, burst: 300 } as const;
/** To take a connection and drop it costs a tenth of a millisecond: a network that opens more gets no word from us. */
const CONNECTIONS = { rate: 200, burst: 1000 } as const;
const UNLIMITED = { rate: Number.POSITIVE_INFINITY, burst: Number.POSITIVE_INFINITY } as const;

/** An agent's first message has its tag within so many octets; in a whole read of noise two that look like one are likely. */
const TAGGED_WITHIN = 4096;

/** As long as a refusal is remembered: an agent that runs each minute stays known. */
const PROOF_REMEMBERED_MS = 120_000;
/** The other processes are told at most so often for each address. */
const TOLD_EVERY_MS = 1000;
/** Addresses that are remembered; all are forgotten at once, and known again with their next packet. */
const MAX_PROVEN = 16_384;

/** @param tell called for an address that the other processes have to know as well */
export const createStrangers = (
  limiter: Limiter,
  now: () => number = () => performance.now(),
  tell: (address: string) => void = () => undefined,
): Strangers => {
  const handshakes = createBuckets({ each: HANDSHAKES, all: HANDSHAKES_FOR_ALL }, now);
  const knownHandshakes = createBuckets({ each: HANDSHAKES, all: UNLIMITED }, now);
  const connections = createBuckets({ each: CONNECTIONS, all: UNLIMITED }, now);
  const proven = new Map<string, { at: number; toldAt: number }>();
  const isKnown = (address: string): boolean => now() - (proven.get(address)?.at ?? -Infinity) < PROOF_REMEMBERED_MS;
  const remember = (address: string): { at: number; toldAt: number } => {
    if (proven.size >= MAX_PROVEN && !proven.has(address)) proven.clear();
    const known = proven.get(address) ?? { at: 0, toldAt: Number.NEGATIVE_INFINITY };
    known.at = now();
    proven.set(address, known);
    return known;
  };
  return {
    isKnown,
    mayAsk: (source, chunk) => mayCarryTag(chunk.subarray(0, TAGGED_WITHIN)) || !limiter.refuses(source),
    mayBeAnswered: limiter.allow,
    mayConnect: connections.allow,
    mayHandshake: (source, address) => (isKnown(address) ? knownHandshakes : handshakes).allow(source),
    proved: (address) => {
      const known = remember(address);
      if (known.at - known.toldAt < TOLD_EVERY_MS) return;
      known.toldAt = known.at;
      tell(address);
    },
    heard: remember,
  };
};
