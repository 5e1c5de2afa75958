/** The exit code of a run, from what the services' users will experience. */
import type { ServiceVerdict } from '../model/verdict.js';

/**
 * What each service verdict means for a script. `untested` does not count: a service that passes everything that could
 * be asked is `works`, and lists the rest.
 */
const CODE_OF: Readonly<Record<ServiceVerdict, 0 | 1 | 3>> = {
  works: 0,
  degraded: 1,
  impaired: 1,
  blocked: 1,
  unknown: 3,
};

/**
 * 1: something required is blocked, altered or degraded, in any service · else 3: a service could not be measured, or
 * none was asked for · else 0: every requirement of every chosen profile passes. Trouble that was proven outweighs what
 * is not known, and what is not known outweighs what passes.
 *
 * 2 (usage) and 130 (interrupted) belong to the command line and never come from a report.
 */
export const exitCode = (report: { readonly services: readonly { readonly verdict: ServiceVerdict }[] }): 0 | 1 | 3 => {
  const codes = report.services.map((service) => CODE_OF[service.verdict]);
  if (codes.includes(1)) return 1;
  if (codes.includes(3) || codes.length === 0) return 3;
  return 0;
};
