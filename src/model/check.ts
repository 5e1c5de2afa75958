/** What is asked: probe kinds, transports, checks and ranges of checks. Same inputs give the same ids from run to run. */

/** Every kind of question that a report can carry (the report's `probe` field). */
export const PROBE_KINDS = [
  'sip-options',
  'sip-alg',
  'stun-binding',
  'nat-behavior',
  'rtp-echo',
  'rtcp-echo',
  'udp-echo',
  'size-sweep',
  'ike-sa-init',
  'nat-t-keepalive',
  'esp-in-udp',
  'tcp-connect',
  'tls-handshake',
  'http',
  'dns',
  'media-stream',
] as const;
export type ProbeKind = (typeof PROBE_KINDS)[number];

/** The kinds that this version can ask; each has a file of its own in probes/. */
export const ASKED_KINDS = [
  'sip-options',
  'stun-binding',
  'rtp-echo',
  'rtcp-echo',
  'udp-echo',
  'ike-sa-init',
  'nat-t-keepalive',
  'esp-in-udp',
  'tcp-connect',
  'tls-handshake',
  'http',
  'dns',
] as const satisfies readonly ProbeKind[];
export type AskedKind = (typeof ASKED_KINDS)[number];

/**
 * Kinds that only a reflector answers. Nobody else echoes media, and RFC 3948 §2.3 forbids using a keepalive as a
 * liveness test because its receiver ignores it.
 */
export const REFLECTOR_ONLY_KINDS: ReadonlySet<ProbeKind> = new Set<ProbeKind>([
  'rtp-echo',
  'rtcp-echo',
  'udp-echo',
  'nat-t-keepalive',
  'size-sweep',
  'esp-in-udp',
  'media-stream',
]);

export const TRANSPORTS = ['udp', 'tcp', 'tls'] as const;
export type Transport = (typeof TRANSPORTS)[number];
export type Family = 4 | 6;

/** One question: this probe, this transport, this port, this address. */
export interface Check {
  /** `probe/transport/port`, with `#address` appended when the same question goes to several addresses. */
  readonly id: string;
  readonly probe: AskedKind;
  readonly transport: Transport;
  readonly port: number;
  /** Null when the name could not be resolved: the question exists and cannot be asked. */
  readonly address: string | null;
  readonly family: Family | null;
  /** The name that the user or DNS gave for the address: goes into SNI, Host and the SIP Request-URI. */
  readonly host: string;
  /** Profiles that need or want this check, by name. */
  readonly requiredBy: readonly string[];
  /** The range that this port was sampled from, or null for a check that stands for itself. */
  readonly rangeId: string | null;
  /** IKE on this port is preceded by the non-ESP marker (RFC 3948 §2.2): the NAT-T port, 4500 unless remapped. */
  readonly natT: boolean;
  /** SRV records of `host` led here: the Request-URI names the domain alone, without a port (RFC 3263 §4). */
  readonly bySrv?: boolean;
  /** `user@domain` for the From of SIP; the sender's own address where it is left out. */
  readonly from?: string;
}

/** A run of ports that one requirement names; ports are `from, from + step, … to`. */
export interface PortRange {
  /** `probe/transport/from-to`, with `#address` as for checks. */
  readonly id: string;
  readonly probe: AskedKind;
  readonly transport: Transport;
  readonly from: number;
  readonly to: number;
  readonly step: number;
  readonly address: string | null;
  readonly requiredBy: readonly string[];
}

/** A check's id without its address: what profiles and people refer to. */
export const checkName = (probe: ProbeKind, transport: Transport, port: number): string =>
  `${probe}/${transport}/${port}`;

/** A range's id without its address. */
export const rangeName = (probe: ProbeKind, transport: Transport, from: number, to: number): string =>
  `${probe}/${transport}/${from}-${to}`;
