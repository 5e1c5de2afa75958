/** All dialects in which a request can be written. The place to add a vendor. */
import { type Ask, PLACEHOLDER, type Writer } from './ask.js';
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

/** What begins a comment; `#` where it is not named. */
const COMMENT: Readonly<Record<string, string>> = { 'cisco-asa': '!' };

/** What takes the placeholder's place, as each dialect reads it; networks with commas between where it is not named. */
const FILLING: Readonly<Record<string, string>> = {
  'cisco-asa':
    'one network as NETWORK MASK, one address as host ADDRESS, several as object-group NAME (object-group network)',
  fortios:
    'make an address object for each network first (config firewall address), then write their names, each in quotes',
  routeros: 'one network; repeat the address-list line for each further one',
  pf: 'networks with blanks between',
};

/** All of them, in the order in which they are offered. */
export const DIALECT_NAMES: readonly string[] = [...Object.keys(PASTED), ...Object.keys(CLICKED)];

/** The sign that begins a comment in a dialect. */
export const commentOf = (dialect: string): string => COMMENT[dialect] ?? '#';

/** Everything that a text says twice, such as a switch that counts for all protocols, it says once. */
const written = (
  writers: Readonly<Record<string, Writer>>,
  asks: readonly Ask[],
  commentsOf: (name: string) => readonly string[],
): Readonly<Record<string, string>> =>
  Object.fromEntries(
    Object.entries(writers).flatMap(([name, write]): [string, string][] => {
      const texts = [...new Set(asks.flatMap((ask) => write(ask) ?? []))];
      if (texts.length === 0) return [];
      const open = texts.some((text) => text.includes(PLACEHOLDER)) && writers === PASTED;
      const filling = open
        ? [`${commentOf(name)} ${PLACEHOLDER} becomes: ${FILLING[name] ?? 'networks with commas between'}`]
        : [];
      return [[name, [...commentsOf(name), ...filling, ...texts].join('\n')]];
    }),
  );

export interface Written {
  readonly rules: Readonly<Record<string, string>>;
  readonly words: Readonly<Record<string, string>>;
}

/**
 * Requests that belong together, in every dialect that has words for them.
 * @param comments lines to stand above what is pasted
 */
export const inAllDialects = (asks: readonly Ask[], comments: readonly string[] = []): Written => ({
  rules: written(PASTED, asks, (name) => comments.map((line) => `${commentOf(name)} ${line}`)),
  words: written(CLICKED, asks, () => []),
});
