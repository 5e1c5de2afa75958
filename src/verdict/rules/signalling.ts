/** Setting up calls: what people notice when signalling, push or keepalives do not pass. */
import { type RequirementRole, symptomOf } from '../../model/profile.js';
import { CAUSES } from '../../words/diagnosis/causes.js';
import { SYMPTOMS } from '../../words/diagnosis/symptoms.js';
import { unresolvedInWords } from '../../words/names.js';
import { pathCauses, pathFixes } from './path.js';
import { roleSymptom } from './roles.js';
import {
  checkOf,
  fix,
  hasReason,
  isBlocked,
  itemsOf,
  lostRows,
  noCause,
  noFix,
  type Rule,
  type RuleInput,
  requiredOf,
  signallingStands,
  stageChecks,
} from './rule.js';

/** Ports of UDP on which methods were compared. */
const sipPorts = (evidence: RuleInput): ReturnType<typeof stageChecks> =>
  signallingStands(evidence.service)
    ? stageChecks(evidence, 'sip-alg').filter(({ transport }) => transport === 'udp')
    : [];

/** A role whose rows are all that there is to say: what its profile names is what people notice. */
const roleBlocked = (id: string, role: RequirementRole): Rule => ({
  id,
  when: ({ service }) =>
    signallingStands(service)
      ? itemsOf(
          lostRows(service, role).filter(({ state }) => state === 'blocked'),
          isBlocked,
        )
      : [],
  symptom: ({ service }) => roleSymptom(service.profile, role),
  causes: pathCauses,
  fixes: pathFixes,
});

export const SIGNALLING_RULES: readonly Rule[] = [
  {
    id: 'signalling-blocked',
    when: ({ service }) =>
      service.verdict === 'blocked'
        ? itemsOf(
            requiredOf(service, 'signalling').filter(({ state }) => state === 'blocked'),
            isBlocked,
          )
        : [],
    symptom: ({ service }) => roleSymptom(service.profile, 'signalling'),
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'signalling-not-private',
    when: ({ service }) =>
      itemsOf(
        lostRows(service, 'signalling').filter(({ state }) => state !== 'blocked'),
        (item) => item.transport === 'tls' && (isBlocked(item) || hasReason('tls-intercepted')(item)),
      ),
    symptom: { id: 'calls-not-private', text: SYMPTOMS['signalling-not-private'] },
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'keepalive-blocked',
    // Keepalives that arrive and come too late are the NAT's matter.
    when: ({ service }) =>
      signallingStands(service)
        ? itemsOf(lostRows(service, 'keepalive'), (item) => isBlocked(item) && item.probe !== 'nat-behavior')
        : [],
    symptom: ({ service }) => roleSymptom(service.profile, 'keepalive'),
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'push-blocked',
    when: ({ service }) => (signallingStands(service) ? itemsOf(lostRows(service, 'push'), isBlocked) : []),
    symptom: ({ service }) => roleSymptom(service.profile, 'push'),
    causes: pathCauses,
    fixes: pathFixes,
  },
  roleBlocked('web-blocked', 'web'),
  roleBlocked('names-blocked', 'dns'),
  roleBlocked('provisioning-blocked', 'provisioning'),
  roleBlocked('time-blocked', 'time'),
  {
    // What passes instead carries it, and carries it worse: media over TCP waits for what was lost.
    id: 'fallback-in-use',
    when: ({ service }) =>
      signallingStands(service)
        ? itemsOf(
            requiredOf(service).filter(({ served }) => served?.leaves === 'degraded'),
            isBlocked,
          )
        : [],
    symptom: { id: 'over-fallback', text: SYMPTOMS['fallback-in-use'] },
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    // Keepalives of many phones are CRLF or STUN on the signalling port (RFC 5626 §3.5).
    id: 'non-sip-filtered',
    when: (evidence) =>
      sipPorts(evidence).filter(
        ({ evidence: { nonSipPasses, stunPasses } }) => nonSipPasses === false && stunPasses === false,
      ),
    symptom: { id: 'lost-inbound-calls', text: SYMPTOMS['non-sip-filtered'] },
    causes: (grounds) => [
      {
        id: 'non-sip-filter',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['non-sip-filter'],
        grounds,
      },
    ],
    fixes: fix('allow'),
  },
  {
    // RFC 5626 §3.5.2: over UDP it is STUN that keeps the way open.
    id: 'stun-keepalive-filtered',
    when: (evidence) =>
      sipPorts(evidence).filter(
        ({ evidence: { nonSipPasses, stunPasses } }) => nonSipPasses === true && stunPasses === false,
      ),
    symptom: { id: 'lost-inbound-calls', text: SYMPTOMS['stun-keepalive-filtered'] },
    causes: (grounds) => [
      {
        id: 'stun-filter',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['stun-filter'],
        grounds,
      },
    ],
    fixes: fix('allow'),
  },
  {
    id: 'own-port-only',
    when: ({ service, facts }) =>
      itemsOf(
        requiredOf(service, 'signalling'),
        (item) =>
          item.probe === 'sip-options' &&
          hasReason('flow-loss')(item) &&
          checkOf(item, facts)?.evidence.ownPortOnly === true,
      ),
    symptom: { id: 'cannot-register', text: SYMPTOMS['own-port-only'] },
    causes: (grounds) => [
      {
        id: 'source-port-rule',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['source-port-rule'],
        grounds,
      },
    ],
    fixes: fix('allow'),
  },
  {
    id: 'own-port-silent',
    when: ({ service, facts }) =>
      itemsOf(
        requiredOf(service, 'signalling'),
        ({ probe, transport, from, finding }) =>
          probe === 'sip-options' &&
          transport === 'udp' &&
          finding.reason === 'flow-loss' &&
          (facts.nat.sourcePorts ?? []).some(({ port, answered }) => port === from && answered === false),
      ),
    symptom: { id: 'cannot-register', text: SYMPTOMS['own-port-silent'] },
    causes: (grounds) => [
      {
        id: 'source-port-held',
        device: 'branch-firewall',
        likelihood: 'likely',
        text: CAUSES['source-port-held'],
        grounds,
      },
    ],
    fixes: fix('advise'),
  },
  {
    id: 'name-not-resolved',
    when: ({ service }) => {
      const signalling = itemsOf(requiredOf(service, 'signalling'), () => true);
      const unresolved = signalling.filter(hasReason('dns-failure'));
      // What the domain does not offer is not asked, and changes nothing of it.
      return signalling.every(hasReason('dns-failure', 'not-run')) ? unresolved : [];
    },
    // A name may be mistyped. Of a carrier's gateway it is the network's DNS that phones depend on.
    symptom: null,
    causes: (grounds, { facts: { resolution } }) => [
      {
        id: 'name-not-resolved',
        device: 'unknown',
        likelihood: 'likely',
        text: () => unresolvedInWords(resolution),
        grounds,
      },
    ],
    fixes: noFix,
  },
  {
    id: 'gateway-name-not-resolved',
    when: ({ service }) => {
      const ike = itemsOf(requiredOf(service), ({ probe }) => probe === 'ike-sa-init');
      const all = ike.length > 0 && ike.every(hasReason('dns-failure'));
      return all && symptomOf(service.profile, 'signalling') === 'wifi-calling-unavailable' ? ike : [];
    },
    symptom: { id: 'wifi-calling-unavailable', text: SYMPTOMS['gateway-name-not-resolved'] },
    causes: noCause,
    fixes: noFix,
  },
];
