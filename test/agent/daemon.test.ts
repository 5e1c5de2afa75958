/** The agent as a whole in simulated time: days of runs, a lost uplink, a dying disk, another network, leaks. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Exporter, SpoolRecord } from '../../src/agent/exporters/contract.js';
import { healthOf } from '../../src/agent/health.js';
import { renderAgent } from '../../src/agent/metrics/agent-families.js';
import type { Report } from '../../src/model/report.js';
import { agentIn, configOf, liveFor, receiver, stateRoot } from './support/agent.js';
import { dead, fine, NETWORK, reportOf } from './support/sim.js';

t.setTimeout(300_000);
const root = stateRoot();
t.teardown(() => rmSync(root, { recursive: true, force: true }));

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

const newFolder = (): string => mkdtempSync(join(root, 'state-'));

const bodies = (records: readonly SpoolRecord[], kind: string) =>
  records.filter((one) => one.kind === kind).map(({ body }) => body);
/** What each change says, its members behind it. */
const changesIn = (records: readonly SpoolRecord[]): readonly string[] =>
  bodies(records, 'change').map((body) => {
    type One = { subject: { kind: string; id: string }; what: string; after: { verdict: string } };
    const { members, ...lead } = body as unknown as One & { members: readonly One[] };
    return [lead, ...members]
      .map(({ subject, what, after }) => `${subject.kind} ${subject.id} ${what} ${after.verdict}`)
      .join(', ');
  });
const eventsIn = (records: readonly SpoolRecord[]): readonly unknown[] =>
  bodies(records, 'event').map(({ type }) => type);

t.test('a rule in the firewall is told within two intervals; one lost packet and a restart are not', async (t) => {
  const { exporter, records } = receiver();
  const { state, clock, stop } = await agentIn({ folder: newFolder(), exporters: [exporter] });
  await clock.advance(5 * MINUTE);
  t.same(eventsIn(records), ['agent-started', 'baseline']);
  const runsBefore = state.runs;

  state.next = [fine({ 'sip-options/udp/5060': 'blocked/dropped' }, 'degraded')];
  await clock.advance(5 * MINUTE);
  t.same(changesIn(records), [], 'one look, refuted by the second');
  t.equal(state.runs, runsBefore + 5 + 1, 'five intervals and one second look');

  state.next = [dead, dead];
  await clock.advance(5 * MINUTE);
  t.same(changesIn(records), [], 'a reflector that restarts, and misses a run and its second look');

  state.world = fine({ 'sip-options/udp/5060': 'blocked/dropped-outbound' }, 'degraded');
  await clock.advance(2 * MINUTE);
  t.same(changesIn(records), ['check sip-options/udp/5060 changed blocked, service business-sip changed degraded']);
  const [change = {}] = bodies(records, 'change');
  t.match(change, {
    schema: 'callpath.change/1',
    target: 'hq',
    agent: { id: 'agent', name: 'branch-17' },
    direction: 'worse',
  });
  t.match(change.firstSeen, /^2026-11-21T/);
  const ids = new Set(records.map(({ id }) => id));
  t.ok(
    (change.reports as string[]).every((id) => ids.has(id)),
    'the reports that prove it were delivered before it',
  );

  state.world = dead;
  await clock.advance(30 * MINUTE);
  t.same(changesIn(records).slice(1), ['host reflector.example changed silent'], 'a dead reflector is one event');
  await stop();
  t.equal(eventsIn(records).at(-1), 'agent-stopped', 'the last word was delivered');
  t.equal(clock.timers(), 0, 'nothing is left behind');
});

t.test('what is believed survives a restart', async (t) => {
  const { exporter, records } = receiver();
  const first = await agentIn({ folder: newFolder(), exporters: [exporter] });
  await first.clock.advance(5 * MINUTE);
  await first.stop();
  const second = await agentIn({ folder: first.folder, clock: first.clock, exporters: [exporter] });
  second.state.world = fine({ 'stun-binding/udp/3478': 'blocked/dropped' });
  await second.clock.advance(2 * MINUTE);
  t.same(
    changesIn(records),
    ['check stun-binding/udp/3478 changed blocked'],
    'the rule came while the agent was stopped',
  );
  await second.stop();

  await first.clock.advance(3 * HOUR);
  const third = await agentIn({ folder: first.folder, clock: first.clock, exporters: [exporter] });
  await third.clock.advance(MINUTE);
  t.match(
    bodies(records, 'event').filter(({ type }) => type === 'runs-missed'),
    [{ job: 'hq/light', counts: { stopped: /^1(79|80|81)$/ } }],
  );
  await third.stop();
  writeFileSync(join(first.folder, 'memory.json'), '{"format":');
  const fourth = await agentIn({ folder: first.folder, clock: first.clock });
  t.ok(fourth.log.includes('the memory is unreadable: every target starts with a new baseline'));
  await fourth.stop();
});

