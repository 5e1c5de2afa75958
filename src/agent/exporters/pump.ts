/**
 * Moves records from the spool to one exporter, in order, at least once: the position moves only behind what the
 * exporter took. Owns everything that lies between attempts: waiting, backing off, and finding the one record that a
 * receiver will not have.
 */
import type { Delivery, Exporter, SpoolRecord } from './contract.js';

/** A batch: a minute of a large host, hours of a small one, and small enough to be sent again over a poor line. */
const MAX_BATCH = { records: 100, bytes: 512 * 1024 } as const;
/** One attempt. A receiver that is slower than this is not keeping up. */
const ATTEMPT_MS = 30_000;
/** The first wait after a failure; it doubles up to the ceiling. */
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 5 * 60_000;
/** What Retry-After may ask for. More is a mistake, or an attack. */
const MAX_ASKED_WAIT_MS = 60 * 60_000;
/** A record on which the exporter itself fails is given up after so many tries: it would hold back all others. */
const MAX_DEFECTS = 3;
/** Refusals in a row that pass without a pause. More of them are a receiver that refuses everything. */
const FREE_REFUSALS = 3;
/** Looked at without being called, too. */
const LOOK_AGAIN_MS = 60_000;

/** The spool, as one exporter sees it. */
export interface RecordSource {
  /** Behind the last record that was acknowledged. */
  position(): number;
  /** The records after a position, in order, at least one if there is one; `upTo` is the position behind them. */
  read(
    after: number,
    limits: { readonly records: number; readonly bytes: number },
  ): Promise<{ readonly records: readonly { readonly record: SpoolRecord }[]; readonly upTo: number }>;
  /** Remembers, durably if it can, that everything up to here was taken. */
  ack(position: number): Promise<void>;
  /** Calls back after each new record. Returns how to stop. */
  onStored(listener: () => void): () => void;
}

export interface PumpClock {
  /** Wall-clock milliseconds since 1970. */
  wall(): number;
  /** Calls back once after `ms`. Returns how to cancel. */
  after(ms: number, callback: () => void): () => void;
}

/** How an exporter is doing: for the status page, health and metrics. Counts are since the start. */
export interface PumpState {
  delivered: number;
  /** Given up for good, one by one. */
  refused: number;
  /** Attempts that will be repeated. */
  failures: number;
  lastDeliveredAt: number | null;
  /** Why the last attempt failed; null after one that did not. */
  lastError: string | null;
}

export interface PumpOptions {
  readonly exporter: Exporter;
  readonly source: RecordSource;
  readonly clock: PumpClock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly say: (level: 'info' | 'warn' | 'error', message: string, details: Readonly<Record<string, unknown>>) => void;
  readonly signal: AbortSignal;
  readonly state: PumpState;
}

export const newPumpState = (): PumpState => ({
  delivered: 0,
  refused: 0,
  failures: 0,
  lastDeliveredAt: null,
  lastError: null,
});

/** Resolves after `ms`, on the signal, or when something else calls back; leaves nothing behind. */
const wait = (
  { clock, signal }: Pick<PumpOptions, 'clock' | 'signal'>,
  ms: number,
  listen?: (finish: () => void) => () => void,
): Promise<void> =>
  new Promise((resolve) => {
    const finish = (): void => {
      cancel();
      forget();
      signal.removeEventListener('abort', finish);
      resolve();
    };
    const cancel = clock.after(ms, finish);
    const forget = listen?.(finish) ?? (() => undefined);
    signal.addEventListener('abort', finish);
    if (signal.aborted) finish();
  });

/**
 * The wait after the n-th failure in a row. Half of it is left to chance, so that a fleet whose receiver comes back
 * does not come back to it at once. What the receiver asks for is the least.
 */
export const waitAfter = (failures: number, askedMs: number | null, random: () => number): number => {
  const backoff = Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures - 1, 20));
  const jittered = backoff / 2 + (random() * backoff) / 2;
  if (askedMs === null) return jittered;
  return Math.min(askedMs, MAX_ASKED_WAIT_MS) + random() * Math.max(FIRST_WAIT_MS, backoff / 2);
};

type Attempt = Delivery | { readonly outcome: 'defect'; readonly why: string };

const attempt = async ({ exporter, clock, signal }: PumpOptions, records: readonly SpoolRecord[]): Promise<Attempt> => {
  const attempted = new AbortController();
  const stop = (): void => attempted.abort(signal.reason);
  signal.addEventListener('abort', stop);
  const cancel = clock.after(ATTEMPT_MS, () => attempted.abort(new Error(`no answer within ${ATTEMPT_MS / 1000} s`)));
  try {
    return await exporter.deliver(records, attempted.signal);
  } catch (error) {
    return { outcome: 'defect', why: error instanceof Error ? error.message : String(error) };
  } finally {
    cancel();
    signal.removeEventListener('abort', stop);
  }
};

/** Runs until the signal fires, and finishes the attempt that is under way. Never rejects. */
export const pump = async (options: PumpOptions): Promise<void> => {
  const { exporter, source, signal, state, say, clock, random } = options;
  const name = exporter.name;
  /** Of failures in a row, refusals in a row, and tries that failed on our own side for the record at the head. */
  let failures = 0;
  let refusals = 0;
  let defects = 0;
  /** Halved by a refusal, doubled by a delivery. */
  let size: number = MAX_BATCH.records;

  const failed = async (why: string, askedMs: number | null): Promise<void> => {
    if (signal.aborted) return;
    failures += 1;
    state.failures += 1;
    state.lastError = why;
    if (failures === 1) say('warn', 'an exporter cannot deliver; results wait in the spool', { exporter: name, why });
    await wait(options, waitAfter(failures, askedMs, random));
  };

  const takenTo = async (position: number): Promise<void> => {
    if (failures > 0) say('info', 'an exporter delivers again', { exporter: name, afterFailures: failures });
    failures = 0;
    defects = 0;
    await source.ack(position);
  };

  const step = async (): Promise<void> => {
    const position = source.position();
    const { records, upTo } = await source.read(position, { ...MAX_BATCH, records: size });
    if (signal.aborted) return;
    if (records.length === 0) {
      if (upTo > position) return source.ack(upTo);
      return wait(options, LOOK_AGAIN_MS, (finish) => source.onStored(finish));
    }
    const result = await attempt(
      options,
      records.map(({ record }) => record),
    );
    if (result.outcome === 'retry') return failed(result.why, result.afterMs);
    if (result.outcome === 'delivered') {
      state.delivered += records.length;
      state.lastDeliveredAt = clock.wall();
      state.lastError = null;
      refusals = 0;
      size = Math.min(MAX_BATCH.records, size * 2);
      return takenTo(upTo);
    }
    if (records.length > 1) {
      size = Math.ceil(records.length / 2);
      return;
    }
    if (result.outcome === 'defect') {
      defects += 1;
      if (defects < MAX_DEFECTS) return failed(result.why, null);
    }
    state.refused += 1;
    state.lastError = result.why;
    refusals += 1;
    say('error', 'an exporter gives up a result for good', {
      exporter: name,
      id: records[0]?.record.id,
      why: result.why,
    });
    await takenTo(upTo);
    if (refusals > FREE_REFUSALS) await wait(options, waitAfter(refusals - FREE_REFUSALS, null, random));
  };

  while (!signal.aborted) {
    try {
      await step();
    } catch (error) {
      // The spool could not be read, or the position not be stored.
      await failed(error instanceof Error ? error.message : String(error), null);
    }
  }
};
