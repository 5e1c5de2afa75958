/**
 * From what happened to SIP on the way to verdicts: is there an ALG, which messages vanish, which sizes pass.
 * Pure. An ALG is accused only by the far end's own word of what arrived, or by a message that vanishes on SIP's port
 * beyond chance while it passes elsewhere.
 */
import type { Family } from '../../model/check.js';
import type { OtherTraffic, SameSize, SipExchange, SipFacts, SipLimit } from '../../model/study-facts.js';
import type { Finding } from '../../model/verdict.js';
import { sipInAnotherForm, sipLimitedAtOnce, sipStopped, sipVanished } from '../../words/study-notes.js';
import { lossUpperBound as upperBoundOf } from '../silence.js';
import { compareSip, type Difference } from './alg.js';
import { judgeOthers, pinholesOf, toldOf } from './sip-port.js';
import {
  doubtOf,
  fourNumbers,
  isAnswered,
  isLeftUnanswered,
  isTooLong,
  judgeSizes,
  judgeStreams,
  vanished,
} from './sizes.js';
import type { AlgFinding, Judge, StudyCheck } from './study-check.js';

interface SipVerdicts {
  readonly detected: boolean | null;
  readonly findings: readonly AlgFinding[];
  readonly checks: readonly StudyCheck[];
  /** Where messages arrive in another form and say the same: `transport/port#address`. */
  readonly cosmetic: ReadonlySet<string>;
  /** What a reader must know, one sentence each. */
  readonly notes: readonly string[];
}

/** How a port is named among those where only the form of messages changes. */
export const placeOf = ({
  transport,
  port,
  address,
}: Pick<StudyCheck, 'transport' | 'port'> & { address: string | null }) => `${transport}/${port}#${address}`;

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

/** What the proofs of the answers say of their requests, whatever the messages look like. */
const tampered = (all: readonly SipExchange[]): Finding | null => {
  if (all.some(({ unproven, misdirected }) => unproven || misdirected)) {
    return { verdict: 'altered', reason: 'answered-by-other' };
  }
  return all.some(({ changed }) => changed) ? { verdict: 'altered', reason: 'payload-rewritten' } : null;
};

/** The direction is null of what vanished while the far end did not tell what arrived. */
type Found = Omit<AlgFinding, 'direction'> & { readonly direction: AlgFinding['direction'] | null };

const isDirected = (found: Found): found is AlgFinding => found.direction !== null;

const dropOf = (one: SipExchange): Found => ({
  transport: one.transport,
  port: one.port,
  method: one.method,
  direction: one.seen === null ? null : one.seen > 0 ? 'inbound' : 'outbound',
  kind: 'dropped',
  class: 'semantic',
  field: 'message',
  sent: one.method,
  received: '',
});

const sameFinding = (a: Found, b: Found): boolean =>
  a.transport === b.transport &&
  a.port === b.port &&
  a.method === b.method &&
  a.direction === b.direction &&
  a.field === b.field &&
  a.kind === b.kind;

const unique = (all: readonly Found[]): readonly Found[] =>
  all.filter((one, index) => all.findIndex((other) => sameFinding(one, other)) === index);

const isAccusing = ({ class: kind }: Found): boolean => kind !== 'cosmetic';

/** Requests that carry busy lamps and messages waiting: without them phones still call and are called. */
const EVENT_METHODS: ReadonlySet<string> = new Set(['SUBSCRIBE', 'NOTIFY']);

/**
 * Something takes messages apart and puts them together again, and what they say stays: at least one was compared, all that
 * were differ in nothing but form, and no proof says more than that a request arrived in other bytes.
 */
const isCosmetic = (compared: readonly SipExchange[], rewritten: readonly AlgFinding[]): boolean =>
  compared.length > 0 && rewritten.length > 0 && !rewritten.some(isAccusing);

const withoutChange = (one: SipExchange): SipExchange => ({ ...one, changed: false });

/** SIP on one port over one transport, and the same elsewhere. */
const judgePort = (
  own: readonly SipExchange[],
  controls: readonly SipExchange[],
  others: OtherTraffic | undefined,
  family: Family,
  lossUpperBound: number | null,
  padded: readonly SipExchange[],
  sameSize: readonly SameSize[],
): { readonly check: StudyCheck; readonly findings: readonly Found[]; readonly isCosmetic: boolean } | null => {
  const [first] = own;
  if (!first) return null;
  const rewritten = own.flatMap(findingsOf);
  const elsewhere = controls.flatMap(findingsOf);
  const vanishing = own.filter((one) => !one.fromSipPort && vanished(one, lossUpperBound));
  const tooLong = vanishing.filter((one) => isTooLong(one, padded, sameSize, lossUpperBound));
  const silent = vanishing.filter((one) => !tooLong.includes(one));
  const passesElsewhere = (method: string): boolean => controls.some((one) => one.method === method && isAnswered(one));
  const drops = silent.filter(({ method }) => passesElsewhere(method)).map(dropOf);
  const free = own.filter(({ fromSipPort }) => !fromSipPort);
  const judged = free.filter((one) => isAnswered(one) && one.request !== null && one.response !== null);
  const harmless = isCosmetic(judged, rewritten);
  const finding = ((): Finding => {
    if (rewritten.some(isAccusing)) return { verdict: 'altered', reason: 'sip-alg' };
    if (silent.length > 0) return { verdict: 'blocked', reason: 'payload-filtered' };
    const change = tampered(harmless ? free.map(withoutChange) : free);
    if (change) return change;
    if (free.some(isLeftUnanswered)) return { verdict: 'unknown', reason: 'limited' };
    // The word of what arrived may be lost for some; what was compared was compared, and the proofs cover all requests.
    const isKnown = judged.length > 0 && free.every(({ answers }) => answers > 0);
    return isKnown ? { verdict: 'pass', reason: 'answered' } : { verdict: 'unknown', reason: 'no-answer' };
  })();
  const doubt = silent.map((one) => doubtOf(one, lossUpperBound));
  const onlyEvents = finding.reason === 'payload-filtered' && silent.every(({ method }) => EVENT_METHODS.has(method));
  return {
    isCosmetic: harmless,
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
      ...fourNumbers(free),
      ...(onlyEvents && { harm: { verdict: 'altered', reason: 'sip-alg' } as const }),
      evidence: {
        compared: judged.map(({ method }) => method),
        silent: silent.map(({ method }) => method),
        ...(tooLong.length > 0 && { tooLong: tooLong.map(({ method }) => method) }),
        ...(harmless && { onlyForm: [...new Set(rewritten.map(({ field }) => field))] }),
        fromSipPort: own.some((one) => one.fromSipPort && isAnswered(one)),
        controlPort: controls[0]?.port ?? null,
        passOnControlPort: [...new Set(controls.filter(isAnswered).map(({ method }) => method))],
        ...(others && {
          stunPasses: toldOf(others.stun, lossUpperBound),
          nonSipPasses: toldOf(others.bareTag, lossUpperBound),
          crlfPasses: toldOf(others.crlf, lossUpperBound),
        }),
      },
    },
  };
};

