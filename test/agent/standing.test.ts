/** What `/metrics` says and what the status page says are the same: beside sweeps, of old results, after a restart. */
import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { aboutOf } from '../../src/agent/about.js';
import type { Exporter } from '../../src/agent/exporters/contract.js';
import { createPages } from '../../src/agent/status/pages.js';
import type { Report } from '../../src/model/report.js';
import { agentIn, configOf, stateRoot } from './support/agent.js';
import { LABELS, open } from './support/exporter.js';
import { until } from './support/services.js';
import { fine, reportOf, type SimClock, simClock, type World } from './support/sim.js';

t.setTimeout(120_000);
const root = stateRoot();
t.teardown(() => rmSync(root, { recursive: true, force: true }));

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const CONFIG = configOf({
  agent: { name: 'branch-17', site: 'Berlin' },
  status: {},
  targets: [
    {
      name: 'hq',
      host: 'reflector.example',
      schedules: [
        { kind: 'light', every: '5m' },
        { kind: 'sweep', every: '1h' },
      ],
    },
  ],
});

/** An agent with both, and what they say. */
const agentWithBoth = async (t: Test, folder: string, clock: SimClock) => {
  const about = aboutOf(CONFIG, 'host');
  t.same(about.labels, LABELS);
  const exporter = (await open(
    t,
    'prometheus',
    { listen: '127.0.0.1:0' },
    { ...about, now: clock.wall },
  )) as Exporter & { readonly port: number };
  const agent = await agentIn({ folder, config: CONFIG, clock, exporters: [exporter] });
  const { state } = agent.daemon;
  const { history } = state;
  if (history === null) throw new Error('an agent with a status page keeps a history');
  const now = () => ({ wall: clock.wall(), monotonic: clock.monotonic() });
  const pages = createPages({ state, history, targets: ['hq'], now });
  const said = async () => {
    const page = await pages(new URL('http://agent/'), {} as never, new AbortController().signal);
    const metrics = await (await fetch(`http://127.0.0.1:${exporter.port}/metrics`)).text();
    const sampleOf = (name: string): string | null =>
      new RegExp(`^${name}\\{agent="branch-17",site="Berlin",target="hq"[^}]*\\} (.*)$`, 'm').exec(metrics)?.[1] ??
      null;
    return {
      page: /<strong>([^<]*)<\/strong>/.exec(String(page.body))?.[1],
      success: sampleOf('callpath_probe_success'),
      service: sampleOf('callpath_service_verdict'),
      at: sampleOf('callpath_report_timestamp_seconds'),
    };
  };
  return { ...agent, said };
};

const worlds =
  (light: World, sweep: World) =>
  (at: number, { kind }: { readonly kind: string }): Report =>
    reportOf(kind === 'sweep' ? sweep : light, at);

t.test('the status page and /metrics say the same', async (t) => {
  const folder = mkdtempSync(join(root, 'both-'));
  const clock = simClock();
  const first = await agentWithBoth(t, folder, clock);
  await clock.advance(2 * HOUR);
  t.match(await first.said(), { page: 'YES', success: '1', service: '0' });

  const holes = fine({}, 'impaired');
  first.state.report = worlds(fine(), holes);
  await clock.advance(HOUR + 10 * MINUTE);
  const hole = await first.said();
  t.not(hole.page, 'YES');
  t.match(hole, { success: '0', service: '2' }, 'the sweep found what later samples did not meet');

  first.state.report = null;
  await clock.advance(2 * HOUR);
  const before = await first.said();
  t.match(before, { page: 'YES', success: '1', service: '0' });
  await first.stop();

  const second = await agentWithBoth(t, folder, clock);
  // Nothing runs before the clock moves; the spool is read back meanwhile.
  await until('the spool is read', async () => {
    const { page, at } = await second.said();
    return page === 'NOT KNOWN YET' || at === null ? null : true;
  });
  t.same(await second.said(), before, 'a restart forgets nothing');
  second.state.takes = 20 * HOUR;
  second.state.sweepTakes = 20 * HOUR;
  await clock.advance(10 * HOUR);
  const old = await second.said();
  t.match(old, { page: 'NO CURRENT RESULT', success: null, service: '-1' }, 'an old answer is no answer');
  t.equal(Number.isNaN(Number(old.at)), false, 'its time is still told');
  await second.stop();
});