t.test('a fault is told within a light interval and fifteen seconds, while a sweep takes minutes', async (t) => {
  const { exporter, records } = receiver();
  const schedules = [
    { kind: 'light', every: '1m' },
    { kind: 'sweep', every: '1h', jitter: '1s' },
  ];
  const config = configOf({ targets: [{ name: 'hq', host: 'reflector.example', schedules }] });
  const { state, clock, stop } = await agentIn({ folder: newFolder(), config, exporters: [exporter] });
  state.sweepTakes = 7 * MINUTE;
  // The clock begins within an hour: until the next full one nothing sweeps.
  await clock.advance(HOUR - (clock.wall() % HOUR) + 2 * MINUTE);
  const sweptBefore = bodies(records, 'report').length;
  state.world = fine({ 'sip-options/udp/5060': 'blocked/dropped-outbound' }, 'degraded');
  await clock.advance(MINUTE + 15_000);
  t.same(changesIn(records), ['check sip-options/udp/5060 changed blocked, service business-sip changed degraded']);
  await clock.advance(20 * MINUTE);
  t.equal(changesIn(records).length, 1, 'the sweep that began before it takes nothing back');
  t.ok(bodies(records, 'report').length > sweptBefore + 20);
  await stop();
});

t.test("another network of the host's is one event, and no alarm", async (t) => {
  const { exporter, records } = receiver();
  const { state, clock, stop } = await agentIn({ folder: newFolder(), exporters: [exporter] });
  await clock.advance(5 * MINUTE);
  state.network = { ...NETWORK, addresses: [...NETWORK.addresses, 'wg0 10.9.0.2'], tunnels: ['wg0'] };
  state.world = fine({ 'sip-options/udp/5060': 'blocked/dropped' }, 'degraded');
  await clock.advance(10 * MINUTE);
  t.same(changesIn(records), []);
  const told = bodies(records, 'event').filter(({ type }) => type === 'network-changed' || type === 'baseline');
  t.match(
    told.map(({ type }) => type),
    ['baseline', 'network-changed', 'baseline'],
  );
  t.match(told[1], { changes: ['address wg0 10.9.0.2 is new', 'tunnel wg0 is new'] });
  t.match(
    told[2],
    { differences: [{ kind: 'check' }, { kind: 'service' }] },
    'the fresh baseline says what is different here',
  );
  await stop();
});

t.test(
  'the uplink is cut for a day: afterwards everything arrives, once and in order',
  { timeout: 240_000 },
  async (t) => {
    const { exporter, records, line } = receiver();
    const schedules = [{ kind: 'light', every: '5m' }];
    const config = configOf({ targets: [{ name: 'hq', host: 'reflector.example', schedules }] });
    const { daemon, state, clock, log, stop } = await agentIn({ folder: newFolder(), config, exporters: [exporter] });
    await clock.advance(10 * MINUTE);
    line.up = false;
    const before = records.length;
    await clock.advance(24 * HOUR);
    t.equal(records.length, before);
    const waiting = daemon.state.spool.stats().waiting.memory ?? 0;
    t.ok(waiting >= 288, `${waiting} results are queued`);
    t.ok(line.tries < 700, `${line.tries} tries in a day: it backs off to minutes`);
    t.equal(log.filter((text) => text.includes('cannot deliver')).length, 1, 'said once');
    const health = healthOf(daemon.state, { wall: clock.wall(), monotonic: clock.monotonic() });
    t.same(
      [health.healthy, health.alive],
      [false, true],
      'somebody has to look, and no restart of the agent would mend it',
    );
    t.match(health.problems, [
      /exporter memory: its receiver has accepted nothing for 24\.0 h; \d+ results are queued/,
    ]);
    t.match(health.remarks, [/exporter memory: no route to host; \d+ results are queued/]);
    line.up = true;
    await clock.advance(10 * MINUTE);
    const reports = bodies(records, 'report');
    t.equal(reports.length, state.runs, 'every run arrived');
    t.equal(new Set(records.map(({ id }) => id)).size, records.length, 'once');
    const times = reports.map(({ startedAt }) => String(startedAt));
    t.same(times, [...times].sort(), 'in order');
    await stop();
  },
);

