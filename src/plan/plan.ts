/** From profiles and addresses to questions: a pure function. Same inputs, same ids, same order. */
import {
  type AskedKind,
  type Check,
  checkName,
  type Family,
  type PortRange,
  REFLECTOR_ONLY_KINDS,
  rangeName,
  TRANSPORTS,
  type Transport,
} from '../model/check.js';
import type { NotRun } from '../model/observation.js';
import { alternativesOf, type CheckSpec, type Profile, type RangeSpec, type Requirement } from '../model/profile.js';
import { UserError } from '../model/user-error.js';

/** One address of a target, under the name by which it was found. */
export interface Endpoint {
  readonly host: string;
  /** Null when the name did not resolve. */
  readonly address: string | null;
  readonly family: Family | null;
}

/** Where SIP goes over one transport (RFC 3263): `offered` is false if the domain's records leave it out. */
export interface SipRoute {
  readonly offered: boolean;
  readonly endpoints: readonly (Endpoint & {
    /** Null: the profile's own port. */
    readonly port: number | null;
    /** SRV records of `host` led here. */
    readonly bySrv?: boolean;
  })[];
}

export interface Destination {
  readonly host: string;
  readonly endpoints: readonly Endpoint[];
  readonly sip: Readonly<Record<Transport, SipRoute>>;
}

export interface PlanInput {
  readonly profiles: readonly Profile[];
  readonly target: Destination;
  /** Reflectors other than the target; they take the questions that no third party answers. */
  readonly reflectors: readonly Destination[];
  /** Without a token nobody can prove to be a reflector, so what only a reflector answers is not asked. */
  readonly hasToken: boolean;
  /** Takes the place of the profiles' media range. */
  readonly rtpRange: readonly [from: number, to: number] | null;
  /** Signalling transports that the deployment uses; null for all that the profiles name. */
  readonly transports: readonly Transport[] | null;
  readonly exhaustive: boolean;
  /** Chance for the sample of a range, 0 ≤ x < 1. */
  readonly random: () => number;
  /** Ports that stand in for others, where the profile's own are not to be had (`probe demo`). */
  readonly portMap: ReadonlyMap<number, number>;
  /** By range: ports to ask besides the sample; those that the range does not have are left out. */
  readonly watched?: Readonly<Record<string, readonly number[]>>;
}

export interface PlannedCheck extends Check {
  /** Why it will not be asked, or null. */
  readonly skip: NotRun | null;
}

export interface PlannedRange extends PortRange {
  readonly sample: readonly PlannedCheck[];
}

/**
 * What a requirement stands on: for each alternative and each address the ids that all have to pass, more than one
 * where RTP and RTCP share a range.
 */
export interface PlannedRequirement {
  readonly profile: string;
  readonly requirement: Requirement;
  readonly alternatives: readonly (readonly string[])[];
}

export interface Plan {
  readonly checks: readonly PlannedCheck[];
  readonly ranges: readonly PlannedRange[];
  readonly requirements: readonly PlannedRequirement[];
}

/** Three answers give a median; a sampled port of a range only has to pass. */
export const SAMPLES = { single: 3, ofRange: 1 } as const;
/** Ports asked of a range in the default mode: both edges and one from each of the strata between them. */
const STRATA = 16;
/** IKE moves here behind a NAT (RFC 3948 §4), and is preceded by the non-ESP marker. */
const NAT_T_PORT = 4500;

const isRange = (spec: CheckSpec | RangeSpec): spec is RangeSpec => 'from' in spec;
const isSip = (probe: AskedKind): boolean => probe.startsWith('sip-');

/** Both edges, and one port at random from each of `strata` equal parts between them; all of them if they are few. */
export const samplePorts = (
  from: number,
  to: number,
  step: number,
  strata: number,
  random: () => number,
): readonly number[] => {
  const count = Math.floor((to - from) / step) + 1;
  const port = (index: number): number => from + index * step;
  if (count <= strata + 2) return Array.from({ length: count }, (_, index) => port(index));
  const inner = Array.from({ length: strata }, (_, stratum) => {
    const low = 1 + Math.floor((stratum * (count - 2)) / strata);
    const high = 1 + Math.floor(((stratum + 1) * (count - 2)) / strata);
    return low + Math.floor(random() * (high - low));
  });
  return [0, ...inner, count - 1].map(port);
};

