/** What a receiver of many agents tells them apart by: the agent's name and its site, with every record. */
import type { SpoolRecord } from './contract.js';

/** The keys are the names of the labels. */
export interface AgentLabels {
  /** `agent.name` of the configuration, or else the host's name. */
  readonly agent: string;
  /** `agent.site`; absent where the configuration names none. */
  readonly site?: string;
}

/** A record as receivers get it. The id comes first, so that it is found without parsing the line. */
export const labelled = ({ id, kind, at, target, run, body }: SpoolRecord, labels: AgentLabels) => ({
  ...{ id, kind, at, target },
  ...(run === undefined ? {} : { run }),
  labels,
  body,
});
