/** The status page: what it says, who may ask, what it does after a restart, and how it looks in a real browser. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import t, { type Test } from 'tap';
import * as v from 'valibot';
import { createHistory } from '../../src/agent/history/history.js';
import { createSeries, SPAN_NAMES } from '../../src/agent/history/series.js';
import { StatusSchema } from '../../src/agent/status/config.js';
import { openStatus } from '../../src/agent/status/open.js';
import type { Report } from '../../src/model/report.js';
import { newId } from '../../src/model/uuid.js';
import { launch, nameless, noBrowser, overflow, PATIENCE_MS, WIDTHS, watched } from '../report/chromium.js';
import { reportOf as golden } from '../report/fixtures.js';
import { agentIn, configOf, stateRoot } from './support/agent.js';
import { dead, fine, reportOf, simClock } from './support/sim.js';

t.setTimeout(300_000);
const root = stateRoot();
t.teardown(() => rmSync(root, { recursive: true, force: true }));
const newFolder = (): string => mkdtempSync(join(root, 'status-'));

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** Where to leave pictures of the pages; nothing is left without it. */
const PICTURES = process.env.CALLPATH_PICTURES ?? null;

const TARGETS = [
  { name: 'hq', host: 'reflector.example', schedules: [{ kind: 'light', every: '5m' }] },
  { name: 'carrier', host: 'sip.carrier.example', schedules: [{ kind: 'light', every: '10m' }] },
];
const config = (status: object = {}) => configOf({ status, targets: TARGETS });

interface Reply {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
}

/** Asks as no browser would: any header, any method. */
const ask = (port: number, path: string, headers: Record<string, string> = {}, method = 'GET'): Promise<Reply> =>
  new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, path, headers, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString('utf8'),
        }),
      );
    });
    asked.on('error', reject);
    asked.end();
  });

/** An agent with its page on a free port. */
const agentWithPage = async (folder: string, clock = simClock(), status: object = {}) => {
  const agent = await agentIn({ folder, config: config(status), clock });
  const { state } = agent.daemon;
  const { history } = state;
  if (history === null) throw new Error('an agent with a status page keeps a history');
  const told: string[] = [];
  const note = (details: object, message: string): void => {
    told.push(`${message} ${JSON.stringify(details)}`);
  };
  const controller = new AbortController();
  const page = await openStatus(v.parse(StatusSchema, { listen: '127.0.0.1:0', ...status }), {
    view: {
      state,
      history,
      targets: ['hq', 'carrier'],
      now: () => ({ wall: clock.wall(), monotonic: clock.monotonic() }),
    },
    clock,
    log: { info: note, warn: note, error: note },
    keepSecret: (secret) => told.push(`kept ${secret}`),
    signal: controller.signal,
  });
  const port = page.serving()?.port ?? 0;
  const stop = async (): Promise<void> => {
    controller.abort();
    await page.close();
    await agent.stop();
  };
  return { ...agent, history, port, told, stop };
};

