/**
 * `npm run soak -- agent`: what takes too long for `npm test`: `spool [KILLS]` kills a process that fills a spool at random instants, `life
 * [HOURS]` lives through simulated hours and looks for what is left behind, `real [RUNS]` does so with real sockets
 * against a reflector on loopback, `light [RUNS]` says what a light run takes of the processor and the agent of memory,
 * `fortnight [DAYS] [SEED]` holds what an agent tells against a diary of faults, `targets [RUNS]` lives with forty of them,
 * `straddle [ROUNDS]` has a reflector come and go in the middle of runs,
 * `uplink [HOURS]` cuts the way to a nats-server and a webhook's receiver and counts what arrives afterwards.
 */
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveFor, stateRoot } from '../test/agent/support/agent.js';
import { crash } from '../test/agent/support/crash.js';
import { startFarEnd } from '../test/agent/support/far-end.js';
import { fortnight } from '../test/agent/support/fortnight.js';
import { outage } from '../test/agent/support/outage.js';
import { reallyLive, signallingProfile } from '../test/agent/support/real.js';
import { faultsOf, straddle } from '../test/agent/support/straddle.js';

/** Runs one of them; sets the process's exit code. */
export const soakAgent = async ([what = '', amount, seed]: readonly string[]): Promise<void> => {
  // Kills are for a real disk; simulated days are for memory.
  const folder = what !== 'spool' ? stateRoot() : mkdtempSync(join(tmpdir(), 'callpath-soak-'));
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
    } else if (what === 'straddle') {
      const result = await straddle(folder, Number(amount ?? 20), Math.random);
      const faults = faultsOf(result);
      process.stdout.write(`${result.rounds} rounds; ${faults.length} faults\n`);
      for (const fault of faults) process.stdout.write(`${fault}\n`);
      process.exitCode = faults.length > 0 ? 1 : 0;
    } else if (what === 'fortnight') {
      const result = await fortnight(folder, Number(amount ?? 14), Number(seed ?? randomInt(2 ** 31)));
      process.stdout.write(`${result.summary}; ${result.faults.length} faults\n`);
      for (const fault of result.faults) process.stdout.write(`${fault}\n`);
      process.exitCode = result.faults.length > 0 ? 1 : 0;
    } else if (what === 'real' || what === 'light' || what === 'targets') {
      const target = await startFarEnd(folder);
      try {
        const result = await reallyLive({
          ...{ folder: join(folder, 'state'), host: target.address, tokenFile: target.tokenFile, maxGrowth: 0.1 },
          // One at a time is what a branch does; many at a time is what takes less than a day.
          ...(what === 'targets'
            ? { targets: 40, runs: Number(amount ?? 1000), warmUp: 200, profiles: ['business-sip'] }
            : what === 'real'
              ? { targets: 16, runs: Number(amount ?? 10_400), warmUp: 1000, profiles: [signallingProfile(folder)] }
              : { targets: 1, runs: Number(amount ?? 500), warmUp: 200, profiles: ['business-sip'] }),
        });
        process.stdout.write(`load ${loadavg()[0]?.toFixed(1)}; ${result.summary}; ${result.faults.length} faults\n`);
        for (const fault of result.faults) process.stdout.write(`${fault}\n`);
        process.exitCode = result.faults.length > 0 ? 1 : 0;
      } finally {
        await target.stop();
      }
    } else if (what === 'uplink') {
      const ends: (() => unknown)[] = [];
      try {
        const result = await outage({ teardown: (end: () => unknown) => void ends.unshift(end) }, Number(amount ?? 24));
        process.stdout.write(`${result.summary}; ${result.faults.length} faults\n`);
        for (const fault of result.faults) process.stdout.write(`${fault}\n`);
        process.exitCode = result.faults.length > 0 ? 1 : 0;
      } finally {
        for (const end of ends) await end();
      }
    } else {
      process.stderr.write(
        'soak -- agent: say "spool [KILLS]", "life [HOURS]", "real [RUNS]", "light [RUNS]", "targets [RUNS]", "fortnight [DAYS] [SEED]", "straddle [ROUNDS]" or "uplink [HOURS]"\n',
      );
      process.exitCode = 2;
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
};
