/** What a report proposes, put into the lab's firewall: does it mend what it is said to mend? */
import { execFileSync } from 'node:child_process';
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

/** The lab's chains as iptables calls its own, so that its commands find them. */
export const asIptables = (rules: string): string => {
  const forwarding = rules
    .replace('table inet filter {', 'table ip filter {')
    .replace('chain forward {', 'chain FORWARD {');
  return rules.includes('table ip intercept {')
    ? forwarding.replace('table ip intercept {', 'table ip nat {').replace('chain pre {', 'chain PREROUTING {')
    : forwarding;
};

/**
 * Runs every proposed text as a shell inside the firewall.
 * @returns the profiles for which there was any
 * @throws Error with what the shell said, if a text is refused
 */
export const applyFixes = (network: Network, report: Report, dialect: FixDialect): readonly string[] => {
  const texts = new Map<string, Set<string>>();
  for (const { profile, fixes } of report.services) {
    for (const { rules } of fixes) {
      const text = rules[dialect];
      if (text !== undefined) texts.set(text, (texts.get(text) ?? new Set()).add(profile));
    }
  }
  for (const text of texts.keys()) {
    const command = ['netns', 'exec', network.namespace('fw'), 'sh', '-e'];
    try {
      execFileSync('ip', command, { input: forLab(text), stdio: ['pipe', 'ignore', 'pipe'] });
    } catch (cause) {
      const { stderr } = cause as { stderr?: Buffer };
      throw new Error(`the proposed rule was refused: ${stderr?.toString().trim() || String(cause)}`, { cause });
    }
  }
  return [...new Set([...texts.values()].flatMap((profiles) => [...profiles]))];
};
