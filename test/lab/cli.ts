/** `npm run lab`: options in, one line per scenario, the confusion table, exit code out; or one of the lab's tools. */
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import pLimit from 'p-limit';
import { type LaterResult, latencyOfOurs } from './compare.js';
import { confusionTable } from './confusion.js';
import { loadScenarios } from './load.js';
import { cannotRun, missingPackages } from './needs.js';
import { type Network, sweep } from './network.js';
import { DIST } from './processes.js';
import { type Outcome, runScenario } from './run.js';
import { keepBusy } from './tools/busy.js';

const USAGE = `npm run lab -- [options] [scenario …]
npm run lab -- TOOL [options]

  --list           names the scenarios and what each network does
  --verify-rules   asks the firewalls themselves, with hand-made messages, and not the product
  --keep           leaves the networks up with everything in them, and says how to enter and how to remove them
  --clean          removes what earlier labs left up, and what --keep kept
  --pcap DIR       writes what the firewall sees to DIR/SCENARIO.pcap
  --logs DIR       keeps reports and logs
  --fix            puts the nftables rules that the report proposes into the firewall, and asks again
  --fix-iptables   the same with its iptables rules
  --jobs N         so many scenarios side by side (default 4)
  --repeat N       runs the probe so often in each network, to see that chance changes nothing
  --audio          sends audio as a run does by default, in every scenario
  --load           keeps the machine busy with two loops, and counts latency that no path has

tools:
  random           firewalls drawn at random; --draws N --seed S --range A-B --max-pps N
  outages          lines that go away at random, under loss; --runs N --seed S --jobs N
  soak             runs behind an honest NAT that loses packets; --runs N --networks N
  lifetimes        binding lifetimes against the kernel's setting; SECONDS …`;

const TOOLS: Readonly<Record<string, () => Promise<{ readonly main: (args: readonly string[]) => Promise<number> }>>> =
  {
    random: () => import('./tools/random-cli.js'),
    outages: () => import('./tools/outages-cli.js'),
    soak: () => import('./tools/soak.js'),
    lifetimes: () => import('./tools/lifetimes.js'),
  };

/** What a machine that is busy of its own accord has more of. */
const BUSY_LOOPS = 2;

/** Scenarios mostly wait for silence, so there may be more of them than cores. */
const DEFAULT_JOBS = '4';

const keptNote = (network: Network): readonly string[] => [
  `  kept; logs and token are in ${network.directory}`,
  ...network.hosts.map((host) => `  enter ${host}: ip netns exec ${network.namespace(host)} bash`),
  '  remove: npm run lab -- --clean',
];

const lineOf = ({ scenario, status, mismatches, ms, kept }: Outcome): string => {
  const word = { ok: 'ok  ', failed: 'FAIL', skipped: 'SKIP' }[status];
  const note = status === 'skipped' ? ` (${mismatches.join(', ')})` : '';
  return [
    `${word} ${scenario.name}  ${(ms / 1000).toFixed(1)} s${note}`,
    ...(status === 'failed' ? mismatches.map((line) => `       ${line}`) : []),
    ...(kept ? keptNote(kept) : []),
  ].join('\n');
};

/** What waits for an issue, and what has been reached and may move to what is expected now. */
const laterLines = (outcomes: readonly Outcome[]): readonly string[] => {
  const all = outcomes.flatMap(({ scenario, later }) => later.map((one) => ({ ...one, name: scenario.name })));
  const issues = [...new Set(all.map(({ issue }) => issue))];
  const namesOf = (some: readonly (LaterResult & { name: string })[]): string =>
    [...new Set(some.map(({ name }) => name))].join(' ');
  return [
    `expect later: ${all.filter(({ reached }) => !reached).length} of ${all.length} statements not reached, in ${issues.length} issues`,
    ...issues.flatMap((issue) => {
      const some = all.filter((one) => one.issue === issue);
      const waiting = some.filter(({ reached }) => !reached);
      const reached = some.filter((one) => one.reached);
      return [
        ...(waiting.length > 0 ? [`  ${issue}: ${waiting.length} in ${namesOf(waiting)}`] : []),
        ...(reached.length > 0 ? [`  ${issue}: ${reached.length} reached already in ${namesOf(reached)}`] : []),
      ];
    }),
  ];
};

