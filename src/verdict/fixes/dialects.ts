/** All dialects in which a request can be written. The place to add a vendor. */
import type { Ask, Writer } from './ask.js';
import { ciscoAsa } from './cisco-asa.js';
import { fortios } from './fortios.js';
import { opnsense, sonicwall, unifi } from './in-words.js';
import { iptables } from './iptables.js';
import { nftables } from './nftables.js';
import { pf } from './pf.js';
import { routeros } from './routeros.js';

/** Text to paste, by the names of the report. */
export const PASTED = {
  nftables,
  iptables,
  'cisco-asa': ciscoAsa,
  fortios,
  routeros,
  pf,
} as const satisfies Record<string, Writer>;

/** What to click. */
export const CLICKED = { opnsense, unifi, sonicwall } as const satisfies Record<string, Writer>;

const written = (writers: Readonly<Record<string, Writer>>, ask: Ask): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(writers).flatMap(([name, write]): [string, string][] => {
      const text = write(ask);
      return text === null ? [] : [[name, text]];
    }),
  );

/** A request in every dialect that has words for it. */
export const inAllDialects = (
  ask: Ask | null,
): { readonly rules: Readonly<Record<string, string>>; readonly words: Readonly<Record<string, string>> } => ({
  rules: ask ? written(PASTED, ask) : {},
  words: ask ? written(CLICKED, ask) : {},
});
