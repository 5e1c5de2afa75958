/** The whole lab: first that each firewall does what its scenario says, then that the product tells the truth about it. */
import t, { type Test } from 'tap';
import { isUndecided } from './compare.js';
import { type Cell, confusionTable, falseBlocks, falsePasses } from './confusion.js';
import { loadScenarios } from './load.js';
import { cannotRun, missingFor, missingPackages } from './needs.js';
import { sweep } from './network.js';
import { type LabOptions, runScenario } from './run.js';
import { forward, type NamedScenario } from './scenario.js';

/** Some hundred and seventy scenarios, asked by hand, by the probe and again once mended: minutes on two idle cores, and more on busy ones. */
const WHOLE_LAB_MS = 2_700_000;
const ONE_SCENARIO_MS = 600_000;
/** They wait more than they compute. */
const JOBS = 4;

/** What chance decides is asked four times here, as often as its scenario says (mostly twenty times) by `npm run lab`: those take many minutes more. */
const MOST_REPEATS = 4;

/** One of each kind of rule: a helper, redirection, out and back, TCP and UDP, ranges, rejection. nftables' are tried everywhere. */
const WITH_IPTABLES = [
  'alg-both',
  'sip-answered-by-other',
  'sip-all-dropped',
  'sip-replies-rejected',
  'rtp-dropped-outbound',
  'rtp-rejected',
  'sip-tcp-reset',
];

const quiet: Omit<LabOptions, 'verifyRules'> = { keep: false, pcap: null, logs: null, fix: null };

/** Why a scenario is skipped here; false if it runs. In CI nothing is: there a missing package is a failure. */
const skipped = (scenario: NamedScenario, options: { readonly verifyRules: boolean }): string | false => {
  if (process.env.CI === 'true') return false;
  const packages = missingFor(scenario, options);
  return packages.length > 0 ? `not installed: ${packages.join(' ')}` : false;
};

const scenarios = await loadScenarios([]);
const missing = process.env.CI === 'true' ? [] : missingPackages();
const obstacle = cannotRun() ?? (missing.length > 0 ? `not installed: ${missing.join(' ')}` : null);

t.setTimeout(WHOLE_LAB_MS);

if (obstacle !== null) {
  t.test('the lab', { skip: obstacle }, async () => undefined);
} else {
  sweep({ kept: false });

  t.test('a wrong rule is noticed', async (t) => {
    const wrong: NamedScenario = {
      name: 'wrong',
      about: 'Drops TCP where the scenario says UDP.',
      rules: forward('tcp dport 5060 drop'),
      really: { 'udp/5060': 'dropped-outbound' },
    };
    const { mismatches } = await runScenario(wrong, { ...quiet, verifyRules: true });
    t.match(mismatches.join('\n'), /sip-options\/udp\/5060.* said to be dropped-outbound, was open/);
    t.match(mismatches.join('\n'), /sip-options\/tcp\/5060.* said to be open, was dropped-outbound/);
  });

  t.test('each firewall does what its scenario says', { timeout: WHOLE_LAB_MS }, async (t) => {
    t.jobs = JOBS;
    // A scenario says so itself where there is nothing that a hand-made message could show.
    for (const scenario of scenarios.filter(({ notVerified }) => notVerified === undefined)) {
      const skip = skipped(scenario, { verifyRules: true });
      t.test(scenario.name, { skip, timeout: ONE_SCENARIO_MS, buffered: true }, async (t) => {
        const { mismatches } = await runScenario(scenario, { ...quiet, verifyRules: true });
        t.same(mismatches, []);
      });
    }
  });

  const cells: Cell[] = [];
  t.test('the probe tells the truth about each firewall', { timeout: WHOLE_LAB_MS }, async (t) => {
    t.jobs = JOBS;
    for (const scenario of scenarios) {
      const skip = skipped(scenario, { verifyRules: false });
      t.test(scenario.name, { skip, timeout: ONE_SCENARIO_MS, buffered: true }, async (t: Test) => {
        const repeat = Math.min(scenario.repeat ?? 1, MOST_REPEATS);
        const run = () => runScenario(scenario, { ...quiet, verifyRules: false, fix: 'nftables', repeat });
        let outcome = await run();
        if (isUndecided(outcome.mismatches)) {
          for (const line of outcome.mismatches) t.comment(`undecided, asked again: ${line}`);
          cells.push(...outcome.cells);
          outcome = await run();
        }
        if (scenario.open !== undefined) {
          t.comment(`known to be open: ${scenario.open}`);
          for (const line of outcome.mismatches) t.comment(line);
          return;
        }
        cells.push(...outcome.cells);
        t.same(outcome.mismatches, []);
      });
    }
  });

  const withoutIptables = process.env.CI !== 'true' && missingPackages({ iptables: 'iptables' }).length > 0;
  const noIptables = withoutIptables && 'not installed: iptables';
  t.test(
    'the proposed iptables rules mend what they are said to mend',
    { timeout: WHOLE_LAB_MS, skip: noIptables },
    async (t) => {
      t.jobs = JOBS;
      for (const scenario of scenarios.filter(({ name }) => WITH_IPTABLES.includes(name))) {
        t.test(scenario.name, { timeout: ONE_SCENARIO_MS, buffered: true }, async (t: Test) => {
          const { mismatches } = await runScenario(scenario, { ...quiet, verifyRules: false, fix: 'iptables' });
          t.same(mismatches, []);
        });
      }
    },
  );

  t.test('no false pass and no false blocked', async (t) => {
    for (const line of confusionTable(cells)) t.comment(line);
    t.ok(cells.length > 0, 'something was compared');
    t.same(falsePasses(cells), []);
    t.same(falseBlocks(cells), []);
  });
}
