/** After a restart the status page says what the results on disk say: the same availability as who counts them by hand. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { SpoolRecord } from '../../src/agent/exporters/contract.js';
import { fillHistory } from '../../src/agent/history/fill.js';
import { createHistory } from '../../src/agent/history/history.js';
import { createSeries, SPANS, type Span } from '../../src/agent/history/series.js';
import type { Clock } from '../../src/agent/schedule/clock.js';
import { openSpool } from '../../src/agent/spool/spool.js';
import { sharesOf } from '../../src/agent/status/strip.js';
import type { Report } from '../../src/model/report.js';
import { headlineOf } from '../../src/report/story.js';
import { stateRoot } from './support/agent.js';
import { dead, fine, reportOf } from './support/sim.js';

t.setTimeout(240_000);
const root = stateRoot();
t.teardown(() => rmSync(root, { recursive: true, force: true }));

const MINUTE = 60_000;
const DAY = 86_400_000;
/** Four hours after clocks were put back in Europe: each window below reaches over the night of the change. */
const NOW = Date.UTC(2026, 9, 25, 5, 7, 30);

/** A clock of which time does not pass, and whose waits are over at once. */
const still = (wall: number): Clock => ({
  wall: () => wall,
  monotonic: () => 0,
  sinceBoot: () => 0,
  after: (_ms, callback) => {
    const handle = setImmediate(callback);
    return () => clearImmediate(handle);
  },
});

const spoolIn = (folder: string) =>
  openSpool({
    folder,
    policy: { maxBytes: 256 * 1024 * 1024, maxAgeMs: 40 * DAY },
    exporters: [],
    now: () => null,
    say: () => undefined,
  });

const worldAt = (index: number) =>
  index % 23 < 3
    ? fine({ 'sip-options/udp/5060': 'blocked/dropped-outbound' }, 'blocked')
    : index % 41 === 7
      ? dead
      : fine();

const recordOf = (report: Report): SpoolRecord => ({
  ...{ id: report.id, kind: 'report', at: report.startedAt, target: 'hq' },
  body: { ...report },
});

/** A spool with a look each `everyMs` for so long until now, and now and then a sweep or an event. */
const spoolOf = async (days: number, everyMs: number) => {
  const folder = mkdtempSync(join(root, 'spool-'));
  const spool = await spoolIn(folder);
  const reports: Report[] = [];
  for (let at = NOW - days * DAY, index = 0; at <= NOW; at += everyMs, index += 1) {
    const report = reportOf(worldAt(index), at);
    reports.push(report);
    await spool.append(recordOf(report), index % 60 === 0 ? 'full' : 'light');
    if (index % 50 === 0) await spool.append({ ...recordOf(report), id: `${index}`, kind: 'event' }, 'event');
  }
  await spool.close();
  return { folder, reports };
};

/** Counted by hand, as one would from lines of NDJSON. */
const counted = (reports: readonly Report[], span: Span) => {
  const { bucketMs, buckets } = SPANS[span];
  const from = (Math.floor(NOW / bucketMs) - buckets + 1) * bucketMs;
  const tones = reports.filter(({ startedAt }) => Date.parse(startedAt) >= from).map((one) => headlineOf(one).tone);
  const told = tones.filter((tone) => tone !== 'none').length;
  const passed = tones.filter((tone) => tone === 'good' || tone === 'warn').length;
  return { looks: tones.length, available: told === 0 ? null : passed / told };
};

const restored = async (folder: string) => {
  const spool = await spoolIn(folder);
  const history = createHistory(['hq']);
  await fillHistory(history, spool, still(NOW), new AbortController().signal);
  const path = history.series('hq').find(({ kind }) => kind === 'path');
  const { damaged } = spool.stats();
  await spool.close();
  return {
    damaged,
    filled: history.filled,
    shown: (span: Span) => {
      const { looks, available } = sharesOf(path?.series.read(span, NOW) ?? []);
      return { looks, available };
    },
  };
};

