/** Outages in words: when the line was away, and for how long. */
import type { FarEndFacts, Recurrence } from '../model/far-end.js';
import type { Report } from '../model/report.js';

type Outage = NonNullable<Report['outages']>[number];

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const WHAT = { everything: 'nothing', udp: 'nothing over UDP', tcp: 'nothing over TCP' } as const;

/** @param begunAtMs when the run began, on the clock of the silences */
export const recurrenceNote = (
  { address }: Pick<FarEndFacts, 'address'>,
  { count, usualMs, share, fromMs, toMs, by }: Omit<Recurrence, 'isOfAll'>,
  begunAtMs: number,
): string =>
  `Cut off again and again: ${count} times between ${seconds(fromMs - begunAtMs)} and ${seconds(toMs - begunAtMs)} into the run nothing came from ${address} for about ${seconds(usualMs)}, ${Math.round(100 * share)} % of the time in all. ${
    by === 'guard'
      ? 'Each time it began after about the same number of new flows: flood or scan protection blocks this host for a while. This run may have triggered it: exempt this host, or use a lower --max-pps.'
      : 'Either the line goes away again and again, and calls are cut off with it, or flood or scan protection blocks this host for a while: if it ends with a lower --max-pps, it is the latter.'
  } What was silent then is no evidence against any port, and was asked again.`;

/** A far end that has forgotten what it had answered in this run. */
export const restartedNote = (
  { address, silences }: Pick<FarEndFacts, 'address' | 'silences'>,
  begunAtMs: number,
): string => {
  const away = silences
    .filter(({ what }) => what !== 'tcp')
    .map(
      ({ fromMs, toMs }) =>
        `from ${seconds(fromMs - begunAtMs)}${toMs === null ? ' on' : ` to ${seconds(toMs - begunAtMs)}`}`,
    );
  return `The reflector at ${address} was restarted during the run, or another one took its place: it does not remember what it had answered before. Its silence (${away.join(', ')} into the run) shows no fault of the line. What was silent then is no evidence against any port, and was asked again.`;
};

/** `from 2.1 s to 7.3 s (5.2 s)`. */
export const outageInWords = ({ fromMs, toMs, what }: Outage): string =>
  toMs === null
    ? `from ${seconds(fromMs)} into the run until its end ${WHAT[what]} passed`
    : `from ${seconds(fromMs)} to ${seconds(toMs)} into the run ${WHAT[what]} passed (${seconds(toMs - fromMs)})`;

/** One sentence for the notes; none without outages. */
export const outageNotes = (outages: readonly Outage[]): readonly string[] => {
  if (outages.length === 0) return [];
  const isOfTcp = outages.every(({ what }) => what === 'tcp');
  const never = outages.some(({ toMs }) => toMs === null);
  return [
    `Outage: ${outages.map(outageInWords).join('; ')}. Silence during an outage is no evidence against any port${
      never ? '; run again once the line is back.' : '; these checks were repeated.'
    } ${isOfTcp ? 'Phones that use TCP or TLS could not call or be called at that time; audio passed.' : 'A call at that time went silent or was cut off.'}`,
  ];
};

/** A reflector that came up while it was asked, `afterMs` after the run's begin. */
export const startNote = (host: string, afterMs: number): string =>
  `The reflector at ${host} started during this run, ${seconds(afterMs)} after its begin: what stayed without an answer before that says nothing about the path.`;

/** The public address was another one from a moment on, and so was that of every flow. */
export const addressChangedNote = (
  changes: readonly { readonly atMs: number; readonly from: string; readonly to: string }[],
  begunAtMs: number,
): string =>
  `The public address of this site changed during this run: ${changes
    .map(({ atMs, from, to }) => `from ${from} to ${to} after ${seconds(atMs - begunAtMs)}`)
    .join(
      ', ',
    )}. A redial, a failover to another line or a router that restarts does that, and no balancing of flows: calls of that moment end, and phones are reached again once they have registered anew.`;
