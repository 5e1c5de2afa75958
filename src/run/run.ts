/**
 * Asks all questions of a plan and brings home what was observed. It reads as what a run is: phases over one state, in the
 * order that honesty demands. Runs in a worker thread, so everything that goes in and comes out is plain data.
 */
import type { OnProgress, RunInput, RunOutput } from '../model/run.js';
import type { StudyFacts } from '../verdict/studies/registry.js';
import { type Net, sparing, systemNet } from './net.js';
import { askChecks } from './phases/ask-checks.js';
import { askUntilCertain } from './phases/ask-until-certain.js';
import { askWhatPassesSince } from './phases/ask-what-passes-since.js';
import { awaitStart } from './phases/await-start.js';
import { beginAudio } from './phases/begin-audio.js';
import { callWithAccount } from './phases/call-with-account.js';
import { confirmAlive } from './phases/confirm-alive.js';
import { examineConnections } from './phases/examine-connections.js';
import { examineFlows } from './phases/examine-flows.js';
import { examineLosses } from './phases/examine-losses.js';
import { fetchReceipts } from './phases/fetch-receipts.js';
import { findBoundaries } from './phases/find-boundaries.js';
import { hearRefusals } from './phases/hear-refusals.js';
import { identify, identifyAgain } from './phases/identify.js';
import { lookAgain } from './phases/look-again.js';
import { recallMemory } from './phases/recall-memory.js';
import { recheckSlow } from './phases/recheck-slow.js';
import { runStudies } from './phases/run-studies.js';
import { sweepRanges } from './phases/sweep-ranges.js';
import { tryConnectionsAgain } from './phases/try-connections-again.js';
import { tryOtherBytes } from './phases/try-other-bytes.js';
import { tryOwnPorts } from './phases/try-own-ports.js';
import { trySameSize } from './phases/try-same-size.js';
import { trySmallEsp } from './phases/try-small-esp.js';
import { watchLine } from './phases/watch-line.js';
import { openRun, type RunState } from './state.js';

type Audio = ReturnType<typeof beginAudio>;

/** A round trip over two satellites in a row takes longer, and a question over TLS three of it. */
const LONG_WAY_MS = 1000;

/** Works over a state while its far ends are watched and asked for audio; ends with all that closed. */
const observing = async <T>(run: RunState, work: (audio: Audio) => Promise<T>): Promise<T> => {
  const done = new AbortController();
  const watching = watchLine(run, done.signal);
  const audio = beginAudio(run, done.signal);
  try {
    return await work(audio);
  } finally {
    done.abort(new Error('the run is done'));
    try {
      await Promise.all([watching, ...audio.values()]);
    } finally {
      run.close();
    }
  }
};

/** Asks each question as it was planned. */
const askAll = async (run: RunState): Promise<void> => {
  const besides = Promise.all([identify(run), askChecks(run)]);
  await Promise.all([besides, sweepRanges(run, besides)]);
};

/** Looks into what was not answered, and into what was. */
const lookInto = async (run: RunState, audio: Audio): Promise<RunOutput<StudyFacts>> => {
  const { input } = run;
  await Promise.all([examineFlows(run), examineConnections(run)]);
  await findBoundaries(run);
  await identifyAgain(run);
  await Promise.all([tryOtherBytes(run), trySmallEsp(run), tryOwnPorts(run), tryConnectionsAgain(run)]);
  await askWhatPassesSince(run);
  await trySameSize(run);
  await examineLosses(run);
  await hearRefusals(run);
  await askUntilCertain(run);
  await examineLosses(run);
  await recheckSlow(run);
  run.freezeLoss();
  await confirmAlive(run);
  await fetchReceipts(run);
  await fetchReceipts(run, { of: await askUntilCertain(run, { arrivedOnly: true }) });
  if (input.studies) {
    // On a long way it would take the time that the studies need.
    const isLong = run.tools.path.longestRttMs('udp') > LONG_WAY_MS;
    if (!isLong) await lookAgain(run);
    // They may take minutes: what is known by now must not wait for them.
    run.tools.timeline.beginStudies();
    await runStudies(run, audio);
    run.addCalls(await callWithAccount(run));
    if (!isLong) await lookAgain(run);
  }
  await tryConnectionsAgain(run, { last: true });
  if (input.studies) await confirmAlive(run);
  await recallMemory(run);
  return run.output();
};

/**
 * Runs to the end, to `timeoutMs`, or until `signal` fires; resolves with what is known in each case. Where a reflector comes
 * up while it is asked, all is asked anew.
 */
export const run = async (
  input: RunInput,
  signal: AbortSignal,
  onProgress: OnProgress = () => undefined,
  net: Net = systemNet(input.maxPps, input.source),
): Promise<RunOutput<StudyFacts>> => {
  const own = sparing(net, input.studies?.inbound ?? []);
  const first = await openRun(input, signal, onProgress, own);
  const output = await observing(first, async (audio) => {
    await askAll(first);
    return (await awaitStart(first)) ? null : lookInto(first, audio);
  });
  if (output) return output;
  const second = await openRun(input, signal, onProgress, own, first);
  return observing(second, async (audio) => {
    await askAll(second);
    return lookInto(second, audio);
  });
};
