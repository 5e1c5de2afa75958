/** What helpers do to SIP: only what the far end itself reported, and never what merely looks different. */
import { SYMPTOMS } from '../../words/diagnosis/symptoms.js';
import { algDrops, algRewrites } from './meddling.js';
import { pathFixes } from './path.js';
import type { Ground, Rule, RuleInput } from './rule.js';
import { fix, isBlocked, itemsOf, requiredOf, signallingStands, stageChecks } from './rule.js';
import { isTunnelled } from './weighs.js';

type Finding = RuleInput['facts']['sipAlg']['findings'][number];

/** RFC 1918, RFC 6598, loopback and link-local. */
const PRIVATE =
  /^(?:10\.|127\.|169\.254\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|100\.(?:6[4-9]|[7-9]\d|1[01]\d|12[0-7])\.)/;
const IPV4 = /\b\d{1,3}(?:\.\d{1,3}){3}\b/;

/** Somebody who already knows the public address had it changed: a phone behind NAT writes its private one. */
const wasPublic = ({ sent }: Finding): boolean => {
  const [address] = IPV4.exec(sent) ?? [];
  return address !== undefined && !PRIVATE.test(address);
};

/** The checks that carried what was changed: the comparison where it is a check of its own, else SIP on that port. */
const groundsOf = (evidence: RuleInput, matches: (finding: Finding) => boolean): readonly Ground[] => {
  const { service, facts } = evidence;
  if (!signallingStands(service) || isTunnelled(service.profile)) return [];
  const found = facts.sipAlg.findings.filter((one) => one.class === 'semantic' && matches(one));
  return found.flatMap(({ transport, port, kind }): readonly Ground[] => {
    const dropped = kind === 'dropped';
    const own = stageChecks(evidence, 'sip-alg').filter((one) => one.transport === transport && one.port === port);
    // What vanished may have done so for another reason that was found, and is not held against anybody then.
    if (own.length > 0) return dropped ? own.filter(isBlocked) : own;
    const isKnown = facts.checks.some(
      (one) => one.probe === 'sip-alg' && one.transport === transport && one.port === port,
    );
    if (dropped && isKnown) return [];
    return itemsOf(
      requiredOf(service, 'signalling'),
      (item) => item.probe === 'sip-options' && item.transport === transport && item.from === port,
    );
  });
};

const rewritten =
  (method: string, ...fields: readonly string[]) =>
  (one: Finding): boolean =>
    one.kind === 'rewritten' && one.direction === 'outbound' && one.method === method && fields.includes(one.field);

/** What an answer tells a phone of its own address. */
const learntAddress = (one: Finding): boolean =>
  one.kind === 'rewritten' && one.direction === 'inbound' && one.field === 'Via';

const isChangedOutbound = ({ transport, port }: Finding, { facts }: RuleInput): boolean =>
  facts.sipAlg.findings.some(
    (one) =>
      one.transport === transport && one.port === port && one.direction === 'outbound' && one.class === 'semantic',
  );

const dropped =
  (method: string) =>
  (one: Finding): boolean =>
    one.kind === 'dropped' && one.method === method;

export const ALG_RULES: readonly Rule[] = [
  {
    id: 'alg-rewrites-contact',
    when: (evidence) => groundsOf(evidence, rewritten('REGISTER', 'Contact')),
    symptom: { id: 'lost-inbound-calls', text: SYMPTOMS['alg-rewrites-contact'] },
    causes: algRewrites,
    fixes: fix('alg-off'),
  },
  {
    // Only of a public address: that of a private one may be what makes the call work.
    id: 'alg-rewrites-public-sdp',
    when: (evidence) =>
      groundsOf(evidence, (one) => rewritten('INVITE', 'SDP c=', 'SDP o=', 'SDP m=')(one) && wasPublic(one)),
    symptom: { id: 'one-way-audio-inbound', text: SYMPTOMS['alg-rewrites-public-sdp'] },
    causes: algRewrites,
    fixes: fix('alg-off'),
  },
  {
    id: 'invite-dropped',
    when: (evidence) => groundsOf(evidence, dropped('INVITE')),
    symptom: { id: 'cannot-call', text: SYMPTOMS['invite-dropped'] },
    causes: algDrops,
    fixes: pathFixes,
  },
  {
    id: 'register-dropped',
    when: (evidence) => groundsOf(evidence, dropped('REGISTER')),
    symptom: { id: 'cannot-register', text: SYMPTOMS['register-dropped'] },
    causes: algDrops,
    fixes: pathFixes,
  },
  {
    id: 'events-dropped',
    when: (evidence) => groundsOf(evidence, (one) => dropped('SUBSCRIBE')(one) || dropped('NOTIFY')(one)),
    symptom: { id: 'transfers-fail', text: SYMPTOMS['events-dropped'] },
    causes: algDrops,
    fixes: pathFixes,
  },
  {
    // The helper of a NAT that changes addresses back in answers shows in requests, and has rules of its own above.
    id: 'alg-rewrites-learnt-address',
    when: (evidence) => groundsOf(evidence, (one) => learntAddress(one) && !isChangedOutbound(one, evidence)),
    symptom: { id: 'lost-inbound-calls', text: SYMPTOMS['alg-rewrites-learnt-address'] },
    causes: algRewrites,
    fixes: fix('alg-off'),
  },
  {
    id: 'alg-present',
    when: (evidence) =>
      evidence.facts.sipAlg.detected === true
        ? groundsOf(evidence, ({ kind, direction }) => kind === 'rewritten' && direction === 'outbound')
        : [],
    symptom: null,
    causes: algRewrites,
    fixes: fix('alg-off'),
  },
];
