/** `npm run soak -- attacks [NAME…]`: every attack that is known, against processes of ours on loopback. Linux. */
import type { AttackResult } from './report.js';

const FOR_MS = 4500;
/** Beside each flood; with those beside the reloads 200 or more over all attacks. */
const PROBES = 8;
const RELOADS = 1000;
const PROBES_BESIDE_RELOADS = 10;

const byStrangers = async (networks: number): Promise<AttackResult> => {
  const [{ flooded }, { FLOODS }, { TLS_FLOODS }] = await Promise.all([
    import('./flooded.js'),
    import('./floods.js'),
    import('./tls-floods.js'),
  ]);
  return flooded({
    floods: { ...FLOODS, ...TLS_FLOODS },
    areStrangers: true,
    networks,
    forMs: FOR_MS,
    probes: PROBES,
  });
};

/** By name; each loads what it needs. */
export const ATTACKS: Readonly<Record<string, () => Promise<AttackResult>>> = {
  'floods-one-network': () => byStrangers(1),
  'floods-many-networks': () => byStrangers(200),
  tenants: async () => {
    const [{ flooded }, { TENANT_FLOODS }] = await Promise.all([import('./flooded.js'), import('./tenants.js')]);
    return flooded({ floods: TENANT_FLOODS, areStrangers: false, networks: 200, forMs: FOR_MS, probes: PROBES });
  },
  reloads: async () => (await import('./reloads.js')).reloaded(RELOADS, PROBES_BESIDE_RELOADS),
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