t.test('an exporter that refuses, fails or breaks takes nothing with it', async (t) => {
  const { exporter, records, line } = receiver();
  const poisoned = { id: '' };
  const picky: Exporter = {
    name: 'picky',
    deliver: async (batch) =>
      batch.some(({ id }) => id === poisoned.id)
        ? { outcome: 'refused', why: '422' }
        : exporter.deliver(batch, new AbortController().signal),
    close: async () => undefined,
  };
  const broken: Exporter = {
    name: 'broken',
    deliver: async () => {
      throw new TypeError('undefined is not a function');
    },
    close: async () => {
      throw new Error('cannot even close');
    },
  };
  line.up = false;
  const { daemon, clock, stop } = await agentIn({ folder: newFolder(), exporters: [picky, broken] });
  await clock.advance(10 * MINUTE);
  const { records: stored } = await daemon.state.spool.read(0, { records: 100, bytes: 1e9 });
  poisoned.id = stored[4]?.record.id ?? '';
  line.up = true;
  await clock.advance(15 * MINUTE);
  const arrived = new Set(records.map(({ id }) => id));
  t.equal(arrived.has(poisoned.id), false);
  t.ok(
    stored.every(({ record: { id } }) => id === poisoned.id || arrived.has(id)),
    'its neighbours arrived',
  );
  t.equal(daemon.state.deliveries.get('picky')?.refused, 1);
  t.match(daemon.state.deliveries.get('broken')?.lastError, /defect.*undefined is not a function/);
  await stop();
});

t.test('a run that cannot run is told once, and the next one tried', async (t) => {
  const { exporter, records } = receiver();
  const { daemon, state, clock, stop } = await agentIn({ folder: newFolder(), exporters: [exporter] });
  state.fails = '--token-file /etc/callpath/token: cannot be read (ENOENT)';
  await clock.advance(10 * MINUTE);
  t.equal(eventsIn(records).filter((type) => type === 'run-failed').length, 1);
  t.equal(daemon.state.jobs.get('hq/light')?.state.failures, 10);
  state.fails = null;
  await clock.advance(2 * MINUTE);
  t.equal(daemon.state.jobs.get('hq/light')?.state.lastError, null);
  t.ok(bodies(records, 'report').length >= 2);
  await stop();
});

t.test('the clock is set back a day, the host sleeps, the budget is spent', async (t) => {
  const { exporter, records } = receiver();
  const config = configOf({ budget: { packetsPerDay: 6000 } });
  const { clock, stop, state } = await agentIn({ folder: newFolder(), exporters: [exporter], config });
  await clock.advance(5 * MINUTE);
  clock.set(-24 * HOUR);
  await clock.advance(5 * MINUTE);
  clock.suspend(2 * HOUR);
  await clock.advance(5 * MINUTE);
  const types = eventsIn(records);
  t.ok(types.includes('clock-set') && types.includes('suspended') && types.includes('runs-missed'), types.join(' '));
  t.ok(state.runs >= 14);
  t.equal(new Set(records.map(({ id }) => id)).size, records.length);
  await clock.advance(2 * HOUR);
  const runs = state.runs;
  t.ok(runs <= 15 + 40, `${runs} runs of 150 packets on two days of 6000`);
  await clock.advance(HOUR);
  t.equal(state.runs, runs, 'then it is quiet');
  await stop();
});

/** A look as it is: some seconds of waiting, and its packets at the rate that it got. */
const lookOf = (packets: number) => (packetsPerSecond: number) => 4000 + (packets / packetsPerSecond) * 1000;

const manyTargets = (count: number, packetsPerSecond: number) =>
  configOf({
    budget: { packetsPerSecond },
    targets: Array.from({ length: count }, (_, index) => ({
      name: `branch-${index}`,
      host: 'reflector.example',
      schedules: [{ kind: 'light', every: '1m' }],
    })),
  });

