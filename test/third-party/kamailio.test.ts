/** Kamailio as carriers run it: it limits who asks (pike), and wants to know who it is (digest). Neither is loss. */
import { type ChildProcess, execFile, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import type { Report } from '../../src/model/report.js';
import { packageRoot } from '../../src/plan/package-root.js';
import { renderTable } from '../../src/report/table.js';
import { contradictionsIn } from '../report/contradictions.js';

const KAMAILIO = '/usr/sbin/kamailio';
const missing = process.getuid?.() === 0 && existsSync(KAMAILIO) ? false : 'needs root and kamailio';
const PROBE = join(packageRoot(), 'dist', 'src', 'cli', 'probe.js');

const COMMON = `#!KAMAILIO
children=1
log_stderror=yes
listen=udp:127.0.0.1:5060
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "textops.so"
`;

/** Two requests in two seconds, as small sites are told to set it. */
const PIKE = `${COMMON}
loadmodule "pike.so"
modparam("pike", "sampling_time_unit", 2)
modparam("pike", "reqs_density_per_unit", 2)
modparam("pike", "remove_latency", 4)
request_route {
  if (!pike_check_req()) { exit; }
  sl_send_reply("200", "OK");
  exit;
}
`;

const DIGEST = `${COMMON}
loadmodule "auth.so"
request_route {
  www_challenge("carrier.example", "0");
  exit;
}
`;

t.setTimeout(240_000);

t.test('limits and challenges are answers', { skip: missing }, async (t) => {
  const space = `callpath-kam-${process.pid}`;
  const folder = await mkdtemp(join(tmpdir(), 'callpath-kamailio-'));
  execFileSync('ip', ['netns', 'add', space]);
  execFileSync('ip', ['-n', space, 'link', 'set', 'lo', 'up']);
  t.teardown(async () => {
    execFileSync('ip', ['netns', 'del', space]);
    await rm(folder, { recursive: true, force: true });
  });
  const inside = ['netns', 'exec', space];

  const start = async (config: string): Promise<ChildProcess> => {
    const file = join(folder, 'kamailio.cfg');
    await writeFile(file, config);
    const child = spawn('ip', [...inside, KAMAILIO, '-f', file, '-DD', '-E', '-Y', folder, '-P', join(folder, 'pid')], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    await new Promise<void>((resolve, reject) => {
      const hear = (chunk: Buffer): void => {
        said += String(chunk);
        if (said.includes('Listening on')) resolve();
      };
      child.stdout.on('data', hear);
      child.stderr.on('data', hear);
      child.once('exit', () => reject(new Error(`kamailio ended:\n${said}`)));
    });
    return child;
  };
  const stop = async (child: ChildProcess): Promise<void> => {
    const exit = once(child, 'exit');
    child.kill('SIGTERM');
    await exit;
  };
  const ask = async (): Promise<{ code: number; report: Report; flat: string }> => {
    const command = [...inside, process.execPath, PROBE, '--target', '127.0.0.1', '--transport', 'udp', '-o', 'json'];
    const told = await promisify(execFile)('ip', command).then(
      ({ stdout }) => ({ code: 0, stdout }),
      (error: { code: number; stdout: string }) => error,
    );
    const report = JSON.parse(told.stdout) as Report;
    const table = renderTable(report, { color: false });
    t.strictSame(contradictionsIn(report, table), []);
    return { code: told.code, report, flat: table.replace(/\s+/g, ' ') };
  };
  const sip = ({ checks }: Report) => checks.find(({ id }) => id === 'sip-options/udp/5060');

  const limiting = await start(PIKE);
  for (const turn of ['the first run', 'a run right after it']) {
    const { code, report, flat } = await ask();
    const check = sip(report);
    // Who is banned from the first packet on hears nothing, and that is no loss either.
    t.ok(check?.reason === 'answered' || check?.reason === 'no-answer', `${turn}: ${check?.verdict}/${check?.reason}`);
    t.equal(code, check?.verdict === 'pass' ? 0 : 3, turn);
    t.notMatch(flat, /access line|loses packets/, turn);
  }
  await stop(limiting);

  const challenging = await start(DIGEST);
  const { code, report, flat } = await ask();
  t.equal(code, 0);
  t.match(sip(report)?.evidence, { answer: { status: 401, authentication: ['Digest carrier.example'] } });
  t.match(flat, /answers 401 Unauthorized; wants authentication: Digest carrier\.example; Server: kamailio/);
  await stop(challenging);
});
