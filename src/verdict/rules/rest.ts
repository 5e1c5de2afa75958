/** What nobody need notice and is to be mended all the same, and why a service could not be judged. */

import { hangUpInWords, unreadableInWords } from '../../words/third-party.js';
import { pathCauses, pathFixes } from './path.js';
import {
  type CauseText,
  checkOf,
  type Facts,
  type Ground,
  hasReason,
  isHarmed,
  itemsOf,
  meetsFlowLimit,
  noFix,
  type Rule,
  type RuleInput,
  requiredOf,
  some,
} from './rule.js';

const asIs =
  (cause: Omit<CauseText, 'grounds'>) =>
  (grounds: readonly Ground[]): readonly CauseText[] => [{ ...cause, grounds }];

/** Whether the reflector says that its answers to this would have been larger than what arrived. */
const isTooLarge = ({ id }: Ground, { facts }: RuleInput): boolean =>
  facts.checks.some((one) => {
    const { unanswered } = one.evidence;
    return one.id === id && typeof unanswered === 'object' && unanswered !== null && 'too-large' in unanswered;
  });

/** ` at ADDRESS`, where all grounds are about the same one. */
const named = (grounds: readonly Ground[]): string => {
  const [first, ...others] = [...new Set(grounds.map(({ address }) => address))];
  return first && others.length === 0 ? ` at ${first}` : '';
};

/** What the first of these checks has to tell, behind a colon; nothing where it has nothing. */
const detailOf = (
  grounds: readonly Ground[],
  checks: Facts['checks'],
  tell: (check: Facts['checks'][number]) => string | null,
): string => {
  const told = checks.filter(({ id }) => grounds.some((ground) => ground.id === id)).flatMap((one) => tell(one) ?? []);
  return told[0] === undefined ? '' : `: ${told[0]}`;
};

/** Whether a check without an answer brought this: a connection that stood, an answer from elsewhere. */
const has = (ground: Ground, { facts }: RuleInput, what: 'opened' | 'elsewhere'): boolean =>
  checkOf(ground, facts)?.evidence[what] !== undefined;

/** A reflector answers whoever knows its token: its silence is no stranger's. */
const isOfReflector = ({ id }: Ground, { service }: RuleInput): boolean =>
  itemsOf(service.requirements, (item) => item.id === id).some(({ provable }) => provable);

/** Rows that keep a service from being judged. */
const undecided =
  (reason: string): Rule['when'] =>
  ({ service }) =>
    service.verdict === 'unknown'
      ? itemsOf(
          requiredOf(service).filter(({ state }) => state === 'unknown'),
          hasReason(reason),
        )
      : [];

