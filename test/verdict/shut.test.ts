/** What studies found silent at a place that was shut during the run accuses nobody; what was answered there stays. */
import t from 'tap';
import type { Mapping, NatFacts, SourcePortFacts } from '../../src/model/study-facts.js';
import { withoutShut } from '../../src/verdict/shut.js';
import { NO_FACTS } from '../../src/verdict/studies/registry.js';
import { ADDRESS } from './support/facts.js';

const shutAt = (port: number) => [{ transport: 'udp', port, address: ADDRESS }] as const;

t.test('a flow that is kept from run to run', async (t) => {
  const kept: SourcePortFacts = {
    ...{ address: ADDRESS, port: 5060, sourcePort: 40_000, packets: 8, answers: 0, seenPort: null },
    ...{ notBound: null, errors: [] },
  };
  const facts = { ...NO_FACTS, 'persistent-flow': [kept] };
  t.same(withoutShut(facts, shutAt(5060))['persistent-flow'], [], 'it is the port that is dead');
  t.same(withoutShut(facts, shutAt(4500))['persistent-flow'], [kept], 'another port was shut');
  const alive = { ...kept, answers: 1 };
  t.same(withoutShut({ ...facts, 'persistent-flow': [alive] }, shutAt(5060))['persistent-flow'], [alive]);
});

t.test('mappings and filters of a NAT', async (t) => {
  const mapping = (place: Mapping['place'], port: number, passes: boolean): Mapping => {
    const to = { address: ADDRESS, port };
    return { localPort: 40_000, place, to, mapped: passes ? { address: '203.0.113.7', port: 40_000 } : null };
  };
  const nat: NatFacts = {
    ...{ address: ADDRESS, localAddress: '10.0.0.9', hasOther: true, byResponsePort: false },
    mappings: [mapping('first', 3478, true), mapping('other-port', 3479, true)],
    beside: [mapping('first', 3478, true), mapping('peculiar', 5060, false)],
    filtering: [
      { from: 'other-both', answered: true, seen: null },
      { from: 'other-both', answered: false, seen: 6 },
    ],
  };
  const facts = { ...NO_FACTS, nat: [nat] };
  t.same(withoutShut(facts, shutAt(5060)).nat, [{ ...nat, beside: nat.beside.slice(0, 1) }]);
  t.match(withoutShut(facts, shutAt(3478)).nat, [{ mappings: nat.mappings, filtering: [] }], 'asked from a shut port');
});
