/** From verdicts to services: what a profile's requirements come to (the rules are CONTRACT's, in one place). */
import { isReflectorOnly, type ProbeKind, type Transport } from '../model/kinds.js';
import type { Profile, Requirement } from '../model/profile.js';
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
  /** The address belongs to a reflector, proven or named as one: what only reflectors answer can be asked of it. */
  readonly provable: boolean;
}

export type RequirementState = {
  readonly requirement: Requirement;
  /** All checks and ranges of all alternatives. */
  readonly items: readonly Item[];
  /** `untested`: nobody there answers this question unless it is a reflector. */
  readonly state: 'pass' | 'degraded' | 'altered' | 'blocked' | 'unknown' | 'untested';
};

export interface ServiceState {
  readonly profile: Profile;
  readonly verdict: ServiceVerdict;
  readonly requirements: readonly RequirementState[];
  readonly untested: readonly string[];
}

const isUntested = ({ probe, finding, provable }: Item): boolean =>
  !provable && isReflectorOnly(probe) && finding.verdict === 'unknown';

/** An alternative at one address is as good as its worst part: RTP without RTCP is not the range that was asked for. */
const verdictOf = (parts: readonly Item[]): Verdict =>
  worstOf(parts.map(({ finding }) => finding))?.verdict ?? 'unknown';

/**
 * What a requirement comes to: its alternatives, each at each address, weighed against each other. One that passes is
 * enough, and what the path takes away beside it degrades.
 */
export const weigh = (requirement: Requirement, alternatives: readonly (readonly Item[])[]): RequirementState => {
  const items = alternatives.flat();
  const verdicts = new Set(alternatives.map(verdictOf));
  const harmed = verdicts.has('blocked') || verdicts.has('altered');
  const state = ((): RequirementState['state'] => {
    if (verdicts.has('pass')) return harmed ? 'degraded' : 'pass';
    if (verdicts.has('degraded')) return 'degraded';
    if (verdicts.has('blocked')) return 'blocked';
    if (verdicts.has('altered')) return 'altered';
    return items.length > 0 && items.every(isUntested) ? 'untested' : 'unknown';
  })();
  return { requirement, items, state };
};

/** The service's verdict from its required requirements; optional ones inform and never decide. */
export const weighService = (profile: Profile, requirements: readonly RequirementState[]): ServiceState => {
  const required = requirements.filter(({ requirement }) => requirement.need === 'required');
  const untested = required.flatMap(({ state, items }) => (state === 'untested' ? items.map(({ id }) => id) : []));
  const tested = required.filter(({ state }) => state !== 'untested');
  const isSignalling = ({ requirement }: RequirementState): boolean => requirement.role === 'signalling';
  const has = (state: RequirementState['state'], among: readonly RequirementState[] = tested): boolean =>
    among.some((one) => one.state === state);
  const verdict = ((): ServiceVerdict => {
    if (has('blocked', tested.filter(isSignalling))) return 'blocked';
    if (has('blocked')) return 'impaired';
    if (tested.length === 0 || has('unknown')) return 'unknown';
    return has('degraded') || has('altered') ? 'degraded' : 'works';
  })();
  return { profile, verdict, requirements, untested };
};
