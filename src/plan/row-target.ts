/** Of whom a row is asked: mostly of the target; of a host of its own where the profile says that it belongs to another. */
import { isInboundOnly, type Profile, type Requirement } from '../model/profile.js';
import type { Destination } from './plan.js';

/** The hosts that rows of these profiles are asked of besides the target. */
export const hostsOfRows = (profiles: readonly Profile[]): readonly string[] => [
  ...new Set(
    profiles.flatMap(({ requirements }) =>
      requirements.filter((row) => !isInboundOnly(row)).flatMap(({ host }) => host ?? []),
    ),
  ),
];

/**
 * Whether such rows are asked of their own hosts. A reflector that the user named as the target stands for everybody: it
 * is asked in their place, because it can prove what strangers leave open.
 */
export const asksOwnHosts = (run: {
  readonly namesTarget: boolean;
  readonly namesReflectors: boolean;
  readonly hasToken: boolean;
}): boolean => !run.namesTarget || run.namesReflectors || !run.hasToken;

/** Where a row goes, and whether that is another place than the target. */
export const placeOfRow = (
  { host }: Pick<Requirement, 'host'>,
  target: Destination,
  others: ReadonlyMap<string, Destination> | undefined,
): { readonly at: Destination; readonly elsewhere: boolean } => {
  const own = host === undefined || host === target.host ? undefined : others?.get(host);
  return own === undefined ? { at: target, elsewhere: false } : { at: own, elsewhere: true };
};
