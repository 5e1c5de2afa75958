/**
 * `npm run lab -- soak`: many runs behind an honest NAT that loses packets. Chance must never make it an ALG, and never
 * another kind of NAT; what chance hides may be unknown, and is counted.
 */
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import type { Report } from '../../../src/model/report.js';
import { loadScenarios } from '../load.js';
import { cannotRun } from '../needs.js';
import { sweep } from '../network.js';
import { runScenario } from '../run.js';

const SCENARIO = 'nat-loss-5';
/** So many runs share a network; then a fresh one, so that no leftover of earlier flows helps or hurts. */
const RUNS_PER_NETWORK = 20;

interface Tally {
  runs: number;
  algReported: number;
  algUnknown: number;
  mappingWrong: number;
  mappingUnknown: number;
  filteringWrong: number;
  filteringUnknown: number;
}

/** Runs the tool with its own arguments. @returns the exit code */
export const main = async (args: readonly string[]): Promise<number> => {
  const { values } = parseArgs({
    args: [...args],
    options: { runs: { type: 'string', default: '500' }, networks: { type: 'string', default: '2' } },
  });
  const obstacle = cannotRun();
  if (obstacle !== null) {
    console.log(obstacle);
    return 2;
  }
  sweep({ kept: false });
  const [scenario] = await loadScenarios([SCENARIO]);
  if (!scenario) throw new Error(`no scenario ${SCENARIO}`);
  const truth = scenario.report?.nat ?? {};
  const runs = Math.max(1, Number(values.runs) || 1);
  const tally: Tally = {
    runs: 0,
    algReported: 0,
    algUnknown: 0,
    mappingWrong: 0,
    mappingUnknown: 0,
    filteringWrong: 0,
    filteringUnknown: 0,
  };
  const isWrong = (said: string, key: 'mapping' | 'filtering'): boolean => said !== 'unknown' && said !== truth[key];
  const onReport = ({ nat, sipAlg }: Report): void => {
    tally.runs += 1;
    if (sipAlg.detected === true || sipAlg.findings.length > 0) tally.algReported += 1;
    if (sipAlg.detected === null) tally.algUnknown += 1;
    if (isWrong(nat.mapping, 'mapping')) tally.mappingWrong += 1;
    if (nat.mapping === 'unknown') tally.mappingUnknown += 1;
    if (isWrong(nat.filtering, 'filtering')) tally.filteringWrong += 1;
    if (nat.filtering === 'unknown') tally.filteringUnknown += 1;
    if (tally.runs % 10 === 0 || tally.runs === runs) console.log(`${tally.runs}/${runs} ${JSON.stringify(tally)}`);
  };
  const begun = performance.now();
  const limit = pLimit(Math.max(1, Number(values.networks) || 1));
  const networks = Array.from({ length: Math.ceil(runs / RUNS_PER_NETWORK) }, (_, index) =>
    Math.min(RUNS_PER_NETWORK, runs - index * RUNS_PER_NETWORK),
  );
  const outcomes = await Promise.all(
    networks.map((repeat) =>
      limit(() =>
        runScenario(scenario, { verifyRules: false, keep: false, pcap: null, logs: null, fix: null, repeat, onReport }),
      ),
    ),
  );
  const mismatches = outcomes.flatMap((outcome) => outcome.mismatches);
  const counted = new Map<string, number>();
  for (const line of mismatches) counted.set(line, (counted.get(line) ?? 0) + 1);
  for (const [line, count] of counted) console.log(`${count} × ${line}`);
  const wrong = tally.algReported + tally.mappingWrong + tally.filteringWrong;
  const seconds = Math.round((performance.now() - begun) / 1000);
  console.log(`${tally.runs} of ${runs} runs in ${seconds} s, ${wrong} false statements: ${JSON.stringify(tally)}`);
  return wrong === 0 && tally.runs === runs ? 0 : 1;
};
