/**
 * From what happened to SIP on the way to verdicts: is there an ALG, which messages vanish, up to which size they pass.
 * Pure. An ALG is accused only by the far end's own word of what arrived, or by a message that vanishes on SIP's port
 * beyond chance while it passes elsewhere.
 */
import type { Family } from '../../model/check.js';
import type { OtherTraffic, SipExchange, SipFacts } from '../../model/study-facts.js';
import type { Finding } from '../../model/verdict.js';
import { doubtOfSilence, lossUpperBound, RANGE_PORT_DOUBT } from '../silence.js';
import { compareSip, type Difference } from './alg.js';
import { judgeOthers, pinholesOf, toldOf } from './sip-port.js';
import type { AlgFinding, Judge, StudyCheck } from './study-check.js';

export interface SipVerdicts {
  readonly detected: boolean | null;
  readonly findings: readonly AlgFinding[];
  readonly checks: readonly StudyCheck[];
}

/** What a request and its proven answer rest on: the word of who holds the token. */
const PROVEN = 1;

const findingsOf = (one: SipExchange): readonly AlgFinding[] => {
  const of = (direction: AlgFinding['direction'], all: readonly Difference[]): readonly AlgFinding[] =>
    all.map((difference) => ({
      transport: one.transport,
      port: one.port,
      method: one.method,
      direction,
      kind: 'rewritten',
      ...difference,
    }));
  return [
    ...of('outbound', one.request ? compareSip(one.request.sent, one.request.received) : []),
    ...of('inbound', one.response ? compareSip(one.response.sent, one.response.received) : []),
  ];
};

const isAnswered = ({ answers, unproven }: SipExchange): boolean => answers > 0 && !unproven;

/** What the proofs of the answers say of their requests, whatever the messages look like. */
const tampered = (all: readonly SipExchange[]): Finding | null => {
  if (all.some(({ unproven, misdirected }) => unproven || misdirected)) {
    return { verdict: 'altered', reason: 'answered-by-other' };
  }
  return all.some(({ changed }) => changed) ? { verdict: 'altered', reason: 'payload-rewritten' } : null;
};

/** Nothing but silence, and more of it than the path's loss explains. */
const vanished = (one: SipExchange, upperBound: number | null, fragments = 1): boolean => {
  if (one.answers > 0 || one.errors.length > 0 || one.packets === 0 || upperBound === null) return false;
  // A datagram is lost with any of its fragments.
  const loss = 1 - (1 - upperBound) ** fragments;
  return doubtOfSilence(one.packets, loss) <= RANGE_PORT_DOUBT;
};

const dropOf = (one: SipExchange): AlgFinding => ({
  transport: one.transport,
  port: one.port,
  method: one.method,
  direction: one.seen !== null && one.seen > 0 ? 'inbound' : 'outbound',
  kind: 'dropped',
  class: 'semantic',
  field: 'message',
  sent: one.method,
  received: '',
});

const sameFinding = (a: AlgFinding, b: AlgFinding): boolean =>
  a.transport === b.transport &&
  a.port === b.port &&
  a.method === b.method &&
  a.direction === b.direction &&
  a.field === b.field &&
  a.kind === b.kind;

const unique = (all: readonly AlgFinding[]): readonly AlgFinding[] =>
  all.filter((one, index) => all.findIndex((other) => sameFinding(one, other)) === index);

const isAccusing = ({ class: kind }: AlgFinding): boolean => kind !== 'cosmetic';

const sum = (numbers: readonly number[]): number => numbers.reduce((total, one) => total + one, 0);

const counted = (all: readonly SipExchange[]) => ({
  sent: sum(all.map(({ packets }) => packets)),
  seen: all.every(({ seen }) => seen !== null) ? sum(all.map(({ seen }) => seen ?? 0)) : null,
  received: sum(all.map(({ answers }) => answers)),
});

