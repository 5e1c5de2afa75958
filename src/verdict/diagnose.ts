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

interface Fix {
  readonly text: string;
  readonly because: readonly string[];
  readonly rules: Readonly<Record<string, string>>;
  readonly words: Readonly<Record<string, string>>;
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
      text: text(blockedPorts(grounds)),
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
  if (kind === 'advise' && (first.finding.reason === 'rate-limited' || first.finding.reason === 'no-answer')) {
    return `Let more sessions pass at a time: raise the firewall's table or its limit for each host, at least for ${what} to ${where}.`;
  }
  if (first.finding.reason === 'size-filtered' && first.transport !== 'udp') {
    return `Let large packets of ${what} to and from ${where} pass: clamp the MSS of TCP on the firewall (to 1,400 bytes, say), let ICMP "fragmentation needed" in, or remove the limit of size.`;
  }
  if (kind === 'advise' && first.probe === 'inbound') {
    return first.finding.reason === 'not-forwarded'
      ? `Forward ${what} to this computer for as long as the test takes, or run the probe on the host to which it is forwarded.`
      : `Let ${what} in from the networks of the service, and from ${where} for as long as the test takes; "probe profiles NAME --rules DIALECT" writes the rules.`;
  }
  if (kind === 'advise' && first.transport !== 'udp') {
    return `Raise the idle timeout of TCP connections on the firewall to two hours for ${what} to ${where}, or let phones send keepalives more often.`;
  }
  if (kind === 'far-side') {
    return `Let ${what} in at ${where}: from here the same passes to another far end. Where it is let in already, look for a rule of this branch about that very address.`;
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
      return kind === 'static-port'
        ? `Keep the source port of ${what} to ${where} as it is (static-port NAT).`
        : `Allow everything of ${what} to ${where}, not SIP alone: keepalives are no SIP.`;
    default:
      return `Allow outbound ${what} to ${where}, and its replies back in.`;
  }
};

const fixesOf = (fired: readonly Fired[], evidence: RuleInput): readonly Fix[] => {
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
  const evidence: RuleInput = { service, facts };
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
