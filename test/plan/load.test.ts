/** Round trips stay true while the process that asked for them is busy; where they cannot, the report says so. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Key, PlannedCheck } from '../../src/model/check.js';
import type { RunInput, RunOutput } from '../../src/model/run.js';
import { buildReport } from '../../src/report/build.js';
import { run } from '../../src/run/run.js';
import { runInThread } from '../../src/run/thread/thread.js';
import type { StudyFacts } from '../../src/verdict/studies/registry.js';
import { TOKEN } from '../support/pure-reflector.js';
import { check } from '../verdict/support/facts.js';

/** What a busy exporter, a garbage collection or a rendering of HTML takes at a time. */
const BUSY_MS = 50;
/** A round trip on loopback takes a tenth of a millisecond; with this much on top it is still no false one. */
const NEAR_MS = 10;
/** Far longer than any honest round trip here, however many other processes want the processor. */
const BLOCKED_MS = 2500;
const CHECKS = 12;

const responder = spawn(process.execPath, [fileURLToPath(new URL('../run/support/responder.js', import.meta.url))], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
t.teardown(() => responder.kill());
const [line] = (await once(responder.stdout, 'data')) as [Buffer];
const port = Number(line.toString());

const questions = Array.from(
  { length: CHECKS },
  (_, index): PlannedCheck => ({
    ...check(`stun-binding/udp/${port}`, {
      key: `${index}` as Key,
      id: `stun-binding/udp/${port}#${index}`,
      address: '127.0.0.1',
    }),
    skip: null,
  }),
);
const INPUT: RunInput = {
  questions,
  ranges: [],
  token: TOKEN,
  reflectorAddresses: null,
  sessionId: Buffer.alloc(8, 1),
  maxPps: 1000,
  timeoutMs: 20_000,
  source: null,
};
const NEVER = new AbortController().signal;

const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? Number.NaN;
const rttsOf = ({ observations }: RunOutput<StudyFacts>): readonly number[] =>
  observations.flatMap(({ attempts }) =>
    attempts.flatMap((attempt) => (attempt.outcome === 'answer' && attempt.rttMs !== null ? [attempt.rttMs] : [])),
  );

const block = (ms: number): void => {
  const until = performance.now() + ms;
  while (performance.now() < until);
};

/** Blocks this thread for BUSY_MS at a time until `work` is done. */
const whileBusy = async <T>(work: Promise<T>): Promise<T> => {
  let done = false;
  const finished = work.finally(() => {
    done = true;
  });
  while (!done) {
    block(BUSY_MS);
    await new Promise((resolve) => setImmediate(resolve));
  }
  return finished;
};

const notesOf = (output: RunOutput<StudyFacts>): readonly string[] =>
  buildReport({
    id: 'test',
    startedAt: new Date(0),
    durationMs: 1,
    agent: { id: 'test', version: '0', hostname: 'test', platform: 'test' },
    target: { host: '127.0.0.1', addresses: ['127.0.0.1'] },
    reflectors: [],
    localAddresses: ['127.0.0.1'],
    profiles: [],
    plan: { checks: questions, ranges: [], requirements: [] },
    output,
    notes: [],
  }).notes;
const saysBusy = (output: RunOutput<StudyFacts>): boolean =>
  notesOf(output).some((note) => note.startsWith('This host was busy'));

t.test('round trips under load', async (t) => {
  const idle = await runInThread(INPUT, NEVER);
  t.equal(rttsOf(idle).length, 3 * CHECKS, 'every question is answered');
  const idleMs = median(rttsOf(idle));
  const busy = await whileBusy(runInThread(INPUT, NEVER));
  const busyMs = median(rttsOf(busy));
  t.equal(rttsOf(busy).length, 3 * CHECKS);
  // Where other processes take the processors, no thread helps; then the self-check has to notice.
  t.ok(
    busyMs < idleMs + NEAR_MS || saysBusy(busy),
    `${busyMs.toFixed(3)} ms instead of ${idleMs.toFixed(3)} ms, or the report says so`,
  );

  const inside = await whileBusy(run(INPUT, NEVER));
  t.ok(inside.eventLoopDelayMs >= BUSY_MS / 2, `in a busy thread: delayed by ${inside.eventLoopDelayMs} ms`);
  t.ok(saysBusy(inside), 'and the report says that round trips may be too long');
});

t.test('round trips while the main thread does nothing else for seconds', async (t) => {
  let started: () => void = () => undefined;
  const first = new Promise<void>((resolve) => {
    started = resolve;
  });
  // Slow enough that most questions are still to be asked when the first is answered.
  const asking = runInThread({ ...INPUT, maxPps: 30 }, NEVER, started);
  await first;
  block(BLOCKED_MS);
  const rtts = rttsOf(await asking);
  t.equal(rtts.length, 3 * CHECKS, 'every question is answered');
  t.ok(Math.max(...rtts) < BLOCKED_MS / 2, `the longest took ${Math.max(...rtts).toFixed(3)} ms`);
});

t.test('a run in its thread ends when it is told to', async (t) => {
  const controller = new AbortController();
  const silent = questions.map((question) => ({
    ...question,
    port: 9,
    probe: 'sip-options' as const,
    transport: 'tcp' as const,
  }));
  const asking = runInThread({ ...INPUT, questions: [...questions, ...silent] }, controller.signal, (done) => {
    if (done === 1) controller.abort();
  });
  const output = await asking;
  t.equal(output.observations.length, 2 * CHECKS, 'every question has an observation');
  t.ok(output.observations.some(({ notRun }) => notRun === 'interrupted'));
  const before = new AbortController();
  before.abort();
  const never = await runInThread(INPUT, before.signal);
  t.ok(
    never.observations.every(({ notRun }) => notRun === 'interrupted'),
    'even before it began',
  );
  t.equal(never.totals.packetsSent, 0);
});
