/** Who probes: this host, under an id that tells agents apart, and the version of this package. */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../plan/package-root.js';

/** How much of a hash names a host: enough to tell agents apart, too little to find the machine id again. */
const AGENT_ID_LENGTH = 16;

/** Stable per host and not reversible to it. */
export const agentId = (): string => {
  const machine = (() => {
    try {
      return readFileSync('/etc/machine-id', 'utf8').trim();
    } catch {
      return hostname();
    }
  })();
  return createHash('sha256').update(`callpath agent ${machine}`).digest('hex').slice(0, AGENT_ID_LENGTH);
};

export const packageVersion = (): string => {
  const manifest: unknown = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8'));
  return typeof manifest === 'object' && manifest !== null && 'version' in manifest ? String(manifest.version) : '0';
};

/** What a report says of who made it. */
export const agentOfReport = () => ({
  id: agentId(),
  version: packageVersion(),
  hostname: hostname(),
  platform: `${process.platform}-${process.arch}`,
});
