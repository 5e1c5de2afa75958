/** What is asked: checks, ranges of checks, and the plan that holds them. Same inputs give the same ids from run to run. */
import type { AskedKind, ProbeKind, Transport } from './kinds.js';
import type { NotRun } from './observation.js';
import type { Requirement } from './profile.js';

export type Family = 4 | 6;

declare const KEY: unique symbol;
/**
 * Which question an observation answers: given by the plan and opaque to everybody else. The printed id is for people
 * and monitoring; a key is what observations are joined by.
 */
export type Key = string & { readonly [KEY]: never };

/** One question: this probe, this transport, this port, this address. */
interface Question {
  readonly probe: AskedKind;
  readonly transport: Transport;
  readonly port: number;
  /** Null when the name could not be resolved: the question exists and cannot be asked. */
  readonly address: string | null;
}

/** Two ranges, or a range and a check, that hold the same port ask one question, and each of them has its answer. */
export const keyOf = ({ probe, transport, port, address }: Question): Key =>
  `${probe}/${transport}/${port}@${address ?? ''}` as Key;

export interface Check extends Question {
  readonly key: Key;
  /** `probe/transport/port`, with `#address` appended when the same question goes to several addresses. */
  readonly id: string;
  readonly family: Family | null;
  /** The name that the user or DNS gave for the address: goes into SNI, Host and the SIP Request-URI. */
  readonly host: string;
  /** Profiles that need or want this check, by name. */
  readonly requiredBy: readonly string[];
  /** Whether ranges alone ask it: one answer is enough, and its quality is judged with that of all their ports. */
  readonly isOfRange: boolean;
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

/** Whether the question is about a port of the range. */
export const isWithinRange = (range: PortRange, { probe, transport, port, address }: Question): boolean =>
  range.probe === probe &&
  range.transport === transport &&
  range.address === address &&
  port >= range.from &&
  port <= range.to &&
  (port - range.from) % range.step === 0;

export interface PlannedCheck extends Check {
  /** Why it will not be asked, or null. */
  readonly skip: NotRun | null;
}

export interface PlannedRange extends PortRange {
  /** The ports that are asked in any case. */
  readonly sample: readonly PlannedCheck[];
  /** The question of this range as it is put to its first port. */
  readonly template: PlannedCheck;
  /** What the ids of its checks end with: `#address`, or nothing. */
  readonly idSuffix: string;
}

/**
 * What a requirement stands on: for each alternative and each address the keys of the checks and the ranges that all have
 * to pass; more than one where RTP and RTCP share a range.
 */
export interface PlannedRequirement {
  readonly profile: string;
  readonly requirement: Requirement;
  readonly alternatives: readonly Grounds[];
  /** Where the user lets the far end begin what this row is about; left out where it is not asked. */
  readonly inbound?: readonly InboundPort[];
}

export interface Grounds {
  readonly checks: readonly Key[];
  readonly ranges: readonly PlannedRange[];
}

/** A port of this host to which the far end is to connect, or send. */
export interface InboundPort {
  readonly transport: Transport;
  readonly port: number;
}

export interface Plan {
  readonly checks: readonly PlannedCheck[];
  readonly ranges: readonly PlannedRange[];
  readonly requirements: readonly PlannedRequirement[];
}

/** A check's id without its address: what profiles and people refer to. */
export const checkName = (probe: ProbeKind, transport: Transport, port: number): string =>
  `${probe}/${transport}/${port}`;

/** A range's id without its address. */
export const rangeName = (probe: ProbeKind, transport: Transport, from: number, to: number): string =>
  `${probe}/${transport}/${from}-${to}`;
