/** Each direction of a stream by itself: what entered it, what came out, and when. Pure. */
import type { MediaPacket } from '../../model/media.js';
import type { Passed } from './delay.js';

export type DirectionName = 'outbound' | 'inbound';

export interface DirectionSample {
  /** Of each packet that entered this direction, in the order of sending: whether it was lost in it. */
  readonly lost: readonly boolean[];
  /** When each left, in milliseconds since the stream began: of an answer, when what it answers was sent. */
  readonly atMs: readonly number[];
  /** Those that came out and of which the times are known, in the order of their coming. */
  readonly inOrder: readonly Passed[];
  readonly duplicates: number;
}

const outbound = (packets: readonly MediaPacket[]): DirectionSample => {
  const passed = packets.flatMap(({ sentAtMs, farInMs }, index): readonly Passed[] =>
    farInMs === null ? [] : [{ index, sentAtMs, receivedAtMs: farInMs, isBlurred: false }],
  );
  return {
    lost: packets.map(({ arrived, heard }) => heard === 0 && arrived === 0),
    atMs: packets.map(({ sentAtMs }) => sentAtMs),
    inOrder: passed.sort((a, b) => a.receivedAtMs - b.receivedAtMs || a.index - b.index),
    duplicates: packets.reduce((sum, { arrived }) => sum + Math.max(0, (arrived ?? 1) - 1), 0),
  };
};

const inbound = (packets: readonly MediaPacket[]): DirectionSample => {
  // What the far end left unanswered never entered this direction.
  const entered = packets.filter(({ answered, heard }) => heard > 0 || (answered ?? 0) > 0);
  // The far end answers in the order in which things came to it.
  const inTurn = [...entered.entries()].sort(
    ([a, { farOutMs: one }], [b, { farOutMs: other }]) =>
      (one ?? Number.POSITIVE_INFINITY) - (other ?? Number.POSITIVE_INFINITY) || a - b,
  );
  const passed = inTurn.flatMap(([, { farOutMs, heardAtMs, isBlurred }], index): readonly Passed[] =>
    farOutMs === null || heardAtMs === null ? [] : [{ index, sentAtMs: farOutMs, receivedAtMs: heardAtMs, isBlurred }],
  );
  return {
    lost: entered.map(({ heard }) => heard === 0),
    atMs: entered.map(({ sentAtMs }) => sentAtMs),
    inOrder: passed.sort((a, b) => a.receivedAtMs - b.receivedAtMs || a.index - b.index),
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
