/** What a report says besides its verdicts: that it is not all, that this host was busy, that the ends do not match. */
import t from 'tap';
import { notesOf } from '../../src/report/notes.js';
import type { RunOutput } from '../../src/run/run-data.js';

const notes = (fields: Partial<RunOutput>): string =>
  notesOf({ cutShort: null, eventLoopDelayMs: 1, identities: [], ...fields } as unknown as RunOutput, 1000).join('\n');
const refused = (fields: object): Partial<RunOutput> =>
  ({
    identities: [['192.0.2.1', { identity: null, tokenRefused: false, versionRefused: false, ...fields }]],
  }) as Partial<RunOutput>;

t.test('each has its words, and what to do', async (t) => {
  t.equal(notes({}), '');
  t.match(notes({ cutShort: 'deadline' }), /before all was asked.*longer --timeout/);
  t.match(notes({ cutShort: 'signal' }), /stopped before all was asked/);
  t.match(notes({ eventLoopDelayMs: 80 }), /busy.*80 ms/);
  t.match(notes(refused({ tokenRefused: true })), /token files/);
  t.match(notes(refused({ isGone: true })), /192\.0\.2\.1 stopped answering/);
  t.match(notes(refused({ versionRefused: true })), /same release/);
});
