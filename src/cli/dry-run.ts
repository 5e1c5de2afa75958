/** `--dry-run`: every check with the packets and bytes that it would send, for people or as JSON. */

import { isWithinRange } from '../model/check.js';
import { costOf, type Row } from '../probing/cost.js';
import type { Prepared } from '../probing/prepare.js';
import { flowsOpened, inAll, proofCosts, scoutsCost, wouldRun } from '../words/dry-run.js';
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
    wouldRun(rows.length, prepared.target.host),
    ...prepared.notes,
    '',
    ...rows.map(line),
    '',
    ...(proof.packets > 0 ? [proofCosts(proof)] : []),
    ...(scouts > 0 ? [scoutsCost(scouts, scouting.bytes)] : []),
    ...(flows > 0 ? [flowsOpened(flows)] : []),
    ...inAll(total, options.maxPps, seconds),
    '',
  ].join('\n');
};