const main = async (): Promise<number> => {
  const [name = '', ...args] = process.argv.slice(2);
  const tool = Object.hasOwn(TOOLS, name) ? TOOLS[name] : undefined;
  if (tool) return (await tool()).main(args);
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      list: { type: 'boolean', default: false },
      'verify-rules': { type: 'boolean', default: false },
      keep: { type: 'boolean', default: false },
      clean: { type: 'boolean', default: false },
      pcap: { type: 'string' },
      logs: { type: 'string' },
      fix: { type: 'boolean', default: false },
      'fix-iptables': { type: 'boolean', default: false },
      jobs: { type: 'string', default: DEFAULT_JOBS },
      repeat: { type: 'string' },
      audio: { type: 'boolean', default: false },
      load: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) {
    console.log(USAGE);
    return 0;
  }
  const scenarios = await loadScenarios(positionals);
  if (values.list) {
    for (const { name, about } of scenarios) console.log(`${name.padEnd(32)} ${about}`);
    return 0;
  }
  const obstacle = cannotRun();
  if (obstacle !== null) {
    console.log(obstacle);
    return 0;
  }
  const missing = missingPackages(values.pcap === undefined ? {} : { tcpdump: 'tcpdump' });
  if (missing.length > 0) {
    console.log(`missing: apt-get install ${missing.join(' ')}`);
    return 1;
  }
  const swept = sweep({ kept: values.clean });
  if (swept > 0) console.log(`removed ${swept} namespaces of earlier labs`);
  if (values.clean) return 0;
  const programs = ['src/cli/probe.js', 'src/cli/reflector.js'].filter((program) => !existsSync(join(DIST, program)));
  if (programs.length > 0 && !values['verify-rules']) {
    console.log(`missing: dist/${programs.join(', dist/')}; npm run build`);
    return 1;
  }

  const limit = pLimit(Math.max(1, Number(values.jobs) || 1));
  const stopLoad = values.load ? keepBusy(BUSY_LOOPS) : () => undefined;
  const late: string[] = [];
  const outcomes = await Promise.all(
    scenarios.map((scenario) =>
      limit(async () => {
        const asked = values.audio ? { ...scenario, audio: true } : scenario;
        const outcome = await runScenario(asked, {
          verifyRules: values['verify-rules'],
          keep: values.keep,
          pcap: values.pcap === undefined ? null : resolve(values.pcap),
          logs: values.logs === undefined ? null : resolve(values.logs),
          fix: values['fix-iptables'] ? 'iptables' : values.fix ? 'nftables' : null,
          onReport: (report) => late.push(...latencyOfOurs(scenario, report)),
          ...(values.repeat !== undefined && { repeat: Math.max(1, Number(values.repeat) || 1) }),
        });
        console.log(lineOf(outcome));
        return outcome;
      }),
    ),
  );
  stopLoad();
  const count = (status: Outcome['status']): number => outcomes.filter((outcome) => outcome.status === status).length;
  if (!values['verify-rules']) {
    console.log(`\n${confusionTable(outcomes.flatMap(({ cells }) => cells)).join('\n')}`);
    console.log(`\n${laterLines(outcomes).join('\n')}`);
  }
  if (values.load) {
    console.log(`\n${late.length} × latency that the path does not have`);
    for (const line of late) console.log(`  ${line}`);
  }
  const skipped = outcomes.filter(({ status }) => status === 'skipped');
  const packages = [...new Set(skipped.flatMap(({ mismatches }) => mismatches))].join(', ');
  const skippedNote = skipped.length > 0 ? `, ${skipped.length} skipped (${packages})` : '';
  console.log(`${count('ok')} ok, ${count('failed')} failed${skippedNote}`);
  return count('ok') === outcomes.length ? 0 : 1;
};

try {
  // A kept network's processes are still ours; they must not keep us.
  process.exit(await main());
} catch (error) {
  console.error(error instanceof Error ? error.message : String(error));
  process.exit(2);
}
