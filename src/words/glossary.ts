/** Codes of a report that name what something is, and are no verdict: how a NAT behaves, what an ALG did, whose device, how sure. */
import type { DEVICES, LIKELIHOODS } from '../model/diagnosis.js';

interface Term {
  readonly title: string;
  readonly meaning: string;
}

/** `nat.mapping` and `nat.filtering` (RFC 4787 sections 4.1 and 5). */
const NAT = {
  'endpoint-independent': {
    title: 'One public port for all destinations',
    meaning:
      'The NAT uses the same public port whatever is asked, or lets in whoever sends to it. It is what voice and direct connections need.',
  },
  'address-dependent': {
    title: 'Another public port for each address',
    meaning:
      'The NAT maps, or filters, by the address of the far end. Direct connections between two callers may fail; calls through a server work.',
  },
  'address-and-port-dependent': {
    title: 'Another public port for each address and port',
    meaning:
      'The NAT maps, or filters, by address and port of the far end ("symmetric"). Direct connections between two callers fail; relays (TURN) work.',
  },
} as const;

/** `sipAlg.findings[]`. */
const ALG = {
  semantic: {
    title: 'A change that SIP cares about',
    meaning: 'An address, a port or a text was changed that phones or servers act on; calls may fail because of it.',
  },
  proxy: {
    title: 'A change that a proxy makes',
    meaning:
      'A header was added that a proxy adds, such as Via or Record-Route: something takes part in the signalling.',
  },
  cosmetic: {
    title: 'Another form, the same content',
    meaning: 'Blanks, capitals or the order of headers differ. No call suffers from it.',
  },
  rewritten: {
    title: 'A field arrived otherwise than it was sent',
    meaning: 'The report shows the field as sent and as received.',
  },
  pinhole: {
    title: 'A port was opened after an INVITE',
    meaning: 'Something on the path reads SIP and opens the media ports that it finds there.',
  },
} as const;

const DEVICE = {
  host: {
    title: 'This computer',
    meaning: 'The cause is the computer that ran the probe: its firewall, its limits or its addresses.',
  },
  'branch-firewall': {
    title: "This site's firewall or router",
    meaning: "The cause is a rule, an ALG or a limit of the site's firewall or router site.",
  },
  provider: {
    title: 'The access provider',
    meaning: "The cause lies in the provider's network, or in a modem that it manages.",
  },
  reflector: { title: 'The reflector', meaning: 'The cause is the reflector, or a firewall in front of it.' },
  carrier: { title: 'The carrier', meaning: 'The cause is the server that was asked, or a firewall in front of it.' },
} as const satisfies Readonly<Partial<Record<(typeof DEVICES)[number], Term>>>;

const LIKELIHOOD = {
  proven: { title: 'The evidence allows nothing else', meaning: 'What was measured rules out every other cause.' },
  likely: {
    title: 'The usual explanation',
    meaning: 'It explains what was measured and is the commonest cause of it; others are left.',
  },
  possible: { title: 'It fits, and so do others', meaning: 'What was measured does not tell this cause from others.' },
} as const satisfies Readonly<Record<(typeof LIKELIHOODS)[number], Term>>;

const KINDS: readonly (readonly [kind: string, terms: Readonly<Record<string, Term>>])[] = [
  ['how a NAT maps or filters', NAT],
  ['what a SIP ALG did', ALG],
  ['whose device', DEVICE],
  ['how sure a cause is', LIKELIHOOD],
];

export const TERM_CODES: readonly string[] = KINDS.flatMap(([, terms]) => Object.keys(terms));

/** A term with what kind of code it is; null if it is none. */
export const termOf = (code: string): (Term & { readonly kind: string }) | null => {
  for (const [kind, terms] of KINDS) {
    const term = Object.hasOwn(terms, code) ? terms[code] : undefined;
    if (term) return { ...term, kind };
  }
  return null;
};
