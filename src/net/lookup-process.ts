/**
 * Asks the host's own resolver for one name, in a process of its own, and prints what it says as lines of JSON. A
 * getaddrinfo cannot be cancelled, and Node waits at its exit for the thread that is in it: with a resolver that stays
 * silent the agent would hang for ten seconds after its result. A process can be ended.
 *
 * Both families are asked for together, which gives their order (RFC 6724). Where that takes its time, each is asked for
 * by itself as well: one question that nobody answers must not cost the answer to the other.
 */
import { lookup } from 'node:dns/promises';

/** What is printed: addresses, or the code of the failure. Family 0 stands for both together. */
export type LookupLine = { readonly family: 0 | 4 | 6 } & (
  | { readonly addresses: readonly string[] }
  | { readonly code: string }
);

/** A resolver nearby answers within some milliseconds, one that has to ask the root within a second. */
const BY_ITSELF_AFTER_MS = 700;

const [, , name = '', families = '46'] = process.argv;

const print = async (family: 0 | 4 | 6): Promise<void> => {
  const line = await lookup(name, { all: true, family }).then(
    (found): LookupLine => ({ family, addresses: found.map(({ address }) => address) }),
    (error: unknown): LookupLine => ({ family, code: String((error as { code?: unknown }).code) }),
  );
  process.stdout.write(`${JSON.stringify(line)}\n`);
};

if (families === '4' || families === '6') await print(families === '4' ? 4 : 6);
else {
  const byItself = setTimeout(() => void Promise.all([print(4), print(6)]), BY_ITSELF_AFTER_MS);
  await print(0);
  clearTimeout(byItself);
}
