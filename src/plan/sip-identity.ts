/** How SIP questions name both ends: by the domain whose records led there, and as whom the user wants to ask. */
import type { Check, Plan, PlannedCheck } from '../model/check.js';
import { UserError } from '../model/user-error.js';
import { isName } from '../net/target.js';
import type { Destination } from './plan.js';

/** `user@domain`, the user as RFC 3261 §25.1 allows it without escapes. */
const FROM = /^(?:sips?:)?([A-Za-z0-9\-_.!~*'()&=+$,;?/]{1,64})@([^@\s]{1,253})$/;

/** Reads `--from`. @throws UserError that says how it is written */
export const readFrom = (text: string): string => {
  const [, user, domain] = FROM.exec(text) ?? [];
  if (user === undefined || domain === undefined || !isName(domain.toLowerCase())) {
    throw new UserError('usage', `--from: "${text.slice(0, 80)}" is not user@domain, as in alice@carrier.example`);
  }
  return `${user}@${domain.toLowerCase()}`;
};

/** The same plan, its SIP checks knowing whether SRV records led to them and what stands in their From. */
export const withSipIdentity = (plan: Plan, { sip }: Destination, from: string | null): Plan => {
  const isBySrv = ({ transport, address, port }: Check): boolean =>
    sip[transport].endpoints.some((one) => one.bySrv === true && one.address === address && one.port === port);
  const known = (check: PlannedCheck): PlannedCheck =>
    check.probe === 'sip-options'
      ? { ...check, ...(isBySrv(check) && { bySrv: true }), ...(from !== null && { from }) }
      : check;
  return { ...plan, checks: plan.checks.map(known) };
};