/** RTP keeps to even ports and RTCP to the odd ones after them (RFC 3550 §11), wherever the range begins. */
const mediaRange = (from: number, to: number): RangeSpec => ({
  probes: from % 2 === 0 ? ['rtp-echo', 'rtcp-echo'] : ['rtcp-echo', 'rtp-echo'],
  transport: 'udp',
  from,
  to,
});

/** The profile with the user's media range in place of its own; several of its ranges become the one. */
export const withRtpRange = (profile: Profile, [from, to]: readonly [number, number]): Profile => {
  const isMedia = (requirement: Requirement): boolean =>
    'range' in requirement && requirement.range.probes.includes('rtp-echo');
  const first = profile.requirements.find(isMedia);
  const requirements = profile.requirements.flatMap((requirement): Requirement[] => {
    if (!isMedia(requirement) || !('range' in requirement)) return [requirement];
    return requirement === first ? [{ ...requirement, range: mediaRange(from, to) }] : [];
  });
  return { ...profile, requirements };
};

/**
 * The profile with only those signalling alternatives that the deployment uses.
 * @throws UserError where a required row would be left without any: a service must not pass for want of a question
 */
const withTransports = (profile: Profile, transports: readonly Transport[]): Profile => {
  const requirements = profile.requirements.flatMap((requirement): Requirement[] => {
    if (!('anyOf' in requirement) || requirement.role !== 'signalling') return [requirement];
    const kept = requirement.anyOf.filter(({ transport }) => transports.includes(transport));
    const [only, ...more] = kept;
    if (!only && requirement.need === 'required') {
      const offered = [...new Set(requirement.anyOf.map(({ transport }) => transport))].join(', ');
      throw new UserError(
        'usage',
        `--transport: ${profile.profile} signals over ${offered}, and not over ${transports.join(' or ')}; choose one of its own`,
      );
    }
    if (!only) return [];
    if (more.length > 0) return [{ ...requirement, anyOf: kept }];
    const { anyOf: _, ...common } = requirement;
    return [isRange(only) ? { ...common, range: only } : { ...common, check: only }];
  });
  return { ...profile, requirements };
};

const withOptions = (profile: Profile, { rtpRange, transports }: PlanInput): Profile => {
  const ranged = rtpRange ? withRtpRange(profile, rtpRange) : profile;
  return transports ? withTransports(ranged, transports) : ranged;
};

/** All addresses of some destinations, whichever records they came from. */
export const addressesOf = (destinations: readonly Destination[]): readonly string[] => [
  ...new Set(
    destinations
      .flatMap(({ endpoints, sip }) => [...endpoints, ...TRANSPORTS.flatMap((transport) => sip[transport].endpoints)])
      .flatMap(({ address }) => address ?? []),
  ),
];

/** What one question is about, before it has an address. */
interface Question {
  readonly probe: AskedKind;
  readonly transport: Transport;
  readonly port: number;
}

type Place = Endpoint & { readonly port: number; readonly skip: NotRun | null };

/**
 * Turns profiles into checks and ranges for every address. A question that several profiles share is asked once; the
 * requirements remember which ids they stand on.
 */
