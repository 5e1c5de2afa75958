/** The sweep as a stage of a run: takes the questions of ranges that a reflector answers over UDP, gives observations. */
import type { Probe } from '../../../probes/contract.js';
import type { AskedKind, Check } from '../../model/check.js';
import type { Mark, Observation, PathLimit } from '../../model/observation.js';
import type { PlannedCheck, PlannedRange } from '../../plan/plan.js';
import type { AskContext } from '../ask/transactions.js';
import type { Hearing } from '../liveness.js';
import type { Path } from '../path.js';
import type { RunInput } from '../run-data.js';
import type { Depth } from './depth.js';
import { explore } from './explore.js';
import { createSweeper, SWEPT_KINDS, type Sweeper } from './sweep.js';

export interface SweepStage {
  /** Whether a question is the sweep's. */
  takes(question: PlannedCheck): boolean;
  explores(range: PlannedRange): boolean;
  /** Whether a check that was asked is the sweep's. */
  sweeps(check: Check): boolean;
  /** Asks all questions that it takes. `quiet` resolves when nothing else is sent. */
  sample(
    quiet: Promise<unknown>,
    signal: AbortSignal,
    onDone: (count: number, marks: readonly Mark[]) => void,
  ): Promise<readonly Observation[]>;
  /** Looks for holes between the ports of the sample, and for the boundaries of all that was found. */
  explore(
    ranges: readonly PlannedRange[],
    byId: ReadonlyMap<string, Observation>,
    signal: AbortSignal,
  ): Promise<readonly Observation[]>;
  /** Asks these of its checks once more. */
  again(checks: readonly Check[], signal: AbortSignal): Promise<readonly Observation[]>;
  /** Whether these pass; those that stay silent are left out. */
  echo(checks: readonly Check[], signal: AbortSignal): Promise<readonly Observation[]>;
  limits(): readonly (readonly [address: string, PathLimit])[];
  flows(): number;
  close(): void;
}

export interface StageInput {
  readonly input: Pick<RunInput, 'questions' | 'ranges' | 'maxPps' | 'timeoutMs' | 'scouts'>;
  readonly mayBeReflector: (address: string | null) => boolean;
  readonly probeOf: (kind: AskedKind) => Probe;
  readonly context: AskContext;
  readonly path: Path;
  /** UDP checks that passed so far, by address. */
  readonly waysAt: ReadonlyMap<string, readonly Check[]>;
  readonly hearing: Hearing;
}

const groupBy = <T>(items: readonly T[], keyOf: (item: T) => string): ReadonlyMap<string, readonly T[]> => {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(keyOf(item));
    if (group) group.push(item);
    else groups.set(keyOf(item), [item]);
  }
  return groups;
};

/** Where every port was asked nothing is left to look for. */
const hasGaps = ({ from, to, step, sample }: PlannedRange): boolean =>
  sample.length < Math.floor((to - from) / step) + 1;

/** The stage of one run. */
export const createSweepStage = (stage: StageInput): SweepStage => {
  const { input, mayBeReflector, probeOf, context, path, waysAt, hearing } = stage;
  const sweepers = new Map<string, Sweeper>();
  const sweeps = ({ rangeId, transport, probe, address, family }: Check): boolean =>
    context.session.keys !== null &&
    rangeId !== null &&
    transport === 'udp' &&
    SWEPT_KINDS.has(probe) &&
    family !== null &&
    mayBeReflector(address);
  const takes = (question: PlannedCheck): boolean => question.skip === null && sweeps(question);
  const explores = ({ sample: [first] }: PlannedRange): boolean =>
    first !== undefined && takes({ ...first, rangeId: first.rangeId ?? first.id });
  let done: (count: number, marks: readonly Mark[]) => void = () => undefined;
  let isSample = true;
  let quiet: Promise<unknown> = Promise.resolve();

  const sweeperFor = ({ address, family }: Check): Sweeper | null => {
    if (address === null || family === null) return null;
    const known = sweepers.get(address);
    if (known) return known;
    const sweeper = createSweeper({
      address,
      family,
      probeOf,
      context,
      path,
      ways: () =>
        (waysAt.get(address) ?? []).map((check) => ({
          check,
          probe: probeOf('udp-echo'),
          proven: false,
        })),
      quiet,
      hearing,
      maxPackets: (input.maxPps * input.timeoutMs) / 1000,
      onDecided: (marks) => done(isSample ? marks.length : 0, marks),
    });
    sweepers.set(address, sweeper);
    return sweeper;
  };
  const perAddress = async <T>(
    items: readonly T[],
    addressOf: (item: T) => string | null,
    work: (items: readonly T[]) => Promise<readonly Observation[]>,
  ): Promise<readonly Observation[]> => {
    const groups = groupBy(items, (item) => addressOf(item) ?? '');
    return (await Promise.all([...groups.values()].map(work))).flat();
  };

  const askAll = (checks: readonly Check[], depth: Depth, signal: AbortSignal): Promise<readonly Observation[]> =>
    perAddress(
      checks,
      ({ address }) => address,
      async (own) => {
        const [first] = own;
        const sweeper = first && sweeperFor(first);
        return sweeper ? (await sweeper.ask(own, depth, signal)).observations : [];
      },
    );

  return {
    takes,
    explores,
    sweeps,
    sample: (whenQuiet, signal, onDone) => {
      done = onDone;
      // Whoever waits for it fails with it; here it only says when.
      quiet = whenQuiet.catch(() => undefined);
      return askAll(input.questions.filter(takes), 'certain', signal);
    },
    explore: (ranges, byId, signal) => {
      isSample = false;
      const random = (): number => Buffer.from(context.net.random(4)).readUInt32BE(0) / 2 ** 32;
      return perAddress(
        ranges.filter((range) => explores(range) && hasGaps(range)),
        ({ address }) => address,
        async (own) => {
          const [first] = own.flatMap(({ sample }) => sample);
          const sweeper = first && sweeperFor(first);
          if (!sweeper) return [];
          const known = own.flatMap(({ sample }) => sample.flatMap(({ id }) => byId.get(id) ?? []));
          const stop = (): boolean =>
            signal.aborted || sweeper.limit()?.kind === 'flows' || hearing.isDeaf(first.address ?? '');
          const ask = (checks: readonly Check[], depth: Depth) => sweeper.ask(checks, depth, signal);
          return explore(own, known, ask, { random, stop, scouts: input.scouts });
        },
      );
    },
    again: (checks, signal) => askAll(checks, 'certain', signal),
    echo: (checks, signal) => askAll(checks, 'scout', signal),
    limits: () =>
      [...sweepers].flatMap(([address, sweeper]) => {
        const limit = sweeper.limit();
        return limit ? [[address, limit] as const] : [];
      }),
    flows: () => [...sweepers.values()].reduce((sum, sweeper) => sum + sweeper.flows(), 0),
    close: () => {
      for (const sweeper of sweepers.values()) sweeper.close();
    },
  };
};
