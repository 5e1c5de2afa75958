/** Strangers hold as many connections as a reflector bears: agents are served all the same, and the strangers make room. */
import { execFile, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { get } from 'node:http';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { packageRoot } from '../../src/plan/package-root.js';

const cli = (name: string): string => join(packageRoot(), 'dist', 'src', 'cli', `${name}.js`);
/** An address of 127/8 that nobody else uses, so that the ports can be the profile's own. */
const ADDRESS = `127.${150 + (process.pid % 40)}.${(process.pid >> 6) % 250}.1`;
const neighbour = (host: number): string => ADDRESS.replace(/1$/, String(host));
const METRICS_PORT = 9464;
/** One network's connections. */
const CEILING = 500;

const metrics = (): Promise<string> =>
  new Promise((resolve, reject) => {
    get({ host: ADDRESS, port: METRICS_PORT, path: '/metrics' }, async (response) => {
      resolve(String(Buffer.concat(await response.toArray())));
    }).on('error', reject);
  });

interface Checked {
  readonly id: string;
  readonly transport: string;
  readonly verdict: string;
  readonly reason: string;
}

const LINUX_ONLY = { skip: process.platform === 'linux' ? false : 'needs Linux', timeout: 120_000 };

t.test('at the ceiling an agent is served', LINUX_ONLY, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-ceiling-'));
  const token = join(folder, 'token');
  const options = ['--listen', ADDRESS, '--token-file', token, '--control-port', '8443'];
  const ports = ['--udp', '3478,5060,16384-16399', '--tcp', '5060,5061', '--metrics', `${ADDRESS}:${METRICS_PORT}`];
  const reflector = spawn(process.execPath, [cli('reflector'), ...options, ...ports], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  const held: Socket[] = [];
  const ping = (): void => {
    for (const socket of held) if (!socket.destroyed) socket.write('\r\n\r\n');
  };
  // What is answered stays open (RFC 5626 keepalives).
  const pinging = setInterval(ping, 3000);
  t.teardown(() => {
    clearInterval(pinging);
    for (const socket of held) socket.destroy();
    reflector.kill();
    rmSync(folder, { recursive: true, force: true });
  });
  await new Promise<void>((resolve) => {
    reflector.stderr.on('data', (chunk: Buffer) => {
      if (String(chunk).includes('reflector ready')) resolve();
    });
  });
  // One network's strangers are answered at a limited rate: who is cut off for haste comes again.
  for (let open = 0; open < CEILING; ) {
    const socket = connect({ host: ADDRESS, port: 5060, localAddress: neighbour(9) });
    socket.on('error', () => undefined);
    const answered = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => socket.write('\r\n\r\n'));
      socket.on('data', () => resolve(true));
      socket.once('close', () => resolve(false));
    });
    if (!answered) continue;
    held.push(socket);
    open += 1;
  }
  const full = await metrics();
  t.match(full, `callpath_reflector_open_connections ${CEILING}`, 'as many as one network may have');

  const args = ['--target', ADDRESS, '--source', neighbour(5), '--token-file', token, '--json'];
  const text = await new Promise<string>((resolve) => {
    const probe = [cli('probe'), ...args, '--rtp-range', '16384-16399'];
    execFile(process.execPath, probe, { maxBuffer: 1 << 26 }, (_error, stdout) => resolve(stdout));
  });
  const { checks } = JSON.parse(text) as { checks: readonly Checked[] };
  t.ok(checks.length > 0);
  for (const { id, transport, verdict, reason } of checks) {
    // A busy machine may make it slow.
    t.match(verdict, /^(pass|degraded)$/, `${id} over ${transport}: ${reason}`);
  }
  const after = await metrics();
  const values = [...after.matchAll(/^(callpath_[a-z_]+) (\d+)$/gm)].map(([, name, value]) => [name, Number(value)]);
  const { callpath_reflector_open_connections: open = 0, callpath_reflector_refused_connections_total: refused = 0 } =
    Object.fromEntries(values) as Record<string, number>;
  t.ok(open <= CEILING, `${open} are open`);
  t.ok(refused > 0, `${refused} that showed no token were cut off`);
  for (const [, name] of after.matchAll(/^# TYPE (\S+) (?:counter|gauge)$/gm)) {
    t.match(after, new RegExp(`^# HELP ${name} \\S`, 'm'), `${name} is explained`);
  }
});
