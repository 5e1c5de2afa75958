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

/** Lowest, mean and highest of one thing in each bucket. */
const createSpreads = (buckets: number) => {
  const [min, max, sum] = [new Float32Array(buckets), new Float32Array(buckets), new Float32Array(buckets)];
  const looks = new Uint16Array(buckets);
  return {
    clear: (place: number): void => {
      for (const values of [min, max, sum, looks]) values[place] = 0;
    },
    /** One look's usual value, and its lowest where that is another. */
    note: (place: number, usual: number, lowest = usual): void => {
      const before = looks[place] ?? 0;
      if (before >= MAX_COUNT) return;
      min[place] = before === 0 ? lowest : Math.min(min[place] ?? 0, lowest);
      max[place] = Math.max(max[place] ?? 0, usual);
      sum[place] = (sum[place] ?? 0) + usual;
      looks[place] = before + 1;
    },
    at: (place: number): Spread | null => {
      const count = looks[place] ?? 0;
      return count === 0 ? null : { min: min[place] ?? 0, mean: (sum[place] ?? 0) / count, max: max[place] ?? 0 };
    },
  };
};

const createMessages = (buckets: number) => {
  const [sent, received] = [new Uint32Array(buckets), new Uint32Array(buckets)];
  return {
    clear: (place: number): void => {
      for (const values of [sent, received]) values[place] = 0;
    },
    note: (place: number, messages: NonNullable<Look['messages']>): void => {
      sent[place] = (sent[place] ?? 0) + messages.sent;
      received[place] = (received[place] ?? 0) + messages.received;
    },
    at: (place: number): Bucket['messages'] =>
      sent[place] ? { sent: sent[place], received: received[place] ?? 0 } : null,
  };
};

/** What was measured; made where something is, as most of what is watched has none of it: ranges, services, what is blocked. */
interface Measured {
  rttMs?: ReturnType<typeof createSpreads>;
  messages?: ReturnType<typeof createMessages>;
  mos?: ReturnType<typeof createSpreads>;
  jitterMs?: ReturnType<typeof createSpreads>;
}

const createRing = ({ bucketMs, buckets }: (typeof SPANS)[Span]) => {
  /** Which bucket since 1970 a place holds: a clock that was set leaves no false history. */
  const epochs = new Uint32Array(buckets);
  const counts = new Uint16Array(buckets * TONES.length);
  const measured: Measured = {};

  const clear = (place: number): void => {
    counts.fill(0, place * TONES.length, (place + 1) * TONES.length);
    for (const { clear: clearOne } of Object.values(measured)) clearOne(place);
  };

  const noteMeasured = (place: number, { rttMs, messages, audio }: Look): void => {
    if (rttMs) {
      measured.rttMs ??= createSpreads(buckets);
      measured.rttMs.note(place, rttMs.median, rttMs.min);
    }
    if (messages) {
      measured.messages ??= createMessages(buckets);
      measured.messages.note(place, messages);
    }
    if (audio) {
      measured.mos ??= createSpreads(buckets);
      measured.mos.note(place, audio.mos);
      measured.jitterMs ??= createSpreads(buckets);
      measured.jitterMs.note(place, audio.jitterMs);
    }
  };

  const at = (place: number): Bucket => {
    const tone = (index: number): number => counts[place * TONES.length + index] ?? 0;
    const mos = measured.mos?.at(place);
    const jitterMs = measured.jitterMs?.at(place);
    return {
      looks: { good: tone(0), warn: tone(1), bad: tone(2), none: tone(3) },
      rttMs: measured.rttMs?.at(place) ?? null,
      messages: measured.messages?.at(place) ?? null,
      audio: mos && jitterMs ? { mos, jitterMs } : null,
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
      noteMeasured(place, look);
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

/** Nothing seen yet. Takes some 5 KB, 15 KB with round trips, 27 KB with audio, and never more. */
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
