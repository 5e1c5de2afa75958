/** What is in packaging/: units that systemd itself rates, and containers that share their host's network. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { packageRoot } from '../src/plan/package-root.js';

const folder = join(packageRoot(), 'packaging');
/** "OK" begins here (systemd's own scale from 0 to 10, less is better). */
const MAX_EXPOSURE = 2.5;
/** `--offline` came with systemd 250. */
const LEAST_SYSTEMD = 250;

const run = (...args: readonly string[]): string =>
  execFileSync('systemd-analyze', args, {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C', SYSTEMD_COLORS: '0' },
  });

const systemd = ((): number => {
  try {
    return Number(/^systemd (\d+)/.exec(run('--version'))?.[1] ?? 0);
  } catch {
    return 0;
  }
})();

const units = readdirSync(join(folder, 'systemd')).filter((name) => name.endsWith('.service'));

t.test(
  'systemd rates every service OK or better',
  { skip: systemd < LEAST_SYSTEMD && `needs systemd-analyze ${LEAST_SYSTEMD} (Debian package systemd)` },
  async (t) => {
    for (const unit of units) {
      const said = run('security', '--offline=yes', '--no-pager', join(folder, 'systemd', unit));
      const exposure = Number(/Overall exposure level for \S+: ([\d.]+)/.exec(said)?.[1] ?? Number.NaN);
      t.ok(exposure <= MAX_EXPOSURE, `${unit}: ${exposure}`);
    }
  },
);

t.test('every service is bounded and restarts or ends by itself', async (t) => {
  t.ok(units.includes('callpath-agent.service') && units.includes('callpath-probe.service'));
  for (const unit of units) {
    const text = readFileSync(join(folder, 'systemd', unit), 'utf8');
    t.match(text, /^MemoryMax=\d+[MG]$/m, `${unit} has a memory ceiling`);
    t.match(text, /^(Restart=always|Restart=on-failure|Type=oneshot)$/m, unit);
    t.match(text, /^NoNewPrivileges=yes$/m, unit);
  }
});

t.test("containers share their host's network", async (t) => {
  const files = readdirSync(folder).filter((name) => name.startsWith('compose'));
  t.ok(files.length >= 2);
  for (const file of files) {
    const { services } = parse(readFileSync(join(folder, file), 'utf8')) as {
      services: Record<string, { network_mode?: string; mem_limit?: string; cap_drop?: string[] }>;
    };
    for (const [name, service] of Object.entries(services)) {
      t.match(service, { network_mode: 'host', cap_drop: ['ALL'], mem_limit: /^\d+[mg]$/ }, `${file}: ${name}`);
    }
  }
});
