/** Rules of a whole service: every profile in every dialect, read by the firewalls that are installed, and complete. */
import { spawnSync } from 'node:child_process';
import t from 'tap';
import { alternativesOf, type Profile } from '../../src/model/profile.js';
import { listBundledProfiles, loadProfile } from '../../src/plan/profiles.js';
import { SERVICE_DIALECT_NAMES, SERVICE_DIALECTS } from '../../src/verdict/fixes/service/dialects.js';
import { serviceRules } from '../../src/verdict/fixes/service/rules.js';

const profiles: readonly Profile[] = await Promise.all(
  (await listBundledProfiles()).map(({ name }) => loadProfile(name)),
);

/** A profile with all that there is: both directions and families, names, marks, a timeout, a fallback. */
const FULL: Profile = {
  profile: 'full-house',
  title: "A title with 'quotes', $(commands) and `more`",
  summary: 'A service.',
  notes: [],
  thresholds: { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.01 },
  thresholdsSources: [{ title: 'a document', evidence: 'secondary', checkedOn: '2026-11-01' }],
  symptoms: { signalling: 'trunk-down' },
  udpTimeoutSeconds: 130,
  inspection: 'never',
  destinations: [
    {
      id: 'far',
      networks: [
        '198.51.100.0/24',
        '198.51.100.128/25',
        '2001:db8:1::/48',
        '2001:db8:1:2::/64',
        '203.0.113.7',
        '203.0.113.7',
      ],
      hosts: ['sip.example.com'],
      wildcards: ['*.example.com'],
      source: { title: 'a list', evidence: 'secondary', checkedOn: '2026-11-01' },
    },
  ],
  requirements: [
    {
      id: 'signalling',
      need: 'required',
      role: 'signalling',
      purpose: 'EOF',
      direction: 'both',
      destinations: ['far'],
      dscp: 26,
      source: { title: '"; reboot #', evidence: 'unverified' },
      anyOf: [
        { probe: 'sip-options', transport: 'udp', port: 5060 },
        { probe: 'sip-options', transport: 'tls', port: 5061 },
        { probes: ['sip-options'], transport: 'udp', from: 5090, to: 5099 },
      ],
    },
    {
      id: 'media',
      need: 'required',
      role: 'media',
      purpose: 'Audio',
      dscp: 46,
      fallback: { row: 'https', leaves: 'degraded' },
      source: { title: 'a document', evidence: 'secondary', checkedOn: '2026-11-01' },
      range: { probes: ['rtp-echo'], transport: 'udp', from: 10000, to: 20000 },
    },
    {
      id: 'https',
      need: 'optional',
      role: 'web',
      purpose: 'Serves where media does not pass',
      source: { title: 'a document', evidence: 'secondary', checkedOn: '2026-11-01' },
      check: { probe: 'tls-handshake', transport: 'tls', port: 443 },
    },
    {
      id: 'extra',
      need: 'optional',
      role: 'web',
      purpose: 'Nobody needs it',
      source: { title: 'a document', evidence: 'secondary', checkedOn: '2026-11-01' },
      check: { probe: 'tcp-connect', transport: 'tcp', port: 8083 },
    },
  ],
};
const all = [...profiles, FULL];

/** What stands between `<<'EOF'` and `EOF`, by the command that reads it. */
const documentsOf = (text: string): readonly { readonly command: string; readonly body: string }[] =>
  [...text.matchAll(/^(\S+(?: -\S*)*) <<'EOF'\n([\s\S]*?)^EOF$/gm)].map(([, command = '', body = '']) => ({
    command,
    body,
  }));

const has = (program: string): boolean => spawnSync('which', [program]).status === 0;
const canIsolate = spawnSync('unshare', ['-n', 'true']).status === 0;

/** Runs a script in a network namespace of its own, where rules harm nobody. */
const inNamespace = (script: string, input: string) =>
  spawnSync('unshare', ['-n', 'sh', '-c', script], { input, encoding: 'utf8' });

