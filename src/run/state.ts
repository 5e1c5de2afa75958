/**
 * What a run knows while it goes on: one state, of which every fact has one owner. Phases read it and add to it; nothing
 * here decides what is asked next.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import pLimit from 'p-limit';
import type { Check, PlannedCheck } from '../model/check.js';
import type { Silence } from '../model/far-end.js';
import type { LossSample, Observation, PathLimit } from '../model/observation.js';
import type { OnProgress, RunInput, RunOutput } from '../model/run.js';
import { lostAtFirst } from '../verdict/flows.js';
import { RANGE_PORT_DOUBT, SINGLE_CHECK_DOUBT } from '../verdict/silence.js';
import { NO_FACTS, type StudyFacts } from '../verdict/studies/registry.js';
import { deriveKeys } from '../wire/keys.js';
import { addressChangesOf } from './address-changes.js';
import { askCheck, notAsked } from './ask/ask.js';
import { loadProbes } from './ask/probes.js';
import { createWays } from './ask/ways.js';
import { diedBesideOpened, withoutLimits } from './connection-outages.js';
import { either } from './either.js';
import { createFarEnds, type FarEnd, type FarEnds } from './far-ends.js';
import type { Net } from './net.js';
import { createObservations, lostBesideAnswers, type Observations, passed } from './observations.js';
import { createPath } from './path.js';
import { createSweeps, type Sweeps } from './sweep/sweeps.js';
import { awayBeforeUdp, connectionsAway, createTimeline } from './timeline.js';
import type { Tools } from './tools.js';

/** Open sockets at once; with the pacing far below what a branch router's session table notices. */
const MAX_CONCURRENT = 128;
/** How finely the event loop's delay is sampled, in milliseconds; finer costs more than it shows. */
const DELAY_RESOLUTION_MS = 5;

export interface RunState {
  readonly input: RunInput;
  /** For questions to addresses that may be a reflector's. */
  readonly tools: Tools;
  readonly signal: AbortSignal;
  /** On the run's clock, in milliseconds. */
  readonly begunAtMs: number;
  readonly observations: Observations;
  readonly farEnds: FarEnds;
  readonly sweeps: Sweeps;
  mayBeReflector(address: string | null): boolean;
  /** Far ends of which somebody has proven to know the token, by telling what it is or by an answer. */
  proven(): readonly FarEnd[];
  /** The probability of a false "blocked" that is tolerated. */
  doubtOf(check: Check): number;
  /** Asks one planned question within the limit of open sockets, and records what was observed. */
  ask(question: PlannedCheck): Promise<Observation>;
  /** What is learnt of loss from here on comes too late for a silent check to be asked again: it judges nobody. */
  freezeLoss(): void;
  recordFacts(facts: StudyFacts): void;
  /** Besides those that the studies brought. */
  addCalls(calls: StudyFacts['calls']): void;
  output(): RunOutput<StudyFacts>;
  close(): void;
}

/** Three answers give a median; a port of a range only has to pass. */
export const SAMPLES = { single: 3, ofRange: 1 } as const;

/** What a run that begins anew keeps of its first beginning: its clock, its numbers, and what it has sent. */
type Earlier = Pick<RunState, 'begunAtMs' | 'tools'>;

const numbers = (): Tools['nextSequence'] => {
  let sequence = 0;
  return () => {
    sequence += 1;
    return sequence;
  };
};

const createTools = (
  input: RunInput,
  net: Net,
  probeOf: Tools['probeOf'],
  signal: AbortSignal,
  earlier: Tools | undefined,
): Tools => {
  const timeline = createTimeline(net.now);
  return {
    ...{ net, probeOf, signal, timeline, ways: createWays(), watch: { isPaused: false } },
    totals: earlier?.totals ?? { packetsSent: 0, bytesSent: 0, packetsReceived: 0 },
    session: { id: input.sessionId, keys: input.token && deriveKeys(input.token, input.sessionId) },
    nextSequence: earlier?.nextSequence ?? numbers(),
    path: createPath(timeline.witnessed),
  };
};

