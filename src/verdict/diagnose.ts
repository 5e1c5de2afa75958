/**
 * From services to words: what users will notice, why, and what to change. The rules state (rules/), this puts their
 * statements together: one symptom of an id, one cause of an id and device, one request for all that share a reason.
 */
import type { Device, Likelihood } from '../model/diagnosis.js';
import { LIKELIHOODS } from '../model/diagnosis.js';
import type { SymptomId } from '../model/verdict.js';
import { askOf, type FixKind, portRuns, writePorts } from './fixes/ask.js';
import { inAllDialects } from './fixes/dialects.js';
import { RULES } from './rules/all.js';
import { type CauseText, type Evidence, type Facts, type Ground, NO_FACTS, type Rule } from './rules/rule.js';
import type { ServiceState } from './services.js';

export interface Symptom {
  readonly id: SymptomId;
  readonly text: string;
  readonly because: readonly string[];
}

export interface Cause {
  readonly id: string;
  readonly text: string;
  readonly device: Device;
  readonly likelihood: Likelihood;
  readonly because: readonly string[];
}

export interface Fix {
  readonly text: string;
  readonly because: readonly string[];
  readonly rules: Readonly<Record<string, string>>;
  readonly words: Readonly<Record<string, string>>;
}

export interface Diagnosis {
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

/** In groups of equal keys, in the order in which the keys came up. */
const grouped = <T>(all: readonly T[], keyOf: (one: T) => string): readonly (readonly T[])[] => {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return [...groups.values()];
};

const over = ({ transport }: Ground): 'UDP' | 'TCP' => (transport === 'udp' ? 'UDP' : 'TCP');

/** `UDP 5060, 16384-32767 and TCP 5061`. */
const portsInWords = (grounds: readonly Ground[]): string =>
  grouped(grounds, over)
    .map((group) => `${group[0] ? over(group[0]) : ''} ${writePorts(portRuns(group))}`)
    .join(' and ');

const symptomsOf = (fired: readonly Fired[], evidence: Evidence): readonly Symptom[] => {
  const all = fired.flatMap(({ rule: { symptom }, grounds }): Symptom[] => {
    if (symptom === null) return [];
    return [{ ...(typeof symptom === 'function' ? symptom(evidence) : symptom), because: ids(grounds) }];
  });
  // Where no sound passes at all, one direction of it is no news.
  const silent = all.some(({ id }) => id === 'no-audio');
  const told = all.filter(({ id }) => !silent || !id.startsWith('one-way-audio'));
  return grouped(told, ({ id }) => id).flatMap((same) => {
    const [first] = same;
    return first ? [{ ...first, because: unique(same.flatMap(({ because }) => because)) }] : [];
  });
};

/** Proven before likely before possible; of equals, what more checks speak for, then what came up first. */
const causesOf = (fired: readonly Fired[], evidence: Evidence): readonly Cause[] => {
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
      text: text(portsInWords(grounds)),
      device,
      likelihood,
      because: ids(grounds),
    }));
};

/** What to change, in a sentence, for grounds that share transport, address, reason and kind. */
const fixText = (kind: FixKind, first: Ground, grounds: readonly Ground[]): string => {
  const what = portsInWords(grounds);
  const where = first.address ?? 'the target';
  if (kind === 'udp-timeout') {
    return `Raise the UDP timeout of the firewall to 300 seconds for ${what} to ${where}, or let phones send keepalives more often.`;
  }
  if (kind === 'alg-off') {
    return 'Switch off the SIP ALG (SIP helper, SIP inspection) of the firewall or router, then restart the phones.';
  }
  if (kind === 'far-side') {
    return `Ask whoever keeps ${where} to let ${what} in: from here the same passes to another far end. Only if it does, look for a rule of this branch about that very address.`;
  }
  if (kind === 'no-redirect' && first.finding.verdict === 'blocked') {
    return `Remove the redirect of ${what} to ${where} if there is one: on other ports something answers in its place.`;
  }
  switch (first.finding.reason) {
    case 'payload-rewritten':
      return `Switch off whatever rewrites packets to ${what} of ${where}: application inspection or an ALG.`;
    case 'tls-intercepted':
      return `Exempt ${what} to ${where} from TLS inspection.`;
    case 'http-intercepted':
      return `Exempt ${what} to ${where} from the web proxy or captive portal.`;
    case 'dns-intercepted':
      return `Let DNS queries to ${where} pass instead of answering them on the firewall.`;
    case 'answered-by-other':
      return `Remove the redirect (destination NAT or proxy) of ${what} to ${where}: another host answers there.`;
    case 'rate-limited':
      return `Exempt ${what} to ${where} from the flood guard or rate limit.`;
    case 'size-filtered':
      return `Let large packets of ${what} to and from ${where} pass: look for a size limit, dropped fragments, or a path MTU below 1,448; or use TCP or TLS.`;
    case 'payload-filtered':
      return `Exempt ${what} to ${where} from application inspection and IPS: the port passes, the protocol does not.`;
    case 'dropped-inbound':
      return `Let the replies of ${what} from ${where} come back in (stateful return traffic).`;
    case 'dropped-outbound':
      return `Allow outbound ${what} to ${where}.`;
    case 'answered':
      return kind === 'advise'
        ? `Keep the source port of ${what} to ${where} as it is (static-port NAT).`
        : `Allow everything of ${what} to ${where}, not SIP alone: keepalives are no SIP.`;
    default:
      return `Allow outbound ${what} to ${where}, and its replies back in.`;
  }
};

const fixesOf = (fired: readonly Fired[], evidence: Evidence): readonly Fix[] => {
  const { requirements } = evidence.service;
  const asked = fired.flatMap(({ rule, grounds }) => rule.fixes(grounds, evidence));
  const once = [...new Map(asked.map((one) => [`${one.kind} ${one.ground.id}`, one])).values()];
  const places = new Map(requirements.flatMap(({ items }) => items).map(({ id }, index) => [id, index]));
  const placeOf = ({ id }: Ground): number => places.get(id) ?? places.size;
  const inOrder = [...once].sort((a, b) => placeOf(a.ground) - placeOf(b.ground));
  const groups = grouped(inOrder, ({ kind, ground }) =>
    // What is wrong with SIP's texts is one switch, whichever check showed it.
    [kind, over(ground), ground.address, kind === 'alg-off' ? '' : ground.finding.reason].join(' '),
  );
  return groups.flatMap((group): Fix[] => {
    const grounds = group.map(({ ground }) => ground);
    const [first] = group;
    if (!first) return [];
    const text = fixText(first.kind, first.ground, grounds);
    return [{ text, because: ids(grounds), ...inAllDialects(askOf(first.kind, grounds)) }];
  });
};

/** Symptoms, causes and fixes of a service; all empty when nothing is harmed and nothing was measured that harms. */
export const diagnose = (service: ServiceState, facts: Facts = NO_FACTS): Diagnosis => {
  const evidence: Evidence = { service, facts };
  const fired = RULES.flatMap((rule): Fired[] => {
    const grounds = rule.when(evidence);
    return grounds.length > 0 ? [{ rule, grounds }] : [];
  });
  return {
    symptoms: symptomsOf(fired, evidence),
    causes: causesOf(fired, evidence),
    fixes: fixesOf(fired, evidence),
  };
};
