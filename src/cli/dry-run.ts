/** `--dry-run`: every check with the packets and bytes that it would send. Nothing leaves the host. */
import { loadProbe } from '../../probes/contract.js';
import { type PlannedCheck, questionsOf, SAMPLES } from '../engine/plan.js';
import { deriveKeys } from '../wire/keys.js';
import type { ProbeOptions } from './options.js';
import type { Prepared } from './run-command.js';

/** IP and UDP headers (RFC 791, RFC 8200, RFC 768): what a packet costs on the wire besides our bytes. */
const HEADERS = { 4: 28, 6: 48 } as const;

interface Row {
  readonly check: PlannedCheck;
  readonly packets: number;
  readonly bytes: number;
}

const rowFor = async (check: PlannedCheck, prepared: Prepared): Promise<Row> => {
  if (check.skip) return { check, packets: 0, bytes: 0 };
  const probe = await loadProbe(check.probe);
  const question = probe.ask({
    check,
    local: { address: check.family === 6 ? '::' : '0.0.0.0', port: 5060 },
    session: { id: prepared.sessionId, keys: prepared.token && deriveKeys(prepared.token, prepared.sessionId) },
    sequence: 1,
    seed: new Uint8Array(32).fill(1),
    sentAtMicros: 0n,
    binding: check.transport === 'tls' ? new Uint8Array(32) : null,
  });
  const times = check.rangeId === null ? SAMPLES.single : SAMPLES.ofRange;
  const payload = question.messages.reduce((sum, { length }) => sum + length, 0);
  const headers = check.transport === 'udp' ? question.messages.length * HEADERS[check.family ?? 4] : 0;
  return {
    check,
    packets: times * Math.max(1, check.transport === 'udp' ? question.messages.length : 1),
    bytes: times * (payload + headers),
  };
};

/** The plan in words, with totals; if everything stays silent, each check is repeated up to the stated number. */
export const renderDryRun = async (prepared: Prepared, options: ProbeOptions): Promise<string> => {
  const rows = await Promise.all(questionsOf(prepared.plan).map((check) => rowFor(check, prepared)));
  const packets = rows.reduce((sum, row) => sum + row.packets, 0);
  const bytes = rows.reduce((sum, row) => sum + row.bytes, 0);
  if (options.output === 'json') {
    const checks = rows.map((row) => ({
      id: row.check.id,
      address: row.check.address,
      range: row.check.rangeId,
      skipped: row.check.skip,
      packets: row.packets,
      bytes: row.bytes,
    }));
    return `${JSON.stringify({ dryRun: true, checks, totals: { checks: rows.length, packets, bytes } }, null, 2)}\n`;
  }
  const width = Math.max(5, ...rows.map(({ check }) => check.id.length));
  const line = ({ check, packets: count, bytes: size }: Row): string =>
    `${check.id.padEnd(width)}  ${(check.address ?? '-').padEnd(15)}  ${check.skip ? `not asked: ${check.skip}` : `${count} packets, ${size} bytes`}`;
  return [
    `Would ask ${rows.length} questions of ${prepared.target.host}; nothing was sent.`,
    ...prepared.notes,
    '',
    ...rows.map(line),
    '',
    `If everything answers: ${packets} packets and ${bytes} bytes (TCP and TLS without their own overhead),`,
    `at most ${options.maxPps} packets per second. A silent check is asked again, up to 20 times.`,
    '',
  ].join('\n');
};
