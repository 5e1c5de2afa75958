/**
 * What to ask for, put together: one request for all that wants the same, whichever check, transport or address showed it.
 * Its rules name the networks that the service uses, which the profile knows or nobody does. Where a reflector was asked
 * instead, it needs a rule of its own for the result to change, and that one is for the test only.
 */
import { parseNetwork } from '../../model/network-text.js';
import { destinationsOf, type Requirement } from '../../model/profile.js';
import {
  FIXES,
  moreNetworks,
  namesOfService,
  replacePlaceholder,
  TEST_RULE_COMMENT,
  TODAYS_ADDRESS,
  testRule,
  UNKNOWN_NETWORKS,
} from '../../words/fixes.js';
import { listed } from '../../words/names.js';
import { isShort } from '../rules/meddling.js';
import type { Ground } from '../rules/rule.js';
import type { ServiceState } from '../services.js';
import { asksOf, type FixKind, PLACEHOLDER, portRuns, textOf, writePorts } from './ask.js';
import { inAllDialects, type Written } from './dialects.js';
import { apart, sourceLine } from './service/rules.js';

interface Request {
  readonly kind: FixKind;
  readonly ground: Ground;
}

/** A rule for a far end that is not the service. */
interface TestRule extends Written {
  readonly text: string;
}

export interface Fix extends Written {
  readonly text: string;
  readonly because: readonly string[];
  /** Null where the service itself was asked. */
  readonly test: TestRule | null;
}

/** In groups of equal keys, in the order in which the keys came up. */
export const grouped = <T>(all: readonly T[], keyOf: (one: T) => string): readonly (readonly T[])[] => {
  const groups = new Map<string, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return [...groups.values()];
};

const over = ({ transport }: Ground): 'UDP' | 'TCP' => (transport === 'udp' ? 'UDP' : 'TCP');

/** `UDP 5060, 16384-32767 and TCP 5061`. */
export const portsInWords = (grounds: readonly Ground[]): string =>
  grouped(grounds, over)
    .map((group) => `${group[0] ? over(group[0]) : ''} ${writePorts(portRuns(group))}`)
    .join(' and ');

/** Where a request is about. */
interface Place {
  /** Equal of what can stand in one request. */
  readonly key: string;
  /** What a rule names; null: nobody knows the networks. */
  readonly networks: readonly string[] | null;
  readonly inWords: string;
  /** Where the networks come from, or are to be had. */
  readonly comments: readonly string[];
}

/** More networks than this are a list for the rules, and not for a sentence. */
const MAX_NAMED = 3;

const rowsOf = ({ id, address, transport, from }: Ground, { requirements }: ServiceState): readonly Requirement[] => {
  const own = requirements.filter(({ items }) => items.some((item) => item.id === id && item.address === address));
  const near = requirements.filter(({ items }) =>
    items.some((item) => item.transport === transport && item.from <= from && from <= item.to),
  );
  return (own.length > 0 ? own : near).map(({ requirement }) => requirement);
};

const isReflectors = ({ address }: Ground, { requirements }: ServiceState): boolean =>
  requirements.some(({ items }) => items.some((item) => item.address === address && item.provable));

/** Where the service itself is, as far as its profile says so. */
const serviceOf = (ground: Ground, service: ServiceState): Place => {
  const { profile } = service;
  const lists = rowsOf(ground, service).flatMap((row) => destinationsOf(profile, row));
  const known = apart(lists.flatMap(({ networks = [] }) => networks).flatMap((text) => parseNetwork(text) ?? []));
  if (known.length > 0) {
    const named = known.slice(0, MAX_NAMED).map(textOf);
    const more = known.length - named.length;
    return {
      key: known.map(textOf).join(' '),
      networks: known.map(textOf),
      inWords: more > 0 ? moreNetworks(named, more) : listed(named),
      comments: lists
        .filter(({ networks }) => networks)
        .map(({ id, source }) => `networks ${id}: ${sourceLine(source)}`),
    };
  }
  if (!isReflectors(ground, service) && ground.address !== null) {
    return {
      key: 'asked',
      networks: [ground.address],
      inWords: ground.address,
      comments: [TODAYS_ADDRESS],
    };
  }
  const names = lists.flatMap(({ hosts = [], wildcards = [] }) => [...hosts, ...wildcards]);
  const sources = [...new Set(lists.map(({ source }) => sourceLine(source)))];
  return {
    key: ['unknown', ...names].join(' '),
    networks: null,
    inWords: UNKNOWN_NETWORKS,
    comments: [replacePlaceholder(PLACEHOLDER), ...(names.length > 0 ? [namesOfService(names)] : []), ...sources],
  };
};

const DROPPED: ReadonlySet<string> = new Set(['dropped', 'dropped-outbound', 'rejected']);

/** What makes two requests the same one. */
const topicOf = ({ kind, ground }: Request): string => {
  const { reason } = ground.finding;
  switch (kind) {
    // What is wrong with SIP's texts is one switch, whichever check showed it.
    case 'alg-off':
      return kind;
    case 'far-side':
      return `${kind} ${ground.address}`;
    case 'advise':
      return [kind, over(ground), reason, isShort(ground) ? 'short' : ''].join(' ');
    default:
      return [kind, DROPPED.has(reason) ? 'dropped' : reason].join(' ');
  }
};

/** Sentences that take the reflector's address as well. */
type InboundFix = 'exempt-inbound' | 'allow-inbound';

