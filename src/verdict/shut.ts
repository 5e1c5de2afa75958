/** What was shut for this host during the run, and what studies know then: their silence there is no message's, flow's or time's. Pure. */
import type { Check } from '../model/check.js';
import type { StudyFacts } from './studies/registry.js';

type Place = Pick<Check, 'transport' | 'port' | 'address'>;

/** The facts of studies without what stayed silent at a place that was shut. */
export const withoutShut = (facts: StudyFacts, shut: readonly Place[]): StudyFacts => {
  if (shut.length === 0) return facts;
  const isShut = (one: Place): boolean =>
    shut.some(
      ({ transport, port, address }) =>
        transport === one.transport && port === one.port && (address === null || address === one.address),
    );
  return {
    ...facts,
    sip: facts.sip.map((one) => ({
      ...one,
      exchanges: one.exchanges.map((exchange) =>
        exchange.answers === 0 && isShut(exchange) ? { ...exchange, packets: 0 } : exchange,
      ),
      otherTraffic: one.otherTraffic.filter((other) => !isShut(other)),
    })),
    'source-ports': facts['source-ports'].filter((one) => one.answers > 0 || !isShut({ ...one, transport: 'udp' })),
    lifetimes: facts.lifetimes.map((one) => ({
      ...one,
      idle: one.idle.filter((idle) => idle.answered || !isShut(idle)),
    })),
  };
};
