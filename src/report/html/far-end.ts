/** What somebody else's server said, and which certificates it showed. */
import type { Report } from '../../model/report.js';
import { certificateLine, placesInWords } from '../../words/said.js';
import { type Content, list, prose, section } from './markup.js';

/** One line for each thing, by the checks that met it. */
export const farEnd = ({ said = [], certificates = [], target }: Report): Content => {
  if (said.length + certificates.length === 0) return '';
  const at = (address: string | null): string =>
    target.addresses.length > 1 && address !== null ? ` of ${address}` : '';
  return section(
    'What the far end says',
    list([
      ...said.map(({ checks, address, text }) => prose(`${placesInWords(checks)}${at(address)}: ${text}`)),
      ...certificates.map((one) =>
        prose(`Certificate on ${placesInWords([one.check], false)}${at(one.address)}: ${certificateLine(one)}`),
      ),
    ]),
  );
};
