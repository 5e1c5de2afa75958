/** `--dry-run`: every check with the packets and bytes that it would send, for people or as JSON. */
import { isWithinRange } from '../model/check.js';
import { costOf, type Row } from '../probing/cost.js';
import type { Prepared } from '../probing/prepare.js';
import type { ProbeOptions } from './options.js';

/** The plan in words, with totals; if everything stays silent, each check is repeated up to the stated number. */
export const renderDryRun = async (prepared: Prepared, options: ProbeOptions): Promise<string> => {
  const { rows, proof, scouting, total } = await costOf(prepared, options);
  const { scouts, flows } = scouting;
  const seconds = Math.ceil(total.packets / options.maxPps);
  if (options.output === 'json') {
    const checks = rows.map((row) => ({
      id: row.check.id,
      address: row.check.address,
      range: (row.check.isOfRange && prepared.plan.ranges.find((one) => isWithinRange(one, row.check))?.id) || null,
      skipped: row.check.skip,
      packets: row.packets,
      bytes: row.bytes,
    }));
    const totals = { checks: rows.length, ...total, scouts, flows };
    return `${JSON.stringify({ dryRun: true, checks, proof, totals }, null, 2)}\n`;
  }
  const width = Math.max(5, ...rows.map(({ check }) => check.id.length));
  const line = ({ check, packets: count, bytes: size }: Row): string =>
    `${check.id.padEnd(width)}  ${(check.address ?? '-').padEnd(15)}  ${check.skip ? `not tested: ${check.skip}` : `${count} packets, ${size} bytes`}`;
  return [
    `Would run ${rows.length} checks against ${prepared.target.host}; nothing was sent.`,
    ...prepared.notes,
    '',
    ...rows.map(line),
    '',
    ...(proof.packets > 0
      ? [`To prove who answers and what arrived, at most ${proof.packets} packets, ${proof.bytes} bytes more.`]
      : []),
    ...(scouts > 0
      ? [`To find blocked runs in the ranges, up to ${scouts} more ports are tested, ${scouting.bytes} bytes.`]
      : []),
    ...(flows > 0
      ? [`The ranges open ${flows} UDP flows in the tables of firewalls, and a few for each blocked run.`]
      : []),
    `If everything answers: ${total.packets} packets and ${total.bytes} bytes (TCP and TLS without their own overhead),`,
    `at most ${options.maxPps} packets per second, so ${seconds} s or more. A silent check is repeated up to 20 times.`,
    '',
  ].join('\n');
};