const reportWith =
  (packetsSent: number) =>
  (at: number): Report => {
    const report = reportOf(fine(), at);
    return { ...report, totals: { ...report.totals, packetsSent } };
  };

t.test('forty targets each minute are looked at each minute; where the budget is too small, it is named', async (t) => {
  const enough = await agentIn({ folder: newFolder(), config: manyTargets(40, 300) });
  enough.state.takesAt = lookOf(271);
  enough.state.report = reportWith(271);
  await enough.clock.advance(10 * MINUTE);
  const before = enough.state.runs;
  await enough.clock.advance(20 * MINUTE);
  const missed = [...enough.daemon.state.jobs.values()].reduce((sum, { state }) => sum + state.missed, 0);
  t.ok(enough.state.runs - before >= 20 * 40 - 40, `${enough.state.runs - before} of 800 runs`);
  t.equal(missed, 0);
  await enough.stop();

  const scarce = await agentIn({ folder: newFolder(), config: manyTargets(40, 90) });
  scarce.state.takesAt = lookOf(271);
  scarce.state.report = reportWith(271);
  await scarce.clock.advance(20 * MINUTE);
  const reasons = [...scarce.daemon.state.jobs.values()].flatMap(({ state }) => [...state.missedBy.keys()]);
  t.same([...new Set(reasons)], ['budget'], 'and not said to be busy');
  const now = { wall: scarce.clock.wall(), monotonic: scarce.clock.monotonic() };
  t.match(
    renderAgent(healthOf(scarce.daemon.state, now), { agent: 'a', site: 'Berlin' }),
    /^callpath_agent_missed_total\{agent="a",site="Berlin",target="branch-0",run="light",reason="budget"\} \d+$/m,
  );
  await scarce.stop();
});

t.test('a drop is a problem while it goes on, and stays counted when it is past', async (t) => {
  const { exporter, records } = receiver();
  const { daemon, clock, stop } = await agentIn({ folder: newFolder(), exporters: [exporter] });
  const { spool } = daemon.state;
  const health = () => healthOf(daemon.state, { wall: clock.wall(), monotonic: clock.monotonic() });
  await clock.advance(5 * MINUTE);
  t.equal(health().healthy, true);
  const stats = spool.stats;
  Object.assign(spool, { stats: () => ({ ...stats(), dropped: { light: 7, full: 0, event: 0, change: 0 } }) });
  t.match(health().problems, [/7 results were dropped since the start/], 'at once, before the next tick');
  await clock.advance(30 * MINUTE);
  t.equal(health().healthy, false);
  t.same(
    eventsIn(records).filter((type) => String(type).includes('drop')),
    ['results-dropped'],
  );
  await clock.advance(40 * MINUTE);
  t.equal(health().healthy, true, 'nothing is wrong any more');
  t.match(health().remarks, ['7 results were dropped since the start, none of them in the last hour']);
  t.match(renderAgent(health(), { agent: 'a' }), /callpath_agent_spool_dropped\{agent="a",lane="light"\} 7/);
  await stop();
  t.same(
    eventsIn(records).filter((type) => String(type).includes('drop')),
    ['results-dropped', 'drops-ended'],
  );
});

t.test('the memory ceiling ends it in good order', async (t) => {
  const { exporter, records } = receiver();
  let bytes = 50e6;
  const { clock, stop, fatal } = await agentIn({
    folder: newFolder(),
    exporters: [exporter],
    residentBytes: () => bytes,
  });
  await clock.advance(2 * MINUTE);
  bytes = 400e6;
  await clock.advance(MINUTE);
  t.match(fatal(), /MB resident, more than agent.maxMemoryMegabytes \(256\)/);
  await stop();
  t.ok(eventsIn(records).includes('memory-ceiling'));
});

t.test('days of runs: memory flat, nothing left behind', { timeout: 240_000 }, async (t) => {
  // Half a day in which the engine's own caches still move; `npm run soak -- agent life` holds three days to a tenth.
  const result = await liveFor(newFolder(), { targets: 2, hours: 12, maxGrowth: 0.4 });
  t.comment(result.summary);
  t.ok(result.runs > 1400, `${result.runs} runs`);
  t.same(result.faults, []);
});
