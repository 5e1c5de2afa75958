/** What the line loses each way, where far ends say what arrived and what of it they answered. Pure. */
import type { LossSample } from '../model/observation.js';
import type { Classified } from '../model/verdict.js';
import { lossLowerBound, lossUpperBound } from './silence.js';

export interface WayLoss {
  readonly sent: number;
  readonly lost: number;
  /** The true loss lies between these with a probability of 90 %. */
  readonly lower: number;
  readonly upper: number;
}

/** As the upper bound has it, so that both are of one kind. */
const CONFIDENCE = 0.95;

/** The reasons for which packets of a port are lost and those of the line are not. */
const NOT_THE_LINE: ReadonlySet<string> = new Set(['flow-loss', 'rate-limited', 'cut-off']);

/** Of what passes over UDP and has nothing but the line to lose it; keepalives are answered by nobody. */
const shows = ({ check, reason, received, duringOutage, firstPackets, evidence }: Classified): boolean =>
  check.transport === 'udp' &&
  check.probe !== 'nat-t-keepalive' &&
  received > 0 &&
  evidence.authentic === true &&
  duringOutage === 0 &&
  firstPackets === 0 &&
  !NOT_THE_LINE.has(reason);

const boundsOf = ({ trials, answers }: LossSample): WayLoss | null => {
  const upper = lossUpperBound({ trials, answers });
  if (upper === null) return null;
  return { sent: trials, lost: trials - answers, lower: lossLowerBound({ trials, answers }, CONFIDENCE), upper };
};

/** Null where no far end tells, or too little was sent to bound anything. @param all each check may stand there more than once */
export const lossEachWay = (
  all: readonly Classified[],
): { readonly outbound: WayLoss; readonly inbound: WayLoss } | null => {
  const [out, back] = [
    { trials: 0, answers: 0 },
    { trials: 0, answers: 0 },
  ];
  for (const one of new Map(all.map((each) => [each.check.key, each])).values()) {
    const { sent, seen, answered, received } = one;
    if (seen === null || answered === null || !shows(one)) continue;
    out.trials += sent;
    // What a network doubles has arrived once.
    out.answers += Math.min(sent, seen);
    back.trials += Math.min(sent, answered);
    back.answers += Math.min(sent, answered, received);
  }
  const [outbound, inbound] = [boundsOf(out), boundsOf(back)];
  return outbound && inbound ? { outbound, inbound } : null;
};
