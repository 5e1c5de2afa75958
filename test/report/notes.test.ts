/** What a report says besides its verdicts: that it is not all, that this host was busy, that the ends do not match. */
import t from 'tap';
import { type FarEndFacts, unknownFarEnd } from '../../src/model/far-end.js';
import type { RunOutput } from '../../src/model/run.js';
import { notesOf } from '../../src/report/notes.js';
import type { StudyFacts } from '../../src/verdict/studies/registry.js';

type Output = RunOutput<StudyFacts>;

const NOTHING = { cutShort: null, eventLoopDelayMs: 1, farEnds: [], loss: { trials: 0, answers: 0 } };
const notes = (fields: Partial<Output>): string =>
  notesOf({ ...NOTHING, ...fields } as unknown as Output, 1000).join('\n');
const refused = (fields: Partial<FarEndFacts>): Partial<Output> => ({
  farEnds: [{ ...unknownFarEnd('192.0.2.1'), ...fields }],
});

t.test('each has its words, and what to do', async (t) => {
  t.equal(notes({}), '');
  t.match(notes({ cutShort: 'deadline' }), /before all checks were done.*longer --timeout/);
  t.match(notes({ cutShort: 'signal' }), /interrupted before all checks were done/);
  t.match(notes({ eventLoopDelayMs: 80 }), /busy.*80 ms/);
  t.match(notes(refused({ tokenRefused: true })), /token files/);
  t.match(
    notes({ ...refused({ connections: { asked: 12, dead: 5 } }), loss: { trials: 400, answers: 399 } }),
    /Some connections to 192\.0\.2\.1 never open.*5 of 12, 42 %.*No port is at fault/,
  );
  t.match(notes(refused({ isGone: true })), /192\.0\.2\.1 at the end of the run.*the line or the far end went down/);
  t.match(notes(refused({ versionRefused: true })), /same release/);
  t.match(notes(refused({ clockRefused: true })), /more than five minutes.*NTP/);
});