t.test('says what is, what was, and shows every report', async (t) => {
  const folder = newFolder();
  const first = await agentWithPage(folder);
  t.equal((await ask(first.port, '/readyz')).status, 503, 'not ready before it looked');
  t.match((await ask(first.port, '/')).body, /NO RESULT YET/);
  first.state.world = { ...fine(), rttMs: 12 };
  await first.clock.advance(2 * HOUR);
  t.equal((await ask(first.port, '/readyz')).body, 'ready\n');
  t.equal((await ask(first.port, '/healthz')).body, 'ok\n');
  const good = (await ask(first.port, '/')).body;
  t.match(good, /<strong>YES<\/strong>/);
  t.match(good, /Business SIP at hq, 24 hours: available 100 %, 2[45] runs/);
  t.match(good, /12\.0 ms/, 'the round trip');

  first.state.world = fine({ 'sip-options/udp/5060': 'blocked/dropped-outbound' }, 'degraded');
  await first.clock.advance(HOUR);
  const target = (await ask(first.port, '/targets/hq')).body;
  t.match(target, /check.*sip-options\/udp\/5060.*pass \(answered\) → blocked \(dropped-outbound\)/s, 'the change');
  const strip = /aria-label="sip-options\/udp\/5060, 24 hours: available ([\d.]+) %, (\d+) runs, (\d+) bad/.exec(
    target,
  );
  t.ok(Number(strip?.[1]) > 50 && Number(strip?.[1]) < 75, 'two hours of three', { strip: strip?.[0] });
  t.ok(target.indexOf('<code>sip-options/udp/5060') < target.indexOf('<code>sip-options/tcp/5060'), 'trouble first');
  const series = await ask(first.port, '/targets/hq/check?id=sip-options%2Fudp%2F5060&span=week');
  t.match(series.body, /Latest result.*dropped-outbound/s);
  const [, id = ''] = /\/reports\/([0-9a-f-]{36})/.exec(target) ?? [];
  const report = await ask(first.port, `/reports/${id}`);
  t.equal(report.status, 200);
  t.match(report.body, /callpath connectivity report/);
  t.equal(JSON.parse((await ask(first.port, `/reports/${id}.json`)).body).id, id);
  t.match((await ask(first.port, '/events')).body, /The agent started/);
  t.match(JSON.parse((await ask(first.port, '/health.json')).body), { healthy: true });

  first.state.takes = 10 * HOUR;
  await first.clock.advance(2 * HOUR);
  const stale = (await ask(first.port, '/')).body;
  t.match(stale, /NO CURRENT RESULT.*it said/s, 'an old answer is no answer');
  t.equal((await ask(first.port, '/?refresh=60')).headers.refresh, '60');
  await first.stop();

  const second = await agentWithPage(folder, first.clock);
  await second.clock.advance(MINUTE);
  t.equal(second.history.filled, 'whole');
  const again = (await ask(second.port, '/targets/hq')).body;
  const restored = /aria-label="sip-options\/udp\/5060, 24 hours: available [\d.]+ %, (\d+) runs, (\d+) bad/.exec(
    again,
  );
  t.equal(restored?.[2], strip?.[3], 'the spool holds what was seen before the restart');
  t.equal((await ask(second.port, `/reports/${id}`)).status, 200);
  await second.stop();
  t.equal(second.clock.timers(), 0);
});