t.test('availability after a restart is that of the results, however many days are in the spool', async (t) => {
  for (const [days, everyMs] of [
    [0.9, MINUTE],
    [1.5, MINUTE],
    [7, 5 * MINUTE],
    [30, 15 * MINUTE],
  ] as const) {
    const { folder, reports } = await spoolOf(days, everyMs);
    const { shown, filled, damaged } = await restored(folder);
    for (const span of ['day', 'week', 'month'] as const)
      t.same(shown(span), counted(reports, span), `${days} days, ${span}`);
    t.same([filled, damaged], ['whole', 0]);
  }
});

t.test('a damaged file costs the results in it, counted as such', async (t) => {
  const { folder, reports } = await spoolOf(1.5, MINUTE);
  const [name = ''] = readdirSync(folder).filter((file) => file.startsWith('light'));
  const bytes = readFileSync(join(folder, name));
  // A sector of zeros over several lines; another one over one newline.
  const length = bytes.indexOf('\n', 20_000) - bytes.indexOf('\n', 8000);
  bytes.fill(0, bytes.indexOf('\n', 8000) - 10, bytes.indexOf('\n', 8000) + length);
  writeFileSync(join(folder, name), bytes);
  const spool = await spoolIn(folder);
  const left: Report[] = [];
  for await (const records of spool.walkBack(['light', 'full'], 100))
    left.push(...records.map(({ body }) => body as unknown as Report));
  await spool.close();
  const { shown, damaged } = await restored(folder);
  t.ok(reports.length - left.length > 3, `${reports.length - left.length} results were in it`);
  t.equal(damaged, reports.length - left.length, 'results, and not stretches of bytes');
  for (const span of ['day', 'week', 'month'] as const) t.same(shown(span), counted(left, span), span);
});

t.test('what is live stands, whatever the spool says of the same place or of the future', async (t) => {
  const { folder, reports } = await spoolOf(1.5, 10 * MINUTE);
  const spool = await spoolIn(folder);
  // Stored while the clock was wrong by a year.
  for (let index = 0; index < 20; index += 1)
    await spool.append(recordOf(reportOf(dead, NOW + 365 * DAY + index * 10 * MINUTE)), 'light');
  const history = createHistory(['hq']);
  const walk = fillHistory(history, spool, still(NOW), new AbortController().signal);
  const now = reportOf(fine(), NOW);
  history.note('hq', 'light', now, 'live');
  await walk;
  await spool.close();
  const path = history.series('hq').find(({ kind }) => kind === 'path');
  const { looks, available } = sharesOf(path?.series.read('day', NOW) ?? []);
  t.same({ looks, available }, counted([...reports, now], 'day'));
  const series = createSeries();
  const look = { tone: 'good', rttMs: null, messages: null } as const;
  series.note(NOW, look);
  series.note(NOW - DAY, { ...look, tone: 'bad' }, 'spool');
  t.equal(series.read('day', NOW).at(-1)?.looks.good, 1, 'an older day takes no place of this one');
});

t.test('more things than room: those that are there keep their past, targets and services before checks', async (t) => {
  const history = createHistory(['hq'], 12);
  for (let round = 0; round < 50; round += 1) {
    const checks = Object.fromEntries(
      Array.from({ length: 30 }, (_, index) => [`udp-echo/udp/${9000 + index}`, 'pass']),
    );
    history.note('hq', 'light', reportOf({ checks, ranges: {}, service: 'works' }, NOW + round * MINUTE), 'live');
  }
  const looks = history.series('hq').map(({ series }) => sharesOf(series.read('day', NOW + 49 * MINUTE)).looks);
  t.same(looks, new Array(12).fill(50));
  t.same(
    history
      .series('hq')
      .filter(({ kind }) => kind !== 'check')
      .map(({ kind }) => kind),
    ['path', 'service'],
  );
});