export const OTHER_RULES: readonly Rule[] = [
  {
    id: 'required-harmed',
    when: ({ service }) => itemsOf(requiredOf(service), (item) => isHarmed(item)),
    symptom: null,
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'required-degraded',
    when: ({ service }) =>
      service.verdict === 'degraded'
        ? itemsOf(requiredOf(service), ({ finding }) => finding.verdict === 'degraded')
        : [],
    symptom: null,
    causes: pathCauses,
    fixes: pathFixes,
  },
  {
    id: 'nothing-passes',
    when: undecided('target-unreachable'),
    symptom: null,
    causes: asIs({
      id: 'nothing-passes',
      device: 'unknown',
      likelihood: 'possible',
      text: () => 'Nothing answers: the far end is down, the address is wrong, or a firewall blocks everything to it.',
    }),
    fixes: noFix,
  },
  {
    id: 'unproven',
    when: undecided('unproven'),
    symptom: null,
    causes: (grounds, { facts }) => [
      facts.tokenRefused
        ? {
            id: 'wrong-token',
            device: 'reflector',
            likelihood: 'likely',
            text: () =>
              'A callpath reflector answers there and rejects this token: the token files of the two ends differ, or another reflector answers in its place.',
            grounds,
          }
        : {
            id: 'unproven',
            device: 'unknown',
            likelihood: 'likely',
            text: () =>
              'The target does not prove that it knows the token: the token is wrong, no reflector runs there, or something answers in its place.',
            grounds,
          },
    ],
    fixes: noFix,
  },
  {
    id: 'nothing-listens',
    // Of a far end that something stands in for, its refusals are no news.
    when: (evidence) => (undecided('unproven')(evidence).length > 0 ? [] : undecided('closed')(evidence)),
    symptom: null,
    causes: (grounds, { service }) => {
      const ids = new Set(grounds.map(({ id }) => id));
      const provable = itemsOf(service.requirements, ({ id }) => ids.has(id)).some((item) => item.provable);
      return [
        {
          id: 'nothing-listens',
          device: provable ? 'reflector' : 'unknown',
          likelihood: 'possible',
          text: (ports) => `Refused on ${ports} at the far end: nothing listens there, or a firewall rejects it.`,
          grounds,
        },
      ];
    },
    fixes: noFix,
  },
  {
    id: 'hung-up',
    when: undecided('tls-refused'),
    symptom: null,
    causes: (grounds, { facts }) => [
      {
        id: 'hung-up',
        device: 'carrier',
        likelihood: 'likely',
        text: (ports) =>
          `The far end listens on ${ports}, but ends the connection${detailOf(grounds, facts.checks, hangUpInWords)}.`,
        grounds,
      },
    ],
    fixes: noFix,
  },
  {
    id: 'unreadable-answer',
    when: undecided('unreadable'),
    symptom: null,
    causes: (grounds, { facts }) => [
      {
        id: 'unreadable-answer',
        device: 'carrier',
        likelihood: 'likely',
        text: (ports) =>
          `The answer of the far end on ${ports} cannot be parsed${detailOf(grounds, facts.checks, unreadableInWords)}.`,
        grounds,
      },
    ],
    fixes: noFix,
  },
  {
    id: 'ended-early',
    when: ({ service, facts }) =>
      service.verdict === 'unknown' && facts.ended ? itemsOf(requiredOf(service), () => true) : [],
    symptom: null,
    causes: (grounds, { facts: { ended } }) => [
      ended === 'cut-off'
        ? {
            id: 'cut-off',
            device: 'branch-firewall',
            likelihood: 'possible',
            text: () =>
              'Something on the path began to drop all traffic of this host during the run: port-scan or SIP flood protection, which this run may have triggered. What passed before that did pass.',
            grounds,
          }
        : {
            id: 'outage',
            device: 'unknown',
            likelihood: 'possible',
            text: () => 'The line or the far end went down during the run. What passed before that did pass.',
            grounds,
          },
    ],
    fixes: noFix,
  },
  {
    id: 'shut-during-run',
    when: (evidence) => (evidence.facts.ended ? [] : undecided('cut-off')(evidence)),
    symptom: null,
    causes: asIs({
      id: 'cut-off',
      device: 'branch-firewall',
      likelihood: 'possible',
      text: (ports) =>
        `${ports} passed at first and was blocked for this host later in the run: by flood or scan protection, which this run may have triggered, or by a rule that changed meanwhile. Run again at a lower rate (--max-pps).`,
    }),
    fixes: noFix,
  },
  {
    id: 'answer-from-elsewhere',
    when: (evidence) => undecided('no-answer')(evidence).filter((ground) => has(ground, evidence, 'elsewhere')),
    symptom: null,
    causes: asIs({
      id: 'answer-from-elsewhere',
      device: 'carrier',
      likelihood: 'likely',
      text: (ports) =>
        `Requests on ${ports} are answered from a different address or port: a server with several addresses answers from the wrong one. Firewalls and NATs drop such answers.`,
    }),
    fixes: noFix,
  },
  {
    id: 'not-listening',
    when: (evidence) =>
      undecided('not-run')(evidence).filter(
        (ground) => checkOf(ground, evidence.facts)?.evidence.notRun === 'not-listening',
      ),
    symptom: null,
    causes: asIs({
      id: 'not-listening',
      device: 'reflector',
      likelihood: 'proven',
      text: (ports) =>
        `The reflector says that it does not listen on ${ports}: start it with this profile (--profile) or these ports; ports below 1024 need permission to bind (CAP_NET_BIND_SERVICE).`,
    }),
    fixes: noFix,
  },
  {
    id: 'transport-not-offered',
    when: ({ service, facts }) => {
      const signalling = itemsOf(requiredOf(service, 'signalling'), () => true);
      const isNotOffered = (ground: Ground): boolean => checkOf(ground, facts)?.evidence.notRun === 'not-offered';
      return signalling.length > 0 && signalling.every(isNotOffered) ? signalling : [];
    },
    symptom: null,
    causes: asIs({
      id: 'transport-not-offered',
      device: 'carrier',
      likelihood: 'likely',
      text: (ports) =>
        `The DNS records of the target offer other SIP transports than ${ports} (RFC 3263): use one of those, or name the host with its port.`,
    }),
    fixes: noFix,
  },
  {
    id: 'silent-server',
    when: (evidence) =>
      undecided('no-answer')(evidence).filter(
        (ground) => !isOfReflector(ground, evidence) && has(ground, evidence, 'opened'),
      ),
    symptom: null,
    causes: asIs({
      id: 'silent-server',
      device: 'carrier',
      likelihood: 'likely',
      text: (ports) =>
        `The connection on ${ports} opens, but the request is not answered: the path is open as far as that shows, and the server does not answer unknown clients.`,
    }),
    fixes: noFix,
  },
  {
    id: 'silent-stranger',
    when: (evidence) =>
      undecided('no-answer')(evidence).filter(
        (ground) =>
          !isOfReflector(ground, evidence) &&
          !meetsFlowLimit(ground, evidence) &&
          !has(ground, evidence, 'opened') &&
          !has(ground, evidence, 'elsewhere'),
      ),
    symptom: null,
    causes: asIs({
      id: 'silent-stranger',
      device: 'unknown',
      likelihood: 'possible',
      text: (ports) =>
        `The far end does not answer unknown clients on ${ports}, or something on the path drops it; a test against a reflector shows which.`,
    }),
    fixes: noFix,
  },
  {
    id: 'silent-reflector',
    when: (evidence) =>
      undecided('no-answer')(evidence).filter(
        (ground) => isOfReflector(ground, evidence) && !meetsFlowLimit(ground, evidence),
      ),
    symptom: null,
    causes: asIs({
      id: 'silent-reflector',
      device: 'unknown',
      likelihood: 'possible',
      text: (ports) =>
        `The reflector does not answer on ${ports}, and this run does not show why: packet loss is too high, or its list of ports is incomplete. Run again.`,
    }),
    fixes: noFix,
  },
  {
    // Two of three operators do it over IPv6, one of seven over IPv4 (a study of 2024, MobiSys).
    id: 'gateway-abroad',
    when: (evidence) =>
      undecided('no-answer')(evidence).filter(
        (ground) =>
          ground.probe === 'ike-sa-init' &&
          itemsOf(evidence.service.requirements, ({ id }) => id === ground.id).every((item) => !item.provable),
      ),
    symptom: null,
    causes: asIs({
      id: 'gateway-abroad',
      device: 'carrier',
      likelihood: 'possible',
      text: () =>
        "Gateways of many carriers ignore addresses of other countries: if this line is not in the carrier's country, silence is normal.",
    }),
    fixes: noFix,
  },
  {
    id: 'answers-held-back',
    when: undecided('limited'),
    symptom: null,
    causes: (grounds, evidence) => {
      const tooLarge = grounds.filter((ground) => isTooLarge(ground, evidence));
      const others = grounds.filter((ground) => !tooLarge.includes(ground));
      return [
        ...some(others, [
          {
            id: 'answers-held-back',
            device: 'reflector',
            likelihood: 'proven',
            text: (ports) =>
              `The reflector${named(others)} received the requests on ${ports} and reports that it held back answers to protect itself; run again at a lower rate (--max-pps).`,
            grounds: others,
          },
        ]),
        ...some(tooLarge, [
          {
            id: 'answers-too-large',
            device: 'branch-firewall',
            likelihood: 'likely',
            text: (ports) =>
              `Something on the path, such as a SIP ALG, shortens packets on ${ports}: the reflector${named(tooLarge)} received them and could not answer, because no answer may be larger than its request.`,
            grounds: tooLarge,
          },
        ]),
      ];
    },
    fixes: noFix,
  },
];
