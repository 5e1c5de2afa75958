/**
 * Everything that differs by kind of probe, a row each: what it is called in a sentence, over what it travels, who can
 * answer it, and what may be done with it. A new kind begins here; the compiler then asks for its words.
 */

export const TRANSPORTS = ['udp', 'tcp', 'tls'] as const;
export type Transport = (typeof TRANSPORTS)[number];

interface Kind {
  /** What of a call it stands for, as a sentence names it. */
  readonly label: string;
  /** Over which it can be asked; of a kind that is only reported, over which it is observed. */
  readonly transports: readonly Transport[];
  /**
   * `anyone`: a server of the protocol answers. `reflector`: nobody else echoes media, and RFC 3948 §2.3 forbids using a
   * keepalive as a liveness test because its receiver ignores it.
   */
  readonly answeredBy: 'anyone' | 'reflector';
  /**
   * `check`: a file in probes/ asks it, and a profile may name it. `study`: a study of a proven far end reports it.
   */
  readonly askedBy: 'check' | 'study';
  /** One datagram each way in which nothing depends on the local address: one socket can ask thousands of ports. */
  readonly isSwept?: true;
  /** What an answer in another's place, or a changed message, is called, where the protocol has a reason of its own. */
  readonly meddling?: { readonly answered?: MeddlingReason; readonly rewritten?: MeddlingReason };
  /** Of a study: the kind of check whose port it is about, so that its finding weighs where that check does. */
  readonly about?: string;
}

type MeddlingReason = 'sip-alg' | 'tls-intercepted' | 'http-intercepted' | 'dns-intercepted';

const KINDS = {
  'sip-options': {
    label: 'SIP',
    transports: ['udp', 'tcp', 'tls'],
    answeredBy: 'anyone',
    askedBy: 'check',
    meddling: { rewritten: 'sip-alg' },
  },
  'sip-alg': {
    label: 'SIP',
    transports: ['udp', 'tcp', 'tls'],
    answeredBy: 'anyone',
    askedBy: 'study',
    about: 'sip-options',
  },
  'stun-binding': { label: 'STUN', transports: ['udp'], answeredBy: 'anyone', askedBy: 'check' },
  'nat-behavior': {
    label: 'the NAT',
    transports: ['udp'],
    answeredBy: 'anyone',
    askedBy: 'study',
    about: 'nat-t-keepalive',
  },
  'rtp-echo': {
    label: 'audio (RTP)',
    transports: ['udp'],
    answeredBy: 'reflector',
    askedBy: 'check',
    isSwept: true,
  },
  'rtcp-echo': {
    label: 'audio control (RTCP)',
    transports: ['udp'],
    answeredBy: 'reflector',
    askedBy: 'check',
    isSwept: true,
  },
  'udp-echo': { label: 'plain UDP', transports: ['udp'], answeredBy: 'reflector', askedBy: 'check', isSwept: true },
  'size-sweep': {
    label: 'large messages',
    transports: ['udp', 'tcp'],
    answeredBy: 'reflector',
    askedBy: 'study',
    about: 'sip-options',
  },
  'ike-sa-init': { label: 'IKE', transports: ['udp'], answeredBy: 'anyone', askedBy: 'check' },
  'nat-t-keepalive': {
    label: 'NAT-T keepalives',
    transports: ['udp'],
    answeredBy: 'reflector',
    askedBy: 'check',
  },
  'esp-in-udp': { label: 'ESP in UDP', transports: ['udp'], answeredBy: 'reflector', askedBy: 'check' },
  'tcp-connect': { label: 'connections', transports: ['tcp'], answeredBy: 'anyone', askedBy: 'check' },
  'tls-handshake': {
    label: 'TLS',
    transports: ['tls'],
    answeredBy: 'anyone',
    askedBy: 'check',
    meddling: { answered: 'tls-intercepted' },
  },
  http: {
    label: 'HTTP',
    transports: ['tcp'],
    answeredBy: 'anyone',
    askedBy: 'check',
    meddling: { answered: 'http-intercepted', rewritten: 'http-intercepted' },
  },
  dns: {
    label: 'DNS',
    transports: ['udp', 'tcp'],
    answeredBy: 'anyone',
    askedBy: 'check',
    meddling: { answered: 'dns-intercepted', rewritten: 'dns-intercepted' },
  },
  'media-stream': {
    label: 'audio (RTP)',
    transports: ['udp'],
    answeredBy: 'reflector',
    askedBy: 'study',
    about: 'rtp-echo',
  },
  inbound: { label: 'inbound traffic', transports: ['udp', 'tcp', 'tls'], answeredBy: 'reflector', askedBy: 'study' },
  call: {
    label: 'calls',
    transports: ['udp', 'tcp', 'tls'],
    answeredBy: 'reflector',
    askedBy: 'study',
    about: 'sip-options',
  },
} as const satisfies Record<string, Kind>;

/** Every kind of question that a report can carry (the report's `probe` field). */
export type ProbeKind = keyof typeof KINDS;

/** The kinds that a profile may name; each has a file of its own in probes/. */
export type AskedKind = { [K in ProbeKind]: (typeof KINDS)[K]['askedBy'] extends 'check' ? K : never }[ProbeKind];

export const PROBE_KINDS = Object.keys(KINDS) as readonly ProbeKind[];

/** The row of a kind, as wide as all rows. */
export const kindOf = (kind: ProbeKind): Kind => KINDS[kind];

const isAsked = (kind: ProbeKind): kind is AskedKind => kindOf(kind).askedBy === 'check';

export const ASKED_KINDS: readonly AskedKind[] = PROBE_KINDS.filter(isAsked);

/** Whether nobody but a reflector answers this kind. */
export const isReflectorOnly = (kind: ProbeKind): boolean => kindOf(kind).answeredBy === 'reflector';

/** Whether one socket can ask many ports of it. */
export const isSwept = (kind: ProbeKind): boolean => kindOf(kind).isSwept === true;
