/**
 * Asks all questions of a plan and brings home what was observed. Runs in a worker thread, so everything that goes in
 * and comes out is plain data.
 */
import { setMaxListeners } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import pLimit from 'p-limit';
import { loadProbe, type Probe, type Session } from '../../probes/contract.js';
import type { AskedKind, Check } from '../model/check.js';
import type { Observation } from '../model/observation.js';
import { type LossSample, RANGE_PORT_DOUBT, SINGLE_CHECK_DOUBT } from '../verdict/silence.js';
import { deriveKeys } from '../wire/keys.js';
import { askCheck, notAsked } from './ask.js';
import { type Identification, identify } from './identify.js';
import type { AskContext } from './ledger.js';
import { type Net, systemNet, type Totals } from './net.js';
import { createPath } from './path.js';
import type { PlannedCheck } from './plan.js';
import { witness } from './witness.js';

export interface RunInput {
  readonly questions: readonly PlannedCheck[];
  readonly token: Uint8Array | null;
  /** Addresses that may be a reflector's; third parties are asked without a token. Null: any may be. */
  readonly reflectorAddresses: readonly string[] | null;
  readonly sessionId: Uint8Array;
  readonly maxPps: number;
  /** The whole run, in milliseconds; what is not known by then is `not-run`. */
  readonly timeoutMs: number;
  readonly source: string | null;
}

export interface RunOutput {
  readonly observations: readonly Observation[];
  /** By address. */
  readonly identities: readonly (readonly [address: string, Identification])[];
  /** UDP ports on which a bare tag passed where the check's own protocol did not, as `address/port`. */
  readonly otherBytesPassed: readonly string[];
  readonly loss: LossSample;
  readonly totals: Totals;
  readonly eventLoopDelayMs: number;
}

/** Three answers give a median; a sampled port of a range only has to pass. */
export const SAMPLES = { single: 3, ofRange: 1 } as const;
/** Open sockets at once; with the pacing far below what a branch router's session table notices. */
const MAX_CONCURRENT = 128;
/** A discriminator only has to pass once; it is no evidence when it stays silent. */
const DISCRIMINATOR_ATTEMPTS = 4;
/** How finely the event loop's delay is sampled, in milliseconds; finer costs more than it shows. */
const DELAY_RESOLUTION_MS = 5;

/** Fisher–Yates with bytes from the net's chance: shuffled, so that a port's neighbours are not asked in a burst. */
const shuffle = <T>(items: readonly T[], net: Net): readonly T[] => {
  const keys = Buffer.from(net.random(items.length * 4));
  return items
    .map((item, index) => ({ item, key: keys.readUInt32BE(index * 4) }))
    .sort((a, b) => a.key - b.key)
    .map(({ item }) => item);
};

const passed = (observation: Observation): boolean =>
  observation.attempts.some((attempt) => attempt.outcome === 'answer' && attempt.authentic === true);

const silent = ({ attempts, notRun }: Observation): boolean =>
  notRun === null && attempts.length > 0 && attempts.every(({ outcome }) => outcome === 'silence');

/** Checks that passed, UDP first because it costs one packet, and the one through which the reflector spoke first of all. */
const waysThrough = (
  observations: readonly Observation[],
  identities: readonly (readonly [string, Identification])[],
): readonly Check[] => {
  const controls = new Set(identities.flatMap(([, { identity }]) => identity?.control ?? []));
  const rank = ({ transport, port }: Check): number =>
    (controls.has(`${transport}/${port}`) ? 0 : 2) + (transport === 'udp' ? 0 : 1);
  return observations
    .filter(passed)
    .map(({ check }) => check)
    .sort((a, b) => rank(a) - rank(b));
};

/**
 * Runs to the end, to `timeoutMs`, or until `signal` fires; resolves with what is known in each case.
 * @param onProgress called after each check with how many are done
 */