/** Begins a run, or begins one anew: its clock, its deadline, and nothing asked yet. Whoever opens it closes it. */
export const openRun = async (
  input: RunInput,
  signal: AbortSignal,
  onProgress: OnProgress,
  net: Net,
  earlier?: Earlier,
): Promise<RunState> => {
  const probeOf = await loadProbes(input.questions, input.studies !== undefined);
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const deadline = new AbortController();
  const begunAtMs = earlier?.begunAtMs ?? net.now();
  const leftMs = Math.max(0, input.timeoutMs - (net.now() - begunAtMs));
  const timer = setTimeout(() => deadline.abort(new Error('deadline')), leftMs);
  const over = either(signal, deadline.signal);

  const tools = createTools(input, net, probeOf, over, earlier?.tools);
  const strangers: Tools = { ...tools, session: { ...tools.session, keys: null } };
  const mayBeReflector = (address: string | null): boolean =>
    address !== null && (input.reflectorAddresses?.includes(address) ?? true);
  const askable = input.questions.filter(({ skip, address }) => skip === null && mayBeReflector(address));
  const observations = createObservations(input.questions);
  const farEnds = createFarEnds(
    tools.session.keys ? [...new Set(askable.flatMap(({ address }) => address ?? []))] : [],
  );
  const ofRanges = new Set(input.ranges.flatMap(({ sample }) => sample.map(({ key }) => key)));
  // A single check may stand for a port of a range as well, which needs the greater certainty.
  const doubtOf = ({ isOfRange, key }: Check): number =>
    isOfRange || ofRanges.has(key) ? RANGE_PORT_DOUBT : SINGLE_CHECK_DOUBT;
  const limit = pLimit(MAX_CONCURRENT);
  let done = 0;
  let loss: LossSample | null = null;
  let facts: StudyFacts = NO_FACTS;
  const sweeps = createSweeps({
    ...{ input, tools, mayBeReflector },
    passedOverUdp: (address) => farEnds.get(address)?.passedOverUdp ?? [],
    onDecided: (count, marks) => {
      done += count;
      onProgress(done, marks);
    },
  });
  /** New flows that lose their first packets look refused, and are not. */
  const limitOf = (address: string, { flows, limit: known }: FarEnd['facts']): PathLimit | null => {
    const limit = sweeps.limit(address) ?? known;
    return limit?.kind === 'flows' && lostAtFirst(flows) > 0 ? null : limit;
  };
  const findGaps = (): void => {
    for (const { address } of farEnds.all()) {
      timeline.findGaps(address, lostBesideAnswers(observations.at(address), 'udp'));
    }
  };
  const { timeline } = tools;
  const silencesOfConnections = (address: string): readonly Silence[] => {
    const all = observations.at(address);
    return withoutLimits(
      connectionsAway(timeline, address, lostBesideAnswers(all, 'connections')),
      diedBesideOpened(all).filter((atMs) => timeline.witnessed(address, [atMs], 'udp') > 0),
    );
  };
  return {
    ...{ input, tools, begunAtMs, observations, farEnds, sweeps, mayBeReflector, doubtOf },
    signal: over,
    proven: () => {
      const answered = new Set([...observations.all()].flatMap((one) => (passed(one) ? one.check.address : [])));
      return farEnds.all().filter(({ address, facts: { identity } }) => identity !== null || answered.has(address));
    },
    ask: async (question) => {
      const options = {
        samples: question.isOfRange ? SAMPLES.ofRange : SAMPLES.single,
        doubt: doubtOf(question),
      };
      const own = mayBeReflector(question.address) ? tools : strangers;
      const observation = question.skip
        ? notAsked(question, question.skip)
        : await limit(() => askCheck(question, probeOf(question.probe), options, own));
      done += 1;
      onProgress(done);
      observations.record([observation]);
      if (question.transport === 'udp' && passed(observation)) farEnds.passedOverUdp(question);
      return observation;
    },
    freezeLoss: () => {
      findGaps();
      loss = tools.path.sample();
    },
    recordFacts: (found) => {
      facts = found;
    },
    addCalls: (calls) => {
      facts = { ...facts, calls: [...facts.calls, ...calls] };
    },
    output: () => ({
      observations: observations.inOrder(),
      farEnds: farEnds.all().map(({ address, facts: known }) => ({
        ...known,
        limit: limitOf(address, known),
        alive: tools.timeline.spans(address, 'tcp'),
        aliveOverUdp: tools.timeline.spans(address, 'udp'),
        shutFor: tools.timeline.shutFor(address),
        addressChanges: addressChangesOf(tools.timeline.sightings(address)),
        silences: [
          ...(lostAtFirst(known.flows) > 0
            ? []
            : awayBeforeUdp(timeline, address, lostBesideAnswers(observations.at(address), 'udp'))),
          ...silencesOfConnections(address),
          ...tools.timeline.silences(address, tools.path.lateMs('udp'), tools.path.longestRttMs('udp')),
        ],
        pauses: tools.timeline.pauses(address, tools.path.longestRttMs('udp')),
      })),
      facts,
      loss: loss ?? tools.path.sample(),
      begunAtMs,
      sweptFlows: sweeps.flows(),
      totals: tools.totals,
      cutShort: over.aborted ? (signal.aborted ? 'signal' : 'deadline') : null,
      eventLoopDelayMs: Math.round(delay.max / 1e4) / 100,
      usualDelayMs: Math.round(delay.percentile(90) / 1e4) / 100,
    }),
    close: () => {
      sweeps.close();
      clearTimeout(timer);
      delay.disable();
    },
  };
};
