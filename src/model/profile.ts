/**
 * A profile: what a service needs of the network, as data. One YAML file each in profiles/. This file holds the
 * vocabulary and loads nothing, so that planning and classifying do not pay for a validator; the shape is enforced by
 * profile-schema.ts and its sense by profile-rules.ts, once, when a profile is compiled or read from a user's file.
 */
import type { AskedKind, Transport } from './kinds.js';
import type { SymptomId } from './verdict.js';

/**
 * How good a source is, and nothing about how much its row matters (that is `need`). `primary`: read in the document of
 * whoever runs the service, which has a URL; `secondary`: read in another's; `unverified`: from memory, so it has no date.
 */
export const EVIDENCE_MARKS = ['primary', 'secondary', 'unverified'] as const;
type EvidenceMark = (typeof EVIDENCE_MARKS)[number];

/** `required` rows weigh, whatever their source; `optional` rows are asked and shown, and never decide the verdict. */
export const NEEDS = ['required', 'optional'] as const;
export type Need = (typeof NEEDS)[number];

/** What part of the service a requirement carries; `signalling` decides between `impaired` and `blocked`. */
export const REQUIREMENT_ROLES = [
  'signalling',
  'media',
  'push',
  'web',
  'dns',
  'keepalive',
  'provisioning',
  'time',
] as const;
export type RequirementRole = (typeof REQUIREMENT_ROLES)[number];

/** What users may notice when all that a role needs is gone, as far as a profile may say so. */
export const ROLE_SYMPTOMS = [
  'cannot-register',
  'wifi-calling-unavailable',
  'facetime-cannot-connect',
  'cannot-sign-in',
  'trunk-down',
  'messages-fail',
  'no-audio',
  'push-delayed',
  'lost-inbound-calls',
  'provisioning-fails',
  'activation-fails',
  'wrong-time',
  'app-limited',
  'cannot-find-service',
] as const satisfies readonly SymptomId[];
export type RoleSymptom = (typeof ROLE_SYMPTOMS)[number];

/** By role; a role that is not named has the symptom of ROLE_DEFAULTS. */
type RoleSymptoms = { readonly signalling: RoleSymptom } & {
  readonly [Role in RequirementRole]?: RoleSymptom;
};

/** What people notice of a role in any service, unless its profile knows better. */
const ROLE_DEFAULTS: { readonly [Role in Exclude<RequirementRole, 'signalling'>]: RoleSymptom } = {
  media: 'no-audio',
  push: 'push-delayed',
  web: 'app-limited',
  dns: 'cannot-find-service',
  keepalive: 'lost-inbound-calls',
  provisioning: 'provisioning-fails',
  time: 'wrong-time',
};

/**
 * Which way the first packet goes. `inbound`: the far side begins, so the port has to be let in, or forwarded to a PBX
 * here; nothing that is asked from inside proves that. `both`: either side may begin.
 */
export const DIRECTIONS = ['outbound', 'inbound', 'both'] as const;
type Direction = (typeof DIRECTIONS)[number];

/** Whom a profile is for: desk phones and apps that register, a PBX or session border controller, or an app. */
export const AUDIENCES = ['phones', 'trunk', 'app'] as const;
type Audience = (typeof AUDIENCES)[number];

/** Whether the vendor forbids that something opens its TLS or looks into its packets. */
export const INSPECTIONS = ['never', 'allowed'] as const;
type Inspection = (typeof INSPECTIONS)[number];

/** What a service is while only the row works that stands in for another one. */
export const FALLBACK_RESULTS = ['works', 'degraded'] as const;
export type FallbackResult = (typeof FALLBACK_RESULTS)[number];

/** Where a row, a list or a threshold comes from. */
export interface Source {
  readonly title: string;
  readonly url?: string;
  readonly evidence: EvidenceMark;
  /** The day on which somebody last compared the row with its source, `YYYY-MM-DD`; none for what is from memory. */
  readonly checkedOn?: string;
  /** The date that the document itself carries, `YYYY-MM-DD` or `YYYY-MM`; left out where it carries none. */
  readonly dated?: string;
}

/**
 * Networks and names that belong together, as one document gives them. Rows refer to a list by its id. `wildcards` are
 * told and never written into a rule: a firewall filters addresses, and `*.example.com` has none.
 */
export interface DestinationList {
  readonly id: string;
  /** `52.112.0.0/14`, `2603:1063::/38`, or a single address. */
  readonly networks?: readonly string[];
  readonly hosts?: readonly string[];
  readonly wildcards?: readonly string[];
  readonly source: Source;
}

/** Another row of the same profile that serves when this one does not pass. */
interface Fallback {
  readonly row: string;
  readonly leaves: FallbackResult;
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
  /** Ids of the profile's destination lists that this row is about; left out: anywhere. */
  readonly destinations?: readonly string[];
  /** Of which host this is asked, where it is not the target: an entitlement server beside a gateway. */
  readonly host?: string;
  /** The DSCP with which the vendor marks this traffic, 0–63. */
  readonly dscp?: number;
  readonly fallback?: Fallback;
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
  /** Who says that these are the thresholds; each title says which of them. */
  readonly thresholdsSources: readonly Source[];
  /** What users notice when what a role needs does not pass. */
  readonly symptoms: RoleSymptoms;
  /** Whom it is for. */
  readonly appliesTo?: readonly Audience[];
  /** How long an idle UDP mapping has to live, as the vendor asks. */
  readonly udpTimeoutSeconds?: number;
  /** How often its phones or servers send something over an idle connection. */
  readonly keepaliveSeconds?: number;
  readonly inspection?: Inspection;
  /** What rules may be restricted to, by lists that rows refer to. */
  readonly destinations?: readonly DestinationList[];
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

/** The symptom of a role in this service. */
export const symptomOf = ({ symptoms }: Pick<Profile, 'symptoms'>, role: RequirementRole): RoleSymptom =>
  symptoms[role] ?? (role === 'signalling' ? symptoms.signalling : ROLE_DEFAULTS[role]);

/** The lists that a row is about; none means anywhere. */
export const destinationsOf = (
  { destinations = [] }: Pick<Profile, 'destinations'>,
  { destinations: ids = [] }: Pick<Requirement, 'destinations'>,
): readonly DestinationList[] => destinations.filter(({ id }) => ids.includes(id));

/** A row that is not asked from inside, because it is the far side that begins. */
export const isInboundOnly = ({ direction }: Pick<Requirement, 'direction'>): boolean => direction === 'inbound';
