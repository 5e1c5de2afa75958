/** What a NAT or firewall makes of traffic from its protocol's own port, told as an observation. Pure. */
import type { SourcePortFacts } from '../../model/study-facts.js';
import type { Classified } from '../../model/verdict.js';
import { deadSourcePort } from '../../words/study-notes.js';
import { doubtOfSilence, lossUpperBound, RANGE_PORT_DOUBT } from '../silence.js';
import type { Judge } from './study-check.js';

interface SourcePort {
  /** Source and destination alike. */
  readonly port: number;
  /** From which port the far end saw it; null if nothing came back. */
  readonly seenPort: number | null;
  /** False: silent beyond chance although the same question from another port is answered. Null: not known. */
  readonly answered: boolean | null;
  /** Why it could not be tried: the code of this host's own refusal. */
  readonly notBound: string | null;
}

/** Whether anything came back; null where nothing is known. */
export const answeredOf = (
  { answers, packets, errors, control }: Pick<SourcePortFacts, 'answers' | 'packets' | 'errors' | 'control'>,
  pathUpperBound: number | null,
): boolean | null => {
  if (answers > 0) return true;
  // The port loses what the path does, and what flows to it from elsewhere do.
  const ofPort = control ? (lossUpperBound({ trials: control.packets, answers: control.answers }) ?? 1) : 0;
  const upperBound = pathUpperBound === null ? null : Math.max(pathUpperBound, ofPort);
  const isSilent = packets > 0 && errors.length === 0;
  return isSilent && doubtOfSilence(packets, upperBound) <= RANGE_PORT_DOUBT ? false : null;
};

/** One entry for each port that was to be tried; of several far ends the first that tells. */
export const judgeSourcePorts = (all: readonly SourcePortFacts[], upperBound: number | null): readonly SourcePort[] => {
  const own = all.filter(({ port, sourcePort }) => port === sourcePort);
  const judged = own.map((one): SourcePort => {
    const { port, seenPort, notBound } = one;
    return { port, seenPort, answered: answeredOf(one, upperBound), notBound };
  });
  return [...new Set(judged.map(({ port }) => port))].flatMap((port) => {
    const here = judged.filter((one) => one.port === port);
    return here.find(({ answered }) => answered !== null) ?? here[0] ?? [];
  });
};

/**
 * A SIP port that passes from any source port but its own: desk phones and gateways send from 5060 (RFC 3261 §18.1.1 leaves it
 * to them), so that some devices work and others do not. Where old state or a limit of messages is what swallows it, that is
 * told by itself.
 */
export const losingOwnPort = (
  one: Classified,
  {
    sourcePorts,
    staleState,
    isLimited = false,
  }: {
    readonly sourcePorts?: readonly SourcePort[] | undefined;
    readonly staleState?: boolean | null | undefined;
    readonly isLimited?: boolean;
  },
): Classified =>
  staleState !== true &&
  !isLimited &&
  one.verdict === 'pass' &&
  one.check.probe === 'sip-options' &&
  one.check.transport === 'udp' &&
  sourcePorts?.some(({ port, answered }) => port === one.check.port && answered === false) === true
    ? { ...one, verdict: 'degraded', reason: 'flow-loss' }
    : one;

export const judge: Judge<SourcePortFacts> = (facts, loss) => {
  const sourcePorts = judgeSourcePorts(facts, lossUpperBound(loss));
  return {
    nat: { sourcePorts: sourcePorts.map((one) => ({ ...one })) },
    notes: sourcePorts.filter(({ answered }) => answered === false).map(({ port }) => deadSourcePort(port)),
  };
};
