/** From verdicts to services: what a profile's requirements come to (the rules are CONTRACT's, in one place). */
import { type ProbeKind, REFLECTOR_ONLY_KINDS, type Transport } from '../model/check.js';
import type { Profile, Requirement } from '../model/profile.js';
import type { Finding, ServiceVerdict } from '../model/verdict.js';

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
  /** The address belongs to a proven reflector. */
  readonly provable: boolean;
}

export type RequirementState = {
  readonly requirement: Requirement;
  readonly items: readonly Item[];
  /** `untested`: nobody there answers this question unless it is a reflector. */
  readonly state: 'pass' | 'degraded' | 'altered' | 'blocked' | 'unknown' | 'untested';
  /** Alternatives that the path took away although another passes. */
  readonly lost: readonly Item[];
};

export interface ServiceState {
  readonly profile: Profile;
  readonly verdict: ServiceVerdict;
  readonly requirements: readonly RequirementState[];
  readonly untested: readonly string[];
}

const isUntested = ({ probe, finding, provable }: Item): boolean =>
  !provable && REFLECTOR_ONLY_KINDS.has(probe) && finding.verdict === 'unknown';

/** What a requirement comes to: its alternatives, each at all addresses, weighed against each other. */
export const weigh = (requirement: Requirement, items: readonly Item[]): RequirementState => {
  const of = (...verdicts: readonly Finding['verdict'][]): readonly Item[] =>
    items.filter(({ finding }) => verdicts.includes(finding.verdict));
  const harmed = of('blocked', 'altered');
  const degraded = of('degraded');
  const passing = of('pass');
  const result = (state: RequirementState['state'], lost: readonly Item[] = []): RequirementState => ({
    requirement,
    items,
    state,
    lost,
  });
  if (passing.length > 0 || degraded.length > 0) {
    if (harmed.length > 0) return result('degraded', harmed);
    return result(passing.length > 0 ? 'pass' : 'degraded');
  }
  if (of('blocked').length > 0) return result('blocked');
  if (harmed.length > 0) return result('altered');
  return result(items.length > 0 && items.every(isUntested) ? 'untested' : 'unknown');
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
