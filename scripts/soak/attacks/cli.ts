/** `npm run soak -- attacks [NAME…]`: every attack that is known, against processes of ours on loopback. Linux. */
import type { AttackResult } from './report.js';

/** By name; each loads what it needs. */
export const ATTACKS: Readonly<Record<string, () => Promise<AttackResult>>> = {
  'floods-one-network': async () => (await import('./flooded.js')).flooded({ networks: 1, forMs: 4500, probes: 6 }),
  'floods-many-networks': async () => (await import('./flooded.js')).flooded({ networks: 200, forMs: 4500, probes: 6 }),
};

/** Runs those whose names begin with one of `names`, or all; resolves with how many things were found. */
export const runAttacks = async (names: readonly string[], print: (line: string) => void): Promise<number> => {
  let found = 0;
  let probes = 0;
  for (const [name, attack] of Object.entries(ATTACKS)) {
    if (names.length > 0 && !names.some((one) => name.startsWith(one))) continue;
    print(`${name}:`);
    const result = await attack();
    for (const line of result.lines) print(`  ${line}`);
    for (const finding of result.findings) print(`  found: ${finding}`);
    found += result.findings.length;
    probes += result.probes;
  }
  print(`${probes} probes ran beside; ${found === 0 ? 'nothing found' : `${found} findings`}`);
  return found;
};
