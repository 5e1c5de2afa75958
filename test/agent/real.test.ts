/** Many runs of the agent over real sockets against a reflector on loopback: nothing grows, nothing is left behind. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { stateRoot } from './support/agent.js';
import { startFarEnd } from './support/far-end.js';
import { reallyLive, signallingProfile } from './support/real.js';

t.setTimeout(300_000);

/** A hundred of what `npm run soak -- agent real` does ten thousand times; memory settles only later. */
const RUNS = 120;
const WARM_UP = 60;
/** So few runs say whether something piles up with each of them, and not how flat memory is. */
const MAX_GROWTH = 0.5;

const linux = process.platform === 'linux';
t.test('runs over real sockets leave nothing behind', { skip: !linux && 'needs 127/8 and /proc' }, async (t) => {
  const folder = stateRoot();
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const ports = ['--udp', '3478,5060', '--tcp', '5060', '--control-port', '8443'];
  const farEnd = await startFarEnd(folder, ports);
  t.teardown(() => farEnd.stop());
  const result = await reallyLive({
    folder: join(folder, 'state'),
    host: farEnd.address,
    tokenFile: farEnd.tokenFile,
    profiles: [signallingProfile(folder)],
    targets: 12,
    runs: RUNS,
    warmUp: WARM_UP,
    maxGrowth: MAX_GROWTH,
  });
  t.comment(result.summary);
  t.same(result.faults, []);
  t.ok(result.runs >= RUNS);
});
