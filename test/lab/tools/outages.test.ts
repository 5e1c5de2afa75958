/** A few lines that go away at random: nothing is called blocked. `npm run lab -- outages` has more. */
import t from 'tap';
import type { Report } from '../../../src/model/report.js';
import { cannotRun, missingPackages } from '../needs.js';
import { drawOutage, falselyBlocked } from './outages.js';
import { runOutages } from './outages-run.js';

/** Repeatable, and printed with every failure. */
const SEED = 20_261;
const RUNS = 8;
const TIMEOUT_MS = 600_000;

const missing = process.env.CI === 'true' ? [] : missingPackages();
const obstacle = cannotRun() ?? (missing.length > 0 ? `not installed: ${missing.join(' ')}` : null);

t.setTimeout(TIMEOUT_MS);

t.test('a seed gives the same outage, within its bounds', async (t) => {
  const lengths = Array.from({ length: 200 }, (_, seed) => {
    const drawn = drawOutage(seed);
    t.same(drawOutage(seed), drawn);
    t.ok(drawn.lossPercent >= 0 && drawn.lossPercent <= 5);
    return drawn.outage.seconds;
  });
  t.ok(Math.min(...lengths) >= 1 && Math.max(...lengths) <= 8);
});

t.test('what says blocked is found', async (t) => {
  const line = (verdict: string) => ({ id: 'sip-options/udp/5060', verdict, reason: 'dropped', from: 1, to: 2 });
  const report = (verdict: string, service: string) =>
    ({
      checks: [line(verdict)],
      ranges: [line(verdict)],
      services: [{ profile: 'p', verdict: service }],
    }) as unknown as Report;
  t.same(falselyBlocked(report('unknown', 'unknown')), []);
  t.equal(falselyBlocked(report('blocked', 'impaired')).length, 3);
});

t.test('random outages under loss', { skip: obstacle ?? false, timeout: TIMEOUT_MS }, async (t) => {
  const lines: string[] = [];
  const { wrong, failed } = await runOutages({ runs: RUNS, seed: SEED, jobs: 4, onRun: (line) => lines.push(line) });
  for (const line of lines) t.comment(line);
  t.equal(lines.length, RUNS);
  t.same(wrong, []);
  t.same(failed, []);
});
