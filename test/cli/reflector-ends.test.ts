/** A reflector that is stopped in the middle of a run: its silence and its host's refusals blame no firewall. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setInterval } from 'node:timers/promises';
import t from 'tap';
import type { Report } from '../../src/model/report.js';
import { packageRoot } from '../../src/plan/package-root.js';
import { makeCredentials } from '../../src/reflector/certificate.js';
import { startReflector } from '../../src/reflector/server.js';
import { probe } from './command.js';

/** An address of its own, so that its ports are nobody else's. */
const HOST = '127.0.58.1';
const FIRST = 20_000;
const LAST = 21_999;
/** Of more than two thousand questions. */
const ENDS_AFTER = 60;
const LOOK_EVERY_MS = 20;
const TEST_MS = 120_000;
const LINUX_ONLY = { skip: process.platform === 'linux' ? false : 'needs all of 127/8', timeout: TEST_MS };

t.setTimeout(TEST_MS);

t.test('a reflector that is stopped during a run', LINUX_ONLY, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-cli-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const token = 'a token of sufficient length';
  writeFileSync(join(folder, 'token'), `${token}\n`);
  const reflector = await startReflector({
    listeners: [{ address: HOST, publicAddress: HOST }],
    ports: { udp: [3478, ...Array.from({ length: LAST - FIRST + 1 }, (_, index) => FIRST + index)], tcp: [] },
    tokens: [{ name: 'test', token: Buffer.from(token) }],
    credentials: await makeCredentials(),
    version: '0.1.0',
    processes: 1,
    warn: (message) => t.comment(message),
  });
  const running = probe([
    ...['--target', HOST, '--token-file', join(folder, 'token'), '--json', '--no-nat'],
    ...['--profile', join(packageRoot(), 'fixtures', 'profiles', 'media-only.yaml')],
    ...['--rtp-range', `${FIRST}-${LAST}`, '--exhaustive', '--max-pps', '200', '--timeout', '100'],
  ]);
  for await (const _ of setInterval(LOOK_EVERY_MS)) if (reflector.counters().datagrams >= ENDS_AFTER) break;
  await reflector.close();
  const { code, stdout, stderr } = await running;
  const { checks, ranges, services, notes } = JSON.parse(stdout) as Report;
  t.same(
    [...checks, ...ranges].filter(({ verdict }) => verdict === 'blocked' || verdict === 'degraded'),
    [],
    'nobody is blamed',
  );
  t.ok(
    ranges.some(({ verdict }) => verdict === 'pass'),
    'what it answered before is told',
  );
  t.equal(services[0]?.verdict, 'unknown');
  t.equal(code, 3, stderr);
  t.match(notes.join('\n'), /127\.0\.58\.1 refused what it had answered before/i);
});
