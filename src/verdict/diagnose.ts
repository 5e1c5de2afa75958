/**
 * From services to words: what users will notice, why, and what to change. The rules state (rules/), this puts their
 * statements together: one symptom of an id, one cause of an id and device, one request for all that share a reason.
 */
import type { Device, Likelihood } from '../model/diagnosis.js';
import { LIKELIHOODS } from '../model/diagnosis.js';
import type { SymptomId } from '../model/verdict.js';
import { type Fix, grouped, portsInWords, requestsOf } from './fixes/requests.js';
import { RULES } from './rules/all.js';
import {
  type CauseText,
  type Facts,
  type Ground,
  isHarmed,
  NO_FACTS,
  type Rule,
  type RuleInput,
} from './rules/rule.js';
import type { ServiceState } from './services.js';

interface Symptom {
  readonly id: SymptomId;
  readonly text: string;
  readonly because: readonly string[];
}

interface Cause {
  readonly id: string;
  readonly text: string;
  readonly device: Device;
  readonly likelihood: Likelihood;
  readonly because: readonly string[];
}

interface Diagnosis {
  readonly symptoms: readonly Symptom[];
  /** The most likely first. */
  readonly causes: readonly Cause[];
  readonly fixes: readonly Fix[];
}

interface Fired {
  readonly rule: Rule;
  readonly grounds: readonly Ground[];
}

const unique = <T>(all: readonly T[]): readonly T[] => [...new Set(all)];
const ids = (grounds: readonly Ground[]): readonly string[] => unique(grounds.map(({ id }) => id));

/** The same of what does not pass: a range with a hole in it is blocked in parts. */
const blockedPorts = (grounds: readonly Ground[]): string => {
  const isInParts = (ground: Ground): boolean => ground.partly && isHarmed(ground);
  const [whole, parts] = [grounds.filter((one) => !isInParts(one)), grounds.filter(isInParts)];
  return [
    ...(whole.length > 0 ? [portsInWords(whole)] : []),
    ...(parts.length > 0 ? [`parts of ${portsInWords(parts)}`] : []),
  ].join(' and ');
};

/** What is no news beside something worse: one direction of silence, or calls lost where there can be none. */
const OVERSHADOWED: Readonly<Partial<Record<SymptomId, readonly SymptomId[]>>> = {
  'one-way-audio-outbound': ['no-audio'],
  'one-way-audio-inbound': ['no-audio'],
  'lost-inbound-calls': ['cannot-register', 'wifi-calling-unavailable'],
  'long-invites-fail': ['cannot-register', 'wifi-calling-unavailable'],
};

const symptomsOf = (fired: readonly Fired[], evidence: RuleInput): readonly Symptom[] => {
  const all = fired.flatMap(({ rule: { symptom }, grounds }): Symptom[] => {
    if (symptom === null) return [];
    return [{ ...(typeof symptom === 'function' ? symptom(evidence) : symptom), because: ids(grounds) }];
  });
  const told = all.filter(({ id }) => !(OVERSHADOWED[id] ?? []).some((worse) => all.some((one) => one.id === worse)));
  return grouped(told, ({ id }) => id).flatMap((same) => {
    const [first] = same;
    return first ? [{ ...first, because: unique(same.flatMap(({ because }) => because)) }] : [];
  });
};

/** Proven before likely before possible; of equals, what more checks speak for, then what came up first. */
const causesOf = (fired: readonly Fired[], evidence: RuleInput): readonly Cause[] => {
  const all = fired.flatMap(({ rule, grounds }) => rule.causes(grounds, evidence));
  const rank = ({ likelihood }: CauseText): number => LIKELIHOODS.indexOf(likelihood);
  const merged = grouped(all, ({ id, device }) => `${id} ${device}`).flatMap((same) => {
    const [best] = [...same].sort((a, b) => rank(a) - rank(b));
    const grounds = [...new Map(same.flatMap((one) => one.grounds).map((ground) => [ground.id, ground])).values()];
    return best ? [{ best, grounds }] : [];
  });
  return merged
    .map((one, index) => ({ ...one, index }))
    .sort((a, b) => rank(a.best) - rank(b.best) || b.grounds.length - a.grounds.length || a.index - b.index)
    .map(({ best: { id, device, likelihood, text }, grounds }) => ({
      id,
      text: text(blockedPorts(grounds), grounds),
      device,
      likelihood,
      because: ids(grounds),
    }));
};

/** Symptoms, causes and fixes of a service; all empty when nothing is harmed and nothing was measured that harms. */
export const diagnose = (service: ServiceState, facts: Facts = NO_FACTS): Diagnosis => {
  const evidence: RuleInput = { service, facts };
  const fired = RULES.flatMap((rule): Fired[] => {
    const grounds = rule.when(evidence);
    return grounds.length > 0 ? [{ rule, grounds }] : [];
  });
  return {
    symptoms: symptomsOf(fired, evidence),
    causes: causesOf(fired, evidence),
    fixes: requestsOf(
      fired.flatMap(({ rule, grounds }) => rule.fixes(grounds, evidence)),
      service,
    ),
  };
};
