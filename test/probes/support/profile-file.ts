/** Profiles of a user, written to files for the command line. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Need, RequirementRole } from '../../../src/model/profile.js';

export interface Row {
  /** `sip-options/udp/5060`, or `rtp-echo+rtcp-echo/udp/16384-32767`. */
  readonly question: string;
  readonly role?: RequirementRole;
  readonly need?: Need;
}

const questionOf = (text: string): string => {
  const [probes = '', transport, ports = ''] = text.split('/');
  const [from, to] = ports.split('-');
  return to === undefined
    ? `check: { probe: ${probes}, transport: ${transport}, port: ${from} }`
    : `range: { probes: [${probes.replaceAll('+', ', ')}], transport: ${transport}, from: ${from}, to: ${to} }`;
};

const SOURCE = '{ title: A test, evidence: secondary, checkedOn: 2026-11-21 }';

/** A profile in YAML. */
export const profileText = (name: string, rows: readonly Row[]): string =>
  [
    `profile: ${name}`,
    `title: ${name}`,
    'summary: Questions of a test.',
    'thresholds: { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.0005 }',
    `thresholdsSources: [${SOURCE}]`,
    'symptoms: { signalling: cannot-register }',
    'requirements:',
    ...rows.flatMap(({ question, role = 'signalling', need = 'required' }, index) => [
      `  - id: row-${index}`,
      `    need: ${need}`,
      `    role: ${role}`,
      '    purpose: A question of a test',
      `    ${questionOf(question)}`,
      `    source: ${SOURCE}`,
    ]),
    '',
  ].join('\n');

interface Folder {
  /** Writes a file and returns its path. */
  file(name: string, text: string): string;
  remove(): void;
}

/** A folder of its own for one test file. */
export const testFolder = (): Folder => {
  const folder = mkdtempSync(join(tmpdir(), 'callpath-probes-'));
  return {
    file: (name, text) => {
      const path = join(folder, name);
      writeFileSync(path, text, { mode: 0o600 });
      return path;
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
};
