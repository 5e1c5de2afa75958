/** The media streams: how a call sounds in each direction, as measured. */
import type { Report } from '../../model/report.js';
import { milliseconds, percent } from '../../words/report.js';
import type { Tone } from '../story.js';
import { type Content, html, type Markup, section, table } from './markup.js';

type Stream = Report['quality'][number];

const MAX_STREAMS = 100;
/** The scale of mean opinion scores runs from 1 to 4.5 for narrowband telephony (ITU-T G.107 Annex B). */
const MOS = { min: 1, max: 4.5 } as const;
const WIDTH = 200;

/** ITU-T G.107 Annex B: from 4.03 many users are satisfied; below 3.6 many are dissatisfied. */
const toneOf = (mos: number): Tone => (mos >= 4.03 ? 'good' : mos >= 3.6 ? 'warn' : 'bad');

const plot = ({ mos }: Stream): Markup => {
  const part = Math.max(0, Math.min(1, (mos - MOS.min) / (MOS.max - MOS.min)));
  return html`<svg class="plot" viewBox="0 0 ${WIDTH} 20" preserveAspectRatio="none" role="img" aria-label="MOS ${mos.toFixed(
    2,
  )} of ${MOS.max}"><rect class="f-line" x="0" y="6" width="${WIDTH}" height="8"></rect><rect class="f-${toneOf(
    mos,
  )}" x="0" y="6" width="${Math.round(part * WIDTH)}" height="8"></rect></svg>`;
};

const DIRECTIONS: Readonly<Record<Stream['direction'], string>> = {
  outbound: 'what they hear (outbound)',
  inbound: 'what we hear (inbound)',
};

const row = (stream: Stream): Markup =>
  html`<tr><th scope="row">UDP ${stream.port}, ${DIRECTIONS[stream.direction]}</th><td><div class="cell">${plot(stream)}<small>MOS ${stream.mos.toFixed(
    2,
  )}</small></div></td><td class="number">${percent(stream.lossRatio)}</td><td class="number">${milliseconds(
    stream.jitterMs,
  )}</td><td class="number">${stream.reordered}</td><td class="number">${stream.packets}</td></tr>\n`;

/** One row for each stream and direction; nothing if none was measured. */
export const quality = ({ quality: streams }: Report): Content =>
  streams.length === 0
    ? ''
    : section(
        'How calls sound',
        table(
          'One row for each stream and direction. MOS is an estimate from loss, delay and jitter: 4 and more is good, below 3.6 people complain.',
          ['Stream', 'Quality', 'Loss', 'Jitter', 'Out of order', 'Packets'],
          streams.slice(0, MAX_STREAMS).map(row),
        ),
      );
