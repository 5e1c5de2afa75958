/**
 * What a rule of diagnosis is: evidence in, and out of it a symptom, its causes and what to ask for. A rule only states;
 * diagnose.ts puts the statements of all rules together. Pure and deterministic.
 */

import type { Device, Likelihood } from '../../model/diagnosis.js';
import type { IcmpFact } from '../../model/icmp.js';
import type { ProbeKind } from '../../model/kinds.js';
import type { Failure, PathLimit } from '../../model/observation.js';
import type { Report, ReportCheck } from '../../model/report.js';
import type { SymptomId } from '../../model/verdict.js';
import type { FixKind } from '../fixes/ask.js';
import type { Item, RequirementState, ServiceState } from '../services.js';
import { isFelt } from './weighs.js';

/** What a run found out besides the verdicts of a service's own requirements. */
export interface Facts {
  readonly checks: readonly ReportCheck[];
  readonly nat: Report['nat'];
  readonly sipAlg: Report['sipAlg'];
  /** What the DNS said of the target; left out where it was not asked. */
  readonly resolution?: Report['resolution'];
  readonly quality: Report['quality'];
  /** Left out where none was rehearsed. */
  readonly calls?: Report['calls'];
  /** Our own addresses as far ends saw them, by the check or range that learnt it. */
  readonly seen: readonly { readonly id: string; readonly address: string }[];
  /** Far ends that saw our public address change as a whole in the course of the run; none if left out. */
  readonly addressChangedAt?: readonly string[];
  /** What limits the path to an address over UDP. */
  readonly limits: readonly { readonly address: string; readonly limit: PathLimit }[];
  /** Sockets of this host that failed before anything left it. */
  readonly failures: readonly { readonly id: string; readonly failure: Failure; readonly code: string }[];
  /** How far packets come; left out where it was not asked. */
  readonly hops?: Report['hops'];
  /** ICMP errors with their sender, by the check or range that met them; left out where this host shows none. */
  readonly rejections?: readonly { readonly id: string; readonly address: string | null; readonly icmp: IcmpFact }[];
  /** Why nothing came from a far end any more when the run ended; null or left out where all still answered. */
  readonly ended?: 'outage' | 'cut-off' | null;
  /** Again and again nothing came from a far end for the same time, by a guard's or the line's doing; false if left out. */
  readonly comesAndGoes?: boolean;
  /** Somebody there speaks our protocol and says that it does not know our token; false if left out. */
  readonly tokenRefused?: boolean;
}

/** Of a run that measured nothing else. */
export const NO_FACTS: Facts = {
  checks: [],
  nat: { mapping: 'unknown', filtering: 'unknown', portPreservation: null, layers: null, bindingLifetime: [] },
  sipAlg: { detected: null, findings: [] },
  quality: [],
  seen: [],
  limits: [],
  failures: [],
};

/** What a rule looks at: one service, and what else the run found out. */
export interface RuleInput {
  readonly service: ServiceState;
  readonly facts: Facts;
}

/** A check or a range on which a rule rests. */
export type Ground = Pick<Item, 'id' | 'probe' | 'transport' | 'address' | 'from' | 'to' | 'finding' | 'partly'>;

export interface SymptomText {
  readonly id: SymptomId;
  /** One sentence for somebody who uses the phone. */
  readonly text: string;
}

export interface CauseText {
  /** Stable, for monitoring. */
  readonly id: string;
  readonly device: Device;
  readonly likelihood: Likelihood;
  /** In words; `ports` is what it is about: `UDP 5060, 16384-32767`. All grounds, where several rules come to one cause. */
  readonly text: (ports: string, grounds: readonly Ground[]) => string;
  readonly grounds: readonly Ground[];
}

export interface Rule {
  readonly id: string;
  /** What proves it. Nothing, and the rule is silent. */
  readonly when: (evidence: RuleInput) => readonly Ground[];
  /** What people notice; null where nobody need notice anything. */
  readonly symptom: SymptomText | ((evidence: RuleInput) => SymptomText) | null;
  readonly causes: (grounds: readonly Ground[], evidence: RuleInput) => readonly CauseText[];
  readonly fixes: (
    grounds: readonly Ground[],
    evidence: RuleInput,
  ) => readonly { readonly kind: FixKind; readonly ground: Ground }[];
}

/** Nothing to rest on, no cause. */
export const some = (grounds: readonly Ground[], causes: readonly CauseText[]): readonly CauseText[] =>
  grounds.length > 0 ? causes : [];

export const noCause = (): readonly CauseText[] => [];
export const noFix = (): ReturnType<Rule['fixes']> => [];

/** The same request for all grounds. */
export const fix =
  (kind: FixKind): Rule['fixes'] =>
  (grounds) =>
    grounds.map((ground) => ({ kind, ground }));

/** A row in whose place another one serves in full is nobody's trouble. */
const isMissed = ({ served, state }: RequirementState): boolean => served === undefined || state !== 'pass';

export const requiredOf = ({ requirements }: ServiceState, role?: string): readonly RequirementState[] =>
  requirements.filter(
    (row) =>
      row.requirement.need === 'required' && (role === undefined || row.requirement.role === role) && isMissed(row),
  );

/** Rows that do not pass and in whose place no other one serves. */
export const lostRows = (service: ServiceState, role: string): readonly RequirementState[] =>
  requiredOf(service, role).filter(({ served }) => served === undefined);

export const itemsOf = (states: readonly RequirementState[], matches: (item: Item) => boolean): readonly Item[] =>
  states.flatMap(({ items }) => items).filter(matches);

export const isBlocked = ({ finding }: Ground): boolean => finding.verdict === 'blocked';
export const isHarmed = ({ finding }: Ground): boolean =>
  finding.verdict === 'blocked' || finding.verdict === 'altered';
export const hasReason =
  (...reasons: readonly string[]) =>
  ({ finding }: Ground): boolean =>
    reasons.includes(finding.reason);

/** Nobody who cannot register notices that media is blocked as well. */
export const signallingStands = ({ verdict }: ServiceState): boolean => verdict !== 'blocked';

/** Its silence is about the number of flows, and not about the port. */
export const meetsFlowLimit = ({ transport, address }: Ground, { facts }: RuleInput): boolean =>
  transport === 'udp' && facts.limits.some((one) => one.address === address && one.limit.kind === 'flows');

/** The report's line of a ground, with its evidence; undefined of a range. */
export const checkOf = ({ id, address }: Ground, { checks }: Facts): ReportCheck | undefined =>
  checks.find((one) => one.id === id && one.address === address);

/** Checks of stages that this service feels, as grounds; what they do not know is no evidence of anything. */
export const stageChecks = ({ service, facts }: RuleInput, probe: ProbeKind): readonly (Ground & ReportCheck)[] =>
  facts.checks
    .filter(
      (one) =>
        one.probe === probe &&
        one.verdict !== 'unknown' &&
        one.requiredBy.includes(service.profile.profile) &&
        isFelt(one, service),
    )
    .map((one) => ({
      ...one,
      from: one.port,
      to: one.port,
      partly: false,
      finding: { verdict: one.verdict, reason: one.reason } as Ground['finding'],
    }));

/** Ways of signalling over UDP that are not blocked: a binding that does not last is a fault of theirs alone. */
export const udpSignallingAt = ({ service }: RuleInput, port: number): readonly Item[] =>
  itemsOf(
    requiredOf(service, 'signalling'),
    (item) => item.transport === 'udp' && item.from <= port && port <= item.to && item.finding.verdict === 'pass',
  );