export const run = async (
  input: RunInput,
  signal: AbortSignal,
  onProgress: (done: number) => void = () => undefined,
  net: Net = systemNet(input.maxPps, input.source),
): Promise<RunOutput> => {
  // Loaded before the clock counts, so that no module's loading becomes a round trip or a delay of the event loop.
  const kinds = [...new Set<AskedKind>([...input.questions.map(({ probe }) => probe), 'udp-echo'])];
  const probes = new Map(await Promise.all(kinds.map(async (kind) => [kind, await loadProbe(kind)] as const)));
  const probeOf = (kind: AskedKind): Probe => {
    const probe = probes.get(kind);
    if (!probe) throw new RangeError(`no probe of kind ${kind}`);
    return probe;
  };
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const totals: Totals = { packetsSent: 0, bytesSent: 0, packetsReceived: 0 };
  const session: Session = {
    id: input.sessionId,
    keys: input.token && deriveKeys(input.token, input.sessionId),
  };
  let sequence = 0;
  const contextWith = (keys: Session['keys']): AskContext => ({
    net,
    session: { ...session, keys },
    totals,
    nextSequence: () => {
      sequence += 1;
      return sequence;
    },
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
  let done = 0;

  const ask = async (question: PlannedCheck): Promise<Observation> => {
    const observation = question.skip
      ? notAsked(question, question.skip)
      : await askCheck(
          question,
          probeOf(question.probe),
          mayBeReflector(question.address) ? context : stranger,
          path,
          question.rangeId === null
            ? { samples: SAMPLES.single, doubt: SINGLE_CHECK_DOUBT }
            : { samples: SAMPLES.ofRange, doubt: RANGE_PORT_DOUBT },
          over,
        );
    done += 1;
    onProgress(done);
    return observation;
  };

  /** A silent port where other bytes pass is inspection, not a closed port. */
  const discriminate = async (check: Check): Promise<readonly string[]> => {
    const id = `${check.id}?`;
    const observation = await askCheck(
      { ...check, id, probe: 'udp-echo' },
      probeOf('udp-echo'),
      context,
      path,
      { samples: 1, doubt: SINGLE_CHECK_DOUBT, atMost: DISCRIMINATOR_ATTEMPTS },
      over,
    );
    return passed(observation) ? [`${check.address}/${check.port}`] : [];
  };

  try {
    const asked = input.questions.filter(({ skip, address }) => skip === null && address !== null);
    const addresses = [...new Set(asked.flatMap(({ address }) => address ?? []))].filter(mayBeReflector);
    const at = (address: string): readonly PlannedCheck[] => asked.filter((check) => check.address === address);
    const identifyAll = async (): Promise<[string, Identification][]> =>
      session.keys
        ? Promise.all(
            addresses.map(
              async (address): Promise<[string, Identification]> => [
                address,
                await identify(at(address), context, path, over),
              ],
            ),
          )
        : [];
    const [identities, shuffled] = await Promise.all([
      identifyAll(),
      Promise.all(shuffle(input.questions, net).map((question) => limit(() => ask(question)))),
    ]);

    const byId = new Map(shuffled.map((observation) => [observation.check.id, observation]));
    const observations = input.questions.map((question) => byId.get(question.id) ?? notAsked(question, 'interrupted'));
    const proven = new Set(observations.filter(passed).flatMap(({ check }) => check.address ?? []));

    // Its word may have been lost on the ways first tried; where a check has passed, it can be heard.
    const second = await Promise.all(
      identities.map(async ([address, identification]): Promise<[string, Identification]> => {
        if (identification.identity || !proven.has(address)) return [address, identification];
        const ways = observations.filter((one) => one.check.address === address && passed(one));
        const again = await identify(ways.map(({ check }) => check).reverse(), context, path, over);
        return [address, again];
      }),
    );

    const discriminated = await Promise.all(
      observations
        .filter((one) => silent(one) && one.check.transport === 'udp' && proven.has(one.check.address ?? ''))
        .filter((one) => one.check.probe !== 'udp-echo')
        .map((one) => limit(() => discriminate(one.check))),
    );
    const witnessed = await Promise.all(
      [...proven].map(async (address) => {
        const own = observations.filter(({ check }) => check.address === address);
        return witness(own, waysThrough(own, second), context, path, over);
      }),
    );
    const completed = new Map(witnessed.flat().map((observation) => [observation.check.id, observation]));
    return {
      observations: observations.map((observation) => completed.get(observation.check.id) ?? observation),
      identities: second,
      otherBytesPassed: discriminated.flat(),
      loss: path.sample(),
      totals,
      eventLoopDelayMs: Math.round(delay.max / 1e4) / 100,
    };
  } finally {
    clearTimeout(timer);
    delay.disable();
  }
};
