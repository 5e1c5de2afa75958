/**
 * `npm run lab -- lifetimes`: the lifetimes that `--deep` measures against the kernel's own setting, up to minutes. The
 * scenario `udp-timeout-10` is its short variant among the tests.
 */
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import type { Report } from '../../../src/model/report.js';
import { cannotRun } from '../needs.js';
import { sweep } from '../network.js';
import { reflectorOnTwo, SMALL_MEDIA_RANGE } from '../parts.js';
import { runScenario } from '../run.js';
import type { NamedScenario } from '../scenario.js';

/** What a bracket may miss the truth by, at either end. */
const TOLERANCE_SECONDS = 2;
/** Before and after the silence: checks, conversations on all flows, answers that are late. */
const AROUND_SECONDS = 60;

const scenarioFor = (seconds: number): NamedScenario => ({
  name: `udp-timeout-${seconds}`,
  about: `The firewall forgets UDP flows after ${seconds} seconds of silence.`,
  sysctl: {
    'net.netfilter.nf_conntrack_udp_timeout': String(seconds),
    'net.netfilter.nf_conntrack_udp_timeout_stream': String(seconds),
  },
  parts: [reflectorOnTwo()],
  args: [...SMALL_MEDIA_RANGE, '--transport', 'udp', '--deep', '--timeout', String(seconds + AROUND_SECONDS)],
});

/** Runs the tool with its own arguments. @returns the exit code */
export const main = async (args: readonly string[]): Promise<number> => {
  const { positionals } = parseArgs({ args: [...args], allowPositionals: true });
  const obstacle = cannotRun();
  if (obstacle !== null) {
    console.log(obstacle);
    return 2;
  }
  sweep({ kept: false });
  const all = positionals.length > 0 ? positionals.map(Number) : [10, 30, 60, 180];
  const limit = pLimit(all.length);
  let wrong = 0;
  const measure = async (seconds: number): Promise<void> => {
    let brackets = 0;
    const onReport = ({ nat, durationMs }: Report): void => {
      const udp = nat.bindingLifetime.filter(({ transport }) => transport === 'udp');
      for (const { port, bidirectional, atLeastSeconds, belowSeconds } of udp) {
        brackets += 1;
        const misses =
          belowSeconds === null ||
          atLeastSeconds < seconds - TOLERANCE_SECONDS ||
          atLeastSeconds > seconds ||
          belowSeconds < seconds ||
          belowSeconds > seconds + TOLERANCE_SECONDS;
        if (misses) wrong += 1;
        const kind = bidirectional === true ? 'conversation' : 'one way';
        console.log(
          `${misses ? 'MISS' : 'ok  '} set ${seconds} s, udp ${port}, ${kind}: ${atLeastSeconds}–${belowSeconds} s (run of ${Math.round(durationMs / 1000)} s)`,
        );
      }
    };
    const outcome = await runScenario(scenarioFor(seconds), {
      ...{ verifyRules: false, keep: false, pcap: null, logs: null, fix: null },
      onReport,
    });
    for (const line of outcome.mismatches) console.log(`     set ${seconds} s: ${line}`);
    if (brackets === 0) wrong += 1;
  };
  await Promise.all(all.map((seconds) => limit(() => measure(seconds))));
  console.log(wrong === 0 ? `all within ±${TOLERANCE_SECONDS} s` : `${wrong} not within ±${TOLERANCE_SECONDS} s`);
  return wrong === 0 ? 0 : 1;
};
