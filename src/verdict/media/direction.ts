/** Each direction of a stream by itself: what entered it, what came out, and when. Pure. */
import type { MediaPacket } from '../../model/media.js';
import { LONGEST_SET_UP_MS, type Passed, setUpOf } from './delay.js';

export type DirectionName = 'outbound' | 'inbound';

export interface DirectionSample {
  /** Of each packet that entered this direction, in the order in which they did: whether it was lost in it. */
  readonly lost: readonly boolean[];
  /** When each left, in milliseconds since the stream began: of an answer, when what it answers was sent. */
  readonly atMs: readonly number[];
  /** Those that came out once the flow was set up and of which the times are known, in the order of their coming. */
  readonly inOrder: readonly Passed[];
  /** So many packets at the beginning met a flow that was not set up yet: held with the first one, or lost with it. */
  readonly setUp: number;
  readonly duplicates: number;
}

/** Packets that met the set-up of the flow say nothing of those behind them: a call has them once. */
const onceSetUp = (
  passed: readonly Passed[],
  lost: readonly boolean[],
  atMs: readonly number[],
): Pick<DirectionSample, 'inOrder' | 'setUp'> => {
  const lostAtFirst = lost.findIndex((isLost, index) => !isLost || (atMs[index] ?? 0) > LONGEST_SET_UP_MS);
  const setUp = Math.max(setUpOf(passed), lostAtFirst);
  return {
    setUp,
    inOrder: passed
      .filter(({ index }) => index >= setUp)
      .sort((a, b) => a.receivedAtMs - b.receivedAtMs || a.index - b.index),
  };
};

const outbound = (packets: readonly MediaPacket[]): DirectionSample => {
  const passed = packets.flatMap(({ sentAtMs, farInMs }, index): readonly Passed[] =>
    farInMs === null ? [] : [{ index, sentAtMs, receivedAtMs: farInMs, isBlurred: false }],
  );
  const lost = packets.map(({ arrived, heard }) => heard === 0 && arrived === 0);
  const atMs = packets.map(({ sentAtMs }) => sentAtMs);
  return {
    ...{ lost, atMs },
    ...onceSetUp(passed, lost, atMs),
    duplicates: packets.reduce((sum, { arrived }) => sum + Math.max(0, (arrived ?? 1) - 1), 0),
  };
};

const inbound = (packets: readonly MediaPacket[]): DirectionSample => {
  // What the far end left unanswered never entered this direction.
  const entered = packets.filter(({ answered, heard }) => heard > 0 || (answered ?? 0) > 0);
  // The far end answers in the order in which things came to it; what was lost on its way back left with those before it.
  let leftMs = Number.NEGATIVE_INFINITY;
  const left = entered.map((one, index) => {
    leftMs = one.farOutMs ?? leftMs;
    return { ...one, leftMs, index };
  });
  const inTurn = left.sort((a, b) => (a.leftMs === b.leftMs ? a.index - b.index : a.leftMs - b.leftMs));
  const passed = inTurn.flatMap(({ farOutMs, heardAtMs, isBlurred }, index): readonly Passed[] =>
    farOutMs === null || heardAtMs === null ? [] : [{ index, sentAtMs: farOutMs, receivedAtMs: heardAtMs, isBlurred }],
  );
  const lost = inTurn.map(({ heard }) => heard === 0);
  const atMs = inTurn.map(({ sentAtMs }) => sentAtMs);
  return {
    ...{ lost, atMs },
    ...onceSetUp(passed, lost, atMs),
    duplicates: entered.reduce((sum, { answered, heard }) => sum + Math.max(0, heard - (answered ?? heard)), 0),
  };
};

/** Whether it is known of every packet in which direction it was lost. */
export const isTold = (packets: readonly MediaPacket[]): boolean =>
  packets.every(
    ({ heard, arrived, answered }) => heard > 0 || (arrived !== null && (arrived === 0 || answered !== null)),
  );

/** Both directions; null where the far end did not tell what arrived of what stayed unanswered. */
export const directionsOf = (
  packets: readonly MediaPacket[],
): Readonly<Record<DirectionName, DirectionSample>> | null =>
  isTold(packets) ? { outbound: outbound(packets), inbound: inbound(packets) } : null;

/** Round trips without what the far end took for its answer, in milliseconds; blurred ones left out. */
export const roundTripsOf = (packets: readonly MediaPacket[]): readonly number[] =>
  packets.flatMap(({ sentAtMs, heardAtMs, farInMs, farOutMs, isBlurred }) =>
    heardAtMs === null || isBlurred ? [] : [heardAtMs - sentAtMs - ((farOutMs ?? 0) - (farInMs ?? 0))],
  );
