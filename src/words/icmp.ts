/** What an ICMP error says, in words: its type and code by the names of the standards. */
import { type IcmpFact, icmpFactOf, isRefusal, isTimeExceeded, isTooBig } from '../model/icmp.js';
import { printable } from '../wire/printable.js';

/** Codes of "destination unreachable": RFC 792, RFC 1122 §3.2.2.1, RFC 1812 §5.2.7.1; RFC 4443 §3.1. */
const CODES: Readonly<Record<4 | 6, Readonly<Record<number, string>>>> = {
  4: {
    0: 'network unreachable',
    1: 'host unreachable',
    2: 'protocol unreachable',
    3: 'port unreachable',
    5: 'source route failed',
    6: 'network unknown',
    7: 'host unknown',
    8: 'host isolated',
    9: 'network administratively prohibited',
    10: 'host administratively prohibited',
    11: 'network unreachable for this type of service',
    12: 'host unreachable for this type of service',
    13: 'administratively prohibited',
    14: 'host precedence violation',
    15: 'precedence cut-off',
  },
  6: {
    0: 'no route to destination',
    1: 'administratively prohibited',
    2: 'beyond scope of the source address',
    3: 'address unreachable',
    4: 'port unreachable',
    5: 'source address fails a policy',
    6: 'reject route to destination',
  },
};

type Said = Pick<IcmpFact, 'family' | 'type' | 'code' | 'mtu'>;

/** `administratively prohibited`; numbers where the standards have no name for them. */
export const icmpMeaning = (fact: Said): string => {
  if (isTooBig(fact))
    return `too large for a link on the path${fact.mtu === null ? '' : `, which carries ${fact.mtu} bytes`}`;
  if (isTimeExceeded(fact)) return 'hop limit used up: a routing loop';
  const name = isRefusal(fact) ? CODES[fact.family][fact.code] : undefined;
  return name ?? `ICMP type ${fact.type}, code ${fact.code}`;
};

/** The longest textual IPv6 address has 45 characters. */
const MAX_ADDRESS = 45;

/** `rejected by 10.77.0.1: administratively prohibited`; null where the evidence holds no ICMP error. */
export const rejectionInWords = (evidence: Readonly<Record<string, unknown>>): string | null => {
  const fact = icmpFactOf(evidence);
  if (fact === null) return null;
  const by = fact.from === null ? '' : ` by ${printable(fact.from, MAX_ADDRESS)}`;
  return `${isRefusal(fact) ? 'rejected' : 'reported'}${by}: ${icmpMeaning(fact)}`;
};