/** SIP on one port over one transport, and the same elsewhere. */
const judgePort = (
  own: readonly SipExchange[],
  controls: readonly SipExchange[],
  others: OtherTraffic | undefined,
  family: Family,
  upperBound: number | null,
): { readonly check: StudyCheck; readonly findings: readonly AlgFinding[] } | null => {
  const [first] = own;
  if (!first) return null;
  const rewritten = own.flatMap(findingsOf);
  const elsewhere = controls.flatMap(findingsOf);
  const silent = own.filter((one) => !one.fromSipPort && vanished(one, upperBound));
  const passesElsewhere = (method: string): boolean => controls.some((one) => one.method === method && isAnswered(one));
  const drops = silent.filter(({ method }) => passesElsewhere(method)).map(dropOf);
  const free = own.filter(({ fromSipPort }) => !fromSipPort);
  const judged = free.filter((one) => isAnswered(one) && one.request !== null && one.response !== null);
  const finding = ((): Finding => {
    if (rewritten.some(isAccusing)) return { verdict: 'altered', reason: 'sip-alg' };
    if (silent.length > 0) return { verdict: 'blocked', reason: 'payload-filtered' };
    const change = tampered(free);
    if (change) return change;
    if (judged.length === free.length) return { verdict: 'pass', reason: 'answered' };
    return free.some(({ answers }) => answers === 0)
      ? { verdict: 'unknown', reason: 'no-answer' }
      : { verdict: 'unknown', reason: 'not-run' };
  })();
  const doubt = silent.map(({ packets }) => doubtOfSilence(packets, upperBound));
  return {
    findings: unique([...rewritten, ...elsewhere, ...drops]),
    check: {
      probe: 'sip-alg',
      transport: first.transport,
      port: first.port,
      address: first.address,
      family,
      finding,
      confidence:
        finding.reason === 'payload-filtered' ? 1 - Math.max(...doubt) : finding.verdict === 'unknown' ? 0 : PROVEN,
      ...counted(free),
      evidence: {
        compared: judged.map(({ method }) => method),
        silent: silent.map(({ method }) => method),
        fromSipPort: own.some((one) => one.fromSipPort && isAnswered(one)),
        controlPort: controls[0]?.port ?? null,
        passOnControlPort: [...new Set(controls.filter(isAnswered).map(({ method }) => method))],
        ...(others && {
          stunPasses: toldOf(others.stun, upperBound),
          nonSipPasses: toldOf(others.bareTag, upperBound),
          crlfPasses: toldOf(others.crlf, upperBound),
        }),
      },
    },
  };
};

/** IPv4's header and UDP's; what an Ethernet frame and its fragments hold is the same for IPv6, give or take one. */
const UDP_HEADERS = 28;
const FRAME = 1500;
const FRAGMENT = 1480;

const fragmentsOf = (bytes: number): number =>
  bytes + UDP_HEADERS <= FRAME ? 1 : Math.ceil((bytes + UDP_HEADERS - 20) / FRAGMENT);