export const plan = (input: PlanInput): Plan => {
  const checks = new Map<string, PlannedCheck>();
  const ranges = new Map<string, PlannedRange>();
  const requirements: PlannedRequirement[] = [];
  const mapped = (port: number): number => input.portMap.get(port) ?? port;

  const placesOf = ({ probe, transport, port }: Question): readonly Place[] => {
    if (REFLECTOR_ONLY_KINDS.has(probe)) {
      const elsewhere = input.reflectors.flatMap(({ endpoints }) => endpoints);
      const skip = input.hasToken ? null : 'needs-reflector';
      return (elsewhere.length > 0 ? elsewhere : input.target.endpoints).map((at) => ({ ...at, port, skip }));
    }
    if (isSip(probe)) {
      const route = input.target.sip[transport];
      const skip = route.offered ? null : 'not-offered';
      return route.endpoints.map((at) => ({ ...at, port: at.port ?? port, skip }));
    }
    return input.target.endpoints.map((at) => ({ ...at, port, skip: null }));
  };

  const several = {
    target: addressesOf([input.target]).length > 1,
    reflectors: addressesOf(input.reflectors.length > 0 ? input.reflectors : [input.target]).length > 1,
  };
  const suffix = (probe: AskedKind, { address }: Place): string =>
    address !== null && several[REFLECTOR_ONLY_KINDS.has(probe) ? 'reflectors' : 'target'] ? `#${address}` : '';

  const toCheck = (question: Question, at: Place, id: string, rangeId: string | null): PlannedCheck => ({
    id,
    probe: question.probe,
    transport: question.transport,
    port: at.port,
    address: at.address,
    family: at.family,
    host: at.host,
    requiredBy: [],
    rangeId,
    natT: question.port === mapped(NAT_T_PORT),
    skip: at.skip ?? (at.address === null ? 'dns-failure' : null),
  });

  const addCheck = (spec: CheckSpec, profile: string): readonly (readonly string[])[] => {
    const question = { ...spec, port: mapped(spec.port) };
    const places = placesOf(question);
    return places.map((at) => {
      const id = checkName(spec.probe, spec.transport, at.port) + suffix(spec.probe, at);
      const known = checks.get(id) ?? toCheck(question, at, id, null);
      checks.set(id, { ...known, requiredBy: [...new Set([...known.requiredBy, profile])] });
      return [id];
    });
  };

  const addRange = (spec: RangeSpec, profile: string): readonly (readonly string[])[] => {
    const byPlace = new Map<string | null, string[]>();
    spec.probes.forEach((probe, turn, all) => {
      const step = all.length;
      const from = spec.from + turn;
      if (from > spec.to) return;
      const to = from + Math.floor((spec.to - from) / step) * step;
      const strata = input.exhaustive ? Number.POSITIVE_INFINITY : STRATA;
      // Another port stands in for it as a check; at its place in the range there is nothing to ask.
      const drawn = samplePorts(from, to, step, strata, input.random);
      const places = placesOf({ probe, transport: spec.transport, port: from });
      for (const at of places) {
        const id = rangeName(probe, spec.transport, from, to) + suffix(probe, at);
        const known = ranges.get(id);
        const isOwn = (port: number): boolean => port >= from && port <= to && (port - from) % step === 0;
        const ports = [...new Set([...drawn, ...(input.watched?.[id] ?? []).filter(isOwn)])]
          .filter((port) => !input.portMap.has(port))
          .sort((a, b) => a - b);
        ranges.set(id, {
          id,
          probe,
          transport: spec.transport,
          from,
          to,
          step,
          address: at.address,
          requiredBy: [...new Set([...(known?.requiredBy ?? []), profile])],
          sample:
            known?.sample ??
            ports.map((port) => {
              const question = { probe, transport: spec.transport, port };
              return toCheck(question, { ...at, port }, checkName(probe, spec.transport, port) + suffix(probe, at), id);
            }),
        });
        byPlace.set(at.address, [...(byPlace.get(at.address) ?? []), id]);
      }
    });
    return [...byPlace.values()];
  };

  for (const chosen of input.profiles) {
    const profile = withOptions(chosen, input);
    for (const requirement of profile.requirements) {
      requirements.push({
        profile: profile.profile,
        requirement,
        alternatives: alternativesOf(requirement).flatMap((spec) =>
          isRange(spec) ? addRange(spec, profile.profile) : addCheck(spec, profile.profile),
        ),
      });
    }
  }
  return { checks: [...checks.values()], ranges: [...ranges.values()], requirements };
};

/** The question of a range put to a port that its sample left out. */
export const portOfRange = (range: PlannedRange, port: number): PlannedCheck => {
  const [like] = range.sample;
  if (!like) throw new RangeError(`the range ${range.id} has no sample`);
  const [, address] = like.id.split('#');
  const id = checkName(range.probe, range.transport, port) + (address === undefined ? '' : `#${address}`);
  return { ...like, id, port };
};

/** Every question that will go out, ranges' samples included; one that several ranges share goes out once. */
export const questionsOf = ({ checks, ranges }: Plan): readonly PlannedCheck[] => {
  const all = [...checks, ...ranges.flatMap(({ sample }) => sample)];
  return [...new Map(all.toReversed().map((check) => [check.id, check])).values()].toReversed();
};
