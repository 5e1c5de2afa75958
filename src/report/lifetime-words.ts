/** How long silent flows are remembered, in words: ports of equal patience in one phrase. */
import type { Report } from '../model/report.js';

type Lifetime = Report['nat']['bindingLifetime'][number];

const patience = ({ atLeastSeconds, belowSeconds, keepaliveSeconds }: Lifetime): string => {
  if (belowSeconds === null) return `kept for ${atLeastSeconds} s and more`;
  const advice = typeof keepaliveSeconds === 'number' ? ` (keepalives every ${keepaliveSeconds} s at most)` : '';
  return `forgotten after ${atLeastSeconds} to ${belowSeconds} s${advice}`;
};

/** Of a port the shorter of its lifetimes: whether packets went both ways before is a detail. */
const isShortest = (one: Lifetime, all: readonly Lifetime[]): boolean => {
  const same = all.filter(({ port, transport }) => port === one.port && transport === one.transport);
  return same.toSorted((a, b) => a.atLeastSeconds - b.atLeastSeconds)[0] === one;
};

/** `silent flows of UDP 3478, 5060 are forgotten after 9 to 15 s (keepalives every 7 s at most)`. */
export const lifetimesInWords = (all: readonly Lifetime[]): readonly string[] => {
  const groups = new Map<string, { readonly what: string; readonly how: string; readonly ports: number[] }>();
  for (const one of all.filter((other) => isShortest(other, all))) {
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