/** What to change about a port of this host that the far side tries. */
const inboundSentence = (reason: string, what: string, where: string, reflector: string): string => {
  if (reason === 'not-forwarded') return FIXES['forward-inbound'](what);
  if (reason === 'tls-intercepted' || reason === 'payload-rewritten') {
    return FIXES['exempt-inbound'](what, where, reflector);
  }
  const allow = FIXES['allow-inbound'](what, where, reflector);
  return reason === 'no-way-in' ? `${FIXES['second-inbound-port']()} ${allow}` : allow;
};

/** Which of the sentences fits grounds of one topic. */
const nameOf = (kind: FixKind, grounds: readonly [Ground, ...Ground[]]): Exclude<keyof typeof FIXES, InboundFix> => {
  const [first] = grounds;
  const { reason, verdict } = first.finding;
  if (kind === 'udp-timeout' || kind === 'alg-off') return kind;
  if (kind === 'advise' && (reason === 'rate-limited' || reason === 'no-answer')) return 'more-sessions';
  if (reason === 'size-filtered' && grounds.some(({ transport }) => transport !== 'udp')) return 'large-segments';
  if (kind === 'advise' && first.transport !== 'udp') return 'tcp-timeout';
  if (kind === 'no-redirect' && verdict === 'blocked') return 'no-redirect';
  switch (reason) {
    case 'payload-rewritten':
    case 'tls-intercepted':
    case 'http-intercepted':
    case 'dns-intercepted':
    case 'answered-by-other':
    case 'rate-limited':
    case 'payload-filtered':
    case 'dropped-inbound':
      return reason;
    case 'size-filtered':
      return grounds.every(isShort) ? 'short-packets' : 'large-packets';
    case 'answered':
      return kind === 'static-port' ? kind : 'all-traffic';
    default:
      return grounds.every(({ finding }) => finding.reason === 'dropped-outbound') ? 'dropped-outbound' : 'dropped';
  }
};

/** What to change, in a sentence, for grounds of one topic. */
const sentenceOf = (kind: FixKind, grounds: readonly [Ground, ...Ground[]], where: string): string => {
  const [first] = grounds;
  const what = portsInWords(grounds);
  const address = first.address ?? 'the target';
  if (first.probe === 'inbound' && kind === 'advise') {
    return inboundSentence(first.finding.reason, what, where, address);
  }
  return kind === 'far-side' ? FIXES['allow-at'](what, address) : FIXES[nameOf(kind, grounds)](what, where);
};

/** Dialects whose switch for an ALG is an exemption of addresses. */
const PER_ADDRESS: ReadonlySet<string> = new Set(['nftables', 'iptables']);

/** The same for the far ends that were asked in the service's place, where a rule has to name them. */
const testRuleOf = (
  kind: FixKind,
  grounds: readonly Ground[],
  rules: Written['rules'],
  service: ServiceState,
): TestRule | null => {
  const asked = grounds.filter((ground) => isReflectors(ground, service));
  const addresses = [...new Set(asked.flatMap(({ address }) => address ?? []))];
  if (addresses.length === 0) return null;
  const asks = asksOf(kind, asked, addresses);
  const plain = inAllDialects(asks).rules;
  const made = inAllDialects(
    asks.map((ask) => ({ ...ask, forTest: true })),
    [TEST_RULE_COMMENT],
  );
  // A switch for everything counts for the reflector as well.
  const isOwn = (name: string): boolean =>
    kind === 'alg-off' ? PER_ADDRESS.has(name) : rules[name] !== undefined && !rules[name].endsWith(plain[name] ?? '');
  const own = Object.entries(made.rules).filter(([name]) => isOwn(name));
  if (own.length === 0) return null;
  return {
    text: testRule(portsInWords(asked), listed(addresses)),
    rules: Object.fromEntries(own),
    words: made.words,
  };
};

/** Everything that was asked for, each request once, in the order of the service's own rows. */
export const requestsOf = (asked: readonly Request[], service: ServiceState): readonly Fix[] => {
  const once = [...new Map(asked.map((one) => [`${one.kind} ${one.ground.id} ${one.ground.address}`, one])).values()];
  const order = new Map(service.requirements.flatMap(({ items }) => items).map(({ id }, index) => [id, index]));
  const rankOf = ({ id }: Ground): number => order.get(id) ?? order.size;
  const inOrder = [...once].sort((a, b) => rankOf(a.ground) - rankOf(b.ground));
  const places = new Map(inOrder.map(({ ground }) => [ground, serviceOf(ground, service)]));
  const keyOf = (one: Request): string =>
    [topicOf(one), one.kind === 'alg-off' ? '' : places.get(one.ground)?.key].join(' ');
  return grouped(inOrder, keyOf).flatMap((group): Fix[] => {
    const grounds = group.map(({ ground }) => ground);
    const [head, ...rest] = grounds;
    const [request] = group;
    if (!request || !head) return [];
    const where = grounds.flatMap((ground) => places.get(ground) ?? []);
    const known = [...new Set(where.flatMap(({ networks }) => networks ?? []))];
    const comments = [...new Set(where.flatMap((place) => place.comments))];
    const made = inAllDialects(asksOf(request.kind, grounds, known.length > 0 ? known : null), comments);
    const inWords = listed([...new Set(where.map((place) => place.inWords))]);
    return [
      {
        text: sentenceOf(request.kind, [head, ...rest], inWords),
        because: [...new Set(grounds.map(({ id }) => id))],
        ...made,
        test: testRuleOf(request.kind, grounds, made.rules, service),
      },
    ];
  });
};
