/** How long silent flows are remembered, in words: ports of equal patience in one phrase. */
import type { Report } from '../model/report.js';

type Lifetime = Report['nat']['bindingLifetime'][number];

const patience = ({ atLeastSeconds, belowSeconds }: Lifetime): string =>
  belowSeconds === null
    ? `kept for ${atLeastSeconds} s and more`
    : `forgotten after ${atLeastSeconds} to ${belowSeconds} s`;

/** Of a port on which packets went both ways before, the flow of which they went one way only is no news. */
const isTold = (one: Lifetime, all: readonly Lifetime[]): boolean =>
  one.bidirectional !== false ||
  !all.some((other) => other.bidirectional !== false && other.port === one.port && other.transport === one.transport);

/** `silent flows of UDP 3478, 5060 are forgotten after 9 to 15 s`. */
export const lifetimesInWords = (all: readonly Lifetime[]): readonly string[] => {
  const groups = new Map<string, { readonly what: string; readonly how: string; readonly ports: number[] }>();
  for (const one of all.filter((other) => isTold(other, all))) {
    const what = one.transport.toUpperCase();
    const how = patience(one);
    const group = groups.get(`${what} ${how}`) ?? { what, how, ports: [] };
    group.ports.push(one.port);
    groups.set(`${what} ${how}`, group);
  }
  return [...groups.values()].map(
    ({ what, how, ports }) => `silent flows of ${what} ${ports.sort((a, b) => a - b).join(', ')} are ${how}`,
  );
};
