/** The addresses that may be a reflector's, and what has been learnt of each. */
import type { Check } from '../model/check.js';
import { type FarEndFacts, unknownFarEnd } from '../model/far-end.js';

/** As it was when it was asked for: what is learnt later stands in the next one. */
export interface FarEnd {
  readonly address: string;
  readonly facts: FarEndFacts;
  /** UDP checks that passed there, in the order in which they did: the sweep's canaries. */
  readonly passedOverUdp: readonly Check[];
  /** Over which it can be asked what arrived, the best first; empty as long as that is not known. */
  readonly ways: readonly Check[];
}

export interface FarEnds {
  all(): readonly FarEnd[];
  get(address: string): FarEnd | undefined;
  learn(address: string, what: Partial<FarEndFacts>): void;
  setWays(address: string, ways: readonly Check[]): void;
  /** This check passed over UDP at its address. */
  passedOverUdp(check: Check): void;
}

export const createFarEnds = (addresses: readonly string[]): FarEnds => {
  const byAddress = new Map<string, FarEnd>(
    addresses.map((address) => [address, { address, facts: unknownFarEnd(address), passedOverUdp: [], ways: [] }]),
  );
  /** Of an address that is no reflector's nothing is kept. */
  const amend = (address: string | null, what: (known: FarEnd) => Partial<FarEnd>): void => {
    const known = address === null ? undefined : byAddress.get(address);
    if (known) byAddress.set(known.address, { ...known, ...what(known) });
  };
  return {
    all: () => [...byAddress.values()],
    get: (address) => byAddress.get(address),
    learn: (address, what) => amend(address, ({ facts }) => ({ facts: { ...facts, ...what } })),
    setWays: (address, ways) => amend(address, () => ({ ways })),
    passedOverUdp: (check) =>
      amend(check.address, ({ passedOverUdp }) => ({ passedOverUdp: [...passedOverUdp, check] })),
  };
};
