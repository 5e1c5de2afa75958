/** Codes of a report that name what something is, and are no verdict: how a NAT behaves, what an ALG did, whose device, how sure. */
import type { CERTIFICATE_PROBLEMS } from '../model/certificate.js';
import type { DEVICES, LIKELIHOODS } from '../model/diagnosis.js';
import type { CALL_STEPS, CALL_UNTESTED } from '../model/study-facts.js';
import { CAUSE_TERMS } from './cause-terms.js';
import { ANSWER_TERMS } from './report.js';

export interface Term {
  readonly title: string;
  readonly meaning: string;
}

/** `nat.mapping` (RFC 4787 section 4.1). */
const MAPPING = {
  none: { title: 'No NAT', meaning: "The far end sees this host's own address: no address is translated." },
  'endpoint-independent': {
    title: 'One public port for all destinations',
    meaning:
      'The NAT uses the same public port for every destination. It is what voice and direct connections need ("full cone").',
  },
  'address-dependent': {
    title: 'A different public port for each address',
    meaning:
      'The NAT uses a different public port for each destination address. Direct connections between two callers may fail; calls through a server work.',
  },
  'address-and-port-dependent': {
    title: 'A different public port for each destination (symmetric NAT)',
    meaning:
      'The NAT uses a different public port for each destination address and port. Direct connections between two callers fail; relays (TURN) work.',
  },
} as const;

/** `nat.filtering` (RFC 4787 section 5). */
const FILTERING = {
  'endpoint-independent': {
    title: 'Inbound packets pass from anywhere',
    meaning:
      'Once this host has sent from a port, the NAT or firewall lets packets from any address in to that port. It helps direct connections and protects least.',
  },
  'address-dependent': {
    title: 'Inbound packets pass only from addresses this host sent to',
    meaning:
      'The NAT or firewall lets packets in only from an address to which this host has sent, from any port of it. Audio from another port of the same server arrives; audio from another address does not.',
  },
  'address-and-port-dependent': {
    title: 'Inbound packets pass only from addresses and ports this host sent to',
    meaning:
      'The NAT or firewall lets packets in only from the address and port to which this host has sent. It is the usual setting of stateful firewalls; calls through a server work.',
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
    title: 'A field was rewritten',
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
    meaning: "The cause is a rule, an ALG or a limit of the site's firewall or router.",
  },
  provider: {
    title: 'The access provider',
    meaning: "The cause lies in the provider's network, or in a modem that it manages.",
  },
  reflector: { title: 'The reflector', meaning: 'The cause is the reflector, or a firewall in front of it.' },
  carrier: { title: 'The carrier', meaning: 'The cause is the server that was asked, or a firewall in front of it.' },
} as const satisfies Readonly<Partial<Record<(typeof DEVICES)[number], Term>>>;

/** Whose device ends a port, as the hops show it. */
const HOP_DEVICE = {
  'this-host': { title: 'This computer', meaning: 'The packets do not leave the computer that ran the probe.' },
  'far-end': {
    title: 'The far end',
    meaning: 'The packets get to the far end or the firewall in front of it, and end there.',
  },
} as const;

const LIKELIHOOD = {
  proven: { title: 'The evidence allows nothing else', meaning: 'What was measured rules out every other cause.' },
  likely: {
    title: 'The usual explanation',
    meaning: 'It explains what was measured and is the commonest cause of it; others are left.',
  },
  possible: { title: 'It fits, and so do others', meaning: 'What was measured does not tell this cause from others.' },
} as const satisfies Readonly<Record<(typeof LIKELIHOODS)[number], Term>>;

