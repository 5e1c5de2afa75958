/** A few firewalls drawn at random, against both modes: no port is called what it is not. `npm run lab -- random` has more. */
import t from 'tap';
import { cannotRun, missingPackages } from '../needs.js';
import { runRandom } from './random-run.js';

/** One of each loss is drawn by four seeds in a row. */
const DRAWS = 4;
/** Repeatable, and printed with every failure. */
const SEED = 20_261;
const TIMEOUT_MS = 600_000;

const missing = process.env.CI === 'true' ? [] : missingPackages();
const obstacle = cannotRun() ?? (missing.length > 0 ? `not installed: ${missing.join(' ')}` : null);

t.setTimeout(TIMEOUT_MS);

t.test('random holes under loss', { skip: obstacle ?? false, timeout: TIMEOUT_MS }, async (t) => {
  const lines: string[] = [];
  const { wrong } = await runRandom({
    draws: DRAWS,
    seed: SEED,
    range: [20_000, 20_999],
    maxPps: 5000,
    onDraw: (line) => lines.push(line),
  });
  for (const line of lines) t.comment(line);
  t.equal(lines.length, DRAWS);
  t.same(wrong, []);
});