/** Up to which size SIP passes over UDP: what is larger is dropped only if everything larger is. */
const judgeSizes = (
  sizes: readonly SipExchange[],
  stream: SipExchange | undefined,
  family: Family,
  upperBound: number | null,
  hasAlg: boolean,
): StudyCheck | null => {
  const ordered = [...sizes].sort((a, b) => (a.padded ?? 0) - (b.padded ?? 0));
  const [first] = ordered;
  if (!first) return null;
  const passing = ordered.filter(isAnswered);
  const largest = Math.max(0, ...passing.map(({ padded }) => padded ?? 0));
  const beyond = ordered.filter(({ padded }) => (padded ?? 0) > largest);
  const beyondChance = beyond.filter((one) => vanished(one, upperBound, fragmentsOf(one.padded ?? 0)));
  const [smallest] = beyondChance;
  const filtered = passing.length > 0 && smallest !== undefined && beyondChance.length === beyond.length;
  const finding = ((): Finding => {
    if (filtered) return { verdict: 'blocked', reason: 'size-filtered' };
    const change = tampered(ordered);
    if (change) return hasAlg && change.reason === 'payload-rewritten' ? { ...change, reason: 'sip-alg' } : change;
    return beyond.length === 0 ? { verdict: 'pass', reason: 'answered' } : { verdict: 'unknown', reason: 'no-answer' };
  })();
  return {
    probe: 'size-sweep',
    transport: first.transport,
    port: first.port,
    address: first.address,
    family,
    finding,
    confidence: filtered
      ? 1 - doubtOfSilence(smallest.packets, upperBound)
      : finding.verdict === 'unknown'
        ? 0
        : PROVEN,
    ...counted(ordered),
    evidence: {
      largestPassingBytes: largest,
      smallestFailingBytes: filtered ? (smallest.padded ?? null) : null,
      // What fits a frame and is dropped is no matter of fragments.
      fragmentsOnly: filtered ? fragmentsOf(smallest.padded ?? 0) > 1 : null,
      direction: filtered && smallest.seen !== null ? (smallest.seen > 0 ? 'inbound' : 'outbound') : null,
      overTcp: stream ? isAnswered(stream) : null,
    },
  };
};

/** Everything there is to say about SIP on the way to these addresses. */
export const judgeSip = (all: readonly SipFacts[], upperBound: number | null): SipVerdicts => {
  const judged = all.flatMap(({ exchanges, otherTraffic, pinholes, family }) => {
    const plain = exchanges.filter(({ padded }) => padded === null);
    const own = plain.filter(({ isControl }) => !isControl);
    const places = [...new Set(own.map(({ transport, port }) => `${transport}/${port}`))];
    const ports = places.flatMap((place) => {
      const here = own.filter(({ transport, port }) => `${transport}/${port}` === place);
      const [transport] = place.split('/');
      const controls = plain.filter((one) => one.isControl && one.transport === transport);
      const others = otherTraffic.find((one) => `${one.transport}/${one.port}` === place);
      return judgePort(here, controls, others, family, upperBound) ?? [];
    });
    const padded = exchanges.filter((one) => one.padded !== null);
    const sizes = judgeSizes(
      padded.filter(({ transport }) => transport === 'udp'),
      padded.find(({ transport }) => transport === 'tcp'),
      family,
      upperBound,
      ports.some(({ check }) => check.transport === 'udp' && check.finding.reason === 'sip-alg'),
    );
    return [
      {
        findings: [...ports.flatMap(({ findings }) => findings), ...pinholesOf(pinholes, upperBound)],
        checks: [
          ...ports.map(({ check }) => check),
          ...(sizes ? [sizes] : []),
          // Where somebody takes messages for himself or forges them, what passes beside them shows nothing of a filter.
          ...otherTraffic
            .filter(({ transport, port }) =>
              ports.some(
                ({ check }) =>
                  check.transport === transport &&
                  check.port === port &&
                  (check.finding.verdict === 'pass' || check.finding.reason === 'sip-alg'),
              ),
            )
            .flatMap((one) => judgeOthers(one, family, upperBound)),
        ],
      },
    ];
  });
  const findings = unique(judged.flatMap((one) => one.findings));
  const checks = judged.flatMap((one) => one.checks);
  const algs = checks.filter(({ probe }) => probe === 'sip-alg');
  const isClean = ({ finding }: StudyCheck): boolean => finding.verdict === 'pass';
  return {
    detected: findings.some(isAccusing) ? true : algs.length > 0 && algs.every(isClean) ? false : null,
    findings,
    checks,
  };
};

export const judge: Judge<SipFacts> = (facts, loss) => {
  const { checks, detected, findings } = judgeSip(facts, lossUpperBound(loss));
  return { checks, sipAlg: { detected, findings } };
};
