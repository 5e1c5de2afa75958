/** From verdicts to services: what a profile's requirements come to (the rules are CONTRACT's, in one place). */
import { isReflectorOnly, type ProbeKind, type Transport } from '../model/kinds.js';
import {
  alternativesOf,
  type FallbackResult,
  isInboundOnly,
  type Profile,
  type Requirement,
} from '../model/profile.js';
import type { Finding, ServiceVerdict, Verdict } from '../model/verdict.js';
import { worstOf } from './ranges.js';

/** A check or a range, as far as a service cares. */
export interface Item {
  readonly id: string;
  readonly probe: ProbeKind;
  readonly transport: Transport;
  readonly address: string | null;
  /** The ports that it stands for; a check has one. */
  readonly from: number;
  readonly to: number;
  readonly finding: Finding;
  /** Part of a range passes although `finding` is its worst run. */
  readonly partly: boolean;
  /** Blocked are only messages that are longer than those with which phones register. */
  readonly leavesShort?: true;
  /** The address belongs to a reflector, proven or named as one: what only reflectors answer can be asked of it. */
  readonly provable: boolean;
}

export type RequirementState = {
  readonly requirement: Requirement;
  /** All checks and ranges of all alternatives. */
  readonly items: readonly Item[];
  /** `untested`: nobody there answers this question unless it is a reflector. */
  readonly state: 'pass' | 'degraded' | 'altered' | 'blocked' | 'unknown' | 'untested';
  /** The row that serves in this one's place, where this one does not pass; `state` is what that leaves of it. */
  readonly served?: { readonly by: string; readonly leaves: FallbackResult };
  /** What the far end's attempts to begin came to; left out where none were asked for. A row that only the far side begins is as they are. */
  readonly inbound?: { readonly state: RequirementState['state']; readonly items: readonly Item[] };
};

export interface ServiceState {
  readonly profile: Profile;
  readonly verdict: ServiceVerdict;
  readonly requirements: readonly RequirementState[];
  readonly untested: readonly string[];
}

const isUntested = ({ probe, finding, provable }: Item): boolean =>
  !provable && isReflectorOnly(probe) && finding.verdict === 'unknown';

/** Phones register and short calls are set up: it suffers, and it passes. */
const losesLongOnly = ({ finding, leavesShort }: Item): boolean =>
  finding.verdict === 'blocked' && leavesShort === true;

/** An alternative at one address is as good as its worst part: RTP without RTCP is not the range that was asked for. */
const verdictOf = (parts: readonly Item[]): Verdict => {
  const whole = parts.filter((one) => !losesLongOnly(one));
  const verdict = worstOf(whole.map(({ finding }) => finding))?.verdict ?? 'unknown';
  return verdict === 'pass' && whole.length < parts.length ? 'degraded' : verdict;
};

/**
 * What a requirement comes to: its alternatives, each at each address, weighed against each other. One that passes is
 * enough, and what the path takes away beside it degrades.
 */
export const weigh = (requirement: Requirement, alternatives: readonly (readonly Item[])[]): RequirementState => {
  const items = alternatives.flat();
  const verdicts = new Set(alternatives.map(verdictOf));
  const losesFlows = items.some(({ finding }) => finding.reason === 'flow-loss');
  const harmed = verdicts.has('blocked') || verdicts.has('altered') || losesFlows || items.some(losesLongOnly);
  const state = ((): RequirementState['state'] => {
    if (verdicts.has('pass')) return harmed ? 'degraded' : 'pass';
    if (verdicts.has('degraded')) return 'degraded';
    if (verdicts.has('blocked')) return 'blocked';
    if (verdicts.has('altered')) return 'altered';
    if (items.length === 0 && isInboundOnly(requirement)) return 'untested';
    return items.length > 0 && items.every(isUntested) ? 'untested' : 'unknown';
  })();
  return { requirement, items, state };
};

/** The question was not put: the far end does not offer it, or was not asked over a connection. */
const wasNotPut = ({ finding }: Item): boolean => finding.reason === 'not-run';

