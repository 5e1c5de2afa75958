/** Checks and ranges as what services weigh. */
import type { Classified, Finding } from '../model/verdict.js';
import type { ClassifiedRange } from '../verdict/ranges.js';
import type { Item } from '../verdict/services.js';

/** `isProvable`: its far end owes a proof, so that without one nothing is known. */
export const itemOfCheck = ({ check, verdict, reason }: Classified, isProvable: boolean): Item => ({
  id: check.id,
  probe: check.probe,
  transport: check.transport,
  address: check.address,
  from: check.port,
  to: check.port,
  finding: { verdict, reason } as Finding,
  partly: false,
  provable: isProvable,
});

/** The same of a range: its worst run. */
export const itemOfRange = ({ range, runs, worst }: ClassifiedRange, isProvable: boolean): Item => ({
  id: range.id,
  probe: range.probe,
  transport: range.transport,
  address: range.address,
  from: range.from,
  to: range.to,
  finding: worst,
  partly: runs.some(({ verdict }) => verdict === 'pass' || verdict === 'degraded'),
  provable: isProvable,
});
