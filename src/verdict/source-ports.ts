/** What a NAT or firewall makes of traffic from its protocol's own port, told as an observation. Pure. */
import type { SourcePortFacts } from '../model/stages.js';
import { doubtOfSilence, RANGE_PORT_DOUBT } from './silence.js';

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

/** One entry for each port that was to be tried; of several far ends the first that tells. */
export const judgeSourcePorts = (
  all: readonly SourcePortFacts[],
  lossUpperBound: number | null,
): readonly SourcePort[] => {
  const judged = all.map(({ port, seenPort, answers, packets, errors, notBound }): SourcePort => {
    const isSilent = answers === 0 && packets > 0 && errors.length === 0;
    const isDropped = isSilent && doubtOfSilence(packets, lossUpperBound) <= RANGE_PORT_DOUBT;
    return { port, seenPort, answered: answers > 0 ? true : isDropped ? false : null, notBound };
  });
  return [...new Set(judged.map(({ port }) => port))].flatMap((port) => {
    const own = judged.filter((one) => one.port === port);
    return own.find(({ answered }) => answered !== null) ?? own[0] ?? [];
  });
};

/** What a reader of the report must know of it, one sentence each. */
export const sourcePortNotes = (all: readonly SourcePort[]): readonly string[] =>
  all.flatMap(({ port, answered }) =>
    answered === false
      ? [
          `Nothing comes back to source port ${port} although the same question from another port is answered: the firewall holds stale state of that port (flush it), serves one device at a time, or has a rule by source port. A device that uses this port is cut off.`,
        ]
      : [],
  );