/** Words that stand beside the checks, the names and the certificates of a report. */
const PLACES = {
  udp: { title: 'UDP', meaning: 'Datagrams without a connection: audio, and the signalling of many phones.' },
  tcp: { title: 'TCP', meaning: 'Connections without encryption.' },
  tls: { title: 'TLS', meaning: 'Encrypted connections over TCP; a SIP ALG cannot read them.' },
  outbound: { title: 'From this site to the far end', meaning: 'What this host sends; audio that they hear.' },
  'third-party': {
    title: 'A server that is not a reflector',
    meaning:
      'The target gave no proof that it is a callpath reflector, for example because it is a carrier. Media and receipts cannot be tested against it.',
  },
  everything: { title: 'UDP and TCP', meaning: 'During this outage nothing passed, over UDP or TCP.' },
} as const;

const NAMES = {
  NAPTR: {
    title: 'NAPTR record',
    meaning: 'The DNS record that says which SIP transports a domain offers (RFC 3263).',
  },
  SRV: { title: 'SRV record', meaning: 'The DNS record that names the host and port of a service (RFC 2782).' },
  A: { title: 'A record', meaning: 'The DNS record with the IPv4 address of a host.' },
  AAAA: { title: 'AAAA record', meaning: 'The DNS record with the IPv6 address of a host.' },
  address: { title: 'Address lookup', meaning: 'The address of the target itself was looked up.' },
  answers: { title: 'The resolver answers', meaning: 'A DNS resolver of this host gave an answer.' },
  silent: { title: 'No answer', meaning: 'The resolver, or the host, did not answer in time.' },
  refuses: {
    title: 'Refused',
    meaning: 'The resolver, or the host, refused: it is up, and nothing listens on the port.',
  },
} as const;

const CERTIFICATE = {
  expired: {
    title: 'The certificate has expired',
    meaning: 'Phones that verify it do not connect. Its owner has to renew it.',
  },
  'expires-soon': {
    title: 'The certificate expires soon',
    meaning: 'Its owner has to renew it before the day that the report names.',
  },
  'not-yet-valid': {
    title: 'The certificate is not valid yet',
    meaning: 'It becomes valid later, or the clock of this host is wrong.',
  },
  'wrong-name': {
    title: 'The certificate is for another name',
    meaning: 'It does not name the domain that was asked for. Phones that verify it do not connect.',
  },
  wildcard: {
    title: 'The certificate names the domain by a wildcard',
    meaning: 'SIP does not allow wildcards (RFC 5922 section 7.2), although many phones accept them.',
  },
  'self-signed': {
    title: 'The certificate is self-signed',
    meaning: 'No authority vouches for it. Phones have to trust it by name.',
  },
  'issuer-unknown': {
    title: 'The issuer is not trusted here',
    meaning: 'An intermediate certificate is missing, or the certificate authority is a private one.',
  },
  untrusted: { title: 'The certificate is not trusted', meaning: 'This host cannot verify it.' },
} as const satisfies Readonly<Record<(typeof CERTIFICATE_PROBLEMS)[number], Term>>;

/** `quality[]` and `capacity`. */
const AUDIO = {
  listening: {
    title: 'How it sounds',
    meaning: 'The score counts loss and jitter, and leaves out the delay of a conversation.',
  },
  conversational: {
    title: 'How it is to talk',
    meaning: 'The score counts delay as well: two people who wait for each other.',
  },
  quota: {
    title: 'A limit by volume',
    meaning: 'The stream is cut after so many packets or octets, however fast they are sent.',
  },
  timer: { title: 'A limit by time', meaning: 'The stream is cut after so many seconds, however much is sent.' },
  'per-flow': {
    title: 'A limit of each flow',
    meaning:
      'Each stream by itself loses packets, on no particular side: a limit of flows or of packets in each of them.',
  },
} as const;

/** Why a step of a rehearsed call was not tried. */
const CALL_TERMS = {
  'no-call': { title: 'There was no call', meaning: 'The step needs a call that stands, and none did.' },
  'not-registered': { title: 'It could not register', meaning: 'The step needs a registration, and none was granted.' },
  'no-connection': {
    title: 'No connection',
    meaning: 'No connection to the far end could be opened for this step, so it was not tried.',
  },
  'nowhere-to-send': {
    title: 'The far end does not know where to send',
    meaning: 'Nothing from this host had reached the far end on that port, so it had no address to answer to.',
  },
  'no-word': {
    title: 'The far end did not say',
    meaning: 'It could not be told what to do, or did not tell what came of it.',
  },
  agent: { title: 'This host', meaning: 'The message was sent by the agent.' },
  'far-end': { title: 'The far end', meaning: 'The message was sent by the reflector.' },
} as const satisfies Readonly<Partial<Record<(typeof CALL_UNTESTED)[number] | 'agent' | 'far-end', Term>>>;

