/** From profiles and addresses to questions: a pure function. Same inputs, same ids, same order. */
import {
  checkName,
  type Family,
  type Grounds,
  type Key,
  keyOf,
  type Plan,
  type PlannedCheck,
  type PlannedRange,
  type PlannedRequirement,
  rangeName,
} from '../model/check.js';
import { type AskedKind, isReflectorOnly, TRANSPORTS, type Transport } from '../model/kinds.js';
import type { NotRun } from '../model/observation.js';
import {
  alternativesOf,
  type CheckSpec,
  isInboundOnly,
  type Profile,
  type RangeSpec,
  type Requirement,
} from '../model/profile.js';
import { UserError } from '../model/user-error.js';
import { placeOfRow } from './row-target.js';

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
  /** Hosts that rows name as their own, resolved; a row whose host is not among them is asked of the target. */
  readonly others?: ReadonlyMap<string, Destination>;
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
interface Subject {
  readonly probe: AskedKind;
  readonly transport: Transport;
  readonly port: number;
}

type Place = Endpoint & {
  readonly port: number;
  readonly skip: NotRun | null;
  /** Another host than the target: then the id says which. */
  readonly elsewhere?: boolean;
};

/** What alternatives stand on while further profiles may still join in their ranges. */
interface DraftGrounds {
  readonly checks: readonly Key[];
  readonly ranges: readonly string[];
}

/**
 * Turns profiles into checks and ranges for every address. A question that several profiles or ranges share is asked
 * once; the requirements remember what they stand on.
 */
export const plan = (input: PlanInput): Plan => {
  const checks = new Map<Key, PlannedCheck>();
  const ranges = new Map<string, PlannedRange>();
  const drafts: (Omit<PlannedRequirement, 'alternatives'> & { readonly alternatives: readonly DraftGrounds[] })[] = [];
  const mapped = (port: number): number => input.portMap.get(port) ?? port;

  const placesOf = ({ probe, transport, port }: Subject, row: Requirement): readonly Place[] => {
    const { at: target, elsewhere } = placeOfRow(row, input.target, input.others);
    if (isReflectorOnly(probe)) {
      const provers = input.reflectors.flatMap(({ endpoints }) => endpoints);
      const skip = input.hasToken ? null : 'needs-reflector';
      return (provers.length > 0 ? provers : input.target.endpoints).map((at) => ({ ...at, port, skip }));
    }
    if (isSip(probe)) {
      const route = target.sip[transport];
      const skip = route.offered ? null : 'not-offered';
      return route.endpoints.map((at) => ({ ...at, port: at.port ?? port, skip, elsewhere }));
    }
    return target.endpoints.map((at) => ({ ...at, port, skip: null, elsewhere }));
  };

  const several = {
    target: addressesOf([input.target]).length > 1,
    reflectors: addressesOf(input.reflectors.length > 0 ? input.reflectors : [input.target]).length > 1,
  };
  const suffix = (probe: AskedKind, { address, host, elsewhere }: Place): string => {
    if (elsewhere) return `#${address ?? host}`;
    return address !== null && several[isReflectorOnly(probe) ? 'reflectors' : 'target'] ? `#${address}` : '';
  };

  const toCheck = ({ probe, transport, port }: Subject, at: Place, isOfRange: boolean): PlannedCheck => ({
    // A name that did not resolve is told from others by itself.
    key: keyOf({ probe, transport, port: at.port, address: at.address ?? at.host }),
    id: checkName(probe, transport, at.port) + suffix(probe, at),
    probe,
    transport,
    port: at.port,
    address: at.address,
    family: at.family,
    host: at.host,
    requiredBy: [],
    isOfRange,
    natT: port === mapped(NAT_T_PORT),
    skip: at.skip ?? (at.address === null ? 'dns-failure' : null),
  });

  const addCheck = (spec: CheckSpec, profile: string, row: Requirement): readonly DraftGrounds[] => {
    const subject = { ...spec, port: mapped(spec.port) };
    return placesOf(subject, row).map((at) => {
      const check = toCheck(subject, at, false);
      const known = checks.get(check.key) ?? check;
      checks.set(check.key, { ...known, requiredBy: [...new Set([...known.requiredBy, profile])] });
      return { checks: [check.key], ranges: [] };
    });
  };

  const addRange = (spec: RangeSpec, profile: string, row: Requirement): readonly DraftGrounds[] => {
    const byPlace = new Map<string | null, string[]>();
    spec.probes.forEach((probe, turn, all) => {
      const { transport } = spec;
      const step = all.length;
      const from = spec.from + turn;
      if (from > spec.to) return;
      const to = from + Math.floor((spec.to - from) / step) * step;
      const strata = input.exhaustive ? Number.POSITIVE_INFINITY : STRATA;
      // Another port stands in for it as a check; at its place in the range there is nothing to ask.
      const drawn = samplePorts(from, to, step, strata, input.random);
      for (const at of placesOf({ probe, transport, port: from }, row)) {
        const idSuffix = suffix(probe, at);
        const id = rangeName(probe, transport, from, to) + idSuffix;
        const known = ranges.get(id);
        const isOwn = (port: number): boolean => port >= from && port <= to && (port - from) % step === 0;
        const ports = [...new Set([...drawn, ...(input.watched?.[id] ?? []).filter(isOwn)])]
          .filter((port) => !input.portMap.has(port))
          .sort((a, b) => a - b);
        const of = (port: number): PlannedCheck => toCheck({ probe, transport, port }, { ...at, port }, true);
        ranges.set(id, {
          ...{ id, probe, transport, from, to, step, address: at.address },
          requiredBy: [...new Set([...(known?.requiredBy ?? []), profile])],
          sample: known?.sample ?? ports.map(of),
          template: of(from),
          idSuffix,
        });
        byPlace.set(at.address, [...(byPlace.get(at.address) ?? []), id]);
      }
    });
    return [...byPlace.values()].map((ids) => ({ checks: [], ranges: ids }));
  };

  for (const chosen of input.profiles) {
    const profile = withOptions(chosen, input);
    for (const requirement of profile.requirements) {
      drafts.push({
        profile: profile.profile,
        requirement,
        // Where the far side begins, nothing that goes out from here answers the question.
        alternatives: (isInboundOnly(requirement) ? [] : alternativesOf(requirement)).flatMap((spec) =>
          isRange(spec) ? addRange(spec, profile.profile, requirement) : addCheck(spec, profile.profile, requirement),
        ),
      });
    }
  }
  const grounds = ({ checks: keys, ranges: ids }: DraftGrounds): Grounds => ({
    checks: keys,
    ranges: ids.flatMap((id) => ranges.get(id) ?? []),
  });
  return {
    checks: [...checks.values()],
    ranges: [...ranges.values()],
    requirements: drafts.map((draft) => ({ ...draft, alternatives: draft.alternatives.map(grounds) })),
  };
};

/** The question of a range put to one of its ports. */
export const portOfRange = ({ template, idSuffix }: PlannedRange, port: number): PlannedCheck => ({
  ...template,
  port,
  id: checkName(template.probe, template.transport, port) + idSuffix,
  key: keyOf({ ...template, port }),
});

/** Every question that will go out, ranges' samples included, once each. */
export const questionsOf = ({ checks, ranges }: Plan): readonly PlannedCheck[] => {
  const questions = new Map<Key, PlannedCheck>();
  for (const check of [...checks, ...ranges.flatMap(({ sample }) => sample)]) {
    if (!questions.has(check.key)) questions.set(check.key, check);
  }
  return [...questions.values()];
};
