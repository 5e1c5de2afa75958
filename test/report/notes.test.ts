/** What a report says besides its verdicts: that it is not all, that this host was busy, that the ends do not match. */
import t from 'tap';
import { type FarEndFacts, unknownFarEnd } from '../../src/model/far-end.js';
import type { Attempt, Observation } from '../../src/model/observation.js';
import type { RunOutput } from '../../src/model/run.js';
import type { Judgement } from '../../src/report/judge-run.js';
import { notesOf } from '../../src/report/notes.js';
import { reflectorRows, startNotes } from '../../src/report/who.js';
import type { StudyFacts } from '../../src/verdict/studies/registry.js';

type Output = RunOutput<StudyFacts>;

const NOTHING = { cutShort: null, eventLoopDelayMs: 1, farEnds: [], loss: { trials: 0, answers: 0 } };
const notes = (fields: Partial<Output>): string =>
  notesOf({ ...NOTHING, ...fields } as unknown as Output, 1000).join('\n');
const refused = (fields: Partial<FarEndFacts>): Partial<Output> => ({
  farEnds: [{ ...unknownFarEnd('192.0.2.1'), ...fields }],
});

t.test('a reflector that came up in the middle of the run is named, by the clock of this host', async (t) => {
  const startedAt = new Date(Date.UTC(2026, 10, 28, 2, 41));
  const host = { host: 'reflector.example', addresses: ['192.0.2.1'] };
  // Its clock is an hour ahead; the quickest answer says so best.
  const answer = (rttMs: number, clockSkewMs: number): Attempt =>
    ({ outcome: 'answer', rttMs, attestation: { clockSkewMs } }) as unknown as Attempt;
  const check = { address: '192.0.2.1' };
  const observations = [
    { check, attempts: [answer(900, 3_600_400), answer(2, 3_600_000)] },
  ] as unknown as Observation[];
  const said = (startedAtMs?: number): readonly string[] => {
    const info = { version: '1', udp: [], tcp: [], certificateSha256: null, ...(startedAtMs && { startedAtMs }) };
    const facts = new Map([['192.0.2.1', { identity: { info, control: { transport: 'tls', port: 443 } } }]]);
    const judgement = { facts, farEnds: new Map([['192.0.2.1', { role: 'reflector' }]]) } as unknown as Judgement;
    const rows = reflectorRows({ target: host, reflectors: [host], output: { observations } }, judgement);
    return startNotes(rows, { startedAt, durationMs: 8000 });
  };
  const ahead = startedAt.getTime() + 3_600_000;
  t.same(said(ahead + 2600), [
    'The reflector at reflector.example started during this run, 2.6 s after its begin: what stayed without an answer before that says nothing about the path.',
  ]);
  t.same([said(ahead - 86_400_000), said(ahead + 100), said(ahead + 9000), said()], [[], [], [], []]);
});

t.test('each has its words, and what to do', async (t) => {
  t.equal(notes({}), '');
  const addressChanges = [{ atMs: 4200, from: '198.51.100.1', to: '198.51.100.2' }];
  t.match(
    notes({ ...refused({ addressChanges }), begunAtMs: 100 }),
    /public address.*changed.*from 198\.51\.100\.1 to 198\.51\.100\.2 after 4\.1 s.*redial/,
  );
  t.match(notes({ cutShort: 'deadline' }), /before all checks were done.*longer --timeout/);
  t.match(notes({ cutShort: 'signal' }), /interrupted before all checks were done/);
  t.match(notes({ eventLoopDelayMs: 80 }), /busy.*80 ms/);
  t.match(notes(refused({ tokenRefused: true })), /token files/);
  t.match(
    notes({ ...refused({ connections: { asked: 12, dead: 5 } }), loss: { trials: 400, answers: 399 } }),
    /Some connections to 192\.0\.2\.1 never open.*5 of 12, 42 %.*No port is at fault/,
  );
  t.match(
    notes({ ...refused({ connections: { asked: 36, dead: 35 } }), loss: { trials: 400, answers: 399 } }),
    /Nearly all connections.*35 of 36.*limit on new connections.*or a failed member/,
  );
  t.match(notes(refused({ isGone: true })), /192\.0\.2\.1 at the end of the run.*the line or the far end went down/);
  t.match(notes(refused({ versionRefused: true })), /same release/);
  t.match(notes(refused({ clockRefused: true })), /more than five minutes.*NTP/);
});
