/**
 * Adds what comes of silent questions once other bytes, or the protocol's own source port, have passed where they went: those
 * were asked later, and what was silent may pass by now. Then it was a matter of time and not of what was asked, and what was
 * observed before is no evidence any more.
 */
import type { Observation } from '../../model/observation.js';
import { askCheck } from '../ask/ask.js';
import { isSilent, passed, passesFromAnywhere } from '../observations.js';
import { type RunState, SAMPLES } from '../state.js';
import { askAgain } from './ask-again.js';

/** What is still silent has been silent for long; so many more are enough to see that it passes. */
const AT_MOST = 4;

const at = async (run: RunState, address: string): Promise<void> => {
  const { tools, observations, sweeps } = run;
  const others = new Set(run.farEnds.get(address)?.facts.otherBytesPorts ?? []);
  const isDoubtful = (one: Observation): boolean =>
    isSilent(one) ? others.has(one.check.port) : passed(one) && !passesFromAnywhere(one);
  const doubtful = observations.at(address).filter((one) => one.check.transport === 'udp' && isDoubtful(one));
  const asked = await askAgain(
    run,
    doubtful.map(({ check }) => check),
    {
      ofSweep: sweeps.again,
      single: (check) => {
        const options = { samples: SAMPLES.single, doubt: run.doubtOf(check), atMost: AT_MOST };
        return askCheck(check, tools.probeOf(check.probe), options, tools);
      },
    },
  );
  observations.record(asked.filter(passesFromAnywhere));
};

export const askWhatPassesSince = async (run: RunState): Promise<void> => {
  await Promise.all(run.proven().map(({ address }) => at(run, address)));
};
