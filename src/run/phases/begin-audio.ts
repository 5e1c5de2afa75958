/**
 * Begins the stream of audio as soon as a media port passes, beside everything else: a run that is done in six seconds would take twice
 * as long otherwise. What it shows counts only where it is spotless, whatever else was sent meanwhile; what is not is sent once more
 * when the run is quiet.
 */
import type { PlannedCheck } from '../../model/check.js';
import { SPACING_MS } from '../../model/media.js';
import type { MediaOptions } from '../../model/run.js';
import { askCheck } from '../ask/ask.js';
import { either } from '../either.js';
import { unlessLineLost } from '../line-lost.js';
import { hasRoom, portsOf } from '../media/ports.js';
import { type SentStreams, sendStreams } from '../media/send.js';
import type { RunState } from '../state.js';
import type { Tools } from '../tools.js';

/** A longer one is no part of a short run: it is sent when the run is quiet. */
const LONGEST_S = 10;
/** So often it is looked whether the far end has proven itself, and for so long. */
const LOOK_EVERY_MS = 50;
const LOOK_FOR_MS = 3000;
/** A port that does not answer so many times is left to the checks. */
const ATTEMPTS = 2;

/** A stream that is under way, or was sent, by the far end's address; null where none was begun. */
export type Audio = ReadonlyMap<string, Promise<SentStreams | null>>;

const isProven = async ({ farEnds }: RunState, address: string, { net, signal }: Tools): Promise<boolean> => {
  const untilMs = net.now() + LOOK_FOR_MS;
  while (!signal.aborted && net.now() < untilMs) {
    if (farEnds.get(address)?.facts.identity) return true;
    await net.sleep(LOOK_EVERY_MS, signal);
  }
  return false;
};

const begin = async (
  run: RunState,
  check: PlannedCheck,
  options: MediaOptions,
  tools: Tools,
): Promise<SentStreams | null> => {
  try {
    if (!(await isProven(run, check.address ?? '', tools))) return null;
    const once = { samples: 1, doubt: 0, atMost: ATTEMPTS };
    const { attempts } = await askCheck(check, tools.probeOf(check.probe), once, tools);
    if (!attempts.some((one) => one.outcome === 'answer' && one.authentic === true)) return null;
    const count = Math.max(1, Math.round((options.seconds * 1000) / SPACING_MS));
    const stream = { codec: options.codec, spacingMs: SPACING_MS, count, stopsAtLoss: true, reports: true } as const;
    return await sendStreams([check], stream, tools);
  } catch (error) {
    // A socket that does not open, and the run's end, are told by whoever asks next.
    unlessLineLost(tools.signal)(error);
    return null;
  }
};

/** Begins it at the first far end that may prove itself; it ends with `done`. */
export const beginAudio = (run: RunState, done: AbortSignal): Audio => {
  const { media, inbound = [] } = run.input.studies ?? { deep: false, nat: false };
  if (!media || media.seconds <= 0 || media.seconds > LONGEST_S || !hasRoom(media) || inbound.length > 0)
    return new Map();
  for (const { address } of run.farEnds.all()) {
    const [check] = portsOf(run.input.questions.filter((one) => one.skip === null && one.address === address));
    if (!check) continue;
    const audio = begin(run, check, media, { ...run.tools, signal: either(run.tools.signal, done) });
    // A defect is told to whoever waits for it, the run's end at the latest.
    audio.catch(() => undefined);
    return new Map([[address, audio]]);
  }
  return new Map();
};
