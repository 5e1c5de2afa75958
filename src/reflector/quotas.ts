/**
 * What is shared between tenants: nobody's use of it may take from somebody else what that one needs. An owner is a token, known by
 * its key id.
 */

/** Places that cannot be taken back once they are given. */
export interface Shares {
  /** True if this owner may have one more; it has it then. */
  take(owner: string): boolean;
  release(owner: string): void;
}

/**
 * An owner gets one more while it has fewer than are free: alone it ends with half of all, two end with a third each, and there is
 * always something left for who comes next (Choudhury and Hahne's dynamic threshold).
 */
export const createShares = (limit: number): Shares => {
  const taken = new Map<string, number>();
  let total = 0;
  return {
    take: (owner) => {
      const own = taken.get(owner) ?? 0;
      if (own >= limit - total) return false;
      taken.set(owner, own + 1);
      total += 1;
      return true;
    },
    release: (owner) => {
      const own = taken.get(owner) ?? 0;
      if (own === 0) return;
      if (own > 1) taken.set(owner, own - 1);
      else taken.delete(owner);
      total -= 1;
    },
  };
};

/** The owner of a session, by the session's name. */
export const ownerOf = (name: string): string => name.slice(0, Math.max(0, name.indexOf(' ')));

/** What is remembered, by owner, and what is forgotten first. */
interface Ledger {
  /** Notes that a thing is in use, and how large it is. */
  touch(name: string, bytes: number): void;
  /** What has to go, and is forgotten by this: the stalest of whoever has most; null while all fits. */
  overflow(butNot: string): string | null;
  size(): number;
}

interface Holding {
  /** From the stalest to the newest. */
  readonly sizes: Map<string, number>;
  bytes: number;
}

export const createLedger = (most: { readonly entries: number; readonly bytes: number }): Ledger => {
  const holdings = new Map<string, Holding>();
  let entries = 0;
  let bytes = 0;
  const remove = (owner: string, holding: Holding, name: string): void => {
    const size = holding.sizes.get(name) ?? 0;
    holding.sizes.delete(name);
    if (holding.sizes.size === 0) holdings.delete(owner);
    holding.bytes -= size;
    bytes -= size;
    entries -= 1;
  };
  const stalest = ({ sizes }: Holding, butNot: string): string | null => {
    for (const name of sizes.keys()) if (name !== butNot) return name;
    return null;
  };
  const weight = (holding: Holding): number => Math.max(holding.sizes.size / most.entries, holding.bytes / most.bytes);
  return {
    touch: (name, size) => {
      const owner = ownerOf(name);
      let holding = holdings.get(owner);
      if (!holding) {
        holding = { sizes: new Map(), bytes: 0 };
        holdings.set(owner, holding);
      }
      const before = holding.sizes.get(name);
      if (before === undefined) entries += 1;
      else holding.sizes.delete(name);
      holding.sizes.set(name, size);
      holding.bytes += size - (before ?? 0);
      bytes += size - (before ?? 0);
    },
    overflow: (butNot) => {
      if (entries <= most.entries && bytes <= most.bytes) return null;
      let heaviest: { owner: string; holding: Holding; name: string } | null = null;
      for (const [owner, holding] of holdings) {
        if (heaviest && weight(holding) <= weight(heaviest.holding)) continue;
        const name = stalest(holding, butNot);
        if (name !== null) heaviest = { owner, holding, name };
      }
      if (!heaviest) return null;
      remove(heaviest.owner, heaviest.holding, heaviest.name);
      return heaviest.name;
    },
    size: () => entries,
  };
};
