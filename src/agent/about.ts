/** What exporters are told of the agent, from its configuration. */
import { nameOfTarget } from './config/rules.js';
import type { Config } from './config/schema.js';
import type { ExporterDeps } from './exporters/deps.js';
import { staleAfterMs } from './stale.js';

/** Who the agent is to receivers, and for how long what it says of a target stands. */
export const aboutOf = (
  { agent, targets }: Config,
  hostname: string,
): Pick<ExporterDeps, 'labels' | 'staleAfterMs'> => ({
  labels: { agent: agent.name ?? hostname, ...(agent.site === undefined ? {} : { site: agent.site }) },
  staleAfterMs: (target, lane) =>
    staleAfterMs(
      targets
        .filter((one) => nameOfTarget(one) === target)
        .flatMap(({ schedules }) => schedules.map(({ kind, every = null }) => ({ kind, everyMs: every }))),
      lane,
    ),
});
