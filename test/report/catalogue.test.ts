/** What reports say about the profiles themselves. */
import t from 'tap';
import type { Requirement, Source } from '../../src/model/profile.js';
import { catalogueNotes } from '../../src/report/catalogue.js';
import { type Item, weigh, weighService } from '../../src/verdict/services.js';
import { exampleProfile } from '../verdict/support/profile.js';

const NOW = new Date('2026-11-27T12:00:00Z');
const PRIMARY: Source = {
  title: 'the list',
  url: 'https://vendor.example/ports',
  evidence: 'primary',
  checkedOn: '2026-11-01',
};

const notesOf = (
  rows: readonly (readonly [source: Source, finding: Item['finding'], more?: Partial<Requirement>])[],
) => {
  const requirements = rows.map(
    ([source, , more], index): Requirement => ({
      id: `row-${index}`,
      need: 'required',
      role: 'signalling',
      purpose: 'a purpose',
      source,
      check: { probe: 'tls-handshake', transport: 'tls', port: 443 + index },
      ...(more?.fallback && { fallback: more.fallback }),
    }),
  );
  const profile = exampleProfile({
    thresholdsSources: [{ title: 'thresholds', evidence: 'secondary', checkedOn: '2020-01-01' }],
    symptoms: { signalling: 'cannot-sign-in' },
    requirements,
  });
  const states = requirements.map((row, index) =>
    weigh(row, [
      [
        {
          id: row.id,
          probe: 'tls-handshake',
          transport: 'tls',
          address: '198.51.100.10',
          from: 443 + index,
          to: 443 + index,
          finding: rows[index]?.[1] ?? { verdict: 'unknown', reason: 'not-run' },
          partly: false,
          provable: true,
        },
      ],
    ]),
  );
  return catalogueNotes([weighService(profile, states)], NOW);
};

const PASS = { verdict: 'pass', reason: 'answered' } as const;
const BLOCKED = { verdict: 'blocked', reason: 'dropped' } as const;
const MEMORY: Source = { title: 'memory', evidence: 'unverified' };
const GUIDE: Source = { title: 'a guide', evidence: 'secondary', checkedOn: '2026-11-01' };

t.test('how weak the evidence is', async (t) => {
  t.strictSame(notesOf([[PRIMARY, BLOCKED]]), [], "the vendor's own word needs no note");
  t.match(notesOf([[MEMORY, PASS]]), [/^example: the row row-0 is from memory/], 'a wrong port may pass as well');
  t.match(notesOf([[MEMORY, BLOCKED]]), [/is from memory/]);
  t.strictSame(notesOf([[GUIDE, PASS]]), [], "another's word is no news while all passes");
  t.match(
    notesOf([
      [GUIDE, BLOCKED],
      [GUIDE, BLOCKED],
    ]),
    [/^example: the rows row-0, row-1 come from .*\(a guide\)/],
  );
});

t.test('what serves in whose place', async (t) => {
  const served = (leaves: 'works' | 'degraded') =>
    notesOf([
      [PRIMARY, BLOCKED, { fallback: { row: 'row-1', leaves } }],
      [PRIMARY, PASS],
    ]);
  t.match(served('works'), [/^example: row-0 does not pass, and row-1 serves in its place.*notice nothing\.$/]);
  t.match(served('degraded'), [/works, but worse\.$/]);
});

t.test('what is too old', async (t) => {
  t.match(notesOf([[{ ...PRIMARY, dated: '2023-06' }, PASS]]), [
    /^example: row-0 rest on sources older than 18 months \(since 2023-06\).*--check-dates/,
  ]);
});
