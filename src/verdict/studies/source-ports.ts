/** What a NAT or firewall makes of traffic from its protocol's own port, told as an observation. Pure. */
import type { SourcePortFacts } from '../../model/study-facts.js';
import { doubtOfSilence, RANGE_PORT_DOUBT } from '../silence.js';

export interface SourcePort {
  /** Source and destination alike. */
  readonly port: number;
  /** From which port the far end saw it; null if nothing came back. */
  readonly seenPort: number | null;
  /** False: silent beyond chance although the same question from another port is answered. Null: not known. */
  readonly answered: boolean | null;
  /** Why it could not be tried: the code of this host's own refusal. */
  readonly notBound: string | null;
}

const answeredOf = (
  { answers, packets, errors }: Pick<SourcePortFacts, 'answers' | 'packets' | 'errors'>,
  lossUpperBound: number | null,
): boolean | null => {
  if (answers > 0) return true;
  const isSilent = packets > 0 && errors.length === 0;
  return isSilent && doubtOfSilence(packets, lossUpperBound) <= RANGE_PORT_DOUBT ? false : null;
};

/**
 * Whether a flow that an agent keeps from run to run is dead while new ones work: state that outlived a change of the
 * outer address, and that every packet of the flow keeps alive. Null where no agent keeps one, or nothing is known.
 */
export const judgeStale = (all: readonly SourcePortFacts[], lossUpperBound: number | null): boolean | null => {
  const farEnd = all.find(({ port, sourcePort }) => port !== sourcePort);
  const answered = farEnd ? answeredOf(farEnd, lossUpperBound) : null;
  return answered === null ? null : !answered;
};

const STALE_NOTE =
  'A flow that this agent has kept since earlier runs gets no answer, while new ones do: the firewall holds stale state, as after a change of its outer address. Phones that keep their flows are cut off until it is flushed.';

/** One entry for each port that was to be tried; of several far ends the first that tells. */
export const judgeSourcePorts = (
  all: readonly SourcePortFacts[],
  lossUpperBound: number | null,
): readonly SourcePort[] => {
  const own = all.filter(({ port, sourcePort }) => port === sourcePort);
  const judged = own.map(({ port, seenPort, answers, packets, errors, notBound }): SourcePort => {
    const answered = answeredOf({ answers, packets, errors }, lossUpperBound);
    return { port, seenPort, answered, notBound };
  });
  return [...new Set(judged.map(({ port }) => port))].flatMap((port) => {
    const here = judged.filter((one) => one.port === port);
    return here.find(({ answered }) => answered !== null) ?? here[0] ?? [];
  });
};

/** What a reader of the report must know of it, one sentence each. */
export const sourcePortNotes = (all: readonly SourcePort[], isStale: boolean | null): readonly string[] => [
  ...(isStale === true ? [STALE_NOTE] : []),
  ...all.flatMap(({ port, answered }) =>
    answered === false
      ? [
          `Nothing comes back to source port ${port} although the same question from another port is answered: the firewall holds stale state of that port (flush it), serves one device at a time, or has a rule by source port. A device that uses this port is cut off.`,
        ]
      : [],
  ),
];
