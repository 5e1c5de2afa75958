/** What a report proposes, put into the lab's firewall: does it mend what it is said to mend? */
import { execFileSync, spawnSync } from 'node:child_process';
import type { Report } from '../../src/model/report.js';
import { NFT_CHAINS } from '../../src/verdict/fixes/nftables.js';
import type { Network } from './network.js';

export type FixDialect = 'nftables' | 'iptables';

/** The lab's own chains, which the keeper of a firewall would put in the place of the text's. */
const LAB_CHAINS: Readonly<Record<keyof typeof NFT_CHAINS, string>> = {
  forward: 'inet filter forward',
  helper: 'ip alg pre',
  redirect: 'ip intercept pre',
};

const forLab = (text: string): string =>
  Object.entries(NFT_CHAINS).reduce(
    (told, [name, chain]) => told.replaceAll(`rule ${chain} `, `rule ${LAB_CHAINS[name as keyof typeof NFT_CHAINS]} `),
    text,
  );

/** A helper that nftables sets, as iptables sets it. */
const HELPER = /table ip alg \{[\s\S]*?\n\}\n/;
const HELPER_RULE = /(udp|tcp) dport (\d+) ct helper set/g;

/** What iptables has to be told itself, because nft cannot write it into iptables' tables. */
export const iptablesHelpers = (rules: string): readonly (readonly string[])[] =>
  [...rules.matchAll(HELPER_RULE)].map(([, protocol = '', port = '']) => [
    'iptables',
    '-t',
    'raw',
    '-A',
    'PREROUTING',
    '-p',
    protocol,
    '--dport',
    port,
    '-j',
    'CT',
    '--helper',
    'sip',
  ]);

/** The lab's chains as iptables calls its own, so that its commands find them. */
export const asIptables = (rules: string): string => {
  const forwarding = rules
    .replace(HELPER, '')
    .replace('table inet filter {', 'table ip filter {')
    .replace('chain forward {', 'chain FORWARD {');
  return rules.includes('table ip intercept {')
    ? forwarding.replace('table ip intercept {', 'table ip nat {').replace('chain pre {', 'chain PREROUTING {')
    : forwarding;
};

/** The lab's chains that a text names and this firewall does not have: there its keeper has nothing to change. */
const isForeign = (network: Network, text: string): boolean =>
  Object.values(LAB_CHAINS).some((chain) => {
    if (!text.includes(`rule ${chain} `)) return false;
    const command = ['netns', 'exec', network.namespace('fw'), 'nft', 'list', 'chain', ...chain.split(' ')];
    return spawnSync('ip', command, { stdio: 'ignore' }).status !== 0;
  });

/**
 * Runs every proposed text as a shell inside the firewall, but for those that name a chain which it does not have.
 * @returns the profiles for which there was any text
 * @throws Error with what the shell said, if a text is refused
 */
export const applyFixes = (network: Network, report: Report, dialect: FixDialect): readonly string[] => {
  const texts = new Map<string, Set<string>>();
  for (const { profile, fixes } of report.services) {
    for (const { rules, test } of fixes) {
      // The far end of the lab is a reflector, and is asked again: what opens the service alone would not show there.
      const text = test?.rules[dialect] ?? rules[dialect];
      if (text !== undefined) texts.set(text, (texts.get(text) ?? new Set()).add(profile));
    }
  }
  for (const text of [...texts.keys()].map(forLab)) {
    if (dialect === 'nftables' && isForeign(network, text)) continue;
    const command = ['netns', 'exec', network.namespace('fw'), 'sh', '-e'];
    try {
      execFileSync('ip', command, { input: text, stdio: ['pipe', 'ignore', 'pipe'] });
    } catch (cause) {
      const { stderr } = cause as { stderr?: Buffer };
      throw new Error(`the proposed rule was refused: ${stderr?.toString().trim() || String(cause)}`, { cause });
    }
  }
  return [...new Set([...texts.values()].flatMap((profiles) => [...profiles]))];
};
