/**
 * Asks the host's own resolver for one name, in a process of its own, and prints what it says as JSON. A getaddrinfo
 * cannot be cancelled, and Node waits at its exit for the thread that is in it: with a resolver that stays silent the
 * agent would hang for ten seconds after its result. A process can be ended.
 */
import { lookup } from 'node:dns/promises';

/** What is printed: addresses, or the code of the failure. */
export type LookupResult = { readonly addresses: readonly string[] } | { readonly code: string };

const answer = async (name: string): Promise<LookupResult> => {
  try {
    return { addresses: (await lookup(name, { all: true })).map(({ address }) => address) };
  } catch (error) {
    return { code: String((error as { code?: unknown }).code) };
  }
};

process.stdout.write(JSON.stringify(await answer(process.argv[2] ?? '')));
