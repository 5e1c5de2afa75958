/** What was observed so far, by question; and when every planned question has been asked. */
import type { Key, PlannedCheck } from '../model/check.js';
import type { Observation } from '../model/observation.js';
import { notAsked } from './ask/ask.js';
import type { Timeline } from './timeline.js';

export interface Observations {
  get(key: Key): Observation | undefined;
  has(key: Key): boolean;
  all(): Iterable<Observation>;
  /** Those of one address. */
  at(address: string): readonly Observation[];
  /** Takes in what was observed, in place of what was known of the same question. */
  record(all: readonly Observation[]): void;
  /** Fires when every planned question has been asked. */
  readonly ended: AbortSignal;
  /** The planned ones in their order, then what was asked besides; what was not asked is said to be interrupted. */
  inOrder(): readonly Observation[];
}

/** A reflector's own answer came, so this way to it is open in both directions. */
export const passed = ({ attempts }: Observation): boolean =>
  attempts.some((attempt) => attempt.outcome === 'answer' && attempt.authentic === true);

/** The same, and not from the protocol's own source port alone. */
export const passesFromAnywhere = (one: Observation): boolean =>
  passed(one) &&
  one.attempts.some(
    ({ outcome, sourcePort }) => outcome === 'answer' && (sourcePort === null || sourcePort !== one.check.port),
  );

/** Nothing but silence met what was asked. */
export const isSilent = ({ attempts, notRun }: Observation): boolean =>
  notRun === null && attempts.length > 0 && attempts.every(({ outcome }) => outcome === 'silence');

/** When packets went out in vain, over UDP or over connections, of questions that were answered all the same. */
export const lostBesideAnswers = (all: readonly Observation[], over: 'udp' | 'connections'): readonly number[] =>
  all
    .filter((one) => (one.check.transport === 'udp') === (over === 'udp') && passed(one))
    .flatMap(({ attempts }) => attempts.flatMap(({ lostAtMs }) => lostAtMs));

export const createObservations = (questions: readonly PlannedCheck[]): Observations => {
  const byKey = new Map<Key, Observation>();
  const open = new Set(questions.map(({ key }) => key));
  const ended = new AbortController();
  const end = (): void => {
    if (open.size === 0) ended.abort(new Error('every planned question has been asked'));
  };
  end();
  return {
    get: (key) => byKey.get(key),
    has: (key) => byKey.has(key),
    all: () => byKey.values(),
    at: (address) => [...byKey.values()].filter(({ check }) => check.address === address),
    record: (all) => {
      for (const observation of all) {
        byKey.set(observation.check.key, observation);
        open.delete(observation.check.key);
      }
      end();
    },
    ended: ended.signal,
    inOrder: () => {
      const planned = new Set(questions.map(({ key }) => key));
      return [
        ...questions.map((question) => byKey.get(question.key) ?? notAsked(question, 'interrupted')),
        ...[...byKey.values()].filter(({ check }) => !planned.has(check.key)),
      ];
    },
  };
};

/** Packets of a check that went out while its far end was alive; all of them where nothing was watched. */
export const witnessedPackets = (
  { check, attempts }: Observation,
  { timeline }: { readonly timeline: Pick<Timeline, 'unwitnessed'> },
): number => {
  return attempts.reduce(
    (sum, { packets, lostAtMs }) =>
      sum + packets - timeline.unwitnessed(check.address ?? '', lostAtMs, check.transport, check.port),
    0,
  );
};
