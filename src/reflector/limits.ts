/** Bounds what strangers can make us do: answers per prefix, and memory per everything. */

export interface Limiter {
  /** True if one more answer may go to this address. */
  allow(address: Uint8Array): boolean;
  /** True if no answer may go to this address just now; counts the one that will not be made. */
  refuses(address: Uint8Array): boolean;
  /** Answers held back so far. */
  heldBack(): number;
}

/** Strangers get this many answers a second and prefix: ten sipsaks at once, and no use to an attacker. */
const RATE_PER_SECOND = 200;
/** A probe without a token asks all of a profile's checks at once. */
const BURST = 400;
/** Prefixes that are remembered; the oldest is forgotten first. */
const MAX_PREFIXES = 8192;
/**
 * All strangers together. Forged sources come from every prefix at once, and each answer to one is time that somebody
 * with a token waits: at some 20 µs each this is a tenth of a core.
 */
const RATE_FOR_ALL_PER_SECOND = 5000;
const BURST_FOR_ALL = 10_000;
/** What one customer usually holds: a /24 of IPv4, a /56 of IPv6 (RFC 6177). Addresses come as 16 bytes. */
export const prefixOf = (address: Uint8Array): string => {
  const mapped = address[10] === 0xff && address[11] === 0xff;
  return String.fromCharCode(...address.subarray(0, mapped ? 15 : 7));
};

interface Bucket {
  level: number;
  at: number;
}

const refill = (bucket: Bucket, at: number, rate: number, burst: number): Bucket => {
  bucket.level = Math.min(burst, bucket.level + ((at - bucket.at) / 1000) * rate);
  bucket.at = at;
  return bucket;
};

interface Rate {
  readonly rate: number;
  readonly burst: number;
}

/** Token buckets by prefix, port and host stripped, so that changing either earns nothing; and one for all of them. */
export const createBuckets = (
  limits: { readonly each: Rate; readonly all: Rate },
  now: () => number = () => performance.now(),
): Limiter => {
  const { each } = limits;
  const buckets = new Map<string, Bucket>();
  const all: Bucket = { level: limits.all.burst, at: now() };
  let held = 0;
  const refillAll = (at: number): Bucket => {
    // Infinity times no time at all is no number.
    if (Number.isFinite(limits.all.burst)) refill(all, at, limits.all.rate, limits.all.burst);
    return all;
  };
  return {
    allow: (address) => {
      const prefix = prefixOf(address);
      const at = now();
      const bucket = refill(buckets.get(prefix) ?? { level: each.burst, at }, at, each.rate, each.burst);
      buckets.delete(prefix);
      buckets.set(prefix, bucket);
      const oldest = buckets.size > MAX_PREFIXES ? buckets.keys().next().value : undefined;
      if (oldest !== undefined) buckets.delete(oldest);
      refillAll(at);
      if (bucket.level < 1 || all.level < 1) {
        held += 1;
        return false;
      }
      bucket.level -= 1;
      all.level -= 1;
      return true;
    },
    refuses: (address) => {
      const at = now();
      const bucket = buckets.get(prefixOf(address));
      const spent =
        refillAll(at).level < 1 || (bucket !== undefined && refill(bucket, at, each.rate, each.burst).level < 1);
      if (spent) held += 1;
      return spent;
    },
    heldBack: () => held,
  };
};

/** How many answers strangers get. */
export const createLimiter = (
  now: () => number = () => performance.now(),
  burstForAll: number = BURST_FOR_ALL,
): Limiter =>
  createBuckets(
    { each: { rate: RATE_PER_SECOND, burst: BURST }, all: { rate: RATE_FOR_ALL_PER_SECOND, burst: burstForAll } },
    now,
  );

export interface KeepaliveBook {
  saw(address: string, port: number): void;
  /** NAT-T keepalives seen from this very source, at most 65,535. */
  count(address: string, port: number): number;
}

/** Sources that are remembered; the oldest is forgotten first. */
const MAX_SOURCES = 16_384;

/** Counts NAT-T keepalives by source: nobody may answer them (RFC 3948 §2.3), so they are told with the next answer. */
export const createKeepaliveBook = (): KeepaliveBook => {
  const counts = new Map<string, number>();
  const key = (address: string, port: number): string => `${address} ${port}`;
  return {
    saw: (address, port) => {
      const name = key(address, port);
      const count = counts.get(name) ?? 0;
      counts.delete(name);
      counts.set(name, Math.min(count + 1, 65_535));
      const oldest = counts.size > MAX_SOURCES ? counts.keys().next().value : undefined;
      if (oldest !== undefined) counts.delete(oldest);
    },
    count: (address, port) => counts.get(key(address, port)) ?? 0,
  };
};

interface RefusalBook {
  refuse(address: Uint8Array): void;
  /** What was refused lately to this address's prefix. */
  count(address: Uint8Array): number;
}

/** A run that a refusal concerns is over by then; and a refusal must not be told to the next one. */
const REFUSAL_REMEMBERED_MS = 120_000;

/** Counts by prefix what was refused, so that it can be told to whom it happened. */
export const createRefusalBook = (now: () => number = () => performance.now()): RefusalBook => {
  const refusals = new Map<string, { count: number; at: number }>();
  return {
    refuse: (address) => {
      const prefix = prefixOf(address);
      const known = refusals.get(prefix);
      const recent = known && now() - known.at < REFUSAL_REMEMBERED_MS ? known.count : 0;
      refusals.delete(prefix);
      refusals.set(prefix, { count: recent + 1, at: now() });
      const oldest = refusals.size > MAX_PREFIXES ? refusals.keys().next().value : undefined;
      if (oldest !== undefined) refusals.delete(oldest);
    },
    count: (address) => {
      const known = refusals.get(prefixOf(address));
      return known && now() - known.at < REFUSAL_REMEMBERED_MS ? known.count : 0;
    },
  };
};
