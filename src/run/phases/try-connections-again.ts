/**
 * Adds what comes of silent connections that are asked again, where nothing at all was answered over any: UDP may live while
 * TCP is away for some seconds. Late, so that the seconds are over.
 */
import { askCheck } from '../ask/ask.js';
import { isSilent } from '../observations.js';
import type { RunState } from '../state.js';
import { together } from './ask-again.js';

/** Spread over two seconds, beyond which a fail-over is noticed anyway. */
const ATTEMPTS = 3;

export const tryConnectionsAgain = async (run: RunState): Promise<void> => {
  const { tools, observations } = run;
  const silent = run
    .proven()
    .filter(({ address }) => tools.timeline.firstOverConnections(address) === null)
    .flatMap(({ address }) => observations.at(address))
    .filter((one) => one.check.transport !== 'udp' && isSilent(one));
  await Promise.all(
    silent.map(async (one) => {
      const options = { samples: 1, doubt: run.doubtOf(one.check), atMost: ATTEMPTS };
      const again = await askCheck(one.check, tools.probeOf(one.check.probe), options, tools);
      observations.record([together(one, again)]);
    }),
  );
};
