/**
 * What takes too long for `npm test`: `spool [KILLS]` kills a process that fills a spool at random instants, `life
 * [HOURS]` lives through simulated hours and looks for what is left behind.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveFor, stateRoot } from '../test/agent/support/agent.js';
import { crash } from '../test/agent/support/crash.js';

const [what = '', amount] = process.argv.slice(2);
// Kills are for a real disk; simulated days are for memory.
const folder = what === 'life' ? stateRoot() : mkdtempSync(join(tmpdir(), 'callpath-soak-'));
try {
  if (what === 'spool') {
    const result = await crash(folder, Number(amount ?? 200), Math.random);
    process.stdout.write(
      `${result.kills} kills, ${result.promised} results promised, ${result.delivered} delivered, ${result.redelivered} of them again, ${result.faults.length} faults\n`,
    );
    for (const fault of result.faults) process.stdout.write(`${fault}\n`);
    process.exitCode = result.faults.length > 0 ? 1 : 0;
  } else if (what === 'life') {
    const result = await liveFor(folder, { targets: 3, hours: Number(amount ?? 72), maxGrowth: 0.1 });
    process.stdout.write(`${result.summary}; ${result.faults.length} faults\n`);
    for (const fault of result.faults) process.stdout.write(`${fault}\n`);
    process.exitCode = result.faults.length > 0 ? 1 : 0;
  } else {
    process.stderr.write('soak-agent: say "spool [KILLS]" or "life [HOURS]"\n');
    process.exitCode = 2;
  }
} finally {
  rmSync(folder, { recursive: true, force: true });
}
