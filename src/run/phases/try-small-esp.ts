/**
 * Adds the UDP ports on which ESP passes in a small packet although a large one stayed silent: a limit of size, not of
 * protocol.
 */
import { askCheck } from '../ask/ask.js';
import { isSilent, passed } from '../observations.js';
import type { RunState } from '../state.js';
import { DISCRIMINATOR } from './try-other-bytes.js';

const smallEspAt = async (run: RunState, address: string): Promise<void> => {
  const { tools } = run;
  const small = tools.probeOf('nat-t-keepalive');
  const asked = await Promise.all(
    run.observations
      .at(address)
      .filter((one) => isSilent(one) && one.check.probe === 'esp-in-udp')
      .map(({ check }) => askCheck({ ...check, probe: small.kind }, small, DISCRIMINATOR, tools)),
  );
  run.farEnds.learn(address, { smallEspPorts: asked.filter(passed).map(({ check }) => check.port) });
};

export const trySmallEsp = async (run: RunState): Promise<void> => {
  await Promise.all(run.proven().map(({ address }) => smallEspAt(run, address)));
};
