/** A short soak of a real reflector process, and short reloads; `npm run soak` and `npm run soak -- attacks` are the long ones. */
import { randomInt } from 'node:crypto';
import t from 'tap';
import { reloaded } from '../../scripts/soak/attacks/reloads.js';
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

t.test(
  'reloads with files that are worse than before end nothing, leak nothing, and no probe notices',
  { ...LINUX_ONLY },
  async (t) => {
    const { findings, probes, lines } = await reloaded(150, 1);
    t.comment(lines.join('; '));
    t.same(findings, []);
    t.equal(probes, 1);
  },
);
