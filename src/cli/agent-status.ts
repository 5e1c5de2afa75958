/** From the configuration's `status` to a running status page, loaded only where it is asked for. */
import * as v from 'valibot';
import { nameOfTarget } from '../agent/config/rules.js';
import type { Config } from '../agent/config/schema.js';
import type { DaemonState } from '../agent/daemon.js';
import type { StatusDeps } from '../agent/status/open.js';

/** Opens the page if the configuration has one. @throws UserError if a file that it names cannot be used */
export const openStatusOf = async (
  config: Config,
  state: DaemonState,
  deps: Omit<StatusDeps, 'view'>,
): Promise<{ close(): Promise<void> }> => {
  const { history } = state;
  if (config.status === undefined || history === null) return { close: async () => undefined };
  const [{ openStatus }, { StatusSchema }] = await Promise.all([
    import('../agent/status/open.js'),
    import('../agent/status/config.js'),
  ]);
  const { clock } = deps;
  const now = () => ({ wall: clock.wall(), monotonic: clock.monotonic() });
  return openStatus(v.parse(StatusSchema, config.status), {
    ...deps,
    view: { state, history, targets: config.targets.map(nameOfTarget), now },
  });
};
