/** `npm run lab -- random`: firewalls drawn at random, see random.ts. */
import { parseArgs } from 'node:util';
import { cannotRun } from '../needs.js';
import { runRandom } from './random-run.js';

/** How many errors are worth printing. */
const MAX_LINES = 40;

/** Runs the tool with its own arguments. @returns the exit code */
export const main = async (args: readonly string[]): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      draws: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
      range: { type: 'string', default: '16384-32767' },
      'max-pps': { type: 'string', default: '20000' },
    },
  });
  const obstacle = cannotRun();
  if (obstacle !== null) {
    console.log(obstacle);
    return 2;
  }
  const [from = 16_384, to = 32_767] = values.range.split('-').map(Number);
  const { wrong, inexact } = await runRandom({
    draws: Number(values.draws),
    seed: Number(values.seed),
    range: [from, to],
    maxPps: Number(values['max-pps']),
    onDraw: (line) => console.log(line),
  });
  for (const line of [...wrong, ...inexact].slice(0, MAX_LINES)) console.log(`  ${line}`);
  console.log(`${values.draws} draws from seed ${values.seed}: ${wrong.length} wrong, ${inexact.length} inexact`);
  return wrong.length === 0 ? 0 : 1;
};
