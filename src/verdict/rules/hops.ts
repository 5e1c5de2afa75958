/**
 * Whose device drops what never arrives, where the hops show how far it comes. One port speaks for itself alone: of a range other ports
 * may end elsewhere.
 */
import type { Device, Likelihood } from '../../model/diagnosis.js';
import type { Report } from '../../model/report.js';
import type { CauseText, Ground, RuleInput } from './rule.js';

type Row = NonNullable<Report['hops']>[number];

/** The statement about a ground; undefined where there is none. */
const rowOf = (ground: Ground, { facts }: RuleInput): Row | undefined =>
  ground.finding.reason === 'dropped-outbound' && ground.from === ground.to
    ? (facts.hops ?? []).find(
        ({ check, address, passes }) => !passes && check === ground.id && address === ground.address,
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
  const next = isFarEndNext ? 'the far end' : nextOnControl;
  if (lastSeen === null) {
    const text = `${ports} does not get past ${next}, the first router: it drops it on arrival, or something before it does.`;
    return [{ device: device === 'branch-firewall' ? device : 'unknown', likelihood: 'likely', text }];
  }
  const stretch = `${ports} gets as far as ${lastSeen} and never to ${next}`;
  const farEnd: Said = {
    ...{ device: far, likelihood: 'possible' },
    text: `${stretch}: a firewall in front of the far end drops it on arrival.`,
  };
  if (outside) {
    const text = `${stretch}: ${lastSeen} lies outside this site, so a device of the provider, or beyond it, drops it.`;
    return [{ device: 'provider', likelihood: 'likely', text }, ...(device === 'provider' ? [] : [farEnd])];
  }
  return [
    { device: 'branch-firewall', likelihood: 'likely', text: `${stretch}: ${lastSeen} drops it on its way out.` },
    ...(isFarEndNext
      ? [farEnd]
      : [{ device: 'provider', likelihood: 'possible', text: `${stretch}: ${next} drops it on arrival.` } as const]),
  ];
};

/** Causes that name the stretch; `farOf` is whose the far end is. */
export const hopCauses = (
  grounds: readonly Ground[],
  farOf: (grounds: readonly Ground[]) => 'reflector' | 'carrier',
  evidence: RuleInput,
): readonly CauseText[] => {
  const said = grounds.flatMap((ground) => {
    const row = rowOf(ground, evidence);
    return row ? saidOf(row, farOf([ground])).map((one) => ({ ...one, ground })) : [];
  });
  const ranks: readonly Likelihood[] = ['likely', 'possible'];
  return [...new Set(said.map(({ device }) => device))].map((device): CauseText => {
    const own = said.filter((one) => one.device === device);
    // As sure as the least sure of them.
    const likelihood = ranks.findLast((one) => own.some((each) => each.likelihood === one)) ?? 'possible';
    return {
      ...{ id: 'dropped-after-hop', device, likelihood },
      text: () => [...new Set(own.map(({ text }) => text))].join(' '),
      grounds: own.map(({ ground }) => ground),
    };
  });
};
