/**
 * Adds what the studies find of far ends that proved themselves and still answer. Last, because they may take minutes, and
 * each begins when those that it would disturb have ended.
 */
import { lostAtFirst } from '../../verdict/flows.js';
import { NO_FACTS, STUDY_KINDS, type StudyFacts, type StudyKind } from '../../verdict/studies/registry.js';
import { passesFromAnywhere } from '../observations.js';
import type { RunState } from '../state.js';
import { loadStudy, type StudiedFarEnd } from '../studies/study.js';
import type { Audio } from './begin-audio.js';

const studiedOf = (run: RunState, audio: Audio): readonly StudiedFarEnd[] =>
  run
    .proven()
    // What passes from its own source port alone tells studies nothing, they ask from others; nor does what was shut meanwhile.
    // Their questions go out over flows of their own, of a packet or two: where those are lost, they would accuse the message.
    .filter(({ facts }) => !facts.isGone && lostAtFirst(facts.flows) <= 1)
    .map(({ address, facts: { identity, flows, connections }, ways }) => {
      const observations = run.observations.at(address);
      const passing = observations.filter((one) => passesFromAnywhere(one) && !one.atLast).map(({ check }) => check);
      return {
        address,
        identity,
        flows,
        connections,
        ways,
        observations,
        passing,
        limit: run.sweeps.limit(address),
        audio: audio.get(address),
      };
    });

export const runStudies = async (run: RunState, audio: Audio = new Map()): Promise<void> => {
  const { input, tools, signal } = run;
  const options = input.studies;
  if (!options || signal.aborted) return;
  const farEnds = studiedOf(run, audio);
  const studies = await Promise.all(STUDY_KINDS.map(loadStudy));
  const ended = new Map<StudyKind, Promise<unknown>>();
  const begin = (kind: StudyKind): Promise<unknown> => {
    const known = ended.get(kind);
    if (known) return known;
    const study = studies.find((one) => one.kind === kind);
    const asking = (async () => {
      await Promise.all((study?.after ?? []).map(begin));
      return study?.wanted(options) && !signal.aborted ? study.ask(farEnds, tools, options) : [];
    })();
    ended.set(kind, asking);
    return asking;
  };
  const found = await Promise.all(STUDY_KINDS.map(async (kind) => [kind, await begin(kind)] as const));
  // Each kind's study brings home the facts of its kind.
  run.recordFacts({ ...NO_FACTS, ...(Object.fromEntries(found) as unknown as StudyFacts) });
};