t.test('nft reads them', { skip: !(canIsolate && has('nft')) && 'needs root and nftables' }, async (t) => {
  const frame = "nft 'add table inet filter; add chain inet filter forward { type filter hook forward priority 0; }'";
  for (const profile of all) {
    const [document, more] = documentsOf(SERVICE_DIALECTS.nftables(serviceRules(profile)));
    t.notOk(more, 'one document');
    t.match(document?.command, /^nft -f -$/);
    const checked = inNamespace(`${frame} && nft -c -f -`, document?.body ?? '');
    t.equal(checked.stderr, '', `${profile.profile}: nothing to complain`);
    t.equal(checked.status, 0, `${profile.profile}: nft -c`);
  }
  const [document] = documentsOf(SERVICE_DIALECTS.nftables(serviceRules(FULL)));
  const twice = inNamespace(
    `${frame}; cat > /dev/null; for n in 1 2; do nft -f - <<'THERULES' || exit 1
${document?.body}
THERULES
done; nft list ruleset`,
    '',
  );
  t.equal(twice.status, 0, 'loads twice');
  t.equal(twice.stdout.match(/dport 8083/g), null, 'what is optional is left out');
  t.equal(twice.stdout.match(/comment "callpath https"/g)?.length, 2, "what serves in another row's place is not");
  t.match(twice.stdout, /ip dscp set af31|ip dscp set 0x1a/);
  t.match(twice.stdout, /ip saddr \{ 198\.51\.100\.0\/24, 203\.0\.113\.7 \} ip daddr 192\.0\.2\.10 udp dport/);
  t.match(twice.stdout, /ip6 daddr 2001:db8:1::\/48 tcp dport 5061/);
});

for (const [program, restore] of [
  ['iptables', 'iptables-restore'],
  ['ip6tables', 'ip6tables-restore'],
] as const) {
  t.test(`${restore} reads them`, { skip: !(canIsolate && has(restore)) && `needs root and ${program}` }, async (t) => {
    for (const profile of all) {
      const documents = documentsOf(SERVICE_DIALECTS.iptables(serviceRules(profile))).filter(({ command }) =>
        command.startsWith(`${restore} `),
      );
      for (const { body } of documents) {
        const checked = inNamespace(`${restore} --test --noflush`, body);
        t.equal(checked.status, 0, `${profile.profile}: ${restore} --test ${checked.stderr}`);
      }
    }
    const [document] = documentsOf(SERVICE_DIALECTS.iptables(serviceRules(FULL))).filter(({ command }) =>
      command.startsWith(`${restore} `),
    );
    const loaded = inNamespace(`${restore} --noflush && ${program}-save`, document?.body ?? '');
    t.match(loaded.stdout, /-A FORWARD -j CP-full-house/, 'they count before all others');
    t.match(loaded.stdout, /--set-dscp 0x1a/);
  });
}

t.test('every dialect holds every required row, its ports, its networks and its source', async (t) => {
  for (const dialect of SERVICE_DIALECT_NAMES) {
    for (const profile of all) {
      const text = SERVICE_DIALECTS[dialect](serviceRules(profile));
      const name = `${dialect} ${profile.profile}`;
      t.notMatch(text, /undefined|null|NaN|\[object/, `${name}: holds values`);
      t.ok(text.endsWith('\n') && !/\n\n\n/.test(text), `${name}: ends its line`);
      for (const row of profile.requirements.filter(({ need }) => need === 'required')) {
        t.ok(text.includes(row.source.title), `${name}: says where ${row.id} comes from`);
        for (const spec of alternativesOf(row)) {
          const port = 'port' in spec ? spec.port : spec.from;
          t.ok(new RegExp(`\\b${port}\\b`).test(text), `${name}: port ${port} of ${row.id}`);
        }
      }
      if (dialect === 'pf' || dialect === 'nftables') {
        // Of networks that overlap the larger one is enough.
        if (profile === FULL) continue;
        for (const network of (profile.destinations ?? []).flatMap((list) => list.networks ?? [])) {
          t.ok(text.includes(network), `${name}: ${network}`);
        }
      }
    }
  }
});

t.test('no line of text leaves its comment', async (t) => {
  for (const dialect of SERVICE_DIALECT_NAMES) {
    const lines = SERVICE_DIALECTS[dialect](serviceRules(FULL)).split('\n');
    const said = lines.filter((line) => /reboot|\$\(|`more`/.test(line));
    t.ok(said.length > 0, `${dialect}: they are there`);
    for (const line of said) t.match(line, /^\s*[#!] /, `${dialect}: ${line}`);
    t.notOk(
      lines.slice(0, -1).some((line, index) => line === 'EOF' && !lines.slice(0, index).join('\n').includes("<<'EOF'")),
    );
  }
});

t.test('a star is told and never a rule', async (t) => {
  for (const dialect of SERVICE_DIALECT_NAMES) {
    const text = SERVICE_DIALECTS[dialect](serviceRules(FULL));
    for (const line of text.split('\n').filter((one) => one.includes('*.example.com')))
      t.match(line, /^\s*[#!] /, line);
  }
});
