/** Outages in words: when the line was away, and for how long. */
import type { Report } from '../model/report.js';

type Outage = NonNullable<Report['outages']>[number];

const seconds = (ms: number): string => `${(ms / 1000).toFixed(1)} s`;

const WHAT = { everything: 'nothing', udp: 'nothing over UDP', tcp: 'nothing over TCP' } as const;

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
