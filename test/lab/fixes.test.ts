/** Proposed texts that no scenario needs: real nft and iptables take each of them, and a longer timeout is one. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { parseNetwork } from '../../src/model/network-text.js';
import type { Profile } from '../../src/model/profile.js';
import { diagnose } from '../../src/verdict/diagnose.js';
import { type Ask, FIX_KINDS } from '../../src/verdict/fixes/ask.js';
import { iptables } from '../../src/verdict/fixes/iptables.js';
import { nftables } from '../../src/verdict/fixes/nftables.js';
import { type Item, weigh, weighService } from '../../src/verdict/services.js';
import { asIptables } from './fix.js';
import { cannotRun, missingPackages } from './needs.js';
import { createNetwork, type Network } from './network.js';
import type { Host } from './topology.js';
import { ADDRESS } from './topology.js';

const missing = process.env.CI === 'true' ? [] : missingPackages({ iptables: 'iptables', conntrack: 'conntrack' });
const obstacle = cannotRun() ?? (missing.length > 0 ? `not installed: ${missing.join(' ')}` : false);

/** Drops SIP, wherever it goes. */
const CLOSED = `
table inet filter {
  chain forward {
    type filter hook forward priority 0;
    udp dport 5060 drop
  }
}
`;

/** What is proposed where a reflector shows that UDP 5060 is dropped, for a service in these networks. */
const weighed = (networks: readonly string[]) => {
  const source = { title: 'a list', evidence: 'secondary', checkedOn: '2026-11-01' } as const;
  const profile: Profile = {
    ...{ profile: 'voip', title: 'A service', summary: '', notes: [], thresholdsSources: [] },
    thresholds: { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.01 },
    symptoms: { signalling: 'cannot-register' },
    destinations: networks.length > 0 ? [{ id: 'sip', networks, source }] : [],
    requirements: [
      {
        ...{ id: 'sip', need: 'required', role: 'signalling', purpose: 'SIP', destinations: ['sip'], source },
        check: { probe: 'sip-options', transport: 'udp', port: 5060 },
      },
    ],
  };
  const item: Item = {
    id: 'sip-options/udp/5060',
    probe: 'sip-options',
    transport: 'udp',
    address: ADDRESS.target,
    from: 5060,
    to: 5060,
    finding: { verdict: 'blocked', reason: 'dropped-outbound' },
    partly: false,
    provable: true,
  };
  return diagnose(
    weighService(
      profile,
      profile.requirements.map((row) => weigh(row, [[item]])),
    ),
  );
};

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

const networks = (...texts: readonly string[]) => texts.flatMap((text) => parseNetwork(text) ?? []);

const asks: readonly Ask[] = FIX_KINDS.flatMap((kind): readonly Ask[] => [
  {
    kind,
    protocol: 'udp',
    ports: [
      [5060, 5060],
      [16_384, 32_767],
    ],
    networks: networks(ADDRESS.target, '203.0.113.0/24'),
    family: 4,
  },
  {
    kind,
    protocol: kind === 'udp-timeout' ? 'udp' : 'tcp',
    ports: [[5061, 5061]],
    networks: networks(ADDRESS.target6),
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
    networks: networks(ADDRESS.target),
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

/** Whether a datagram from the branch to that address arrives, by a counter at the far end. */
const arrives = (network: Network, address: string): boolean => {
  const count = (): number =>
    Number(/packets (\d+)/.exec(within(network, 'wan', ['nft', 'list', 'counter', 'inet', 'seen', 'sip']))?.[1]);
  within(network, 'wan', ['nft', '-f', '-'], SEEN.replaceAll('ADDRESS', address));
  const before = count();
  within(network, 'branch', ['bash', '-c', `echo > /dev/udp/${address}/5060`]);
  return count() > before;
};

const SEEN = `
table inet seen {
}
delete table inet seen
table inet seen {
  counter sip {
  }
  chain input {
    type filter hook input priority 0;
    ip daddr ADDRESS udp dport 5060 counter name sip
  }
}
`;

/** Of documentation (RFC 5737), and where the service is in this test. */
const SERVICE = { network: '203.0.113.0/24', address: '203.0.113.5' } as const;

t.test('the rule for the service opens the service, the one for the test does not', { skip: obstacle }, async (t) => {
  const blocked = (networks: readonly string[]) => {
    const [item] = weighed(networks).fixes;
    if (item === undefined) throw new Error('nothing is proposed');
    return item;
  };
  const fix = blocked([SERVICE.network]);
  for (const dialect of ['nftables', 'iptables'] as const) {
    const network = createNetwork({
      topology: 'masquerade',
      rules: dialect === 'nftables' ? CLOSED : asIptables(CLOSED),
      ...{ sysctl: {}, resolver: null, keep: false },
    });
    t.teardown(network.close);
    within(network, 'wan', ['ip', 'address', 'add', `${SERVICE.address}/32`, 'dev', 'lo']);
    within(network, 'fw', ['ip', 'route', 'add', SERVICE.network, 'via', ADDRESS.target]);
    const paste = (text: string | undefined): void => {
      within(network, 'fw', ['sh', '-e'], text ?? '');
    };
    t.notOk(arrives(network, SERVICE.address) || arrives(network, ADDRESS.target), `${dialect}: nothing passes`);
    t.throws(() => paste(blocked([]).rules[dialect]), `${dialect}: a placeholder is refused`);
    paste(fix.test?.rules[dialect]);
    t.ok(arrives(network, ADDRESS.target), `${dialect}: the rule for the test opens the reflector`);
    t.notOk(arrives(network, SERVICE.address), `${dialect}: and nothing of the service`);
    paste(fix.rules[dialect]);
    t.ok(arrives(network, SERVICE.address), `${dialect}: the rule for the service opens it`);
  }
});