/** The same row with what came of the ports that the user let the far end try. */
export const withWayIn = (one: RequirementState, items: readonly Item[]): RequirementState => {
  if (items.length === 0) return one;
  const { requirement } = one;
  // Ports of one question stand together; of alternatives one is enough.
  const alternatives = 'anyOf' in requirement ? items.map((item) => [item]) : [items];
  const state = items.every(wasNotPut) ? 'untested' : weigh(requirement, alternatives).state;
  return { ...one, ...(isInboundOnly(requirement) && { state }), inbound: { state, items } };
};

/**
 * A row that does not pass while another one serves in its place is what the profile says that leaves: never blocked. Where
 * it is not known whether the other one passes, it is not known what users have. Profiles are checked for circles; `seen`
 * ends one all the same.
 */
const withFallback = (
  one: RequirementState,
  all: readonly RequirementState[],
  seen: readonly string[] = [],
): RequirementState => {
  const { fallback, id } = one.requirement;
  if (fallback === undefined || seen.includes(id) || (one.state !== 'blocked' && one.state !== 'unknown')) return one;
  const found = all.find(({ requirement }) => requirement.id === fallback.row);
  if (found === undefined) return one;
  const { state } = withFallback(found, all, [...seen, id]);
  const served = { by: fallback.row, leaves: fallback.leaves };
  if (state === 'pass' || state === 'degraded') {
    // Whether it passes itself or not: it works either way. Whether it suffers is not known where it stays silent.
    if (one.state === 'unknown' && fallback.leaves === 'degraded') return one;
    return { ...one, state: fallback.leaves === 'works' ? state : 'degraded', served };
  }
  return one.state === 'blocked' && (state === 'unknown' || state === 'untested') ? { ...one, state: 'unknown' } : one;
};

/** One port of a range stands for itself, and not for the range. */
const isWayInKnown = (requirement: Requirement, inbound: RequirementState['inbound']): boolean =>
  inbound !== undefined && inbound.state !== 'untested' && !('range' in requirement);

/** What the far side would have to begin, by names of their own: nothing that is asked from inside answers it. */
const inboundNames = ({ requirement, inbound }: RequirementState): readonly string[] =>
  (requirement.direction ?? 'outbound') === 'outbound' || isWayInKnown(requirement, inbound)
    ? []
    : alternativesOf(requirement).map((spec) => {
        const ports = 'port' in spec ? String(spec.port) : `${spec.from}-${spec.to}`;
        return `inbound/${spec.transport}/${ports}`;
      });

/** The service's verdict from its required requirements; optional ones inform and never decide. */
export const weighService = (profile: Profile, rows: readonly RequirementState[]): ServiceState => {
  const requirements = rows.map((row) => withFallback(row, rows));
  const required = requirements.filter(({ requirement }) => requirement.need === 'required');
  const untested = [
    ...new Set(
      required.flatMap((row) => [
        ...(row.state === 'untested' ? row.items.map(({ id }) => id) : []),
        ...inboundNames(row),
      ]),
    ),
  ];
  const tested = required.filter(({ state }) => state !== 'untested');
  const isSignalling = ({ requirement }: RequirementState): boolean => requirement.role === 'signalling';
  const has = (state: RequirementState['state'], among: readonly RequirementState[] = tested): boolean =>
    among.some((one) => one.state === state);
  const waysIn = required.flatMap(({ inbound }) => inbound?.state ?? []);
  const verdict = ((): ServiceVerdict => {
    if (has('blocked', tested.filter(isSignalling))) return 'blocked';
    if (has('blocked') || waysIn.includes('blocked')) return 'impaired';
    if (tested.length === 0 || has('unknown') || waysIn.includes('unknown')) return 'unknown';
    const isHarmed = (['degraded', 'altered'] as const).some((state) => has(state) || waysIn.includes(state));
    return isHarmed ? 'degraded' : 'works';
  })();
  return { profile, verdict, requirements, untested };
};
