/** Outages in words: when the line was away, and for how long. */
import type { Report } from '../model/report.js';

type Outage = NonNullable<Report['outages']>[number];

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const WHAT = { everything: 'nothing that was asked', udp: 'nothing over UDP', tcp: 'nothing over TCP' } as const;

/** `from 2.1 s to 7.3 s (5.2 s)`. */
export const outageInWords = ({ fromMs, toMs, what }: Outage): string =>
  toMs === null
    ? `from ${seconds(fromMs)} into the run ${WHAT[what]} passed any more, to its end`
    : `from ${seconds(fromMs)} to ${seconds(toMs)} into the run ${WHAT[what]} passed (${seconds(toMs - fromMs)})`;

/** One sentence for the notes; none without outages. */
export const outageNotes = (outages: readonly Outage[]): readonly string[] => {
  if (outages.length === 0) return [];
  const isOfTcp = outages.every(({ what }) => what === 'tcp');
  const never = outages.some(({ toMs }) => toMs === null);
  return [
    `Outage: ${outages.map(outageInWords).join('; ')}. What was silent then is no evidence against any port${
      never ? '; ask again once the line is back.' : ', and was asked again.'
    } ${isOfTcp ? 'Phones that use TCP or TLS could not call or be called at that time; audio passed.' : 'A call on the line at that time went silent or was cut off.'}`,
  ];
};

/** A reflector that came up while it was asked, `afterMs` after the run's begin. */
export const startNote = (host: string, afterMs: number): string =>
  `The reflector at ${host} started during this run, ${seconds(afterMs)} after its begin: what stayed without an answer before that says nothing about the path.`;
