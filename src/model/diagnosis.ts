/** The closed lists of a diagnosis: whose device it is, and how sure one can be. */

/** Where the cause sits, as far as the evidence goes. */
export const DEVICES = ['host', 'branch-firewall', 'provider', 'reflector', 'carrier', 'unknown'] as const;
export type Device = (typeof DEVICES)[number];

/**
 * `proven`: the evidence allows nothing else · `likely`: the usual explanation, and others are left · `possible`: it
 * fits, and so do others no less.
 */
export const LIKELIHOODS = ['proven', 'likely', 'possible'] as const;
export type Likelihood = (typeof LIKELIHOODS)[number];

/** What several statements together are: as sure as the least sure of them. */
export const leastSure = (all: readonly Likelihood[]): Likelihood =>
  LIKELIHOODS.findLast((one) => all.includes(one)) ?? 'possible';
