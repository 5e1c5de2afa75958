/**
 * `npm run flood`: junk at the highest rate that one core can send, to one port of a reflector, and beside it an agent's
 * authenticated echo stream to that port and to another. Prints what still got its answer, and what `probe` says
 * meanwhile of both ports: a flood must never make a port look blocked.
 * Needs Linux, two cores and a C compiler.
 */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Report } from '../src/model/report.js';
import { packageRoot } from '../src/plan/package-root.js';
import { requests, writeMessages } from './bench/load.js';
import { compileUdp, freePort, HOST, LOAD_CORE, startReflectorProcess, stopServers } from './bench/servers.js';

const FLOOD_MS = 8000;
const STREAM = 250;
/** As far apart as packets of a call. */
const APART_MS = 20;
const LATE_MS = 500;
const KINDS = 1000;

const token = Buffer.from(randomBytes(32).toString('base64url'));
const stranger = Buffer.from(randomBytes(32).toString('base64url'));

/** Junk, the cheapest for the reflector first. */
const junk: Readonly<Record<string, () => Promise<readonly Uint8Array[]>>> = {
  'random octets': async () => Array.from({ length: KINDS }, () => randomBytes(100)),
  'media of strangers': async () =>
    Array.from({ length: KINDS }, () => Buffer.concat([Buffer.of(0x80, 0), randomBytes(170)])),
  'bare STUN requests': async () =>
    Array.from({ length: KINDS }, () =>
      Buffer.concat([Buffer.of(0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42), randomBytes(12)]),
    ),
  "another token's OPTIONS": () => requests('sip-options', stranger, KINDS),
  'tags with a wrong MAC': async () =>
    (await requests('udp-echo', token, KINDS)).map((bytes) => Buffer.from(bytes).fill(1, bytes.length - 1)),
};

/** The share of an authenticated stream to `port` that is answered. */
const stream = async (port: number): Promise<number> => {
  const messages = await requests('udp-echo', token, STREAM);
  const socket = createSocket('udp4').bind(0, HOST);
  await once(socket, 'listening');
  let answers = 0;
  socket.on('message', () => {
    answers += 1;
  });
  for (const message of messages) {
    socket.send(message, port, HOST);
    await sleep(APART_MS);
  }
  await sleep(LATE_MS);
  socket.close();
  return answers / STREAM;
};

const profile = (flooded: number, other: number): string => `profile: flood
title: Flood
summary: The flooded port and another.
thresholds: { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.0005 }
thresholdsSource: { title: none, evidence: primary, checkedOn: 2026-11-21 }
symptomWhenBlocked: cannot-register
requirements:
${[flooded, other]
  .map(
    (port) => `  - id: port-${port}
    need: required
    role: media
    purpose: Echo
    check: { probe: udp-echo, transport: udp, port: ${port} }
    source: { title: none, evidence: primary, checkedOn: 2026-11-21 }
`,
  )
  .join('')}`;

/** What `probe` finds of each port, as `verdict/reason`. */
const verdicts = async (folder: string, ports: readonly [number, number]): Promise<readonly string[]> => {
  const file = join(folder, 'flood.yaml');
  writeFileSync(file, profile(...ports));
  const probe = join(packageRoot(), 'dist', 'src', 'cli', 'probe.js');
  const options = ['--target', HOST, '--json', '--profile', file, '--token-file', join(folder, 'token')];
  const child = spawn(process.execPath, [probe, ...options], { stdio: ['ignore', 'pipe', 'ignore'] });
  const report: unknown = JSON.parse(String(Buffer.concat(await child.stdout.toArray())));
  const { checks } = report as Report;
  return ports.map((port) => {
    const found = checks.find((one) => one.port === port && one.probe === 'udp-echo');
    return found ? `${found.verdict}/${found.reason}` : 'none';
  });
};

const print = (line: string): void => {
  process.stdout.write(`${line}\n`);
};
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`.padStart(9);

const folder = mkdtempSync(join(tmpdir(), 'callpath-flood-'));
try {
  const udp = compileUdp(folder);
  if (udp === null) throw new Error('needs a C compiler as cc');
  print('junk                      sent/s   same port   another   kernel drops   probe: same port, another');
  for (const [name, make] of Object.entries(junk)) {
    const [flooded, other, metrics] = [await freePort(), await freePort(), await freePort()];
    const extra = ['--metrics', `${HOST}:${metrics}`];
    await startReflectorProcess(folder, token, { udp: `${flooded},${other}`, first: flooded }, [], extra);
    const file = writeMessages(join(folder, 'junk'), await make());
    const flood = spawn('taskset', ['-c', LOAD_CORE, udp, 'flood', `${flooded}`, file, `${FLOOD_MS}`]);
    const output = flood.stdout.toArray();
    await sleep(LATE_MS);
    const [same, beside, said] = await Promise.all([
      stream(flooded),
      stream(other),
      verdicts(folder, [flooded, other]),
    ]);
    const [sent = 0, milliseconds = 1] = String(Buffer.concat(await output))
      .split(' ')
      .map(Number);
    const text = await (await fetch(`http://${HOST}:${metrics}/metrics`)).text();
    const drops = /^callpath_reflector_overruns_total (\d+)$/m.exec(text)?.[1] ?? 'none';
    const rate = ((sent * 1000) / milliseconds).toFixed(0).padStart(8);
    print(`${name.padEnd(24)}${rate}${percent(same)}${percent(beside)}   ${drops.padEnd(12)}   ${said.join(', ')}`);
    stopServers();
  }
} finally {
  stopServers();
  rmSync(folder, { recursive: true, force: true });
}
