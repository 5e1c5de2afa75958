/** What the DNS said of a target, in sentences: the record, what is wrong with it, and the resolver that was silent. */
import type { NameTrouble, Resolution, ResolverSeen } from '../model/resolution.js';
import { printable } from '../wire/printable.js';

const MAX_NAME = 120;
const name = (text: string): string => printable(text, MAX_NAME);

/** `a`, `a and b`, `a, b and c`. */
export const listed = (items: readonly string[], and = 'and'): string =>
  items.length < 2 ? (items[0] ?? '') : `${items.slice(0, -1).join(', ')} ${and} ${items.at(-1)}`;

const silentOf = (resolvers: readonly ResolverSeen[]): readonly string[] =>
  resolvers.flatMap(({ address, state }) => (state === 'silent' ? [name(address)] : []));

/** Why a lookup brought nothing, as the end of a sentence. */
export const lookupInWords = (reason: string, resolvers: readonly ResolverSeen[]): string => {
  const silent = silentOf(resolvers);
  switch (reason) {
    case 'not-found':
      return 'the resolver says that there is no such name (NXDOMAIN)';
    case 'no-record':
    case 'no-address':
      return 'the resolver says that it has no address';
    case 'timeout':
      return silent.length === 0
        ? 'no resolver answered in time'
        : `no resolver answered in time: ${listed(silent)} stayed silent`;
    case 'server-failure':
      return silent.length === 0
        ? 'the resolver failed (SERVFAIL)'
        : `the resolver failed, and ${listed(silent)} stayed silent`;
    case 'refused':
      return 'the resolver refused to answer';
    case 'closed': {
      const refusing = resolvers.flatMap(({ address, state }) => (state === 'refuses' ? [name(address)] : []));
      return refusing.length === 0
        ? 'this host has no resolver'
        : `nothing listens on port 53 of ${listed(refusing)}, or a firewall refuses in its name`;
    }
    case 'truncated':
      return 'the answer is too long for UDP, and the resolver does not give it over TCP (port 53)';
    case 'unreachable':
      return 'this host has no route to its resolver';
    case 'bad-answer':
      return 'the answer was malformed';
    case 'bad-address':
      return 'its address is not valid for a host';
    case 'cancelled':
      return 'the run ended first';
    default:
      return 'it could not be looked up';
  }
};

/** One failure as a sentence. */
export const troubleInWords = (
  { name: asked, type, reason, about }: NameTrouble,
  resolvers: readonly ResolverSeen[],
): string => {
  const shown = name(asked);
  if (type === 'address' && reason === 'server-failure' && silentOf(resolvers).length === 0) {
    // The system's resolver tells no more (EAI_AGAIN): SERVFAIL, REFUSED and silence are one to it.
    return `The name ${shown} does not resolve (${reason}): the resolver failed or refused to answer.`;
  }
  if (type === 'address') return `The name ${shown} does not resolve (${reason}): ${lookupInWords(reason, resolvers)}.`;
  if (type === 'SRV' || type === 'NAPTR') {
    const record = `The ${type} record ${shown}`;
    if (reason === 'bad-record') return `${record} cannot be followed: ${printable(about ?? 'it names no host', 240)}.`;
    if (reason === 'unsupported-flag') return `${record} cannot be followed: it does not lead to SRV records.`;
    if (reason === 'too-many') return `${record} names more hosts than are tested; the rest is skipped.`;
    return `${record} could not be looked up: ${lookupInWords(reason, resolvers)}.`;
  }
  if (reason === 'too-many') return `${shown} has more addresses than are tested; the rest is skipped.`;
  const why =
    reason === 'not-found'
      ? 'does not exist (NXDOMAIN)'
      : reason === 'no-address' || reason === 'no-record'
        ? 'has no address'
        : `has no ${type === 'AAAA' ? 'IPv6 ' : ''}address that could be looked up: ${lookupInWords(reason, resolvers)}`;
  const [, owner] = /^the SRV record (\S+) names it$/.exec(about ?? '') ?? [];
  return owner === undefined
    ? `${shown} ${why}.`
    : `The SRV record ${name(owner)} cannot be followed: it names ${shown}, which ${why}.`;
};

/** Why a name led nowhere: the failure that is to be told first. */
const RANK: Readonly<Record<NameTrouble['type'], number>> = { SRV: 1, A: 0, AAAA: 0, address: 2, NAPTR: 3 };

/** The one sentence that says why a target could not be asked; null where nothing failed. */
const whyUnresolved = ({ failures, resolvers }: Resolution): string | null => {
  const [first] = failures
    .filter(({ reason }) => reason !== 'too-many' && reason !== 'cancelled')
    .sort((one, other) => RANK[one.type] - RANK[other.type]);
  return first === undefined ? null : troubleInWords(first, resolvers);
};

/** Why nothing could be asked of a name. Only a name that does not exist may be mistyped. */
export const unresolvedInWords = (resolution: Resolution | null | undefined): string => {
  const why = resolution ? whyUnresolved(resolution) : null;
  if (why === null) return 'The name does not resolve here.';
  const isMistyped = resolution?.failures.some(({ type, reason }) => type === 'address' && reason === 'not-found');
  return isMistyped ? `${why.replace(/\.$/, '')}. It is mistyped, or the DNS of this network does not know it.` : why;
};
