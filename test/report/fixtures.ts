/** The golden reports, read from the package's fixtures. */
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as v from 'valibot';
import { type Report, ReportSchema } from '../../src/model/report.js';

const packageRoot = (from: string): string => {
  if (existsSync(join(from, 'package.json'))) return from;
  const above = dirname(from);
  if (above === from) throw new Error('no package.json above the test');
  return packageRoot(above);
};

const FOLDER = join(packageRoot(dirname(fileURLToPath(import.meta.url))), 'fixtures', 'reports');

export const GOLDEN = [
  'loopback',
  'media-blocked',
  'carrier-untested',
  'unreachable',
  'range-holes',
  'hostile',
  'open-network',
  'rtp-blocked-outbound',
  'sip-udp-dropped',
  'sip-alg',
  'wifi-calling-blocked',
  'everything-dead',
  'carrier-without-token',
] as const;
export type Golden = (typeof GOLDEN)[number];

export const fixtureText = (file: string): string => readFileSync(join(FOLDER, file), 'utf8');
export const reportOf = (name: Golden): Report => v.parse(ReportSchema, JSON.parse(fixtureText(`${name}.json`)));
