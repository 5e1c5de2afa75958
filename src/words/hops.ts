/** How far packets come, in words: the stretch that the evidence carries, and no more. */
import type { Report } from '../model/report.js';
import { printable } from '../wire/printable.js';

type Row = NonNullable<Report['hops']>[number];

/** The longest textual IPv6 address has 45 characters. */
const MAX_ADDRESS = 45;
const shown = (address: string): string => printable(address, MAX_ADDRESS);

/** Where packets to these ports end; a clause. */
const stretchInWords = ({ lastSeen, nextOnControl, address }: Row): string => {
  const next = nextOnControl === null || nextOnControl === address ? null : shown(nextOnControl);
  const far = next ?? 'the far end';
  if (lastSeen === null)
    return `not even ${far} answers to it: ${far} drops it on arrival, or something before ${far} does`;
  const last = shown(lastSeen);
  return `it gets as far as ${last} and never to ${far}: ${last} drops it, ${next === null ? "the far end's own firewall does" : `${far} does on arrival`}, or something invisible between them`;
};

/** A sentence for the reader of a report; null where a port passes. */
export const hopNote = (row: Row): string | null => {
  if (row.passes) return null;
  const place = `${row.transport.toUpperCase()} ${row.port}`;
  const outside = row.outside
    ? ` ${shown(row.lastSeen ?? '')} lies outside this site, so no device of this site drops it.`
    : '';
  return `Hops of ${place} (${shown(row.address)}): ${stretchInWords(row)}.${outside}`;
};
