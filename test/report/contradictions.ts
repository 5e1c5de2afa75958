/** Pairs of sentences that cannot both be true of one run: found in a report and in what is printed of it. */
import type { Report } from '../../src/model/report.js';
import { exitCode } from '../../src/report/exit-code.js';

/** What contradicts what, in words; empty for a report that is true to itself. */
export const contradictionsIn = (report: Report, table: string): readonly string[] => {
  const text = table.replace(/\s+/g, ' ');
  const { checks, services, target, totals } = report;
  const isHeard = checks.some(({ received, evidence }) => received > 0 || evidence.unreadable !== undefined);
  const isOpened = checks.some(({ evidence, reason }) => evidence.opened !== undefined || reason === 'tls-refused');
  const answered = new Set(checks.filter(({ received }) => received > 0).map(({ address }) => address));
  const found: (readonly [boolean, string])[] = [
    [totals.packetsReceived > 0 && /nothing at all passes/i.test(text), 'packets were received, and nothing passes'],
    [isHeard && /nothing answered/.test(text), 'something answered, and nothing answered'],
    [
      (isHeard || isOpened) && target.role === 'third-party' && /, no answer/.test(text),
      'the target spoke, and there is no answer',
    ],
    [/path is open[^.]*nothing listens/i.test(text), 'the path is open, and nothing listens there'],
    [
      exitCode(report) === 0 && services.some(({ verdict }) => verdict !== 'works'),
      'the exit code is 0, and a service does not work',
    ],
    ...checks.map((check): readonly [boolean, string] => [
      check.reason === 'target-unreachable' && answered.has(check.address),
      `${check.id}: its address answered, and is unreachable`,
    ]),
    ...checks.map((check): readonly [boolean, string] => [
      check.reason === 'loss' && check.sent === check.received,
      `${check.id}: every packet was answered, and packets are lost`,
    ]),
    ...checks.map((check): readonly [boolean, string] => [
      (check.reason === 'no-answer' || check.reason === 'target-unreachable') &&
        (check.received > 0 || check.evidence.unreadable !== undefined),
      `${check.id}: something came back, and there is no answer`,
    ]),
    ...checks.map((check): readonly [boolean, string] => [
      check.reason === 'closed' && (check.evidence.opened !== undefined || check.evidence.unreadable !== undefined),
      `${check.id}: the connection opened, and was refused`,
    ]),
  ];
  return found.flatMap(([isSo, what]) => (isSo ? [what] : []));
};
