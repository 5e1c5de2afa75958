/**
 * What is asked after the checks themselves, of addresses that have proven to be reflectors: who they are, and whether
 * other bytes pass where a protocol stayed silent.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import { SINGLE_CHECK_DOUBT } from '../../verdict/silence.js';
import { askCheck } from '../ask/ask.js';
import type { AskContext } from '../ask/transactions.js';
import type { Path } from '../path.js';
import { type Identification, identify } from './identify.js';

export interface FollowUp {
  readonly context: AskContext;
  readonly path: Path;
  readonly udpEcho: Probe;
  /** What sends ESP in small packets. */
  readonly smallEsp: Probe;
  /** Ports of a sweep are asked over its socket; one by one where it is left out. Gives those that passed. */
  readonly sweep?: {
    readonly takes: (check: Check) => boolean;
    readonly echo: (checks: readonly Check[]) => Promise<readonly Observation[]>;
  };
  /** Whether an address answered before and does no more; none if left out. */
  readonly isDeaf?: (address: string) => boolean;
  readonly signal: AbortSignal;
}

/** A discriminator only has to pass once; it is no evidence when it stays silent. */
const DISCRIMINATOR_ATTEMPTS = 4;

/** Enough to see inspection at work; an exhaustive sweep may find thousands of silent ports. */
const MAX_DISCRIMINATED = 64;

/** All answer alike, so one is enough; the others are for the case that it is lost. */
const MAX_CONFIRMING_WAYS = 3;

/** A reflector's own answer came, so this way to it is open in both directions. */
export const passed = (observation: Observation): boolean =>
  observation.attempts.some((attempt) => attempt.outcome === 'answer' && attempt.authentic === true);

const silent = ({ attempts, notRun }: Observation): boolean =>
  notRun === null && attempts.length > 0 && attempts.every(({ outcome }) => outcome === 'silence');

/** Checks that passed, the one through which the reflector told who it is first, then UDP, which costs one packet. */
const waysThrough = (observations: readonly Observation[], control: Check | null): readonly Check[] => {
  const passing = observations.filter(passed).map(({ check }) => check);
  const rank = ({ transport }: Check): number => (transport === 'udp' ? 0 : 1);
  return [...(control ? [control] : []), ...passing.sort((a, b) => rank(a) - rank(b))];
};

/** Its word may have been lost on the ways first tried; where a check has passed, it can be heard. */
const identifyAgain = async (
  known: Identification,
  observations: readonly Observation[],
  { context, path, signal }: FollowUp,
): Promise<Identification> =>
  known.identity ? known : identify(waysThrough(observations, null), context, path, signal);

/** UDP ports on which a bare tag passes although the check's own protocol stayed silent: inspection, not a closed port. */
const discriminate = async (
  observations: readonly Observation[],
  { context, path, udpEcho, sweep, signal }: FollowUp,
): Promise<readonly number[]> => {
  const ports = observations
    .filter((one) => silent(one) && one.check.transport === 'udp' && one.check.probe !== 'udp-echo')
    .map(({ check }) => check)
    .slice(0, MAX_DISCRIMINATED);
  const options = { samples: 1, doubt: SINGLE_CHECK_DOUBT, atMost: DISCRIMINATOR_ATTEMPTS };
  // An id of its own, so that the path does not mistake these packets for the check's.
  const questions = ports.map((check): Check => ({ ...check, id: `echo@${check.id}`, probe: 'udp-echo' }));
  const isSwept = (check: Check): boolean => sweep?.takes(check) ?? false;
  const [swept, single] = await Promise.all([
    sweep?.echo(questions.filter(isSwept)) ?? [],
    Promise.all(
      questions
        .filter((check) => !isSwept(check))
        .map((check) => askCheck(check, udpEcho, context, path, options, signal)),
    ),
  ]);
  const echoes = [...swept, ...single];
  return echoes.filter(passed).map(({ check }) => check.port);
};

/** UDP ports on which ESP passes in a small packet although a large one stayed silent: a limit of size, not of protocol. */
const shrink = async (
  observations: readonly Observation[],
  { context, path, smallEsp, signal }: FollowUp,
): Promise<readonly number[]> => {
  const options = { samples: 1, doubt: SINGLE_CHECK_DOUBT, atMost: DISCRIMINATOR_ATTEMPTS };
  const asked = await Promise.all(
    observations
      .filter((one) => silent(one) && one.check.probe === 'esp-in-udp')
      .map(({ check }) =>
        askCheck({ ...check, id: `small@${check.id}`, probe: smallEsp.kind }, smallEsp, context, path, options, signal),
      ),
  );
  return asked.filter(passed).map(({ check }) => check.port);
};

export interface FollowedUp {
  readonly identification: Identification;
  readonly otherBytesPassed: readonly number[];
  /** Over which the far end can be asked what arrived, the best first. */
  readonly ways: readonly Check[];
  readonly smallEspPassed: readonly number[];
}

/** Follows up on all observations of one proven reflector. */
export const followUp = async (
  observations: readonly Observation[],
  known: Identification,
  how: FollowUp,
): Promise<FollowedUp> => {
  const identification = await identifyAgain(known, observations, how);
  const [otherBytesPassed, smallEspPassed] = await Promise.all([
    discriminate(observations, how),
    shrink(observations, how),
  ]);
  return {
    identification,
    otherBytesPassed,
    ways: waysThrough(observations, identification.identity?.control ?? null),
    smallEspPassed,
  };
};

/** Whether some of what was sent had no answer. */
const incomplete = ({ attempts }: Observation): boolean =>
  attempts.some((one) => one.packets > (one.outcome === 'answer' ? one.answers : 0));

/**
 * Asks a reflector once more for its word before silence, refusal or loss is held against anybody: whether it could read
 * all that came is known only afterwards, and one that has ended meanwhile was silent for its own reasons.
 */
export const confirm = async (
  known: Identification,
  observations: readonly Observation[],
  ways: readonly Check[],
  { context, path, isDeaf = () => false, signal }: FollowUp,
): Promise<Identification> => {
  if (!observations.some(incomplete)) return known;
  const now = await identify(ways.slice(0, MAX_CONFIRMING_WAYS), context, path, signal);
  if (now.identity) return now;
  // Where the run's time is over nobody was asked; then it counts how long nothing had come.
  const isGone = !signal.aborted || isDeaf(known.identity?.control.address ?? '');
  return known.identity && isGone ? { ...known, isGone: true } : known;
};
