/**
 * Whose device drops what never arrives, where the hops show how far it comes. One port speaks for itself alone: of a range other ports
 * may end elsewhere.
 */
import { type Device, type Likelihood, leastSure } from '../../model/diagnosis.js';
import type { Report } from '../../model/report.js';
import { ENDS } from '../../words/diagnosis/where-it-ends.js';
import type { CauseText, Ground, RuleInput } from './rule.js';

type Row = NonNullable<Report['hops']>[number];

/** The statement about a ground; undefined where there is none. */
const rowOf = (ground: Ground, { facts }: RuleInput): Row | undefined =>
  ground.finding.reason === 'dropped-outbound' && ground.from === ground.to
    ? (facts.hops ?? []).find(
        ({ transport, port, address, passes }) =>
          // Whatever is asked of a port goes the same way.
          !passes && transport === ground.transport && port === ground.from && address === ground.address,
      )
    : undefined;

export const isFollowed =
  (evidence: RuleInput) =>
  (ground: Ground): boolean =>
    rowOf(ground, evidence) !== undefined;

interface Said {
  readonly device: Device;
  readonly likelihood: Likelihood;
  readonly text: string;
}

const saidOf = (row: Row, far: 'reflector' | 'carrier'): readonly Said[] => {
  const { lastSeen, nextOnControl, address, outside, device } = row;
  const ports = `${row.transport.toUpperCase()} ${row.port}`;
  const isFarEndNext = nextOnControl === null || nextOnControl === address;
  const next = isFarEndNext ? ENDS['far-end-name'] : nextOnControl;
  if (lastSeen === null) {
    if (device === 'branch-firewall')
      return [{ device, likelihood: 'likely', text: ENDS['first-router'](ports, next) }];
    // The routers before it are mute: the site's, and perhaps the provider's.
    const text = ENDS['before-router'](ports, next);
    return [
      { device: 'branch-firewall', likelihood: 'likely', text },
      { device: 'provider', likelihood: 'possible', text },
    ];
  }
  const said = (
    whose: Device,
    likelihood: Likelihood,
    what: 'outside' | 'last' | 'next' | 'between' | 'far-end',
  ): Said => {
    return { device: whose, likelihood, text: ENDS[what](ports, lastSeen, next) };
  };
  const farEnd = said(far, 'possible', 'far-end');
  if (outside) return [said('provider', 'likely', 'outside'), ...(device === 'provider' ? [] : [farEnd])];
  const own = said('branch-firewall', 'possible', 'last');
  return isFarEndNext
    ? [own, said('provider', 'possible', 'between'), farEnd]
    : [own, said('provider', 'possible', 'next')];
};

/** Causes that name the stretch; `farOf` is whose the far end is. */
export const hopCauses = (
  grounds: readonly Ground[],
  farOf: (grounds: readonly Ground[]) => 'reflector' | 'carrier',
  evidence: RuleInput,
): readonly CauseText[] => {
  const saidOn = (some: readonly Ground[]) =>
    some.flatMap((ground) => {
      const row = rowOf(ground, evidence);
      return row ? saidOf(row, farOf([ground])).map((one) => ({ ...one, ground })) : [];
    });
  const said = saidOn(grounds);
  return [...new Set(said.map(({ device }) => device))].map((device): CauseText => {
    const own = said.filter((one) => one.device === device);
    return {
      ...{ id: 'dropped-after-hop', device, likelihood: leastSure(own.map(({ likelihood }) => likelihood)) },
      text: (_ports, all) =>
        [...new Set(saidOn(all).flatMap((one) => (one.device === device ? one.text : [])))].join(' '),
      grounds: own.map(({ ground }) => ground),
    };
  });
};
