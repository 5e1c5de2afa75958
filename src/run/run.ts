/**
 * Asks all questions of a plan and brings home what was observed. Runs in a worker thread, so everything that goes in
 * and comes out is plain data.
 */
import { setMaxListeners } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import pLimit from 'p-limit';
import type { Session } from '../../probes/contract.js';
import type { Check } from '../model/check.js';
import type { Observation } from '../model/observation.js';
import { NO_FACTS } from '../model/study-facts.js';
import { type PlannedCheck, type PlannedRange, portOfRange, SAMPLES } from '../plan/plan.js';
import { RANGE_PORT_DOUBT, SINGLE_CHECK_DOUBT } from '../verdict/silence.js';
import { deriveKeys } from '../wire/keys.js';
import { askCheck, notAsked } from './ask/ask.js';
import { loadProbes } from './ask/probes.js';
import type { AskContext } from './ask/transactions.js';
import { createHearing } from './liveness.js';
import { type Net, systemNet, type Totals } from './net.js';
import { createPath } from './path.js';
import { type Settling, settle, settleArrived } from './phases/ask-until-certain.js';
import { askControl } from './phases/bound-loss.js';
import { witness, witnessEnough } from './phases/fetch-receipts.js';
import { confirm, type FollowUp, followUp, passed } from './phases/follow-up.js';
import { type Identification, identify } from './phases/identify.js';
import { lookAgain } from './phases/recheck-slow.js';
import type { OnProgress, RunInput, RunOutput } from './run-data.js';
import { refine, suspectPorts } from './sweep/boundaries.js';
import { shuffled } from './sweep/shuffle.js';
import { createSweepStage } from './sweep/stage.js';

/** Open sockets at once; with the pacing far below what a branch router's session table notices. */
const MAX_CONCURRENT = 128;
/** How finely the event loop's delay is sampled, in milliseconds; finer costs more than it shows. */
const DELAY_RESOLUTION_MS = 5;

const NOBODY: Identification = { identity: null, tokenRefused: false, versionRefused: false };

/**
 * Runs to the end, to `timeoutMs`, or until `signal` fires; resolves with what is known in each case.
 */
