/** From a target to addresses, for everything that is no SIP service; resolve-sip.ts does the rest. */
import type { Family } from '../model/check.js';
import { accept, type Parsed, refuse } from '../model/refusal.js';
import type { Dns, ResolvedAddress } from './dns.js';
import { createLookups, type ResolveFailure, withDeadline } from './lookups.js';
import type { Target } from './target.js';

export { type Dns, type ResolvedAddress, type ServerSeen, systemDns } from './dns.js';
export type { NameFailure, ResolveFailure } from './lookups.js';
export { resolveSip, type SipEndpoint, type SipOptions, type SipResolution, type SipService } from './resolve-sip.js';
export { parseTarget, TARGET_REFUSALS, type Target, type TargetRefusal } from './target.js';

interface AddressOptions {
  readonly families: readonly Family[];
  readonly dns: Dns;
  readonly signal?: AbortSignal;
  /** In milliseconds. */
  readonly deadlineMs?: number;
}

/** Longer than one lookup's own limit; it holds for a `Dns` that has none. */
const ADDRESS_DEADLINE_MS = 12_000;

/**
 * The addresses of a target as applications on this host see them, in the order in which they would be tried, at most
 * 16 and at least one; or why there are none. Never rejects.
 */
export const resolveAddresses = async (
  target: Target,
  { families, dns, signal, deadlineMs = ADDRESS_DEADLINE_MS }: AddressOptions,
): Promise<Parsed<readonly ResolvedAddress[], ResolveFailure>> => {
  if (target.kind === 'address') {
    const { address, family } = target;
    return families.includes(family) ? accept([{ address, family }]) : refuse('no-address');
  }
  const { addresses, failures } = await withDeadline(signal, deadlineMs, (inner) =>
    createLookups(dns, families, inner).named(target.name),
  );
  return addresses.length > 0 ? accept(addresses) : refuse(failures[0]?.reason ?? 'no-address');
};
