/** The sweeps of a run, one for each address: they take the questions of ranges that a reflector answers over UDP. */
import type { Probe } from '../../../probes/contract.js';
import type { Check, PlannedCheck, PlannedRange } from '../../model/check.js';
import { isSwept } from '../../model/kinds.js';
import type { Mark, Observation, PathLimit } from '../../model/observation.js';
import type { RunInput } from '../../model/run.js';
import type { Observations } from '../observations.js';
import type { Tools } from '../tools.js';
import type { Depth } from './depth.js';
import { explore } from './explore.js';
import { createSweeper, type Sweeper } from './sweep.js';

export interface Sweeps {
  /** Whether a planned question is a sweep's. */
  takes(question: PlannedCheck): boolean;
  explores(range: PlannedRange): boolean;
  /** Whether a check that was asked is a sweep's. */
  sweeps(check: Check): boolean;
  /** Asks all questions that it takes. `quiet` resolves when nothing else is sent. */
  sample(quiet: Promise<unknown>): Promise<readonly Observation[]>;
  /** Looks for holes between the ports of the samples, and for the boundaries of all that was found. */
  explore(ranges: readonly PlannedRange[], known: Observations): Promise<readonly Observation[]>;
  /** Asks these of its checks once more. */
  again(checks: readonly Check[]): Promise<readonly Observation[]>;
  /** Whether these pass from another source port than before; those that stay silent are left out. */
  echoElsewhere(checks: readonly Check[]): Promise<readonly Observation[]>;
  /** Whether these pass; those that stay silent are left out. */
  echo(checks: readonly Check[]): Promise<readonly Observation[]>;
  /** Asks all of these by one probe, until the silence of those that stay silent means something. */
  by(probe: Probe, checks: readonly Check[]): Promise<readonly Observation[]>;
  /** What limits the path to an address, where something does. */
  limit(address: string): PathLimit | null;
  /** Flows that were opened, to all addresses. */
  flows(): number;
  close(): void;
}

interface SweepsInput {
  readonly input: Pick<RunInput, 'questions' | 'maxPps' | 'timeoutMs' | 'scouts'>;
  readonly tools: Tools;
  readonly mayBeReflector: (address: string | null) => boolean;
  /** UDP checks that passed so far. */
  readonly passedOverUdp: (address: string) => readonly Check[];
  /** Told after each round: of how many planned questions it decided, and what became of which port. */
  readonly onDecided: (planned: number, marks: readonly Mark[]) => void;
}

/** Where every port was asked nothing is left to look for. */
const hasGaps = ({ from, to, step, sample }: PlannedRange): boolean =>
  sample.length < Math.floor((to - from) / step) + 1;

/** Resolves with what `work` finds of the items of each address. */
const perAddress = async <T extends { readonly address: string | null }>(
  items: readonly T[],
  work: (items: readonly T[], first: T) => Promise<readonly Observation[]>,
): Promise<readonly Observation[]> => {
  const groups = new Map<string | null, T[]>();
  for (const item of items) {
    const group = groups.get(item.address);
    if (group) group.push(item);
    else groups.set(item.address, [item]);
  }
  const all = [...groups.values()].flatMap((group) => (group[0] ? [work(group, group[0])] : []));
  return (await Promise.all(all)).flat();
};

/** The sweeps of one run. */
export const createSweeps = ({ input, tools, mayBeReflector, passedOverUdp, onDecided }: SweepsInput): Sweeps => {
  const sweepers = new Map<string, Sweeper>();
  const planned = new Set(input.questions.map(({ key }) => key));
  const canSweep = ({ transport, probe, address, family }: Check): boolean =>
    tools.session.keys !== null && transport === 'udp' && isSwept(probe) && family !== null && mayBeReflector(address);
  const sweeps = (check: Check): boolean => check.isOfRange && canSweep(check);
  const explores = ({ template }: PlannedRange): boolean => template.skip === null && canSweep(template);
  let quiet: Promise<unknown> = Promise.resolve();

  const sweeperFor = ({ address, family }: Check): Sweeper | null => {
    if (address === null || family === null) return null;
    const known = sweepers.get(address);
    if (known) return known;
    const sweeper = createSweeper({
      ...{ address, family, tools, quiet },
      ways: () => passedOverUdp(address).map((check) => ({ check, probe: tools.probeOf('udp-echo'), proven: false })),
      maxPackets: (input.maxPps * input.timeoutMs) / 1000,
      onDecided: (decided) =>
        onDecided(
          decided.filter(({ key }) => planned.delete(key)).length,
          decided.map(({ port, passes }): Mark => [port, passes]),
        ),
    });
    sweepers.set(address, sweeper);
    return sweeper;
  };
  const askAll = (checks: readonly Check[], depth: Depth, probe?: Probe): Promise<readonly Observation[]> =>
    perAddress(checks, async (own, first) => (await sweeperFor(first)?.ask(own, depth, probe))?.observations ?? []);

  return {
    takes: (question) => question.skip === null && sweeps(question),
    explores,
    sweeps,
    sample: (whenQuiet) => {
      // Whoever waits for it fails with it; here it only says when.
      quiet = whenQuiet.catch(() => undefined);
      return askAll(
        input.questions.filter((question) => question.skip === null && sweeps(question)),
        'certain',
      );
    },
    explore: (ranges, known) => {
      const random = (): number => Buffer.from(tools.net.random(4)).readUInt32BE(0) / 2 ** 32;
      return perAddress(
        ranges.filter((range) => explores(range) && hasGaps(range)),
        async (own, { template }) => {
          const sweeper = sweeperFor(template);
          if (!sweeper) return [];
          const stop = (): boolean =>
            tools.signal.aborted ||
            sweeper.limit()?.kind === 'flows' ||
            tools.timeline.isDeaf(template.address ?? '', 'udp');
          return explore(own, known, sweeper.ask, { random, stop, scouts: input.scouts });
        },
      );
    },
    again: (checks) => askAll(checks, 'certain'),
    echoElsewhere: async (checks) => {
      await Promise.all(checks.flatMap((check) => sweeperFor(check)?.renewFlows() ?? []));
      return askAll(checks, 'scout');
    },
    echo: (checks) => askAll(checks, 'scout'),
    by: (probe, checks) => askAll(checks, 'certain', probe),
    limit: (address) => sweepers.get(address)?.limit() ?? null,
    flows: () => [...sweepers.values()].reduce((sum, sweeper) => sum + sweeper.flows(), 0),
    close: () => {
      for (const sweeper of sweepers.values()) sweeper.close();
    },
  };
};
