/**
 * nftables (nft(8)). Rules are inserted, so that they stand ahead of whatever drops: of a chain the first verdict counts.
 * Chains have the names that their owner gave them; `inet filter forward` is that of most examples.
 */
import { type Ask, markOf, placesOf, UDP_TIMEOUT_SECONDS, type Writer, writePorts } from './ask.js';
import { forgetFlows } from './conntrack.js';

/** Family, table and chain that the text names, for whoever has others. */
export const NFT_CHAINS = {
  forward: 'inet filter forward',
  helper: 'inet filter prerouting',
  redirect: 'inet nat prerouting',
} as const;

const ip = ({ family }: Ask): string => (family === 4 ? 'ip' : 'ip6');
const ports = (ask: Ask): string => `{ ${writePorts(ask.ports)} }`;
const places = (ask: Ask): string => {
  const all = placesOf(ask);
  // Where nobody knows the networks, there may be several.
  return ask.networks.length === 1 ? all.join() : `{ ${all.join(', ')} }`;
};
const there = (ask: Ask): string => `${ip(ask)} daddr ${places(ask)} ${ask.protocol} dport ${ports(ask)}`;
const back = (ask: Ask): string => `${ip(ask)} saddr ${places(ask)} ${ask.protocol} sport ${ports(ask)}`;

const insert = (ask: Ask, chain: keyof typeof NFT_CHAINS, rule: string): string =>
  `nft 'insert rule ${NFT_CHAINS[chain]} ${rule} counter accept comment "${markOf(ask)}"'`;

export const nftables: Writer = (ask) => {
  switch (ask.kind) {
    case 'allow':
      return [
        `# family, table and chain as "nft list ruleset" shows them; here: ${NFT_CHAINS.forward}`,
        insert(ask, 'forward', there(ask)),
        insert(ask, 'forward', `${back(ask)} ct state established,related`),
      ].join('\n');
    case 'alg-off':
      return [
        `# the chain that sets the ct helper "sip", as "nft list ruleset" shows it; here: ${NFT_CHAINS.helper}`,
        insert(ask, 'helper', there(ask)),
        ...forgetFlows(ask),
      ].join('\n');
    case 'no-redirect':
      return [
        `# the nat chain that redirects, as "nft list ruleset" shows it; here: ${NFT_CHAINS.redirect}`,
        insert(ask, 'redirect', there(ask)),
        ...forgetFlows(ask),
      ].join('\n');
    case 'udp-timeout':
      return [
        'nft -f - <<EOF',
        'table inet callpath {',
        `  ct timeout voice-${ip(ask)} {`,
        `    protocol ${ask.protocol}`,
        `    l3proto ${ip(ask)}`,
        `    policy = { unreplied : ${UDP_TIMEOUT_SECONDS}, replied : ${UDP_TIMEOUT_SECONDS} }`,
        '  }',
        '  chain prerouting {',
        '    type filter hook prerouting priority filter',
        `    ${there(ask)} ct timeout set "voice-${ip(ask)}"`,
        '  }',
        '}',
        'EOF',
      ].join('\n');
    case 'static-port':
    case 'far-side':
    case 'advise':
      return null;
  }
};
