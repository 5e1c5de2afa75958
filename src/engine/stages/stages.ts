/**
 * What is asked of a reflector once it has proven itself and the checks are done: questions that take several exchanges,
 * or several sockets. Each stage brings home facts; src/verdict/ judges them.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import { NO_FACTS, type StageFacts } from '../../model/stages.js';
import type { Stage } from './evidence.js';
import { sipStage } from './sip.js';

export interface StageOptions {
  /** Adds what takes minutes. */
  readonly deep: boolean;
}

/** One proven reflector's address, and what is known of it. */
export interface Proven {
  readonly address: string;
  readonly observations: readonly Observation[];
  readonly ways: readonly Check[];
}

export interface StageTools extends Stage {
  readonly probeOf: (kind: Check['probe']) => Probe;
}

/** Runs all stages. What the signal cuts off is left out. */
export const runStages = async (
  proven: readonly Proven[],
  _options: StageOptions,
  tools: StageTools,
): Promise<StageFacts> => {
  if (tools.signal.aborted) return NO_FACTS;
  const sip = await Promise.all(proven.map(({ observations, ways }) => sipStage(observations, { ...tools, ways })));
  return { sip: sip.flatMap((facts) => facts ?? []) };
};
