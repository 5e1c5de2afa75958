/** Brings the spool's records to one exporter, in order, again and again until they are taken. */
import { setMaxListeners } from 'node:events';
import type { Delivery, Exporter } from './exporters/contract.js';
import { type Clock, pause } from './schedule/clock.js';
import type { Spool } from './spool/spool.js';

/** What one delivery holds at most: a minute of a large host, or hours of a small one. */
const BATCH = { records: 100, bytes: 512 * 1024 } as const;
/** The first wait after a failure, doubled from try to try. */
const FIRST_WAIT_MS = 1000;
const MAX_WAIT_MS = 300_000;
/** What a receiver may ask for; a day would be a mistake or an attack. */
const MAX_ASKED_WAIT_MS = 3_600_000;
/** Looked at without a call, too: a record that was held in memory may have reached the disk. */
const LOOK_AGAIN_MS = 60_000;

/** What any exporter needs for a batch at most, its own limits included; what takes longer is broken off. */
const DELIVERY_MS = 150_000;
/** An exporter that does not even end when it is told to is left behind. */
const BREAK_OFF_MS = 5000;

/** How long exporters may take to deliver what is there when the agent ends; the rest is in the spool. */
const LAST_DELIVERY_MS = 3000;

/** How an exporter is doing, for the status page, health and metrics. */
export interface DeliveryState {
  delivered: number;
  refused: number;
  failures: number;
  /** Wall-clock milliseconds; null before the first. */
  lastDeliveredAt: number | null;
  /** Monotonic milliseconds: since when nothing has been taken although tried; null where the last try was not in vain. */
  failingSince: number | null;
  /** Why the last try failed; null after one that did not. */
  lastError: string | null;
  /** Monotonic milliseconds: since when a delivery has been under way; null if none is. */
  since: number | null;
}

interface DeliveryOptions {
  readonly exporter: Exporter;
  readonly spool: Pick<Spool, 'read' | 'position' | 'advance' | 'onStored' | 'newestTaken'>;
  /** Whose newest results an exporter is reminded of, by lane. */
  readonly lanes: Readonly<Record<'light' | 'full', readonly string[]>>;
  readonly clock: Clock;
  /** 0 ≤ x < 1. */
  readonly random: () => number;
  readonly say: (message: string, details: Readonly<Record<string, unknown>>) => void;
  readonly signal: AbortSignal;
  readonly state: DeliveryState;
}

export const newDeliveryState = (): DeliveryState => ({
  delivered: 0,
  refused: 0,
  failures: 0,
  lastDeliveredAt: null,
  failingSince: null,
  lastError: null,
  since: null,
});

/** Waits for what is stored; what came while nobody waited counts, so that nothing is slept through. */
const createBell = ({ clock, spool, signal }: DeliveryOptions) => {
  let rung = false;
  let wake = (): void => undefined;
  const forget = spool.onStored(() => {
    rung = true;
    wake();
  });
  return {
    reset: (): void => {
      rung = false;
    },
    /** Resolves when the bell rings, after a while, or when the signal fires. */
    wait: (): Promise<void> =>
      new Promise((resolve) => {
        const finish = (): void => {
          cancel();
          signal.removeEventListener('abort', finish);
          wake = () => undefined;
          resolve();
        };
        const cancel = clock.after(LOOK_AGAIN_MS, finish);
        wake = finish;
        signal.addEventListener('abort', finish);
        if (rung || signal.aborted) finish();
      }),
    forget,
  };
};

/** Full jitter: a thousand agents whose receiver comes back do not come back to it at once. */
const waitAfter = (failures: number, askedMs: number | null, random: () => number): number =>
  askedMs !== null
    ? Math.min(Math.max(askedMs, FIRST_WAIT_MS), MAX_ASKED_WAIT_MS) * (1 + 0.1 * random())
    : FIRST_WAIT_MS / 2 + random() * Math.min(MAX_WAIT_MS, FIRST_WAIT_MS * 2 ** Math.min(failures, 20));

