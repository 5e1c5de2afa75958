/** What was shut for this host during the run, and what studies know then: their silence there is no message's, flow's or time's. Pure. */
import type { Check } from '../model/check.js';
import type { Mapping, NatFacts } from '../model/study-facts.js';
import type { StudyFacts } from './studies/registry.js';

type Place = Pick<Check, 'transport' | 'port' | 'address'>;

/** A question of the study of NATs that went to a place and was not answered. */
const isKept =
  (isShut: (one: Place) => boolean) =>
  (one: Mapping): boolean =>
    one.mapped !== null || !isShut({ ...one.to, transport: 'udp' });

/** Without what was silent because its place was shut: what was not answered from there says nothing of a filter either. */
const natWithoutShut = (facts: NatFacts, isShut: (one: Place) => boolean): NatFacts => {
  const first = facts.mappings.find(({ place }) => place === 'first');
  const isFirstShut = first !== undefined && isShut({ ...first.to, transport: 'udp' });
  return {
    ...facts,
    mappings: facts.mappings.filter(isKept(isShut)),
    beside: facts.beside.filter(isKept(isShut)),
    // Those that were answered before it was shut do not stand for the others.
    filtering: isFirstShut && facts.filtering.some(({ answered }) => !answered) ? [] : facts.filtering,
  };
};

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
      pinholes: one.pinholes.filter(
        ({ heard, port }) => heard || !isShut({ transport: 'udp', port, address: one.address }),
      ),
      ...(one.sameSize && {
        sameSize: one.sameSize.filter(
          ({ passes, port }) => passes || !isShut({ transport: 'udp', port, address: one.address }),
        ),
      }),
    })),
    'source-ports': facts['source-ports'].filter((one) => one.answers > 0 || !isShut({ ...one, transport: 'udp' })),
    nat: facts.nat.map((one) => natWithoutShut(one, isShut)),
    'persistent-flow': facts['persistent-flow'].filter(
      (one) => one.answers > 0 || !isShut({ ...one, transport: 'udp' }),
    ),
    lifetimes: facts.lifetimes.map((one) => ({
      ...one,
      idle: one.idle.filter((idle) => idle.answered || !isShut(idle)),
    })),
  };
};