export const run = async (
  input: RunInput,
  signal: AbortSignal,
  onProgress: OnProgress = () => undefined,
  net: Net = systemNet(input.maxPps, input.source),
): Promise<RunOutput> => {
  const probeOf = await loadProbes(input.questions, input.stages !== undefined);
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const totals: Totals = { packetsSent: 0, bytesSent: 0, packetsReceived: 0 };
  const session: Session = {
    id: input.sessionId,
    keys: input.token && deriveKeys(input.token, input.sessionId),
  };
  const hearing = createHearing(net.now);
  let sequence = 0;
  const contextWith = (keys: Session['keys']): AskContext => ({
    net,
    session: { ...session, keys },
    totals,
    nextSequence: () => {
      sequence += 1;
      return sequence;
    },
    heard: hearing.heard,
  });
  const context = contextWith(session.keys);
  const stranger = contextWith(null);
  const mayBeReflector = (address: string | null): boolean =>
    address !== null && (input.reflectorAddresses?.includes(address) ?? true);
  const path = createPath();
  const limit = pLimit(MAX_CONCURRENT);
  const deadline = new AbortController();
  const timer = setTimeout(() => deadline.abort(new Error('deadline')), input.timeoutMs);
  const over = AbortSignal.any([signal, deadline.signal]);
  // Every check that waits listens for the end; Node takes more than ten listeners for a leak.
  setMaxListeners(0, over);
  const sampled = new Set(input.ranges.flatMap(({ sample }) => sample.map(({ id }) => id)));
  /** A single check may stand for a port of a range as well, which needs the greater certainty. */
  const doubtOf = ({ id, rangeId }: Check): number =>
    rangeId === null && !sampled.has(id) ? SINGLE_CHECK_DOUBT : RANGE_PORT_DOUBT;
  let done = 0;
  const waysAt = new Map<string, Check[]>();
  const stage = createSweepStage({
    ...{ input, mayBeReflector, probeOf, context, path, waysAt },
    hearing,
  });

  const ask = async (question: PlannedCheck): Promise<Observation> => {
    const observation = question.skip
      ? notAsked(question, question.skip)
      : await askCheck(
          question,
          probeOf(question.probe),
          mayBeReflector(question.address) ? context : stranger,
          path,
          {
            samples: question.rangeId === null ? SAMPLES.single : SAMPLES.ofRange,
            doubt: doubtOf(question),
          },
          over,
        );
    done += 1;
    onProgress(done);
    const { address, transport } = question;
    if (address !== null && transport === 'udp' && passed(observation)) {
      waysAt.set(address, [...(waysAt.get(address) ?? []), question]);
    }
    return observation;
  };

  /** Only a proven reflector's silence means anything, so only its boundaries are worth asking for. */
  const refineRange = async (
    range: PlannedRange,
    byId: ReadonlyMap<string, Observation>,
  ): Promise<readonly Observation[]> => {
    const sample = range.sample.flatMap(({ id }) => byId.get(id) ?? []);
    const suspects = suspectPorts(range, [...byId.values()]);
    const askPort = async (port: number): Promise<Observation> => {
      const question = portOfRange(range, port);
      return byId.get(question.id) ?? limit(() => ask(question));
    };
    return refine(range, sample, suspects, askPort, over);
  };

  try {
    const asked = input.questions.filter(({ skip, address }) => skip === null && mayBeReflector(address));
    let whenChecked: () => void = () => undefined;
    const checked = new Promise<void>((resolve) => {
      whenChecked = resolve;
    });
    const candidates = session.keys ? [...new Set(asked.flatMap(({ address }) => address ?? []))] : [];
    const identifyAt = async (address: string): Promise<readonly [string, Identification]> => {
      const ways = asked.filter((check) => check.address === address);
      const identification = await identify(ways, context, path, over);
      if (identification.identity) {
        await askControl(identification.identity.control, probeOf('udp-echo'), context, path, checked, over);
      }
      return [address, identification];
    };
    const identifying = Promise.all(candidates.map(identifyAt));
    const single = input.questions.filter((question) => !stage.takes(question));
    const asking = Promise.all(shuffled(single, net.random).map((question) => limit(() => ask(question))));
    const sweeping = stage.sample(Promise.all([identifying, asking]), over, (count, marks) => {
      done += count;
      onProgress(done, marks);
    });
    void Promise.all([asking, sweeping]).then(whenChecked, whenChecked);
    const [identities, singles, swept] = await Promise.all([identifying, asking, sweeping]);
    const observed = [...singles, ...swept];

    const byId = new Map(observed.map((observation) => [observation.check.id, observation]));
    const isProven = (address: string | null): boolean =>
      identities.some(([name, { identity }]) => name === address && identity !== null) ||
      observed.some((one) => one.check.address === address && passed(one));
    const provenRanges = input.ranges.filter(({ address, sample }) => sample.length > 0 && isProven(address));
    const refined = await Promise.all([
      stage.explore(provenRanges, byId, over),
      ...provenRanges.filter((range) => !stage.explores(range)).map((range) => refineRange(range, byId)),
    ]);
    const inOrder = [
      ...input.questions.map((question) => byId.get(question.id) ?? notAsked(question, 'interrupted')),
      ...refined.flat().filter(({ check }) => !byId.has(check.id)),
    ];
    const proven = candidates.filter(isProven);
    const at = (address: string, all: readonly Observation[]): readonly Observation[] =>
      all.filter(({ check }) => check.address === address);
    const how: FollowUp = {
      context,
      path,
      udpEcho: probeOf('udp-echo'),
      smallEsp: probeOf('nat-t-keepalive'),
      sweep: { takes: stage.sweeps, echo: (checks) => stage.echo(checks, over) },
      isDeaf: hearing.isDeaf,
      signal: over,
    };
    const known = new Map(identities);
    const followed = await Promise.all(
      proven.map(async (address) => ({
        address,
        ...(await followUp(at(address, inOrder), known.get(address) ?? NOBODY, how)),
      })),
    );
    const settling: Settling = {
      context,
      path,
      probeOf,
      doubtOf,
      sweep: { takes: stage.sweeps, ask: (checks) => stage.again(checks, over) },
      signal: over,
    };
    const certain = await settle(
      inOrder.filter(({ check }) => check.address !== null && proven.includes(check.address)),
      settling,
    );
    const settled = await lookAgain(certain, settling);
    // What is learnt of the loss from here on comes too late for a silent check to be asked again.
    const loss = path.sample();
    const told = await Promise.all(
      followed.map(async ({ address, ways, identification }) => ({
        address,
        identification: await confirm(identification, at(address, settled), ways, how),
        ...(await witnessEnough(
          at(address, settled),
          (heard) => settleArrived(heard, settling),
          (untold) => witness(untold, ways, context, path, over),
        )),
      })),
    );
    // Last, because what they add may take minutes, and what is known by then must not wait for them.
    const gone = new Set(told.flatMap(({ address, identification }) => (identification.isGone ? [address] : [])));
    const proofs = followed
      .filter(({ address }) => !gone.has(address))
      .map((one) => ({
        ...one,
        observations: told.find(({ address }) => address === one.address)?.observations ?? at(one.address, settled),
      }));
    const stages = input.stages
      ? await (await import('./studies/registry.js')).runStudies(proofs, input.stages, {
          context,
          path,
          probeOf,
          signal: over,
        })
      : NO_FACTS;
    const completed = new Map(
      told.flatMap(({ observations }) =>
        observations.map((observation) => [observation.check.id, observation] as const),
      ),
    );
    const later = new Map(told.map(({ address, identification }) => [address, identification]));
    return {
      observations: inOrder.map((observation) => completed.get(observation.check.id) ?? observation),
      identities: identities.map(([address, first]) => [address, later.get(address) ?? first]),
      otherBytesPassed: followed.flatMap(({ address, otherBytesPassed }) =>
        otherBytesPassed.map((port) => `${address}/${port}`),
      ),
      smallEspPassed: followed.flatMap(({ address, smallEspPassed }) =>
        smallEspPassed.map((port) => `${address}/${port}`),
      ),
      heldBack: told.map(({ address, heldBack }) => [address, heldBack] as const),
      stages,
      loss,
      limits: stage.limits(),
      sweptFlows: stage.flows(),
      totals,
      cutShort: over.aborted ? (signal.aborted ? 'signal' : 'deadline') : null,
      eventLoopDelayMs: Math.round(delay.max / 1e4) / 100,
      usualDelayMs: Math.round(delay.percentile(90) / 1e4) / 100,
    };
  } finally {
    stage.close();
    clearTimeout(timer);
    delay.disable();
  }
};
