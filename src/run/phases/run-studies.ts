/**
 * Adds what the studies find of far ends that proved themselves and still answer. Last, because they may take minutes, and
 * each begins when those that it would disturb have ended.
 */
import type { PlannedCheck } from '../../model/check.js';
import { isWithin } from '../../verdict/circumstances.js';
import { lostAtFirst } from '../../verdict/flows.js';
import { SINGLE_CHECK_DOUBT } from '../../verdict/silence.js';
import { NO_FACTS, STUDY_KINDS, type StudyFacts, type StudyKind } from '../../verdict/studies/registry.js';
import { askCheck } from '../ask/ask.js';
import type { FarEnd } from '../far-ends.js';
import { passed, passesFromAnywhere } from '../observations.js';
import type { RunState } from '../state.js';
import { sipInAnothersPlace } from '../studies/another.js';
import { loadStudy, type StudiedFarEnd } from '../studies/study.js';
import type { Audio } from './begin-audio.js';

const ONCE_ANSWERED = { samples: 1, doubt: SINGLE_CHECK_DOUBT } as const;

/** SIP that is compared at a reflector in the place of somebody else's server. */
const inAnothersPlace = (run: RunState, { address, facts: { identity } }: FarEnd): readonly PlannedCheck[] => {
  if (!identity) return [];
  const { control, info } = identity;
  const asked = sipInAnothersPlace(run.input.questions, { ...control, address });
  return asked.filter(({ transport, port }) => isWithin(transport === 'udp' ? info.udp : info.tcp, port));
};

const withSip = async (run: RunState, studied: StudiedFarEnd): Promise<StudiedFarEnd> => {
  const farEnd = run.farEnds.get(studied.address);
  const { tools } = run;
  const asked = await Promise.all(
    (farEnd ? inAnothersPlace(run, farEnd) : []).map((check) =>
      askCheck(check, tools.probeOf(check.probe), ONCE_ANSWERED, tools),
    ),
  );
  return { ...studied, signalling: asked.filter(passed) };
};

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
        signalling: [],
        limit: run.sweeps.limit(address),
        audio: audio.get(address),
      };
    });

export const runStudies = async (run: RunState, audio: Audio = new Map()): Promise<void> => {
  const { input, tools, signal } = run;
  const options = input.studies;
  if (!options || signal.aborted) return;
  const farEnds = await Promise.all(studiedOf(run, audio).map((one) => withSip(run, one)));
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
