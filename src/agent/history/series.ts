/** What was found of one thing over time: counted into buckets of three widths, so that a year takes what a day takes. */
import type { Tone } from '../../report/story.js';

/** How far back one looks, and how finely. Each is a ring: what is older than its length is overwritten. */
export const SPANS = {
  day: { bucketMs: 600_000, buckets: 144, words: '24 hours', each: '10 minutes' },
  week: { bucketMs: 3_600_000, buckets: 168, words: '7 days', each: '1 hour' },
  month: { bucketMs: 6 * 3_600_000, buckets: 120, words: '30 days', each: '6 hours' },
} as const;
export type Span = keyof typeof SPANS;
export const SPAN_NAMES = ['day', 'week', 'month'] as const satisfies readonly Span[];

const TONES = ['good', 'warn', 'bad', 'none'] as const satisfies readonly Tone[];
const MAX_COUNT = 0xffff;

/** One look. */
export interface Look {
  readonly tone: Tone;
  readonly rttMs: { readonly min: number; readonly median: number } | null;
  /** Messages, where loss is what became of them; null where silence has another reason. */
  readonly messages: { readonly sent: number; readonly received: number } | null;
  /** How a stream of audio sounded. */
  readonly audio?: { readonly mos: number; readonly jitterMs: number };
}

/** The lowest, the mean and the highest of what the looks of a bucket measured. */
export interface Spread {
  readonly min: number;
  readonly mean: number;
  readonly max: number;
}

export interface Bucket {
  /** Looks by tone. */
  readonly looks: Readonly<Record<Tone, number>>;
  /** The shortest round trip, and the mean and the highest of the looks' medians; null if none was measured. */
  readonly rttMs: Spread | null;
  /** Null if nothing was sent that loss could be told from. */
  readonly messages: { readonly sent: number; readonly received: number } | null;
  /** Null if no stream of audio was measured. */
  readonly audio: { readonly mos: Spread; readonly jitterMs: Spread } | null;
}

/** Seen just now, or read from the spool after a restart. */
export type Origin = 'live' | 'spool';

export interface Series {
  /** What comes from the spool is old: it pushes nothing newer out. What is live is now, whatever the clock said before. */
  note(wallMs: number, look: Look, origin?: Origin): void;
  /** The buckets that end with the one of now, oldest first; null where nobody looked. */
  read(span: Span, nowMs: number): readonly (Bucket | null)[];
}

interface Numbers {
  readonly rttMin: Float32Array;
  readonly rttMax: Float32Array;
  readonly rttSum: Float32Array;
  readonly rttLooks: Uint16Array;
  readonly sent: Uint32Array;
  readonly received: Uint32Array;
}

const newNumbers = (buckets: number): Numbers => ({
  rttMin: new Float32Array(buckets),
  rttMax: new Float32Array(buckets),
  rttSum: new Float32Array(buckets),
  rttLooks: new Uint16Array(buckets),
  sent: new Uint32Array(buckets),
  received: new Uint32Array(buckets),
});

/** Lowest, highest and sum of one thing in each bucket. */
const newSpreads = (buckets: number) => {
  const [min, max, sum] = [new Float32Array(buckets), new Float32Array(buckets), new Float32Array(buckets)];
  return {
    clear: (place: number): void => {
      for (const values of [min, max, sum]) values[place] = 0;
    },
    note: (place: number, value: number, isFirst: boolean): void => {
      min[place] = isFirst ? value : Math.min(min[place] ?? 0, value);
      max[place] = Math.max(max[place] ?? 0, value);
      sum[place] = (sum[place] ?? 0) + value;
    },
    at: (place: number, looks: number): Spread => ({
      min: min[place] ?? 0,
      mean: (sum[place] ?? 0) / looks,
      max: max[place] ?? 0,
    }),
  };
};

const newAudio = (buckets: number) => ({
  mos: newSpreads(buckets),
  jitterMs: newSpreads(buckets),
  looks: new Uint16Array(buckets),
});