/** Steps of a rehearsed call. */
const CALL_STEP_TERMS: Readonly<Record<(typeof CALL_STEPS)[number], Term>> = {
  register: { title: 'Register', meaning: 'REGISTER with digest authentication is accepted (RFC 3261 section 10).' },
  invite: { title: 'Call and be answered', meaning: 'INVITE rings (180) and is answered (200).' },
  ack: { title: 'Confirm the answer', meaning: 'The ACK arrives; without it calls drop after 32 seconds.' },
  'media-outbound': { title: 'They hear us', meaning: 'Audio from this site arrives on the negotiated ports.' },
  'media-inbound': { title: 'We hear them', meaning: 'Audio from the far end arrives on the negotiated ports.' },
  dtmf: { title: 'Press keys', meaning: 'DTMF arrives, as RFC 4733 events and as INFO.' },
  hold: { title: 'Hold', meaning: 'A re-INVITE puts the call on hold.' },
  resume: { title: 'Resume', meaning: 'A re-INVITE takes the call off hold, and audio passes again.' },
  'remote-hold': { title: 'They hold and resume', meaning: 'The far end holds the call, and takes it off hold.' },
  transfer: { title: 'Transfer', meaning: 'REFER and its NOTIFY pass.' },
  'attended-transfer': {
    title: 'Transfer after asking',
    meaning: 'REFER with Replaces, and the call from the far end that takes the place of the first (RFC 3891).',
  },
  refresh: { title: 'Refresh the session', meaning: 'Each side refreshes the session (RFC 4028).' },
  'inbound-after-idle': {
    title: 'Be called after silence',
    meaning: 'A call comes in over the flow of the registration after a time without traffic.',
  },
  cancel: { title: 'Hang up while it rings', meaning: 'CANCEL ends the call before it is answered.' },
  bye: { title: 'Hang up', meaning: 'BYE of this side ends the call.' },
  'remote-bye': { title: 'They hang up', meaning: 'BYE of the far end arrives, and ends the call.' },
  long: {
    title: 'A longer call',
    meaning: 'Audio still passes both ways after 35 seconds, or after the time of --call-idle.',
  },
};

const KINDS: readonly (readonly [kind: string, terms: Readonly<Record<string, Term>>])[] = [
  ['how a NAT maps, nat.mapping', MAPPING],
  ['how a NAT or firewall filters, nat.filtering', FILTERING],
  ['what a SIP ALG did', ALG],
  ['whose device', DEVICE],
  ['whose device, hops.device', HOP_DEVICE],
  ['how sure a cause is', LIKELIHOOD],
  ['where and how', PLACES],
  ['names and resolvers', NAMES],
  ['what is wrong with a certificate', CERTIFICATE],
  ['audio of a test call', AUDIO],
  ['a step of a rehearsed call', CALL_STEP_TERMS],
  ['a rehearsed call', CALL_TERMS],
  ['a cause', CAUSE_TERMS],
  ['the answer for a service', ANSWER_TERMS],
];

export const TERM_CODES: readonly string[] = [...new Set(KINDS.flatMap(([, terms]) => Object.keys(terms)))];

/** All that a code stands for, each with what kind of code it is: some name two things. Empty if it is none. */
export const termsOf = (code: string): readonly (Term & { readonly kind: string })[] =>
  KINDS.flatMap(([kind, terms]) => {
    const term = Object.hasOwn(terms, code) ? terms[code] : undefined;
    return term ? [{ ...term, kind }] : [];
  });
