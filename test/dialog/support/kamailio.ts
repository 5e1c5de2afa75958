/** Kamailio on loopback as registrar and proxy: digest for registering and for calling, and Record-Route. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { freePort } from './wires.js';

const KAMAILIO = '/usr/sbin/kamailio';
export const registrarMissing: string | false = existsSync(KAMAILIO) ? false : 'needs kamailio (Debian: kamailio)';
const READY_WITHIN_MS = 20_000;
/** `tm` before `sl`, so that answers belong to their transactions. */
const MODULES = ['tm', 'sl', 'rr', 'maxfwd', 'pv', 'textops', 'siputils', 'usrloc', 'registrar', 'auth', 'htable'];

interface Rules {
  readonly algorithm: 'MD5' | 'SHA-256';
  /** Their passwords. */
  readonly users: Readonly<Record<string, string>>;
  /** Where calls to `echo` go. */
  readonly echo?: number;
}

const configOf = (port: number, { algorithm, users, echo }: Rules): string => `#!KAMAILIO
debug=2
log_stderror=yes
children=1
tcp_children=1
auto_aliases=no
alias="sip.test"
listen=udp:127.0.0.1:${port}
listen=tcp:127.0.0.1:${port}
${MODULES.map((name) => `loadmodule "${name}.so"`).join('\n')}
modparam("usrloc","db_mode",0)
modparam("rr","append_fromtag",1)
${algorithm === 'MD5' ? '' : `modparam("auth","algorithm","${algorithm}")`}
modparam("htable","htable","pw=>size=8;")
request_route {
  if (!mf_process_maxfwd_header("10")) { sl_send_reply("483","Too Many Hops"); exit; }
  if (is_method("CANCEL")) { if (t_check_trans()) t_relay(); exit; }
  if (has_totag()) {
    if (loose_route()) { t_relay(); exit; }
    if (is_method("ACK")) { if (t_check_trans()) t_relay(); exit; }
    sl_send_reply("404","Not here"); exit;
  }
  t_check_trans();
  if (!is_method("REGISTER|ACK")) record_route();
  if (is_method("REGISTER")) {
    if ($au==$null || $sht(pw=>$au)==$null) { www_challenge("sip.test","1"); exit; }
    if (!pv_www_authenticate("sip.test","$sht(pw=>$au)","0")) { www_challenge("sip.test","1"); exit; }
    consume_credentials(); save("location"); exit;
  }
  if ($au==$null || !pv_proxy_authenticate("sip.test","$sht(pw=>$au)","0")) { proxy_challenge("sip.test","1"); exit; }
  consume_credentials();
  ${echo === undefined ? '' : `if ($rU == "echo") { $du = "sip:127.0.0.1:${echo}"; t_relay(); exit; }`}
  if (!lookup("location")) { sl_send_reply("404","Not Found"); exit; }
  t_relay();
}
event_route[htable:mod-init] { ${Object.entries(users)
  .map(([user, password]) => `$sht(pw=>${user})="${password}";`)
  .join(' ')} }
`;

/** Starts it; it ends with the test. */
export const startRegistrar = async (t: Test, rules: Rules): Promise<{ readonly port: number }> => {
  const folder = await mkdtemp(join(tmpdir(), 'callpath-kamailio-'));
  const port = await freePort();
  const file = join(folder, 'kamailio.cfg');
  await writeFile(file, configOf(port, rules));
  const child: ChildProcess = spawn(
    KAMAILIO,
    ['-DD', '-E', '-f', file, '-Y', folder, '-P', join(folder, 'pid'), '-m', '64', '-M', '8'],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  t.teardown(async () => {
    if (child.exitCode === null) {
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    }
    await rm(folder, { recursive: true, force: true });
  });
  let said = '';
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`Kamailio is not ready:\n${said}`)), READY_WITHIN_MS);
    const hear = (chunk: Buffer): void => {
      said += chunk.toString();
      if (!said.includes('SO_RCVBUF is finally')) return;
      clearTimeout(timer);
      resolve();
    };
    child.stdout?.on('data', hear);
    child.stderr?.on('data', hear);
    child.once('exit', () => reject(new Error(`Kamailio ended:\n${said}`)));
  });
  return { port };
};
