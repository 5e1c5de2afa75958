/**
 * What the far end's attempts to reach our ports come to. What arrived passes. Silence is a filter's only where no NAT is
 * in between: a NAT that forwards a port nowhere, or to another host, looks the same from here. And only where something
 * that the far end begins does come in: a filter at its side that lets nothing begin there looks the same too.
 */
import type { InboundFacts, InboundTry } from '../../model/study-facts.js';
import type { Finding } from '../../model/verdict.js';
import { doubtOfSilence, lossUpperBound, SINGLE_CHECK_DOUBT } from '../silence.js';
import type { Judge, StudyCheck } from './study-check.js';

type Judgement = { readonly finding: Finding; readonly confidence: number };

const unknown = (reason: Extract<Finding, { verdict: 'unknown' }>['reason']): Judgement => ({
  finding: { verdict: 'unknown', reason },
  confidence: 0,
});
const certain = (finding: Finding): Judgement => ({ finding, confidence: 1 });

/** The far end's own trouble is no word about the path. */
const NOT_TRIED = { 'held-back': 'limited', failed: 'limited' } as const;

/** Every attempt ended alike. */
const all = (tries: readonly InboundTry[], ...said: readonly InboundTry['said'][]): boolean =>
  tries.length > 0 && tries.every((one) => said.includes(one.said));

/** A SYN that is lost is sent again within the attempt: of TCP each counts for two packets. */
const packetsOf = ({ transport }: InboundFacts, tries: readonly InboundTry[]): number =>
  transport === 'udp' ? tries.length : 2 * tries.length;

const TRANSPORT_ALTERED = {
  tls: { verdict: 'altered', reason: 'tls-intercepted' },
  tcp: { verdict: 'altered', reason: 'payload-rewritten' },
  udp: { verdict: 'altered', reason: 'payload-rewritten' },
} as const satisfies Record<InboundFacts['transport'], Finding>;

/** What else is known when one port is judged. */
interface Rest {
  readonly upperBound: number | null;
  /** At another port something came in that the far end began: it may begin, and it reaches this host. */
  readonly isControlled: boolean;
}

const judgeTold = (facts: InboundFacts, told: readonly InboundTry[], rest: Rest): Judgement => {
  const { local, seen, isSlow, transport } = facts;
  const isNatted = local === null || seen === null || local !== seen;
  const isOpened = ({ opened }: InboundTry): boolean => opened > 0;
  const silence = doubtOfSilence(packetsOf(facts, told), rest.upperBound);
  if (told.every(({ altered }) => altered)) return certain(TRANSPORT_ALTERED[transport]);
  // Some of its bytes came and some did not: nothing is known of what the next would do.
  if (told.some(({ altered }) => altered)) return unknown('no-answer');
  // Each time the connection comes as far as this host, and what is said over it does not: for what it is, or for its size.
  if (told.every(isOpened) && all(told, 'connected', 'tls-failed'))
    return isSlow ? unknown('no-answer') : certain({ verdict: 'blocked', reason: 'dropped' });
  if (isNatted) return unknown('not-forwarded');
  if (told.some(isOpened)) return unknown('no-answer');
  if (all(told, 'connected', 'tls-failed')) return certain({ verdict: 'altered', reason: 'answered-by-other' });
  const isRefused = all(told, 'refused', 'unreachable');
  const isSilent = all(told, 'silent', 'sent', 'unreachable', 'refused') && !isSlow && silence <= SINGLE_CHECK_DOUBT;
  if (!isRefused && !isSilent) return unknown('no-answer');
  if (!rest.isControlled) return unknown('no-way-in');
  if (isRefused) return certain({ verdict: 'blocked', reason: 'rejected' });
  return { finding: { verdict: 'blocked', reason: 'not-let-in' }, confidence: 1 - silence };
};

const judgeOne = (facts: InboundFacts, rest: Rest): Judgement => {
  const { notTried, tries } = facts;
  if (notTried?.by === 'this-host') return unknown('local-error');
  if (notTried) {
    const { why } = notTried;
    return unknown(why === 'held-back' || why === 'failed' ? NOT_TRIED[why] : 'not-run');
  }
  if (tries.some(({ arrived }) => arrived)) return certain({ verdict: 'pass', reason: 'answered' });
  // What the far end did not tell of may never have been begun.
  const told = tries.filter(({ said }) => said !== null);
  return told.length === 0 ? unknown('no-answer') : judgeTold(facts, told, rest);
};

const NOT_RUN = { 'not-offered': 'inbound-not-offered', 'needs-connection': 'needs-connection' } as const;

const evidenceOf = ({ notTried, tries, local, seen }: InboundFacts): StudyCheck['evidence'] => {
  if (notTried?.by === 'this-host') return { code: notTried.code };
  if (notTried) {
    const { why } = notTried;
    return why === 'held-back' || why === 'failed' ? { farEnd: why } : { notRun: NOT_RUN[why] };
  }
  return {
    localAddress: local,
    seenAddress: seen,
    farEnd: [...new Set(tries.flatMap(({ said }) => said ?? []))].join(', '),
    opened: tries.reduce((sum, { opened }) => sum + opened, 0),
  };
};

/** The same far end reached this host at another port, whatever became of what it said there. */
const isControlled = (one: InboundFacts, all: readonly InboundFacts[]): boolean =>
  all.some(
    (other) =>
      other !== one &&
      other.address === one.address &&
      other.tries.some(({ arrived, opened, altered }) => arrived || altered || opened > 0),
  );

const checkOf = (facts: InboundFacts, rest: Rest): StudyCheck => {
  const { address, family, transport, port, tries } = facts;
  const told = tries.filter(({ said, arrived }) => said !== null || arrived).length;
  return {
    ...{ probe: 'inbound', address, family, transport, port },
    ...judgeOne(facts, rest),
    // From the far end's side: what it sent, and what this host saw of it.
    sent: told,
    seen: null,
    received: tries.filter(({ arrived }) => arrived).length,
    evidence: evidenceOf(facts),
  };
};

export const judge: Judge<InboundFacts> = (facts, loss) => ({
  checks: facts.map((one) =>
    checkOf(one, { upperBound: lossUpperBound(loss), isControlled: isControlled(one, facts) }),
  ),
});
