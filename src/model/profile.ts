/**
 * A profile: what a service needs of the network, as data. One YAML file each in profiles/. This file holds the
 * vocabulary and loads nothing, so that planning and classifying do not pay for a validator; the shape is enforced by
 * profile-schema.ts and its sense by profile-rules.ts, once, when a profile is compiled or read from a user's file.
 */
import type { AskedKind, Transport } from './kinds.js';

/** `primary`: read in the primary document; `secondary`: in another; `unverified`: from memory, never required. */
export const EVIDENCE_MARKS = ['primary', 'secondary', 'unverified'] as const;
export type EvidenceMark = (typeof EVIDENCE_MARKS)[number];

/** `optional` rows are asked and shown, and never decide the service's verdict. */
export const NEEDS = ['required', 'optional'] as const;
export type Need = (typeof NEEDS)[number];

/** What part of the service a requirement carries; `signalling` decides between `impaired` and `blocked`. */
export const REQUIREMENT_ROLES = ['signalling', 'media', 'push', 'web', 'dns', 'keepalive'] as const;
export type RequirementRole = (typeof REQUIREMENT_ROLES)[number];

/** The symptoms that a profile may name for signalling that does not pass. */
export const SIGNALLING_SYMPTOMS = ['cannot-register', 'wifi-calling-unavailable', 'facetime-cannot-connect'] as const;
export type SignallingSymptom = (typeof SIGNALLING_SYMPTOMS)[number];

/**
 * Which way the first packet goes. `inbound`: the far side begins, so the port has to be forwarded to a PBX here; nothing
 * that is asked from inside proves that.
 */
export const DIRECTIONS = ['outbound', 'inbound'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** Where a row or a threshold comes from. */
export interface Source {
  readonly title: string;
  readonly url?: string;
  readonly evidence: EvidenceMark;
  /** The day on which somebody last compared the row with its source, `YYYY-MM-DD`. */
  readonly checkedOn: string;
}

/** One question, e.g. `{probe: sip-options, transport: udp, port: 5060}`. */
export interface CheckSpec {
  readonly probe: AskedKind;
  readonly transport: Transport;
  readonly port: number;
}

/**
 * A run of ports, both ends included. Two probes take turns: `[rtp-echo, rtcp-echo]` from an even port asks RTP on
 * even ports and RTCP on odd ones (RFC 3550 §11).
 */
export interface RangeSpec {
  readonly probes: readonly AskedKind[];
  readonly transport: Transport;
  readonly from: number;
  readonly to: number;
}

interface RequirementCommon {
  readonly id: string;
  readonly need: Need;
  readonly role: RequirementRole;
  readonly purpose: string;
  /** Default `outbound`. */
  readonly direction?: Direction;
  /** Why this row is as it is, where sources disagree or a reader would wonder. */
  readonly note?: string;
  readonly source: Source;
}

/** One check, one range, or alternatives of which one must pass. */
export type Requirement =
  | (RequirementCommon & { readonly check: CheckSpec })
  | (RequirementCommon & { readonly range: RangeSpec })
  | (RequirementCommon & { readonly anyOf: readonly (CheckSpec | RangeSpec)[] });

/** Past these a call suffers. Ratios are 0–1, times are milliseconds. */
export interface Thresholds {
  readonly lossRatio: number;
  readonly rttMs: number;
  readonly jitterMs: number;
  readonly reorderRatio: number;
}

export interface Profile {
  /** Its name: what `--profile` takes and `requiredBy` shows. */
  readonly profile: string;
  readonly title: string;
  readonly summary: string;
  /** Where the service itself is, for a run that names no target: a carrier's gateway. */
  readonly host?: string;
  /** What a reader must know before believing the verdict, one sentence or two each. */
  readonly notes: readonly string[];
  readonly thresholds: Thresholds;
  /** Who says that these are the thresholds. */
  readonly thresholdsSource: Source;
  /** What a user notices when the service's signalling does not pass. */
  readonly symptomWhenBlocked: SignallingSymptom;
  /** Public names or networks of the far side, as its documents give them: what a rule may be restricted to. */
  readonly destinations?: readonly string[];
  /** What the far side must provide for this profile to be proven: `a reflector on these ports`. */
  readonly farSide?: string;
  readonly requirements: readonly Requirement[];
}

/** The questions of a requirement: one, or the alternatives. */
export const alternativesOf = (requirement: Requirement): readonly (CheckSpec | RangeSpec)[] => {
  if ('check' in requirement) return [requirement.check];
  if ('range' in requirement) return [requirement.range];
  return requirement.anyOf;
};
