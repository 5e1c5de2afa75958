/** What the line loses each way, where far ends say what arrived and what of it they answered. Pure. */
import type { LossSample } from '../model/observation.js';
import type { Classified } from '../model/verdict.js';
import type { FarEndState } from './circumstances.js';
import { flowsDie, lostAtFirst } from './flows.js';
import { lossLowerBound, lossUpperBound } from './silence.js';
import type { StudyCheck } from './studies/study-check.js';

export interface WayLoss {
  readonly sent: number;
  readonly lost: number;
  /** The true loss lies between these with a probability of 90 %. */
  readonly lower: number;
  readonly upper: number;
}

/** As the upper bound has it, so that both are of one kind. */
const CONFIDENCE = 0.95;

interface FourNumbers {
  readonly sent: number;
  readonly seen: number | null;
  readonly answered?: number | null;
  readonly received: number;
}

/** Something other than the line takes packets of this address's flows. */
const isOfFlows = (farEnd: FarEndState | undefined): boolean =>
  Boolean(farEnd?.limit) || flowsDie(farEnd?.flows) || lostAtFirst(farEnd?.flows) > 0;

/** For these a port loses packets, and the line does not. */
const NOT_THE_LINE: ReadonlySet<string> = new Set(['flow-loss', 'rate-limited', 'cut-off']);

/**
 * A check of one port that passes over UDP, with nothing but the line to lose its packets. Ports of ranges are asked for receipts only
 * where they stay silent, and keepalives are answered by nobody.
 */
const isOfLine = ({ check, reason, received, duringOutage, evidence }: Classified): boolean =>
  check.transport === 'udp' &&
  check.probe !== 'nat-t-keepalive' &&
  !check.isOfRange &&
  received > 0 &&
  evidence.authentic === true &&
  duringOutage === 0 &&
  !NOT_THE_LINE.has(reason);

/** A stream of audio that nothing cut off. */
const isWholeStream = ({ probe, finding, evidence }: StudyCheck): boolean =>
  probe === 'media-stream' && finding.verdict !== 'unknown' && evidence.lossAfter === undefined;

const boundsOf = ({ trials, answers }: LossSample): WayLoss | null => {
  const upper = lossUpperBound({ trials, answers });
  if (upper === null) return null;
  return { sent: trials, lost: trials - answers, lower: lossLowerBound({ trials, answers }, CONFIDENCE), upper };
};

/** Null where no far end tells, or too little was sent to bound anything. */
export const lossEachWay = (
  checks: readonly Classified[],
  studies: readonly StudyCheck[],
  farEnds: ReadonlyMap<string, FarEndState>,
): { readonly outbound: WayLoss; readonly inbound: WayLoss } | null => {
  const isClear = (address: string | null): boolean => !isOfFlows(farEnds.get(address ?? ''));
  const counted: readonly FourNumbers[] = [
    ...checks.filter((one) => isOfLine(one) && isClear(one.check.address)),
    ...studies.filter((one) => isWholeStream(one) && isClear(one.address)),
  ];
  const out = { trials: 0, answers: 0 };
  const back = { trials: 0, answers: 0 };
  for (const { sent, seen, answered = null, received } of counted) {
    if (seen === null || answered === null) continue;
    out.trials += sent;
    // What a network doubles has arrived once.
    out.answers += Math.min(sent, seen);
    back.trials += Math.min(sent, answered);
    back.answers += Math.min(sent, answered, received);
  }
  const [outbound, inbound] = [boundsOf(out), boundsOf(back)];
  return outbound && inbound ? { outbound, inbound } : null;
};
