/** The gateways of a visited country: its name has no address, but records that lead to names of its carriers' gateways. */
import { UserError } from '../model/user-error.js';
import { type Dns, systemDns } from '../net/dns.js';
import { isName } from '../net/target.js';

/** TS 23.003 section 19.4.2.9.5 has the names of all carriers of a country in one answer; more than these are not asked. */
const MAX_GATEWAYS = 8;

/**
 * Names of gateways, the preferred ones first; empty where the country has no records, or its answer holds no names.
 * @throws UserError where nobody could be asked, because then it is not known whether there are any
 */
export const visitedGateways = async (
  name: string,
  signal: AbortSignal,
  dns: Dns = systemDns(),
): Promise<readonly string[]> => {
  const found = await dns.naptr(name, signal);
  if (!found.ok) {
    if (found.refusal === 'not-found' || found.refusal === 'no-record') return [];
    throw new UserError(
      'usage',
      `--epdg visited: ${name} could not be asked (${found.refusal}); name a gateway with --target`,
    );
  }
  return found.value
    .toSorted((a, b) => a.order - b.order || a.preference - b.preference)
    .map(({ replacement }) => replacement.toLowerCase().replace(/\.$/, ''))
    .filter(isName)
    .slice(0, MAX_GATEWAYS);
};
