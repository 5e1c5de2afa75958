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
  readonly what: string;
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

const deadlineOf = (
  { fault, edge, at }: Expected,
  down: readonly Interlude[],
  changedAt: readonly number[],
): number => {
  // In a new network everything has to settle anew, a host with its third look.
  const isAnew = changedAt.some((moment) => Math.abs(moment - at) < 3 * MINUTE);
  const bound = (fault.kind === 'hole' ? BOUND_OF_HOLE[edge] : BOUND_MS) + (isAnew ? 3 * MINUTE : 0);
  const late = down.find((one) => overlaps(one, at - SWEEP_MS, at + bound));
  return late ? Math.max(at, late.to) + bound : at + bound;
};

const DIRECTION: Readonly<Record<string, string>> = { check: 'worse', host: 'worse', path: 'worse' };

/** Of a fresh baseline, what leads among its differences from the network before. */
const differenceIn = (at: string, body: SpoolRecord['body']): readonly Told[] => {
  const all = body.differences as readonly { kind: string; id: string }[];
  const ranks = [/^host/, /^fact (network\.address|addresses)/, /^path/, /^check/, /^fact/];
  const names = all.map(({ kind, id }) => `${kind} ${id}`);
  const subject = ranks.map((rank) => names.find((one) => rank.test(one))).find((one) => one !== undefined);
  if (subject === undefined) return [];
  const isAddress = subject.startsWith('fact addresses');
  const direction = isAddress ? 'different' : (DIRECTION[subject.split(' ')[0] ?? ''] ?? 'worse');
  return [{ at: Date.parse(at), subject, direction, what: 'baseline', text: `in the baseline: ${names.join(', ')}` }];
};

const toldIn = (records: readonly SpoolRecord[]): readonly Told[] =>
  records.flatMap(({ kind, at, body }): readonly Told[] => {
    if (kind === 'event' && body.type === 'baseline') return differenceIn(at, body);
    if (kind !== 'change') return [];
    const { subject, direction, what, text } = body as unknown as {
      subject: { kind: string; id: string };
      direction: string;
      what: string;
      text: string;
    };
    return [{ at: Date.parse(at), subject: `${subject.kind} ${subject.id}`, direction, what, text }];
  });

/** Faults of one kind within an hour are a flap, and the end of a flap says what stands: told once for each that was told. */
const withoutEnds = (told: readonly Told[]): readonly Told[] => {
  const open = new Set<string>();
  return told.filter(({ subject, what }) => {
    if (what === 'flapping') open.add(subject);
    return !(what === 'settled' && open.delete(subject));
  });
};

const inWords = ({ fault, edge, at }: Expected): string => `${new Date(at).toISOString()} ${fault.kind} ${edge}`;

const isOf = ({ at, subject, direction }: Told, one: Expected, until: number): boolean =>
  subject === one.subject && direction === one.direction && at >= one.at && at <= until;

/** Holds what was told against what was to be told: each once, in time, with subject and direction. */
const compare = (
  expected: readonly Expected[],
  told: readonly Told[],
  down: readonly Interlude[],
  changedAt: readonly number[],
) => {
  const left = new Set(told);
  const faults: string[] = [];
  let found = 0;
  let slowest = 0;
  for (const one of expected) {
    const until = deadlineOf(one, down, changedAt);
    const match = [...left].find((each) => isOf(each, one, until));
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

/** Without what was told of faults that need not have been: each once, in time, with subject and direction. */
const withoutChance = (
  told: readonly Told[],
  missable: readonly Expected[],
  down: readonly Interlude[],
  changedAt: readonly number[],
): readonly Told[] => {
  const left = new Set(told);
  for (const one of missable) {
    const match = [...left].find((each) => isOf(each, one, deadlineOf(one, down, changedAt)));
    if (match) left.delete(match);
  }
  return [...left];
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
  const changedAt: number[] = [];
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
    } else {
      // Another route of the host's own, in a quiet hour or seconds before a fault begins: an event, and no alarm.
      const coming = diary.find((one) => one.from > clock.wall() && one.kind !== 'hole');
      const isTogether = coming !== undefined && random() < 0.5;
      if (isTogether) await clock.advance(Math.max(0, coming.from - clock.wall() - 1 - Math.floor(random() * 90_000)));
      if (faultAt(clock.wall()) === null && (isTogether || faultAt(clock.wall() + 12 * MINUTE) === null)) {
        network = { ...network, defaultRoutes: [`eth0 via 192.0.2.${1 + (networks % 200) + 1}`] };
        agent.state.network = network;
        changedAt.push(clock.wall());
        networks += 1;
      }
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

  // What came and went while nobody looked, or was gone before two looks could agree, need not be told.
  const isMissable = ({ fault }: Expected): boolean =>
    down.some((gap) => gap.from <= fault.from + 5000 && gap.to >= fault.to - BOUND_MS);
  const edges = diary.flatMap(expectedOf);
  const expected = edges.filter((one) => !isMissable(one));
  const told = withoutChance(withoutEnds(toldIn(records)), edges.filter(isMissable), down, changedAt);
  const { found, faults, slowest } = compare(expected, told, down, changedAt);
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
