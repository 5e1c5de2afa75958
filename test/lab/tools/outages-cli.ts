/** `npm run lab -- outages`: lines that go away at random, see outages.ts. */
import { parseArgs } from 'node:util';
import { cannotRun } from '../needs.js';
import { sweep } from '../network.js';
import { runOutages } from './outages-run.js';

/** Runs the tool with its own arguments. @returns the exit code */
export const main = async (args: readonly string[]): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: {
      runs: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      jobs: { type: 'string', default: '4' },
    },
  });
  const obstacle = cannotRun();
  if (obstacle !== null) {
    console.log(obstacle);
    return 2;
  }
  sweep({ kept: false });
  const begun = performance.now();
  const { wrong, failed, told } = await runOutages({
    runs: Math.max(1, Number(values.runs) || 1),
    seed: Number(values.seed) || 0,
    jobs: Number(values.jobs) || 1,
    onRun: (line) => console.log(line),
  });
  for (const line of [...failed, ...wrong]) console.log(`  ${line}`);
  const seconds = Math.round((performance.now() - begun) / 1000);
  console.log(
    `${values.runs} outages from seed ${values.seed} in ${seconds} s: ${wrong.length} falsely blocked, ${told} told, ${failed.length} without a report`,
  );
  return wrong.length + failed.length === 0 ? 0 : 1;
};
