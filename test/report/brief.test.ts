/** The report in some ten lines: what is wrong is in it, whatever else is left out. */
import t from 'tap';
import { columns } from '../../src/report/layout.js';
import { renderTable } from '../../src/report/table.js';
import { serviceInWords } from '../../src/words/report.js';
import { GOLDEN, reportOf } from './fixtures.js';

/** Of a report with two services; each further one takes some lines. */
const MOST_LINES = 30;

for (const name of GOLDEN) {
  t.test(name, async (t) => {
    const report = reportOf(name);
    const text = renderTable(report, { color: false, brief: true });
    const lines = text.trimEnd().split('\n');
    t.ok(lines.length <= MOST_LINES, `${lines.length} lines`);
    t.ok(Math.max(...lines.map(columns)) <= 80, 'fits 80 columns');
    for (const service of report.services) t.match(text, serviceInWords(service, report).answer);
    const wrong = report.checks.find(
      ({ probe, verdict }) => probe === 'sip-options' && verdict !== 'pass' && verdict !== 'unknown',
    );
    if (wrong) t.match(text, `${wrong.verdict.toUpperCase()} (${wrong.reason})`, 'what is wrong is shown');
    const shut = report.ranges.find(({ verdict }) => verdict === 'blocked');
    if (shut) t.match(text.replace(/\s+/g, ' '), `${shut.from}-${shut.to} BLOCKED`, 'and so is a hole');
    t.match(text.replace(/\s+/g, ' '), 'Not tested: SIP ALG', 'and what nobody looked at');
  });
}
