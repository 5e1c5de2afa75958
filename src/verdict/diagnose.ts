/** From services to words: what users will notice, and what to change. Rules are data; each names its evidence. */
import type { SymptomId } from '../model/verdict.js';
import type { Item, RequirementState, ServiceState } from './services.js';
import { WIFI_CALLING_RULES } from './wifi-calling.js';

export interface Symptom {
  readonly id: SymptomId;
  readonly text: string;
  readonly because: readonly string[];
}

export interface Fix {
  readonly text: string;
  readonly because: readonly string[];
  readonly rules: Readonly<Record<string, string>>;
}

export interface Diagnosis {
  readonly symptoms: readonly Symptom[];
  readonly fixes: readonly Fix[];
}

interface Rule {
  readonly symptom: SymptomId | ((service: ServiceState) => SymptomId);
  readonly text: string;
  /** The items that prove it; none, and the rule does not fire. */
  readonly because: (service: ServiceState) => readonly Item[];
}

const required = (service: ServiceState, role: string): readonly RequirementState[] =>
  service.requirements.filter(({ requirement }) => requirement.need === 'required' && requirement.role === role);

const itemsWith = (states: readonly RequirementState[], matches: (item: Item) => boolean): readonly Item[] =>
  states.flatMap(({ items }) => items).filter(matches);

const isBlocked = ({ finding }: Item): boolean => finding.verdict === 'blocked';
const hasReason =
  (...reasons: readonly string[]) =>
  ({ finding }: Item): boolean =>
    reasons.includes(finding.reason);

const isMedia = ({ probe }: Item): boolean => probe === 'rtp-echo' || probe === 'media-stream';

const RULES: readonly Rule[] = [
  {
    symptom: ({ profile }) => profile.symptomWhenBlocked,
    text: 'The service cannot be reached: nothing that carries its signalling passes.',
    because: (service) =>
      service.verdict === 'blocked'
        ? itemsWith(
            required(service, 'signalling').filter(({ state }) => state === 'blocked'),
            isBlocked,
          )
        : [],
  },
  {
    symptom: 'no-audio',
    text: 'Calls connect and stay silent: no media port of the range passes.',
    because: (service) =>
      service.verdict === 'blocked'
        ? []
        : itemsWith(
            required(service, 'media').filter(({ state }) => state === 'blocked'),
            (item) =>
              isBlocked(item) &&
              !item.partly &&
              isMedia(item) &&
              !hasReason('dropped-inbound', 'dropped-outbound')(item),
          ),
  },
  {
    symptom: 'one-way-audio-outbound',
    text: 'They cannot hear us: what we send on the media ports never arrives.',
    because: (service) =>
      itemsWith(
        required(service, 'media'),
        (item) => isMedia(item) && !item.partly && hasReason('dropped-outbound')(item),
      ),
  },
  {
    symptom: 'one-way-audio-inbound',
    text: 'We cannot hear them: what is sent to us on the media ports never arrives.',
    because: (service) =>
      itemsWith(
        required(service, 'media'),
        (item) => isMedia(item) && !item.partly && hasReason('dropped-inbound')(item),
      ),
  },
  {
    symptom: 'some-calls-silent',
    text: 'Some calls are silent: part of the media range does not pass.',
    because: (service) =>
      itemsWith(required(service, 'media'), (item) => isBlocked(item) && item.partly && isMedia(item)),
  },
  {
    symptom: 'choppy-audio',
    text: 'Audio will be choppy: more packets are lost than a call bears.',
    because: (service) =>
      itemsWith(required(service, 'media'), (item) => item.finding.verdict === 'degraded' && isMedia(item)),
  },
  {
    symptom: 'lost-inbound-calls',
    text: 'Incoming calls stop after some idle time: keepalives do not reach the far end.',
    because: (service) => itemsWith(required(service, 'keepalive'), isBlocked),
  },
  {
    symptom: 'push-delayed',
    text: 'Incoming calls ring late or not at all: the push connection does not pass.',
    because: (service) => itemsWith(required(service, 'push'), isBlocked),
  },
  {
    symptom: 'calls-not-private',
    text: 'Signalling over TLS is not end to end here: something in between ends or blocks it.',
    because: (service) =>
      itemsWith(
        required(service, 'signalling').filter(({ state }) => state !== 'blocked'),
        (item) => item.transport === 'tls' && (isBlocked(item) || hasReason('tls-intercepted')(item)),
      ),
  },
  ...WIFI_CALLING_RULES,
];

const ids = (items: readonly Item[]): readonly string[] => [...new Set(items.map(({ id }) => id))];

/** `5060, 16384-32767`: runs that touch are one, so that RTP and RTCP of a range are not asked for apart. */
const portList = (items: readonly Item[]): string => {
  const runs: [from: number, to: number][] = [];
  for (const { from, to } of [...items].sort((a, b) => a.from - b.from)) {
    const last = runs.at(-1);
    if (last && from <= last[1] + 1) last[1] = Math.max(last[1], to);
    else runs.push([from, to]);
  }
  return runs.map(([from, to]) => (from === to ? String(from) : `${from}-${to}`)).join(', ');
};

/** What to change for items that share transport, address and reason. */
const fixFor = (first: Item, items: readonly Item[]): string => {
  const what = `${first.transport === 'udp' ? 'UDP' : 'TCP'} ${portList(items)}`;
  const where = first.address ?? 'the target';
  switch (first.finding.reason) {
    case 'sip-alg':
      return 'Switch off the SIP ALG (SIP helper, SIP inspection) of the firewall or router.';
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
    case 'size-filtered':
      return `Let large packets of ${what} to and from ${where} pass: look for a size limit, dropped fragments, or a path MTU below 1,448.`;
    case 'payload-filtered':
      return `Exempt ${what} to ${where} from application inspection and IPS: the port passes, the protocol does not.`;
    case 'dropped-inbound':
      return `Let the replies of ${what} from ${where} come back in (stateful return traffic).`;
    case 'dropped-outbound':
      return `Allow outbound ${what} to ${where}.`;
    default:
      return `Allow outbound ${what} to ${where}, and its replies back in.`;
  }
};

const harmed = (service: ServiceState): readonly Item[] =>
  service.requirements
    .filter(({ requirement }) => requirement.need === 'required')
    .flatMap(({ items }) => items)
    .filter(({ finding }) => finding.verdict === 'blocked' || finding.verdict === 'altered');

/** Symptoms and fixes of a service; both empty when nothing required is harmed. */
export const diagnose = (service: ServiceState): Diagnosis => {
  const symptoms = RULES.flatMap(({ symptom, text, because }): Symptom[] => {
    const proof = ids(because(service));
    if (proof.length === 0) return [];
    return [{ id: typeof symptom === 'string' ? symptom : symptom(service), text, because: proof }];
  });
  const alike = new Map<string, Item[]>();
  for (const item of harmed(service)) {
    const key = `${item.transport === 'udp'} ${item.address} ${item.finding.reason}`;
    alike.set(key, [...(alike.get(key) ?? []), item]);
  }
  const fixes = [...alike.values()].flatMap((items): Fix[] => {
    const [first] = items;
    return first ? [{ text: fixFor(first, items), because: ids(items), rules: {} }] : [];
  });
  return { symptoms, fixes };
};
