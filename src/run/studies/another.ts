/**
 * Where somebody else's server is asked SIP, the reflector beside it is not; and only a reflector tells what arrived. A SIP
 * ALG goes by the port, so SIP in the open is compared on the same ports there. Pure.
 */
import { type Check, checkName, keyOf, type PlannedCheck } from '../../model/check.js';

/** What a reflector at `there` is asked besides its own questions; nothing if SIP is among these. */
export const sipInAnothersPlace = (
  questions: readonly PlannedCheck[],
  there: Pick<Check, 'host' | 'family'> & { readonly address: string },
): readonly PlannedCheck[] => {
  const isSip = ({ probe, skip }: PlannedCheck): boolean => probe === 'sip-options' && skip === null;
  const { address, host, family } = there;
  if (questions.some(({ probe, address: of }) => probe === 'sip-options' && of === address)) return [];
  const asked = questions
    .filter((one) => isSip(one) && one.transport !== 'tls' && one.family === family)
    .map((one) => ({
      ...one,
      ...{ address, host, bySrv: false, key: keyOf({ ...one, address }) },
      id: `${checkName(one.probe, one.transport, one.port)}#${address}`,
    }));
  return [...new Map(asked.map((one) => [one.key, one])).values()];
};
