/** Proposed texts that no scenario needs: real nft and iptables take each of them, and a longer timeout is one. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { type Ask, FIX_KINDS } from '../../src/verdict/fixes/ask.js';
import { iptables } from '../../src/verdict/fixes/iptables.js';
import { nftables } from '../../src/verdict/fixes/nftables.js';
import { cannotRun, missingPackages } from './needs.js';
import { createNetwork, type Network } from './network.js';
import type { Host } from './topology.js';
import { ADDRESS } from './topology.js';

const missing = process.env.CI === 'true' ? [] : missingPackages({ iptables: 'iptables', conntrack: 'conntrack' });
const obstacle = cannotRun() ?? (missing.length > 0 ? `not installed: ${missing.join(' ')}` : false);

/** The chains that the texts name. */
const RULES = `
table inet filter {
  chain forward {
    type filter hook forward priority 0;
    ct state invalid drop
  }
  chain prerouting {
    type filter hook prerouting priority 0;
  }
}
table inet nat {
  chain prerouting {
    type nat hook prerouting priority -100;
  }
}
`;

const within = (network: Network, host: Host, words: readonly string[], input = ''): string =>
  execFileSync('ip', ['netns', 'exec', network.namespace(host), ...words], { input, encoding: 'utf8' });

const asks: readonly Ask[] = FIX_KINDS.flatMap((kind): readonly Ask[] => [
  {
    kind,
    protocol: 'udp',
    ports: [
      [5060, 5060],
      [16_384, 32_767],
    ],
    address: ADDRESS.target,
    family: 4,
  },
  {
    kind,
    protocol: kind === 'udp-timeout' ? 'udp' : 'tcp',
    ports: [[5061, 5061]],
    address: ADDRESS.target6,
    family: 6,
  },
]);

t.test('nft and iptables take every proposed text', { skip: obstacle }, async (t) => {
  const options = { topology: 'masquerade', rules: RULES, sysctl: {}, resolver: null, keep: false } as const;
  const network = createNetwork(options);
  t.teardown(network.close);
  for (const ask of asks) {
    for (const [name, write] of Object.entries({ nftables, iptables })) {
      const text = write(ask);
      if (text === null) continue;
      t.doesNotThrow(
        () => within(network, 'fw', ['sh', '-e'], text),
        `${name}: ${ask.kind} ${ask.protocol} over IPv${ask.family}`,
      );
    }
  }
});

t.test('the proposed timeout holds for its target and for nothing else', { skip: obstacle }, async (t) => {
  const network = createNetwork({
    topology: 'masquerade',
    rules: RULES,
    sysctl: { 'net.netfilter.nf_conntrack_udp_timeout': '10', 'net.netfilter.nf_conntrack_udp_timeout_stream': '10' },
    resolver: null,
    keep: false,
  });
  t.teardown(network.close);
  const text = nftables({
    kind: 'udp-timeout',
    protocol: 'udp',
    ports: [[5060, 5060]],
    address: ADDRESS.target,
    family: 4,
  });
  within(network, 'fw', ['sh', '-e'], text ?? '');
  for (const port of [5060, 5070])
    within(network, 'branch', ['bash', '-c', `echo > /dev/udp/${ADDRESS.target}/${port}`]);
  const entries = within(network, 'fw', ['conntrack', '-L', '-p', 'udp']).split('\n');
  const secondsOf = (port: number): number =>
    Number(/^udp\s+17\s+(\d+)/.exec(entries.find((line) => line.includes(`dport=${port} `)) ?? '')?.[1] ?? Number.NaN);
  t.ok(secondsOf(5060) > 60, `kept for ${secondsOf(5060)} s`);
  t.ok(secondsOf(5070) <= 10, `others as before: ${secondsOf(5070)} s`);
});
