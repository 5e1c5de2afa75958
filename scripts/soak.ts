/**
 * `npm run soak`: is hard on a reflector process for as long as it takes, prints figures, and ends with 1 if anything was
 * found. `--packets N --streams N --seed N`; the seed is printed, and repeats what was sent if not the order of arrival.
 * `npm run soak -- agent …` is hard on the agent instead (soak-agent.ts), `npm run soak -- attacks [NAME…]` runs the attacks of
 * scripts/soak/attacks.
 */
import { randomInt } from 'node:crypto';
import { parseArgs } from 'node:util';
import { soak } from './soak/run.js';
import { soakAgent } from './soak-agent.js';

const PACKETS = 5_000_000;
const STREAMS = 200_000;

const count = (text: string | undefined, otherwise: number): number => {
  const value = Number(text ?? otherwise);
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`"${text}" is no count`);
  return value;
};

const soakReflector = async (args: readonly string[]): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: { packets: { type: 'string' }, streams: { type: 'string' }, seed: { type: 'string' } },
  });
  const seed = count(values.seed, randomInt(2 ** 31));
  process.stdout.write(`seed ${seed}\n`);
  const { findings, ...figures } = await soak({
    packets: count(values.packets, PACKETS),
    streams: count(values.streams, STREAMS),
    seed,
    progress: (line) => process.stderr.write(`${line}\n`),
  });
  process.stdout.write(`${JSON.stringify(figures, null, 2)}\n`);
  for (const finding of findings) process.stdout.write(`found: ${finding}\n`);
  process.stdout.write(findings.length === 0 ? 'nothing found\n' : `${findings.length} findings\n`);
  return findings.length === 0 ? 0 : 1;
};

const [subject, ...rest] = process.argv.slice(2);
if (subject === 'agent') await soakAgent(rest);
else if (subject === 'attacks') {
  const { runAttacks } = await import('./soak/attacks/cli.js');
  process.exit((await runAttacks(rest, (line) => process.stdout.write(`${line}\n`))) === 0 ? 0 : 1);
} else process.exit(await soakReflector(process.argv.slice(2)));
