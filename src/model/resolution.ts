/** What the DNS said of a target: which records could not be followed, what a domain offers, which resolver was silent. */

/** A name or a record that led nowhere. */
export interface NameTrouble {
  /** The name that was asked for. */
  readonly name: string;
  /** `address` stands for the host's own resolver, with its hosts file. */
  readonly type: 'NAPTR' | 'SRV' | 'A' | 'AAAA' | 'address';
  readonly reason: string;
  /** The record that cannot be used and what is wrong with it, or who named the name. */
  readonly about?: string | undefined;
}

export interface ResolverSeen {
  readonly address: string;
  readonly state: 'answers' | 'silent' | 'refuses';
}

export interface Resolution {
  readonly host: string;
  readonly failures: readonly NameTrouble[];
  /** Servers that were asked; empty where the host's own resolver did it all. */
  readonly resolvers: readonly ResolverSeen[];
  /** What the domain's NAPTR and SRV records offer, in words; empty if it has none. */
  readonly offers: readonly string[];
  /** Addresses that were found and not asked. */
  readonly leftOut: readonly string[];
}
