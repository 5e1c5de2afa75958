/**
 * Days of one agent in simulated time, with a diary of faults, hourly sweeps of minutes, restarts of the agent, and changes of
 * the host's own network; what it told is held against the diary.
 */
import type { Exporter, SpoolRecord } from '../../../src/agent/exporters/contract.js';
import { sharesOf } from '../../../src/agent/status/strip.js';
import type { Report } from '../../../src/model/report.js';
import { headlineOf } from '../../../src/report/story.js';
import { agentIn, configOf } from './agent.js';
import { drawDiary, type Expected, expectedOf, type Fault, halfway, isBad, lookAt } from './diary.js';
import { NETWORK, simClock } from './sim.js';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** What is told is told within one light interval and so much. */
const BOUND_MS = MINUTE + 15_000;
const SWEEP_MS = 7 * MINUTE;
/** A hole is too narrow for a light look until a sweep has found it; that it is gone takes three clean looks. */
const BOUND_OF_HOLE = { begins: HOUR + SWEEP_MS + BOUND_MS, ends: 3 * MINUTE + 15_000 };
/** One look in so many meets chance and says something else of one check. */
const CHANCE = 1 / 1000;

/** The same numbers from the same seed (mulberry32). */
const randomFrom = (seed: number) => {
  let state = seed >>> 0;
  return (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
};

interface Told {
  readonly at: number;
  readonly subject: string;
  readonly direction: string;
  readonly text: string;
}

interface Fortnight {
  readonly summary: string;
  readonly precision: number;
  readonly recall: number;
  readonly faults: readonly string[];
}

/** When the agent was down, and when the host's network was another one. */
interface Interlude {
  readonly from: number;
  readonly to: number;
}

const overlaps = (one: Interlude, from: number, to: number): boolean => one.from < to && one.to > from;

const deadlineOf = ({ fault, edge, at }: Expected, down: readonly Interlude[]): number => {
  const bound = fault.kind === 'hole' ? BOUND_OF_HOLE[edge] : BOUND_MS;
  const late = down.find((one) => overlaps(one, at - SWEEP_MS, at + bound));
  return late ? Math.max(at, late.to) + bound : at + bound;
};

const toldIn = (records: readonly SpoolRecord[]): readonly Told[] =>
  records.flatMap(({ kind, at, body }): Told[] => {
    if (kind !== 'change') return [];
    const { subject, direction, text } = body as unknown as {
      subject: { kind: string; id: string };
      direction: string;
      text: string;
    };
    return [{ at: Date.parse(at), subject: `${subject.kind} ${subject.id}`, direction, text }];
  });

const inWords = ({ fault, edge, at }: Expected): string => `${new Date(at).toISOString()} ${fault.kind} ${edge}`;

/** Holds what was told against what was to be told: each once, in time, with subject and direction. */
const compare = (expected: readonly Expected[], told: readonly Told[], down: readonly Interlude[]) => {
  const left = new Set(told);
  const faults: string[] = [];
  let found = 0;
  let slowest = 0;
  for (const one of expected) {
    const until = deadlineOf(one, down);
    const match = [...left].find(
      ({ at, subject, direction }) =>
        subject === one.subject && direction === one.direction && at >= one.at && at <= until,
    );
    if (!match) {
      faults.push(`not told: ${inWords(one)}`);
      continue;
    }
    left.delete(match);
    found += 1;
    if (one.fault.kind !== 'hole' && until === one.at + BOUND_MS) slowest = Math.max(slowest, match.at - one.at);
  }
  for (const { at, subject, direction, text } of left)
    faults.push(`told, and nothing of it in the diary: ${new Date(at).toISOString()} ${subject} ${direction}: ${text}`);
  return { found, faults, slowest };
};

const availabilityOf = (reports: readonly Report[]): number => {
  const tones = reports.map((one) => headlineOf(one).tone).filter((tone) => tone !== 'none');
  return tones.filter((tone) => tone !== 'bad').length / tones.length;
};

/** By the diary: of the time in which anything was known and somebody looked, the part in which calls passed. */
const availabilityBy = (
  diary: readonly Fault[],
  foundAt: ReadonlyMap<Fault, number>,
  down: readonly Interlude[],
  [from, to]: readonly [number, number],
): number => {
  let [known, good] = [0, 0];
  for (let at = from; at < to; at += 10_000) {
    if (down.some((one) => overlaps(one, at, at + 1))) continue;
    const fault = diary.find((one) => one.from <= at && at < one.to);
    // Before a sweep has met it, a narrow hole is nothing that a sample could know.
    if (fault?.kind === 'hole' && at < (foundAt.get(fault) ?? to)) {
      known += 1;
      good += 1;
      continue;
    }
    const bad = fault ? isBad(fault) : false;
    if (bad === null) continue;
    known += 1;
    if (!bad) good += 1;
  }
  return good / known;
};

/** Lives through it. */
export const fortnight = async (folder: string, days: number, seed: number): Promise<Fortnight> => {
  const random = randomFrom(seed);
  const clock = simClock();
  const [from, to] = [clock.wall(), clock.wall() + days * DAY];
  const diary = drawDiary(from, to, random);
  const records: SpoolRecord[] = [];
  const exporter: Exporter = {
    name: 'diary',
    deliver: async (batch) => {
      records.push(...batch);
      return { outcome: 'delivered' };
    },
    close: async () => undefined,
  };
  const schedules = [
    { kind: 'light', every: '1m' },
    { kind: 'sweep', every: '1h' },
  ];
  const configWith = (more: object) =>
    configOf({ ...more, targets: [{ name: 'hq', host: 'reflector.example', schedules }] });
  const down: Interlude[] = [];
  let network = NETWORK;
  let chances = 0;
  const foundAt = new Map<Fault, number>();

  const faultAt = (at: number): Fault | null => diary.find((one) => one.from <= at && at < one.to) ?? null;
  const start = async (more: object = {}) => {
    const agent = await agentIn({ folder, config: configWith(more), clock, network, exporters: [exporter] });
    agent.state.sweepTakes = SWEEP_MS;
    agent.state.report = (at, { kind, watched = {} }) => {
      // A sweep asks its checks at its beginning.
      const end = kind === 'sweep' ? at : clock.wall();
      const [first, last] = [faultAt(at), faultAt(end)];
      const comes = [first, last].some((one) => one?.kind === 'reflector' || one?.kind === 'token');
      if (first !== last && comes) return halfway(at, random);
      const fault = first !== last && random() < 0.5 ? first : last;
      if (kind === 'sweep' && fault?.kind === 'hole' && !foundAt.has(fault)) foundAt.set(fault, clock.wall());
      const sees = kind === 'sweep' || Object.keys(watched).length > 0;
      if (fault === null && kind === 'light' && random() < CHANCE) {
        chances += 1;
        return lookAt({ kind: 'firewall', from: at, to: at, check: 'stun-binding/udp/3478' }, at, false);
      }
      return lookAt(fault, at, sees);
    };
    return agent;
  };

  let agent = await start();
  let restarts = 0;
  let networks = 0;
  const sentFrom = clock.wall();
  // Let the baseline stand, then trouble of its own every few hours.
  while (clock.wall() < to) {
    const next = Math.min(to, clock.wall() + 2 * HOUR + Math.floor(random() * 6 * HOUR));
    await clock.advance(next - clock.wall());
    if (clock.wall() >= to) break;
    if (random() < 0.6) {
      const stoppedAt = clock.wall();
      await agent.stop();
      await clock.advance(MINUTE + Math.floor(random() * 20 * MINUTE));
      agent = await start();
      down.push({ from: stoppedAt, to: clock.wall() });
      restarts += 1;
    } else if (faultAt(clock.wall()) === null && faultAt(clock.wall() + 12 * MINUTE) === null) {
      // Another route of the host's own, in a quiet hour: an event, and no alarm.
      network = { ...network, defaultRoutes: [`eth0 via 192.0.2.${1 + (networks % 200) + 1}`] };
      agent.state.network = network;
      networks += 1;
    }
  }
  // What the page says is what a last start makes of the spool.
  await agent.stop();
  agent = await start({ status: {} });
  const { history } = agent.daemon.state;
  while (history?.filled === 'reading') await clock.advance(10_000);
  const path = history?.series('hq').find(({ kind }) => kind === 'path');
  const span = days <= 6 ? 'week' : 'month';
  const shown = sharesOf(path?.series.read(span, clock.wall()) ?? []).available ?? 0;
  await agent.stop();

  const expected = diary.flatMap(expectedOf).filter((one) => {
    const { fault } = one;
    // What came and went while nobody looked was not to be seen.
    return !down.some((gap) => gap.from <= fault.from + 5000 && gap.to >= fault.to - BOUND_MS);
  });
  const told = toldIn(records);
  const { found, faults, slowest } = compare(expected, told, down);
  const reports = records.flatMap(({ kind, body }) => (kind === 'report' ? [body as unknown as Report] : []));
  const counted = availabilityOf(reports);
  const truth = availabilityBy(diary, foundAt, down, [sentFrom, to]);
  // Each edge of a fault is met by a look up to one interval later; second looks count twice.
  const tolerance = (3 * expected.length) / reports.length;
  const networkEvents = records.filter(({ kind, body }) => kind === 'event' && body.type === 'network-changed').length;
  const precision = told.length === 0 ? 1 : found / told.length;
  const recall = expected.length === 0 ? 1 : found / expected.length;
  const percent = (value: number): string => `${(value * 100).toFixed(2)} %`;
  return {
    precision,
    recall,
    summary: [
      `${days} days, seed ${seed}: ${diary.length} faults, ${restarts} restarts, ${networks} changes of the host's network, ${chances} looks by chance wrong, ${reports.length} reports`,
      `${expected.length} to be told, ${told.length} told, ${found} of them right: precision ${percent(precision)}, recall ${percent(recall)}; the slowest after ${(slowest / 1000).toFixed(1)} s`,
      `availability ${percent(truth)} by the diary, ${percent(counted)} by the reports, ${percent(shown)} on the page`,
    ].join('; '),
    faults: [
      ...faults,
      ...(Math.abs(counted - truth) > tolerance
        ? [`availability: ${counted} by the reports, ${truth} by the diary`]
        : []),
      ...(Math.abs(shown - counted) > 1e-9 ? [`availability: ${shown} on the page, ${counted} by the reports`] : []),
      ...(networkEvents === networks ? [] : [`${networks} changes of the host's network, ${networkEvents} told`]),
    ],
  };
};
