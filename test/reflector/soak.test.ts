/** A short soak of a real reflector process; `npm run soak` is the long one. */
import { randomInt } from 'node:crypto';
import t from 'tap';
import { soak } from '../../scripts/soak/run.js';

/** Needs the whole of 127/8 as loopback, and /proc. */
const LINUX_ONLY = { skip: process.platform === 'linux' ? false : 'needs Linux', timeout: 240_000 };

t.test('mutated packets and hostile streams leave the reflector as it was', LINUX_ONLY, async (t) => {
  const seed = randomInt(2 ** 31);
  const report = await soak({ packets: 40_000, streams: 1000, seed });
  t.same(report.findings, [], `seed ${seed}: no crash, no complaint in the log, no growth, and proof at the end`);
  t.ok(report.packets >= 40_000 && report.proofs > 0);
  t.ok(report.streams + report.streamsRefused >= 1000 && report.streamsHeard > 0);
});