t.test('keeps strangers out, and everything inert', async (t) => {
  const folder = newFolder();
  const secretFile = join(folder, 'secret');
  writeFileSync(secretFile, 'correct-horse-battery\n');
  t.match(
    v.safeParse(StatusSchema, { listen: '0.0.0.0:9893' }),
    { success: false, issues: [{ message: /set secretFile/, path: [{ key: 'listen' }] }] },
    'elsewhere than on loopback only with a secret',
  );
  t.ok(v.safeParse(StatusSchema, { listen: '0.0.0.0:9893', secretFile }).success);
  const { port, told, clock, state, stop } = await agentWithPage(folder, simClock(), { secretFile });
  t.ok(told.includes('kept correct-horse-battery'), 'the log learns what it must not show');
  const basic = (password: string) => ({
    authorization: `Basic ${Buffer.from(`anybody:${password}`).toString('base64')}`,
  });
  t.match(await ask(port, '/'), { status: 401, headers: { 'www-authenticate': /^Basic realm/ } });
  t.equal((await ask(port, '/', basic('wrong-horse-battery-00'))).status, 401);
  t.equal((await ask(port, '/', basic('correct-horse-battery'))).status, 200);
  t.equal((await ask(port, '/', { authorization: 'Bearer correct-horse-battery' })).status, 200);
  t.equal((await ask(port, '/readyz')).status, 503, 'one word is told to everybody');
  t.equal((await ask(port, '/health.json')).status, 401);
  const auth = { authorization: 'Bearer correct-horse-battery' };
  t.equal((await ask(port, '/', { ...auth, host: 'rebound.attacker.example' })).status, 421);
  t.equal((await ask(port, '/', auth, 'POST')).status, 405);
  for (const path of [
    '/targets/nobody',
    '/targets/hq/check?id=none',
    '/targets/hq/constructor?id=',
    '/targets/%ff',
    '/targets/hq/check/more',
    '/reports/../../etc/passwd',
    '/reports/%2e%2e%2fmemory.json',
    '/reports/ffffffff-ffff-7fff-bfff-ffffffffffff',
    '/constructor',
    '/__proto__',
  ])
    t.equal((await ask(port, path, auth)).status, 404, path);

  const hostile = golden('hostile');
  state.report = (at): Report => ({ ...hostile, id: newId(at), startedAt: new Date(at).toISOString() });
  await clock.advance(30 * MINUTE);
  for (const path of ['/', '/targets/hq', '/events']) {
    const { status, body, headers } = await ask(port, path, auth);
    t.equal(status, 200);
    t.notMatch(body, /<script|<img|<iframe|javascript:|\son[a-z]+="/i, `${path} holds no markup of strangers`);
    t.match(headers['content-security-policy'], /^default-src 'none'; style-src 'sha256-[^']+'; base-uri 'none'/);
    t.notMatch(headers['content-security-policy'], /unsafe/);
    t.equal(headers['cache-control'], 'no-store');
  }
  await stop();
});

t.test(
  'guesses at the secret from many connections let nobody in, and keep its holder out no longer than a moment',
  async (t) => {
    const folder = newFolder();
    const secretFile = join(folder, 'secret');
    const secret = 'correct-horse-battery';
    writeFileSync(secretFile, `${secret}\n`);
    const { port, stop } = await agentWithPage(folder, simClock(), { secretFile });
    const guesses = Array.from({ length: 2000 }, (_, number) => `${secret.slice(0, number % secret.length)}${number}`);
    const seen = new Map<number, number>();
    let waited = 0;
    const guess = async (): Promise<void> => {
      for (let next = guesses.pop(); next !== undefined; next = guesses.pop()) {
        const { status } = await ask(port, '/health.json', { authorization: `Bearer ${next}` });
        seen.set(status, (seen.get(status) ?? 0) + 1);
      }
    };
    const hold = async (): Promise<void> => {
      for (let turn = 0; turn < 20; turn += 1) {
        const began = performance.now();
        t.equal((await ask(port, '/health.json', { authorization: `Bearer ${secret}` })).status, 200);
        waited = Math.max(waited, performance.now() - began);
      }
    };
    await Promise.all([...Array.from({ length: 32 }, guess), hold()]);
    t.same([...seen], [[401, 2000]]);
    t.ok(waited < 5000, `${waited} ms`);
    await stop();
  },
);

t.test('how calls sounded, by direction and over time', async (t) => {
  const { history, clock, port, stop } = await agentWithPage(newFolder());
  t.notMatch((await ask(port, '/targets/hq')).body, /How calls sound/, 'nothing where no audio was sent');
  const stream = { port: 16_384, packets: 3000, reordered: 0, rFactor: 90 } as const;
  for (const [at, mos, jitterMs, lost] of [
    [0, 4.4, 1, 0],
    [MINUTE, 3.1, 41, 150],
  ] as const) {
    const outbound = { ...stream, direction: 'outbound', mos, jitterMs, lost, lossRatio: lost / 3000 } as const;
    const inbound = { ...stream, direction: 'inbound', mos: 4.4, jitterMs: 2, lossRatio: 0 } as const;
    const report = reportOf(fine(), clock.wall() - 2 * HOUR + at);
    history.note('hq', 'full', { ...report, quality: [outbound, inbound] }, 'live');
  }
  const { body } = await ask(port, '/targets/hq');
  t.match(body, /aria-label="MOS, what they hear \(outbound\), 24 hours: lowest 3\.1"/);
  t.match(body, /aria-label="Jitter, what they hear \(outbound\), 24 hours: highest 41\.0 ms"/);
  t.match(body, /2\.5 % of 6,?000 packets/);
  t.match(body, /aria-label="MOS, what we hear \(inbound\), 24 hours: lowest 4\.4"/);
  const bucket = history
    .series('hq')
    .find(({ kind, id }) => kind === 'audio' && id === 'outbound')
    ?.series.read('month', clock.wall())
    .findLast((one) => one !== null && one.audio !== null);
  t.match(bucket, { audio: { jitterMs: { min: 1, mean: 21, max: 41 } }, messages: { sent: 6000, received: 5850 } });
  const alone = await ask(port, '/targets/hq/audio?id=inbound&span=week');
  t.match(alone, { status: 200, body: /MOS, what we hear \(inbound\), 7 days: lowest 4\.4/ });
  await stop();
});

t.test('an address that is taken is tried again, and keeps nothing from being measured', async (t) => {
  const one = await agentWithPage(newFolder());
  const two = await agentWithPage(newFolder(), simClock(), { listen: `127.0.0.1:${one.port}` });
  t.match(two.told[0], /the status page is not available.*EADDRINUSE/);
  await one.stop();
  await two.clock.advance(2 * MINUTE);
  for (let waited = 0; waited < 500 && two.told.length < 2; waited += 1) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  t.match(two.told[1], /status page ready/);
  t.equal((await ask(one.port, '/healthz')).status, 200);
  await two.stop();
});

t.test('memory is bounded, and a clock that was set makes no false history', async (t) => {
  const series = createSeries();
  const look = { tone: 'good', rttMs: { min: 1, median: 2 }, messages: { sent: 3, received: 2 } } as const;
  const now = Date.UTC(2026, 10, 21, 8);
  for (let at = now - 40 * 24 * HOUR; at <= now; at += HOUR) series.note(at, look);
  for (const [span, looks] of [
    ['day', 24],
    ['week', 168],
    ['month', 720],
  ] as const) {
    const buckets = series.read(span, now);
    const sum = buckets.reduce((total, bucket) => total + (bucket?.looks.good ?? 0), 0);
    t.ok(Math.abs(sum - looks) <= 6, `${span}: ${sum} looks`);
  }
  t.match(series.read('day', now).at(-1), { rttMs: { min: 1, mean: 2, max: 2 }, messages: { sent: 3, received: 2 } });
  series.note(now + 365 * 24 * HOUR, { ...look, tone: 'bad' });
  series.note(now + 10 * MINUTE, { ...look, tone: 'warn' });
  const after = series.read('day', now + 10 * MINUTE);
  t.equal(after.at(-1)?.looks.warn, 1, 'back from another year, it goes on');
  t.equal(
    after.reduce((total, bucket) => total + (bucket?.looks.bad ?? 0), 0),
    0,
  );
  series.note(Number.NaN, look);
  for (const span of SPAN_NAMES) t.ok(series.read(span, now).length <= 168);

  const history = createHistory(['hq'], 50);
  for (let round = 0; round < 400; round += 1) {
    const report = reportOf(fine({ [`stun-binding/udp/${1000 + round}`]: 'pass' }), now + round * MINUTE);
    history.note('hq', 'light', report, 'live');
    history.note('a stranger', 'light', report, 'live');
  }
  t.equal(history.series('hq').length, 50);
  t.ok(
    history.series('hq').some(({ kind }) => kind === 'path'),
    'what is still looked at is kept',
  );
  t.equal(history.results('hq').length, 300);
  t.equal(history.series('a stranger').length, 0);
});

/** A day and a half of a branch: good, slow, lossy, blocked for an hour, a dead reflector, good again. */
const branchLife = async (agent: Awaited<ReturnType<typeof agentWithPage>>): Promise<void> => {
  const { state, clock } = agent;
  for (let hour = 0; hour < 30; hour += 1) {
    const rttMs = 18 + 6 * Math.sin(hour / 3) + (hour === 15 ? 70 : 0);
    state.world =
      hour === 12
        ? fine({ 'sip-options/udp/5060': 'blocked/dropped-outbound' }, 'degraded')
        : hour === 20
          ? dead
          : hour === 24
            ? { ...fine({ 'sip-options/udp/5060': 'altered/sip-alg' }, 'degraded'), rttMs }
            : { ...fine(), rttMs, ...(hour === 15 || hour === 16 ? { received: 2 } : {}) };
    await clock.advance(HOUR);
  }
};

const inBrowser = async (t: Test, browser: Browser): Promise<void> => {
  const agent = await agentWithPage(newFolder());
  t.teardown(agent.stop);
  await branchLife(agent);
  const { body } = await ask(agent.port, '/targets/hq');
  const [, id = ''] = /\/reports\/([0-9a-f-]{36})/.exec(body) ?? [];
  const pages = {
    now: '/',
    target: '/targets/hq',
    week: '/targets/hq?span=week',
    check: '/targets/hq/check?id=sip-options%2Fudp%2F5060',
    events: '/events',
    report: `/reports/${id}`,
  };
  const look = async (t: Test, name: string, path: string): Promise<void> => {
    const page = await browser.newPage({ javaScriptEnabled: true });
    page.setDefaultTimeout(PATIENCE_MS);
    const seen = watched(page);
    const url = `http://127.0.0.1:${agent.port}${path}`;
    const response = await page.goto(url, { waitUntil: 'load' });
    t.equal(response?.status(), 200);
    for (const width of WIDTHS) {
      await page.setViewportSize({ width, height: 900 });
      t.equal(await overflow(page), 0, `${name} does not overflow at ${width} pixels`);
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme });
        if (PICTURES)
          await page.screenshot({ path: join(PICTURES, `${name}-${width}-${colorScheme}.png`), fullPage: true });
      }
    }
    await page.emulateMedia({ colorScheme: 'light' });
    const light = await page.evaluate('getComputedStyle(document.body).backgroundColor');
    await page.emulateMedia({ colorScheme: 'dark' });
    t.not(await page.evaluate('getComputedStyle(document.body).backgroundColor'), light, 'follows the dark scheme');
    t.same(await nameless(page), [], 'a screen reader has a name for everything');
    t.equal(await page.evaluate("document.querySelectorAll('script, img, iframe, object').length"), 0);
    t.same(
      seen.filter((what) => what !== `request: ${url}`),
      [],
      'ran nothing, fetched nothing, complained of nothing',
    );
    await page.close();
  };
  for (const [name, path] of Object.entries(pages)) await t.test(name, (t) => look(t, name, path));

  // Without scripts one gets everywhere by links, and hostile text stays text.
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  await page.goto(`http://127.0.0.1:${agent.port}/`);
  await page.getByRole('link', { name: 'hq' }).first().click();
  await page.getByRole('link', { name: '30 days' }).click();
  await page.getByRole('link', { name: 'sip-options/udp/5060' }).first().click();
  await page.getByRole('link', { name: 'the report of this sample' }).click();
  t.match(page.url(), /\/reports\/[0-9a-f-]{36}$/, 'from the first page to a report without a script');
  await context.close();

  const hostile = golden('hostile');
  agent.state.report = (at): Report => ({ ...hostile, id: newId(at), startedAt: new Date(at).toISOString() });
  await agent.clock.advance(20 * MINUTE);
  for (const [name, path] of [
    ['hostile-now', '/'],
    ['hostile-target', '/targets/hq'],
  ] as const)
    await t.test(name, (t) => look(t, name, path));
};

t.test('in a real browser', { skip: noBrowser() ?? false, timeout: 300_000 }, async (t) => {
  const browser = await launch();
  t.teardown(() => browser.close());
  await inBrowser(t, browser);
});