/** What could not be told apart from the limit that the questions met. */
const underLimit = (one: StudyCheck, limit: SipLimit | undefined): StudyCheck =>
  limit && one.transport === 'udp' && one.port === limit.port && one.finding.verdict === 'unknown'
    ? {
        ...one,
        finding:
          limit.kind === 'rate'
            ? { verdict: 'degraded', reason: 'rate-limited' }
            : { verdict: 'unknown', reason: 'cut-off' },
      }
    : one;

const limitNote = ({ kind, port, some }: SipLimit): string =>
  some ? sipLimitedAtOnce(port, some) : sipStopped(port, kind);

/** Everything there is to say about SIP on the way to these addresses. */
export const judgeSip = (all: readonly SipFacts[], lossUpperBound: number | null): SipVerdicts => {
  const judged = all.flatMap(({ exchanges, otherTraffic, pinholes, family, sameSize = [], limit }) => {
    const plain = exchanges.filter(({ padded }) => padded === null);
    const own = plain.filter(({ isControl }) => !isControl);
    const places = [...new Set(own.map(({ transport, port }) => `${transport}/${port}`))];
    const padded = exchanges.filter((one) => one.padded !== null);
    const ports = places.flatMap((place) => {
      const here = own.filter(({ transport, port }) => `${transport}/${port}` === place);
      const [transport] = place.split('/');
      const controls = plain.filter((one) => one.isControl && one.transport === transport);
      const others = otherTraffic.find((one) => `${one.transport}/${one.port}` === place);
      return judgePort(here, controls, others, family, lossUpperBound, padded, sameSize) ?? [];
    });
    const overUdp = ports.find(({ check }) => check.transport === 'udp');
    const ofUdp = padded.filter(({ transport }) => transport === 'udp');
    const change = tampered(overUdp?.isCosmetic ? ofUdp.map(withoutChange) : ofUdp);
    const streams = padded.filter(({ transport }) => transport === 'tcp');
    const overTcp = judgeStreams(
      streams,
      own.find(({ transport, method }) => transport === 'tcp' && method === 'OPTIONS'),
      family,
      lossUpperBound,
    );
    const isAlg = overUdp?.check.finding.reason === 'sip-alg' && change?.reason === 'payload-rewritten';
    const sizes = judgeSizes(
      {
        sizes: ofUdp,
        sameSize,
        streams,
        family,
        tampered: isAlg ? { verdict: 'altered', reason: 'sip-alg' } : change,
      },
      lossUpperBound,
    );
    return [
      {
        cosmetic: ports.filter((one) => one.isCosmetic).map(({ check }) => check),
        findings: [...ports.flatMap(({ findings }) => findings), ...pinholesOf(pinholes, lossUpperBound)],
        limits: limit ? [limit] : [],
        checks: [
          ...[...ports.map(({ check }) => check), ...(sizes ? [sizes] : [])].map((one) => underLimit(one, limit)),
          ...(overTcp ? [overTcp] : []),
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
            .flatMap((one) => judgeOthers(one, family, lossUpperBound)),
        ],
      },
    ];
  });
  const findings = unique(judged.flatMap((one) => one.findings));
  const checks = judged.flatMap((one) => one.checks);
  const algs = checks.filter(({ probe }) => probe === 'sip-alg');
  const cosmetic = judged.flatMap((one) => one.cosmetic);
  const isClean = ({ finding }: StudyCheck): boolean => finding.verdict === 'pass';
  return {
    detected: findings.some(isAccusing) ? true : algs.length > 0 && algs.every(isClean) ? false : null,
    findings: findings.filter(isDirected),
    checks,
    cosmetic: new Set(cosmetic.map(placeOf)),
    notes: [
      ...judged.flatMap((one) => one.limits).map(limitNote),
      ...findings
        .filter((one) => !isDirected(one))
        .map(({ method, transport, port }) => sipVanished(method, `${transport.toUpperCase()} ${port}`)),
      ...cosmetic.map(({ transport, port, evidence }) =>
        sipInAnotherForm(`${transport.toUpperCase()} ${port}`, [evidence.onlyForm].flat().join(', ')),
      ),
    ],
  };
};

export const judge: Judge<SipFacts> = (facts, loss) => {
  const { checks, detected, findings, cosmetic, notes } = judgeSip(facts, upperBoundOf(loss));
  return { checks, sipAlg: { detected, findings }, cosmetic, notes };
};
