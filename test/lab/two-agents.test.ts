/** Two agents behind one NAT, at the same time and from the same source ports: each must get its own answers. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { Report } from '../../src/model/report.js';
import { cannotRun, missingPackages } from './needs.js';
import { createNetwork } from './network.js';
import { reflector } from './parts.js';
import { ours, runToEnd, startPart } from './processes.js';
import { ADDRESS } from './topology.js';

const missing = process.env.CI === 'true' ? [] : missingPackages();
const obstacle = cannotRun() ?? (missing.length > 0 ? `not installed: ${missing.join(' ')}` : null);
const SECOND_AGENT = '10.77.0.3';
const TEST_MS = 300_000;
const PROFILE = 'wifi-calling-3gpp';

t.setTimeout(TEST_MS);

t.test('two tunnels through one NAT', { skip: obstacle ?? false, timeout: TEST_MS }, async (t) => {
  const network = createNetwork({ topology: 'masquerade', rules: '', sysctl: {}, resolver: null, keep: false });
  t.teardown(() => network.close());
  const { directory } = network;
  const tokenFile = join(directory, 'token');
  writeFileSync(tokenFile, `${randomBytes(32).toString('base64url')}\n`, { mode: 0o600 });
  execFileSync('ip', ['-n', network.namespace('branch'), 'addr', 'add', `${SECOND_AGENT}/24`, 'dev', 'lan0']);
  await startPart(network, reflector(), { directory, tokenFile, certificate: () => ({ cert: '', key: '' }) });

  const agent = async (source: string): Promise<Report> => {
    const options = ['--target', ADDRESS.target, '--profile', PROFILE, '--token-file', tokenFile, '--source', source];
    const command = ours('src/cli/probe.js', ...options, '--json', '--media', '0');
    const { stdout, stderr } = await runToEnd(network, 'branch', command, { timeoutMs: TEST_MS });
    if (stdout === '') throw new Error(stderr);
    return JSON.parse(stdout) as Report;
  };
  const reports = await Promise.all([agent(ADDRESS.branch), agent(SECOND_AGENT)]);
  for (const { checks, services, network: seen } of reports) {
    t.same(
      checks.filter(({ verdict, reason }) => verdict === 'blocked' || verdict === 'unknown' || reason === 'sip-alg'),
      [],
      `${seen.localAddress}: nothing is blocked`,
    );
    t.match(services, [{ profile: PROFILE, symptoms: [] }]);
  }
  for (const port of [500, 4500]) {
    const both = reports.map(({ nat }) => nat.sourcePorts?.find((one) => one.port === port));
    t.match(both, [{ answered: true }, { answered: true }], `source port ${port} is answered for both`);
    // One of them keeps the port, the other cannot have it at the same outer address.
    t.equal(new Set(both.map((one) => one?.seenPort)).size, 2, `seen from ${both.map((one) => one?.seenPort)}`);
  }
});