/** One delivery, which ends whatever the receiver does: a deadline, and a little later without the exporter. */
const deliverOnce = (
  { exporter, clock, signal }: DeliveryOptions,
  records: Parameters<Exporter['deliver']>[0],
): Promise<Delivery> =>
  new Promise((resolve) => {
    const late = new AbortController();
    const why = `the delivery took longer than ${DELIVERY_MS / 1000} s and was broken off`;
    let cancelEnd = (): void => undefined;
    const cancel = clock.after(DELIVERY_MS, () => {
      cancelEnd = clock.after(BREAK_OFF_MS, () => resolve({ outcome: 'retry', why, afterMs: null }));
      late.abort(new Error(why));
    });
    exporter
      .deliver(records, AbortSignal.any([signal, late.signal]))
      .catch((error: unknown) => ({ outcome: 'retry', why: `defect: ${String(error)}`, afterMs: null }) as const)
      .then((delivery) => {
        cancel();
        cancelEnd();
        resolve(delivery);
      });
  });

/** What an exporter shows did not end with the last start. */
const remind = async ({ exporter, spool, lanes }: DeliveryOptions): Promise<void> => {
  if (exporter.remember === undefined) return;
  const of = (lane: 'light' | 'full') => spool.newestTaken(exporter.name, lane, lanes[lane]);
  // At once: a sweep of an hour ago must not pose as the newest result until the samples are read.
  exporter.remember((await Promise.all([of('full'), of('light')])).flat());
};

/** Runs until the signal fires. Never rejects. */
export const deliverFrom = async (options: DeliveryOptions): Promise<void> => {
  const { exporter, spool, clock, signal, state, say } = options;
  let failures = 0;
  /** After a refusal of several, each goes alone: one bad record must not take its neighbours with it. */
  let alone = 0;
  const bell = createBell(options);
  await remind(options);
  while (!signal.aborted) {
    bell.reset();
    const position = spool.position(exporter.name);
    const { records, upTo } = await spool.read(position, { ...BATCH, records: alone > 0 ? 1 : BATCH.records });
    if (signal.aborted) break;
    if (records.length === 0) {
      if (upTo > position) await spool.advance(exporter.name, upTo);
      else await bell.wait();
      continue;
    }
    state.since = clock.monotonic();
    const delivery = await deliverOnce(
      options,
      records.map(({ record }) => record),
    );
    state.since = null;
    if (delivery.outcome === 'refused' && records.length > 1) {
      alone = records.length;
      continue;
    }
    if (delivery.outcome === 'retry') {
      if (signal.aborted) break;
      failures += 1;
      state.failures += 1;
      state.failingSince ??= clock.monotonic();
      // Another reason is another thing to mend.
      const isNews = state.lastError !== delivery.why;
      state.lastError = delivery.why;
      if (failures === 1 || isNews)
        say('an exporter cannot deliver; results are queued in the spool', {
          exporter: exporter.name,
          why: delivery.why,
        });
      await pause(clock, waitAfter(failures, delivery.afterMs, options.random), signal);
      continue;
    }
    if (failures > 0) say('an exporter delivers again', { exporter: exporter.name, afterFailures: failures });
    failures = 0;
    state.failingSince = null;
    alone = Math.max(0, alone - 1);
    if (delivery.outcome === 'refused') {
      state.refused += records.length;
      state.lastError = delivery.why;
      say('an exporter refuses a result for good', {
        exporter: exporter.name,
        id: records[0]?.record.id,
        why: delivery.why,
      });
    } else {
      state.delivered += records.length;
      state.lastDeliveredAt = clock.wall();
      state.lastError = null;
    }
    await spool.advance(exporter.name, upTo);
  }
  bell.forget();
};

/** Delivers to all of these, until told to finish. */
export const startDeliveries = (
  exporters: readonly Exporter[],
  states: ReadonlyMap<string, DeliveryState>,
  common: Omit<DeliveryOptions, 'exporter' | 'signal' | 'state' | 'spool'> & { readonly spool: Spool },
): { readonly finish: () => Promise<void> } => {
  const { clock, spool } = common;
  const end = new AbortController();
  // Each exporter listens.
  setMaxListeners(0, end.signal);
  const delivering = exporters.map((exporter) =>
    deliverFrom({ ...common, exporter, signal: end.signal, state: states.get(exporter.name) ?? newDeliveryState() }),
  );
  return {
    /** Deliveries outlive the schedule by a moment, so that the last results still go. */
    finish: async () => {
      const giveUp = new AbortController();
      const cancel = clock.after(LAST_DELIVERY_MS, () => giveUp.abort());
      while (!giveUp.signal.aborted && Object.values(spool.stats().waiting).some((count) => count > 0)) {
        await pause(clock, 20, giveUp.signal);
      }
      cancel();
      end.abort(new Error('the agent ends'));
      await Promise.all(delivering);
    },
  };
};
