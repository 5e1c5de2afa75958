/** Probes that run beside an attack: what they say of ports that are open must never be a firewall's fault. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Report } from '../../../src/model/report.js';
import { packageRoot } from '../../../src/plan/package-root.js';
import { TOKEN } from '../../../test/reflector/support.js';
import { besideCommand } from './cores.js';

export interface Beside {
  readonly probes: number;
  /** How often each `verdict/reason` was said. */
  readonly said: Readonly<Record<string, number>>;
  /** What must not have been said, at most a few. */
  readonly findings: readonly string[];
}

/** What may be said of an open port while its reflector is attacked; `limited` and `outage` are reasons of `unknown`. */
const ALLOWED = new Set(['pass', 'unknown']);
const MAX_FINDINGS = 5;
const LATEST_MS = 60_000;

const SOURCE = 'source: { title: none, evidence: primary, checkedOn: 2026-11-21 }';
/** One question over each transport, and a second port of UDP. */
const PROFILE = `profile: beside
title: Beside an attack
summary: One question over each transport.
thresholds: { lossRatio: 0.2, rttMs: 3000, jitterMs: 3000, reorderRatio: 0.5 }
thresholdsSource: { title: none, evidence: primary, checkedOn: 2026-11-21 }
symptomWhenBlocked: cannot-register
requirements:
${(
  [
    ['udp-echo', 'udp', 5061],
    ['sip-options', 'udp', 5060],
    ['sip-options', 'tcp', 5060],
    ['tls-handshake', 'tls', 5061],
  ] as const
)
  .map(
    ([probe, transport, port]) => `  - id: ${transport}-${port}-${probe}
    need: required
    role: signalling
    purpose: Beside an attack
    check: { probe: ${probe}, transport: ${transport}, port: ${port} }
    ${SOURCE}
`,
  )
  .join('')}`;

interface BesideOptions {
  /** How many probes run, one after the other. */
  readonly count: number;
  readonly source?: string;
  readonly token?: string;
}

/** Runs probes until they are so many. */
export const probeBeside = async (
  address: string,
  { count, source = '127.0.0.1', token = TOKEN.toString('latin1') }: BesideOptions,
): Promise<Beside> => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-beside-'));
  const said: Record<string, number> = {};
  const findings: string[] = [];
  let probes = 0;
  try {
    const profile = join(folder, 'beside.yaml');
    const tokenFile = join(folder, 'token');
    writeFileSync(profile, PROFILE);
    writeFileSync(tokenFile, token, { mode: 0o600 });
    const cli = join(packageRoot(), 'dist', 'src', 'cli', 'probe.js');
    const options = ['--target', address, '--json', '--profile', profile, '--token-file', tokenFile];
    const [command, args] = besideCommand(cli, [...options, '--source', source, '--no-nat']);
    for (let number = 0; number < count; number += 1) {
      const child = spawn(command, args, {
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: LATEST_MS,
      });
      const [text, words] = await Promise.all(
        [child.stdout, child.stderr].map(async (stream) => String(Buffer.concat(await stream.toArray()))),
      );
      let checks: Report['checks'];
      try {
        checks = (JSON.parse(text ?? '') as Report).checks;
      } catch {
        findings.push(`a probe printed no report: ${words?.split('\n').at(-2)}`);
        continue;
      }
      probes += 1;
      for (const { id, verdict, reason } of checks) {
        const name = `${verdict}/${reason}`;
        said[name] = (said[name] ?? 0) + 1;
        if (!ALLOWED.has(verdict) && findings.length < MAX_FINDINGS) findings.push(`a probe said ${name} of ${id}`);
      }
    }
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  return { probes, said, findings };
};
