/** Runs over real sockets during which the reflector starts, ends, or comes back with another token; what of it is told. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Change } from '../../../src/agent/memory/change.js';
import { thingsOf } from '../../../src/agent/memory/things.js';
import { NO_MEMORY, track } from '../../../src/agent/memory/tracker.js';
import { runnerIn } from '../../../src/agent/runner.js';
import type { Report } from '../../../src/model/report.js';
import { createProbeThread } from '../../../src/run/thread/thread.js';
import { changeInWords } from '../../../src/words/changes.js';
import { configOf } from './agent.js';
import { type FarEnd, startFarEnd } from './far-end.js';
import { signallingProfile } from './real.js';

const POLICY = { needed: 2, of: 3, flapAfter: 1000, flapWithinMs: 1 };
/** Looks after which all that is to be told is told. */
const LOOKS = 4;
const ANOTHER = 'another-horse-battery-staple';

interface Straddle {
  readonly rounds: number;
  /** What was told of each round, one line a thing: empty of a restart. */
  /** Runs in which a reflector came up, and that do not say so; or say so in vain. */
  readonly unnamed: readonly string[];
  readonly told: Readonly<Record<'restart' | 'start' | 'end' | 'token', readonly (readonly string[])[]>>;
}

/** Does each so many times, at moments that `random` chooses. */
export const straddle = async (folder: string, rounds: number, random: () => number): Promise<Straddle> => {
  const args = ['--udp', '3478,5060', '--tcp', '5060'];
  let farEnd: FarEnd | null = await startFarEnd(folder, args);
  const { address, tokenFile } = farEnd;
  const thread = createProbeThread();
  const run = runnerIn(thread);
  const [target] = configOf({
    targets: [{ name: 'hq', host: address, tokenFile, profiles: [signallingProfile(folder)] }],
  }).targets;
  const [schedule] = target?.schedules ?? [];
  if (!target || !schedule) throw new Error('no target');
  let memory = NO_MEMORY;
  const unnamed: string[] = [];
  const look = async (): Promise<readonly Change[]> => {
    const report = await run({ target, schedule, kind: 'light', packetsPerSecond: 200 }, new AbortController().signal);
    const tracked = track(memory, report, 'light', Date.parse(report.startedAt), POLICY);
    memory = tracked.memory;
    unnamed.push(...startTold(report));
    return tracked.changes;
  };
  /** In how many milliseconds a look is over. */
  let takesMs = 0;
  const looks = async (): Promise<readonly string[]> => {
    const told: string[] = [];
    for (let count = 0; count < LOOKS; count += 1) told.push(...inWords(await look()));
    return told;
  };
  const inWords = (changes: readonly Change[]): readonly string[] =>
    thingsOf(changes).map(({ lead, members, direction }) =>
      [`${lead.subject.kind} ${direction}`, changeInWords(lead), ...members.map((one) => one.subject.id)].join(': '),
    );
  /** What a run says of a reflector that proved itself in it and had come up after its begin. */
  const startTold = ({ reflectors: [one], startedAt, notes }: Report): readonly string[] => {
    const isLate = Boolean(one?.startedAt) && Date.parse(one?.startedAt ?? '') > Date.parse(startedAt) + 500;
    const isNamed = notes.some((note) => note.includes(`${address} started during this run`));
    return isLate === isNamed ? [] : [`started ${one?.startedAt}, run at ${startedAt}: ${notes.join(' ')}`];
  };
  /** A look in which this happens, and those that follow. */
  const during = async (happens: () => Promise<void>): Promise<readonly string[]> => {
    const going = look();
    await sleep(random() * takesMs);
    await happens();
    return [...inWords(await going), ...(await looks())];
  };
  const end = async (): Promise<void> => {
    await farEnd?.stop();
    farEnd = null;
  };
  const start = async (token?: string): Promise<void> => {
    farEnd = await startFarEnd(folder, args, { address, ...(token !== undefined && { token }) });
  };
  const told: Record<keyof Straddle['told'], (readonly string[])[]> = { restart: [], start: [], end: [], token: [] };
  try {
    await look();
    const from = performance.now();
    await looks();
    takesMs = (performance.now() - from) / LOOKS;
    for (let round = 0; round < rounds; round += 1) {
      told.restart.push(
        await during(async () => {
          await end();
          await start();
        }),
      );
      told.end.push(await during(end));
      told.start.push(await during(() => start()));
      told.token.push(
        await during(async () => {
          await end();
          await start(ANOTHER);
        }),
      );
      await end();
      await start();
      await looks();
    }
  } finally {
    await end();
    await thread.close();
  }
  return { rounds, told, unnamed };
};

/** What is right of each. */
const RIGHT: Readonly<Record<keyof Straddle['told'], RegExp | null>> = {
  restart: null,
  start: /^host better: [\d.]+ answers and is authenticated: its reflector started at [-\d]+ [\d:]+ UTC$/,
  end: /^host worse: [\d.]+ (does not answer at all|refuses all connections: the host is up, the program is not running)$/,
  token: /^host worse: [\d.]+ rejects this token: the token files of the two ends differ$/,
};

/** What is wrong in it, one line each. */
export const faultsOf = ({ told, unnamed }: Straddle): readonly string[] => [
  ...unnamed,
  ...Object.entries(told).flatMap(([what, rounds]) =>
    rounds.flatMap((lines, round) => {
      const right = RIGHT[what as keyof typeof RIGHT];
      const isRight = right === null ? lines.length === 0 : lines.length === 1 && right.test(lines[0] ?? '');
      return isRight ? [] : [`${what}, round ${round + 1}: ${lines.length === 0 ? 'nothing told' : lines.join('; ')}`];
    }),
  ),
];
