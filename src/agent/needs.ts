/** What a configuration will send, by arithmetic and before it runs: whether the budget is enough for what it asks. */
import { costOf } from '../probing/cost.js';
import { prepare } from '../probing/prepare.js';
import { LIGHT_SCOUTS } from '../run/sweep/scouts.js';
import { nameOfTarget } from './config/rules.js';
import type { Config, RunKind, ScheduleConfig, TargetConfig } from './config/schema.js';
import { mediaOf, requestOf } from './runner.js';
import { neededRate } from './schedule/shares.js';

interface Sending {
  readonly target: string;
  readonly kind: RunKind;
  /** Of one run, if everything answers. */
  readonly packets: number;
  /** Null where a cron pattern says when. */
  readonly everyMs: number | null;
}

/** Names are not resolved: each counts as one address. */
const packetsOf = async (target: TargetConfig, schedule: ScheduleConfig): Promise<number> => {
  const request = requestOf(target, schedule, schedule.kind, {});
  const prepared = await prepare(request, {}, AbortSignal.timeout(60_000), { withoutPackets: true });
  const deep = schedule.kind === 'deep';
  const { total, scouting } = await costOf(prepared, {
    deep,
    nat: true,
    persistentPort: 1,
    ...mediaOf(schedule, schedule.kind),
    maxPps: Number.POSITIVE_INFINITY,
    exhaustive: request.exhaustive,
  });
  const few = scouting.scouts === 0 ? 1 : Math.min(1, LIGHT_SCOUTS / scouting.scouts);
  return schedule.kind === 'light' ? total.packets - Math.floor(scouting.packets * (1 - few)) : total.packets;
};

/** What each schedule sends. @throws UserError if a target cannot be asked as configured */
export const sendingsOf = (config: Config): Promise<readonly Sending[]> =>
  Promise.all(
    config.targets.flatMap((target) =>
      target.schedules.map(async (schedule) => ({
        target: nameOfTarget(target),
        kind: schedule.kind,
        packets: await packetsOf(target, schedule),
        everyMs: schedule.every ?? null,
      })),
    ),
  );

const SECONDS_OF_DAY = 86_400;
/** Silence is asked again, and a change is looked at twice: with less room than this, looks come late when it matters. */
const ROOM = 0.8;

const intervalInWords = (ms: number): string => {
  const [size, unit] =
    ms % 3_600_000 === 0 ? [3_600_000, 'hour'] : ms % 60_000 === 0 ? [60_000, 'minute'] : [1000, 'second'];
  return ms === size ? `each ${unit}` : `every ${ms / size} ${unit}s`;
};

/** Sums of fractions are a trifle too large now and then. */
const TRIFLE = 1e-6;
const perSecond = (value: number): string => String(Math.ceil(value - TRIFLE));

/** The arithmetic in words, and what is wrong with it. */
export const budgetInWords = (
  sendings: readonly Sending[],
  { packetsPerSecond, packetsPerDay }: Config['budget'],
): { readonly lines: readonly string[]; readonly warnings: readonly string[] } => {
  const regular = sendings.flatMap((one) => (one.everyMs === null ? [] : [{ ...one, everyMs: one.everyMs }]));
  const groups = new Map<string, typeof regular>();
  for (const one of regular) {
    const key = `${one.kind} ${one.packets} ${one.everyMs}`;
    groups.set(key, [...(groups.get(key) ?? []), one]);
  }
  const needed = neededRate(regular);
  const lines = [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    const targets = `${group.length} target${group.length === 1 ? '' : 's'}`;
    return [
      `${first.kind}: ${targets} × ${first.packets} packets ${intervalInWords(first.everyMs)} need ${perSecond(neededRate(group))} packets/s of ${packetsPerSecond}`,
    ];
  });
  const warnings = [
    ...(needed > packetsPerSecond * ROOM
      ? [
          `budget.packetsPerSecond is ${packetsPerSecond}, and all schedules together need ${perSecond(needed)}${needed > packetsPerSecond ? '' : ' without a repetition'}: runs will be late or missed; raise it to ${perSecond(needed / ROOM)}, or run less often`,
        ]
      : []),
    ...(packetsPerDay !== undefined && needed * SECONDS_OF_DAY > packetsPerDay
      ? [
          `budget.packetsPerDay is ${packetsPerDay}, and all schedules together need ${perSecond(needed * SECONDS_OF_DAY)}: it runs out after ${(packetsPerDay / needed / 3600).toFixed(1)} h each day`,
        ]
      : []),
  ];
  return { lines, warnings };
};