const createRing = ({ bucketMs, buckets }: (typeof SPANS)[Span]) => {
  /** Which bucket since 1970 a place holds: a clock that was set leaves no false history. */
  const epochs = new Uint32Array(buckets);
  const counts = new Uint16Array(buckets * TONES.length);
  // Most of what is watched over time has no round trips: ranges, services, what is blocked.
  let numbers: Numbers | null = null;
  let audio: ReturnType<typeof newAudio> | null = null;

  const clear = (place: number): void => {
    counts.fill(0, place * TONES.length, (place + 1) * TONES.length);
    audio?.mos.clear(place);
    audio?.jitterMs.clear(place);
    audio?.looks.fill(0, place, place + 1);
    if (numbers === null) return;
    for (const values of Object.values(numbers)) values[place] = 0;
  };

  const noteNumbers = (place: number, { rttMs, messages }: Look): void => {
    if (rttMs === null && messages === null) return;
    numbers ??= newNumbers(buckets);
    const { rttMin, rttMax, rttSum, rttLooks, sent, received } = numbers;
    const looks = rttLooks[place] ?? 0;
    if (rttMs !== null && looks < MAX_COUNT) {
      rttMin[place] = looks === 0 ? rttMs.min : Math.min(rttMin[place] ?? 0, rttMs.min);
      rttMax[place] = Math.max(rttMax[place] ?? 0, rttMs.median);
      rttSum[place] = (rttSum[place] ?? 0) + rttMs.median;
      rttLooks[place] = looks + 1;
    }
    if (messages === null) return;
    sent[place] = (sent[place] ?? 0) + messages.sent;
    received[place] = (received[place] ?? 0) + messages.received;
  };

  const noteAudio = (place: number, { mos, jitterMs }: NonNullable<Look['audio']>): void => {
    audio ??= newAudio(buckets);
    const looks = audio.looks[place] ?? 0;
    if (looks >= MAX_COUNT) return;
    audio.mos.note(place, mos, looks === 0);
    audio.jitterMs.note(place, jitterMs, looks === 0);
    audio.looks[place] = looks + 1;
  };

  const audioAt = (place: number): Bucket['audio'] => {
    const looks = audio?.looks[place] ?? 0;
    if (audio === null || looks === 0) return null;
    return { mos: audio.mos.at(place, looks), jitterMs: audio.jitterMs.at(place, looks) };
  };

  const at = (place: number): Bucket => {
    const tone = (index: number): number => counts[place * TONES.length + index] ?? 0;
    const rttLooks = numbers?.rttLooks[place] ?? 0;
    const sent = numbers?.sent[place] ?? 0;
    return {
      looks: { good: tone(0), warn: tone(1), bad: tone(2), none: tone(3) },
      rttMs:
        numbers === null || rttLooks === 0
          ? null
          : {
              min: numbers.rttMin[place] ?? 0,
              mean: (numbers.rttSum[place] ?? 0) / rttLooks,
              max: numbers.rttMax[place] ?? 0,
            },
      messages: numbers === null || sent === 0 ? null : { sent, received: numbers.received[place] ?? 0 },
      audio: audioAt(place),
    };
  };

  return {
    note: (wallMs: number, look: Look, origin: Origin): void => {
      const epoch = Math.floor(wallMs / bucketMs);
      const place = epoch % buckets;
      if (origin === 'spool' && (epochs[place] ?? 0) > epoch) return;
      if (epochs[place] !== epoch) {
        clear(place);
        epochs[place] = epoch;
      }
      const count = place * TONES.length + TONES.indexOf(look.tone);
      counts[count] = Math.min(MAX_COUNT, (counts[count] ?? 0) + 1);
      noteNumbers(place, look);
      if (look.audio) noteAudio(place, look.audio);
    },
    read: (nowMs: number): readonly (Bucket | null)[] => {
      const newest = Math.floor(nowMs / bucketMs);
      return Array.from({ length: buckets }, (_, index) => {
        const epoch = newest - buckets + 1 + index;
        const place = epoch % buckets;
        return epochs[place] === epoch ? at(place) : null;
      });
    },
  };
};

/** Nothing seen yet. Takes some 4 KB, 12 KB with round trips, and never more. */
export const createSeries = (): Series => {
  const rings = { day: createRing(SPANS.day), week: createRing(SPANS.week), month: createRing(SPANS.month) };
  return {
    note: (wallMs, look, origin = 'live') => {
      if (!Number.isFinite(wallMs) || wallMs < 0) return;
      for (const span of SPAN_NAMES) rings[span].note(wallMs, look, origin);
    },
    read: (span, nowMs) => rings[span].read(nowMs),
  };
};
