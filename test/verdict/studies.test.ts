/** What stages found, judged: tables of facts against what may honestly be said. */
import fc from 'fast-check';
import t from 'tap';
import type {
  FilterTest,
  Idle,
  Mapping,
  NatFacts,
  OtherTraffic,
  PinholeTest,
  SameSize,
  SipExchange,
  SipFacts,
  SourcePortFacts,
  StunPlace,
} from '../../src/model/study-facts.js';
import { judgeKeepalives, judgeLifetimes } from '../../src/verdict/studies/lifetimes.js';
import { judgeNat } from '../../src/verdict/studies/nat.js';
import { judge as judgePersistentFlow, judgeStale } from '../../src/verdict/studies/persistent-flow.js';
import { judgeSip } from '../../src/verdict/studies/sip.js';
import {
  judge as judgeSourcePortFacts,
  judgeSourcePorts,
  losingOwnPort,
} from '../../src/verdict/studies/source-ports.js';
import { check, classified, THRESHOLDS } from './support/facts.js';

const A = '198.51.100.10';
const B = '198.51.100.11';
const LOCAL = '10.77.0.2';
const OUTSIDE = '198.51.100.1';
const LOSS = 0.05;
const PLACES: Readonly<Record<StunPlace, readonly [string, number]>> = {
  first: [A, 3478],
  'other-port': [A, 3479],
  'other-address': [B, 3478],
  'other-both': [B, 3479],
  peculiar: [A, 5060],
};

const mapping = (place: StunPlace, mapped: readonly [string, number] | null, localPort = 40_000): Mapping => {
  const [address, port] = PLACES[place];
  return {
    localPort,
    place,
    to: { address, port },
    mapped: mapped && { address: mapped[0], port: mapped[1] },
  };
};
const four = (first: number, otherPort: number, otherAddress: number, otherBoth: number, address = OUTSIDE) => [
  mapping('first', [address, first]),
  mapping('other-port', [address, otherPort]),
  mapping('other-address', [address, otherAddress]),
  mapping('other-both', [address, otherBoth]),
];
const filter = (from: FilterTest['from'], answered: boolean, seen: number | null = 10): FilterTest => ({
  from,
  answered,
  seen,
});
const natFacts = (mappings: readonly Mapping[], filtering: readonly FilterTest[] = [], hasOther = true): NatFacts => ({
  address: A,
  localAddress: LOCAL,
  hasOther,
  byResponsePort: !hasOther,
  mappings,
  beside: [],
  filtering,
});
const nat = (...parameters: Parameters<typeof natFacts>) => judgeNat([natFacts(...parameters)], LOSS);

t.test('mapping', async (t) => {
  t.match(nat(four(40_000, 40_000, 40_000, 40_000)), {
    mapping: 'endpoint-independent',
    portPreservation: true,
    layers: null,
  });
  t.match(nat(four(1001, 1001, 2002, 2002)), { mapping: 'address-dependent', portPreservation: false });
  t.equal(nat(four(1001, 1002, 2001, 2002)).mapping, 'address-and-port-dependent');
  t.match(nat(four(40_000, 40_000, 40_000, 40_000, LOCAL)), { mapping: 'none', layers: 0 });
  t.equal(nat(four(4, 4, 4, 4, '100.64.0.7')).layers, 2, 'a carrier inside seen from inside');
  t.match(nat([]), { mapping: 'unknown', filtering: 'unknown', portPreservation: null });
  t.equal(
    nat([mapping('first', [OUTSIDE, 7]), mapping('other-port', [OUTSIDE, 7])], [], false).mapping,
    'unknown',
    'one address knows no more',
  );
  t.equal(
    nat([mapping('first', [OUTSIDE, 7]), mapping('other-port', [OUTSIDE, 8])], [], false).mapping,
    'address-and-port-dependent',
  );
});

t.test('a socket whose port met another flow by chance changes no verdict', async (t) => {
  const sockets = (...all: readonly (readonly Mapping[])[]) =>
    all.flatMap((one, index) => one.map((mapped) => ({ ...mapped, localPort: 40_000 + index })));
  const regular = (port: number) => four(port, port, port, port);
  const met = four(40_002, 40_002, 40_002, 1026);
  t.match(nat(sockets(regular(40_000), regular(40_001), met)), {
    mapping: 'endpoint-independent',
    portPreservation: true,
  });
  t.equal(
    nat(
      sockets(
        regular(40_000),
        met.map((one) => ({ ...one })),
      ),
    ).mapping,
    'unknown',
    'one against one',
  );
  t.equal(nat(sockets(regular(40_000), four(1, 2, 3, 4), four(5, 6, 7, 8))).mapping, 'address-and-port-dependent');
  const oneAddress = (all: readonly Mapping[]) =>
    all.filter(({ place }) => place === 'first' || place === 'other-port');
  t.equal(
    nat(sockets(oneAddress(regular(40_000)), oneAddress(regular(40_001)), oneAddress(four(9, 8, 7, 6))), [], false)
      .mapping,
    'unknown',
    'of one address the others say no more',
  );
});

t.test('with one address, or two reflectors of one address each', async (t) => {
  const base = natFacts(four(40_000, 40_000, 40_000, 40_000), [], true);
  const said = (mappings: readonly Mapping[], ...filtering: readonly FilterTest[]) =>
    judgeNat([{ ...base, byResponsePort: true, mappings, filtering }], LOSS).filtering;
  t.equal(said(base.mappings, filter('other-both', true), filter('other-port', true)), 'endpoint-independent');
  t.equal(said(base.mappings, filter('other-both', false), filter('other-port', true)), 'address-dependent');
  t.equal(
    said(base.mappings, filter('other-port', false)),
    'address-and-port-dependent',
    'one address is enough for it',
  );
  t.equal(said(base.mappings, filter('other-port', true)), 'unknown', 'but not for anything milder');
  const lines = [...base.mappings, mapping('first', ['198.51.100.2', 40_000], 40_001)];
  t.equal(
    said(lines, filter('other-both', false), filter('other-port', false)),
    'unknown',
    'two lines: which was tried?',
  );
});

t.test('ports that a NAT treats apart', async (t) => {
  const beside = [mapping('first', [OUTSIDE, 7]), mapping('peculiar', [OUTSIDE, 8])];
  const facts = natFacts(four(40_000, 40_000, 40_000, 40_000));
  t.same(judgeNat([{ ...facts, beside }], LOSS).portsThatDiffer, [5060]);
  t.same(judgeNat([{ ...facts, beside: beside.slice(1) }], LOSS).portsThatDiffer, [], 'nothing to compare with');
  t.same(
    judgeNat([{ ...facts, beside: [mapping('first', [OUTSIDE, 7]), mapping('peculiar', null)] }], LOSS).portsThatDiffer,
    [],
  );
  t.same(
    judgeNat([{ ...natFacts(four(1, 2, 3, 4)), beside }], LOSS).portsThatDiffer,
    [],
    'each port is another one anyway',
  );
});

t.test('a lost packet never changes a mapping, it only hides it', async (t) => {
  const kinds = [
    ['endpoint-independent', four(40_000, 40_000, 40_000, 40_000)],
    ['address-dependent', four(1001, 1001, 2002, 2002)],
    ['address-and-port-dependent', four(1001, 1002, 2001, 2002)],
    ['none', four(40_000, 40_000, 40_000, 40_000, LOCAL)],
  ] as const;
  for (const [kind, all] of kinds) {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }), (lost) => {
        const kept = all.map((one, index) => (lost[index] ? { ...one, mapped: null } : one));
        const { mapping: said } = nat(kept);
        return said === kind || said === 'unknown';
      }),
    );
  }
  t.pass();
});

t.test('filtering', async (t) => {
  const open = four(40_000, 40_000, 40_000, 40_000);
  const said = (...tests: readonly FilterTest[]) => nat(open, tests).filtering;
  t.equal(said(filter('other-both', true), filter('other-port', true)), 'endpoint-independent');
  t.equal(said(filter('other-both', false), filter('other-port', true)), 'address-dependent');
  t.equal(said(filter('other-both', false), filter('other-port', false)), 'address-and-port-dependent');
  const both = [filter('other-both', false), filter('other-both', true)];
  t.equal(
    said(...both, filter('other-port', false), filter('other-port', false)),
    'address-and-port-dependent',
    'one socket found a way that an earlier flow had opened',
  );
  t.equal(said(filter('other-both', false, 2), filter('other-both', true)), 'unknown', 'which of the two was chance?');
  t.equal(
    said(filter('other-both', false, 2), filter('other-port', false)),
    'unknown',
    'two answers may have been lost',
  );
  t.equal(
    said(filter('other-both', false, null), filter('other-port', false)),
    'unknown',
    'nobody knows whether it answered',
  );
  t.equal(said(filter('other-both', false), filter('other-port', false, 1)), 'unknown');
  t.equal(
    nat(
      open.filter(({ place }) => place !== 'other-both'),
      [filter('other-both', false), filter('other-port', false)],
    ).filtering,
    'unknown',
    'an address that does not answer when asked is no filter',
  );
});

const idle = (seconds: number, answered: boolean, seen: number | null = 1): Idle => ({
  transport: 'udp',
  port: 5060,
  address: A,
  family: 4,
  bidirectional: false,
  kept: false,
  afterMs: seconds * 1000,
  answered,
  seen,
});
const upTo = (lifetime: number, longest = 99): readonly Idle[] =>
  Array.from({ length: (longest + 1) / 2 }, (_, index) => idle(2 * index + 1, 2 * index + 1 < lifetime));

t.test('binding lifetimes', async (t) => {
  const said = (all: readonly Idle[], loss: number | null) => judgeLifetimes(all, loss)[0];
  for (const lifetime of [10, 30, 60]) {
    const { atLeastSeconds = 0, belowSeconds } = said(upTo(lifetime), 0.0005) ?? {};
    t.ok(
      Math.abs((atLeastSeconds + (belowSeconds ?? 0)) / 2 - lifetime) <= 2,
      `${lifetime}: ${atLeastSeconds}–${belowSeconds}`,
    );
  }
  t.match(said(upTo(1000), LOSS), { atLeastSeconds: 99, belowSeconds: null }, 'no end found');
  t.match(said(upTo(98), LOSS), { atLeastSeconds: 97, belowSeconds: null }, 'one missing answer is no end');
  t.match(said(upTo(30), null), { atLeastSeconds: 29, belowSeconds: null }, 'of a path about which nothing is known');
  t.same(
    judgeLifetimes([idle(5, false, 0), idle(7, false, null)], LOSS),
    [],
    'requests that never arrived say nothing',
  );
  const holes = upTo(30).map((one) => (one.afterMs === 11_000 ? { ...one, answered: false } : one));
  t.match(said(holes, LOSS), { atLeastSeconds: 29 }, 'a lost answer in the middle is no end');
});

t.test('brackets are two seconds wide, and close where answers were asked for twice', async (t) => {
  for (const lifetime of [10, 30, 60, 180]) {
    const twice = upTo(lifetime, 299).map((one) => ({ ...one, seen: 2 }));
    t.match(
      judgeLifetimes(twice, 0.03)[0],
      { atLeastSeconds: lifetime - 1, belowSeconds: lifetime + 1, keepaliveSeconds: Math.floor(0.8 * (lifetime - 1)) },
      `${lifetime}`,
    );
  }
  t.match(judgeLifetimes(upTo(0.5), 0.0005)[0], { atLeastSeconds: 0, keepaliveSeconds: null }, 'nothing helps here');
  const connection = [10, 25, 40].map((seconds): Idle => ({ ...idle(seconds, seconds < 20), transport: 'tcp' }));
  t.match(
    judgeLifetimes(connection, 0.3)[0],
    { atLeastSeconds: 10, belowSeconds: 25 },
    'a connection repeats what is lost',
  );
});

const natT = (over: Partial<Idle>): Idle => ({ ...idle(1, true, 2), port: 4500, bidirectional: true, ...over });
const kept = (answered: boolean, seen: number | null = 2): readonly Idle[] =>
  Array.from({ length: 4 }, () => natT({ kept: true, afterMs: 39_500, answered, seen }));
const mappingOf4500 = (lifetime: number): readonly Idle[] =>
  upTo(lifetime).map(({ afterMs, answered }) => natT({ afterMs, answered }));

t.test('a tunnel from one keepalive to the next', async (t) => {
  const said = (all: readonly Idle[]) => judgeKeepalives(all, 0.03)[0];
  const cases: readonly (readonly [string, readonly Idle[], string, string])[] = [
    ['kept open', [...mappingOf4500(30), ...kept(true)], 'pass', 'answered'],
    [
      'one of them is enough',
      [...mappingOf4500(30), ...kept(false).slice(1), ...kept(true).slice(3)],
      'pass',
      'answered',
    ],
    ['ends before the first one', [...mappingOf4500(10), ...kept(false, null)], 'blocked', 'dropped-inbound'],
    [
      'lives longer, and one octet does not count',
      [...mappingOf4500(30), ...kept(false)],
      'blocked',
      'dropped-inbound',
    ],
    ['cut short', [...mappingOf4500(30), ...kept(false, null)], 'unknown', 'no-answer'],
    ['nobody knows what arrived', [...mappingOf4500(30), ...kept(false, 0)], 'unknown', 'no-answer'],
  ];
  for (const [what, all, verdict, reason] of cases) t.match(said(all), { finding: { verdict, reason } }, what);
  t.match(said([...mappingOf4500(10), ...kept(false, null)])?.evidence, {
    mappingAtLeastSeconds: 9,
    mappingBelowSeconds: 11,
    survivesKeepaliveInterval: false,
  });
  t.same(judgeKeepalives(mappingOf4500(10), 0.03), [], 'not asked, nothing said');
  t.equal(judgeLifetimes([...mappingOf4500(10), ...kept(true)], 0.03).length, 1, 'what was kept open is no lifetime');
});

const text = Buffer.from('OPTIONS sip:a SIP/2.0');
const intact = { sent: text, received: text };
const exchange = (over: Partial<SipExchange>): SipExchange => ({
  transport: 'udp',
  port: 5060,
  address: A,
  method: 'INVITE',
  isControl: false,
  fromSipPort: false,
  padded: null,
  packets: 1,
  answers: 1,
  errors: [],
  seen: null,
  unproven: false,
  changed: false,
  misdirected: false,
  request: intact,
  response: intact,
  ...over,
});
const silent = { packets: 10, answers: 0, request: null, response: null, seen: 0 } as const;
const sipFacts = (...exchanges: readonly SipExchange[]): readonly SipFacts[] => [
  { address: A, family: 4, exchanges, otherTraffic: [], pinholes: [] },
];
const sip = (...exchanges: readonly SipExchange[]) => judgeSip(sipFacts(...exchanges), LOSS);
const control = exchange({ isControl: true, port: 16_384 });

t.test('a method that vanishes', async (t) => {
  const drop = sip(exchange({ method: 'OPTIONS' }), exchange(silent), control);
  t.match(drop, { detected: true, findings: [{ method: 'INVITE', kind: 'dropped', direction: 'outbound' }] });
  t.match(drop.checks, [{ finding: { verdict: 'blocked', reason: 'payload-filtered' } }]);
  t.match(sip(exchange({ ...silent, seen: 10 }), control).findings, [{ direction: 'inbound' }]);
  t.match(
    sip(exchange({ ...silent, seen: null }), control),
    { detected: true, findings: [], notes: [/^INVITE gets no answer on UDP 5060 .* direction .* unknown/] },
    'where the far end did not tell what arrived the direction is not known',
  );
  t.match(
    sip(exchange({ ...silent, packets: 2 }), control),
    { detected: null, findings: [] },
    'two packets may be lost',
  );
  t.same(
    sip(exchange(silent), exchange({ ...silent, isControl: true, port: 16_384 })).findings,
    [],
    'silent everywhere is no ALG',
  );
  t.match(sip(exchange({ ...silent, errors: ['ECONNREFUSED'] }), control), { detected: null, findings: [] });
  t.match(judgeSip(sipFacts(exchange(silent), control), null), { detected: null, findings: [] });
  t.match(sip(exchange({}), control), { detected: false, findings: [] });
  t.match(sip(exchange({ request: null }), control), { detected: null }, 'without the far end’s word nothing is known');
  t.match(sip(), { detected: null, checks: [] });
});

t.test('a method that vanishes because it is long', async (t) => {
  const invite = exchange({ ...silent, bytes: 1150 });
  const sized = (padded: number, passes: boolean): SipExchange =>
    exchange({ method: 'OPTIONS', padded, ...(passes ? {} : silent) });
  const told = (...sizes: readonly SipExchange[]) => {
    const { findings, checks } = sip(exchange({ method: 'OPTIONS' }), invite, control, ...sizes);
    const alg = checks.find(({ probe }) => probe === 'sip-alg');
    return { drops: findings.length, reason: alg?.finding.reason, tooLong: alg?.evidence.tooLong ?? [] };
  };
  const isSize = { drops: 0, reason: 'no-answer', tooLong: ['INVITE'] };
  const isContent = { drops: 1, reason: 'payload-filtered', tooLong: [] };
  t.same(told(sized(1000, true), sized(1300, false)), isSize, 'what is a little longer vanishes');
  t.same(told(sized(1000, false), sized(1300, true)), isSize, 'what is a little shorter vanishes: a gap');
  t.same(told(sized(1000, true), sized(1300, true)), isContent, 'others of that length pass');
  t.same(told(sized(1000, true), sized(1300, true), sized(1400, false)), isContent, 'and only longer ones do not');
  t.same(told(), isContent, 'no other size was tried');
});

t.test('what is no SIP on SIP’s port', async (t) => {
  const passes = { passes: true, silent: 0 };
  const others = (over: Partial<OtherTraffic>) =>
    judgeSip(
      [
        {
          ...{ address: A, family: 4 as const, exchanges: [exchange({}), control], pinholes: [] },
          otherTraffic: [
            { transport: 'udp', port: 5060, address: A, stun: passes, bareTag: passes, crlf: passes, ...over },
          ],
        },
      ],
      LOSS,
    ).checks;
  const lines = (over: Partial<OtherTraffic>) =>
    others(over).map(({ probe, finding: { verdict, reason } }) => `${probe} ${verdict}/${reason}`);
  t.same(lines({}), ['sip-alg pass/answered', 'stun-binding pass/answered', 'udp-echo pass/answered']);
  const dropped = { passes: false, silent: 8 };
  t.same(lines({ stun: dropped, bareTag: dropped }), [
    'sip-alg pass/answered',
    'stun-binding blocked/payload-filtered',
    'udp-echo blocked/payload-filtered',
  ]);
  t.match(others({ crlf: dropped })[0]?.evidence, { crlfPasses: false, stunPasses: true, nonSipPasses: true });
  const few = { passes: false, silent: 2 };
  t.same(lines({ stun: few, bareTag: few }), ['sip-alg pass/answered'], 'two packets may be lost');
  t.match(others({ crlf: few, stun: few })[0]?.evidence, { crlfPasses: null, stunPasses: null });
  const away = { passes: false, silent: 0, away: 4 };
  t.same(
    lines({ stun: away, bareTag: away }),
    ['sip-alg pass/answered', 'stun-binding unknown/no-answer', 'udp-echo unknown/no-answer'],
    'the port itself was silent meanwhile',
  );
});

t.test('an ALG that only opens ports', async (t) => {
  const test = (isControl: boolean, heard: boolean, sent: number | null = 8): PinholeTest => ({
    port: isControl ? 16_384 : 5060,
    isControl,
    from: 'other-port',
    heard,
    sent,
  });
  const said = (...pinholes: readonly PinholeTest[]) =>
    judgeSip([{ address: A, family: 4, exchanges: [exchange({}), control], otherTraffic: [], pinholes }], LOSS);
  t.match(said(test(false, true), test(true, false)), {
    detected: true,
    findings: [{ kind: 'pinhole', port: 5060, method: 'INVITE', field: 'RTP from another port' }],
    checks: [{ finding: { verdict: 'pass' } }],
  });
  const none = { detected: false, findings: [] };
  t.match(said(test(false, false), test(true, false)), none, 'a firewall that lets nothing in');
  t.match(said(test(false, true), test(true, true)), none, 'one that lets everything in');
  t.match(said(test(false, true), test(true, false, 2)), none, 'two packets may be lost');
  t.match(said(test(false, true), test(true, false, null)), none, 'nobody knows whether they were sent');
  t.match(said(test(false, true)), none, 'nothing to compare with');
  t.match(said(test(false, true), test(false, false), test(true, false)), none, 'one was let in by chance');
});

t.test('a proof that tells of more than the messages show', async (t) => {
  const padded = (over: Partial<SipExchange>): SipExchange =>
    exchange({ method: 'OPTIONS', padded: 500, request: null, response: null, ...over });
  const verdicts = (...exchanges: readonly SipExchange[]) =>
    sip(...exchanges).checks.map(({ finding: { verdict, reason } }) => `${verdict}/${reason}`);
  t.same(verdicts(exchange({ misdirected: true }), padded({ misdirected: true })), [
    'altered/answered-by-other',
    'altered/answered-by-other',
  ]);
  t.same(verdicts(exchange({ changed: true }), padded({ changed: true })), [
    'altered/payload-rewritten',
    'altered/payload-rewritten',
  ]);
  t.equal(sip(exchange({ changed: true })).detected, null, 'changed by whom, nobody knows');
  const rewritten = { sent: Buffer.from(ALG_SENT), received: Buffer.from(ALG_RECEIVED) };
  t.same(
    verdicts(exchange({ changed: true, request: rewritten }), padded({ changed: true })),
    ['altered/sip-alg', 'altered/sip-alg'],
    'the ALG that shows itself changed the padded ones as well',
  );
});

const ALG_SENT =
  'OPTIONS sip:a@192.0.2.1 SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.9:40000;branch=z9hG4bK1\r\nContent-Length: 0\r\n\r\n';
const ALG_RECEIVED = ALG_SENT.replace('10.0.0.9', '198.51.100.1');

t.test('which sizes leave what phones register with', async (t) => {
  const size = (padded: number, over: Partial<SipExchange> = {}): SipExchange =>
    exchange({ method: 'OPTIONS', padded, bytes: padded, request: null, response: null, ...over });
  const sweep = (...sizes: readonly SipExchange[]) =>
    sip(...sizes).checks.find(({ probe, finding }) => probe === 'size-sweep' && finding.verdict === 'blocked');
  t.equal(sweep(size(700), size(925), size(1000, silent))?.leavesShort, true);
  t.equal(sweep(size(700), size(850, silent), size(1000, silent))?.leavesShort, undefined);
  const tcp = { transport: 'tcp', method: 'OPTIONS' } as const;
  const overTcp = sweep(
    exchange({ ...tcp, bytes: 640 }),
    size(1300, { ...tcp, ...silent }),
    size(3000, { ...tcp, ...silent }),
  );
  t.match(overTcp, { leavesShort: true, evidence: { largestPassingBytes: 640, smallestFailingBytes: 1300 } });
});

t.test('sizes', async (t) => {
  const size = (padded: number, over: Partial<SipExchange> = {}): SipExchange =>
    exchange({ method: 'OPTIONS', padded, request: null, response: null, ...over });
  const [filtered] = sip(size(500), size(1200), size(1400, silent), size(3000, { ...silent, packets: 20 })).checks;
  t.match(filtered, {
    probe: 'size-sweep',
    finding: { verdict: 'blocked', reason: 'size-filtered' },
    evidence: { largestPassingBytes: 1200, smallestFailingBytes: 1400, fragmentsOnly: false, direction: 'outbound' },
  });
  t.match(sip(size(500), size(3000)).checks, [{ finding: { verdict: 'pass' } }]);
  const gap = sip(size(500), size(1100), size(1300, silent), size(1472, silent), size(2000), size(3000)).checks;
  t.match(
    gap,
    [
      {
        finding: { verdict: 'blocked', reason: 'size-filtered' },
        evidence: {
          largestPassingBytes: 1100,
          smallestFailingBytes: 1300,
          largestFailingBytes: 1472,
          failingBytes: [[1300, 1472]],
          passesAgainFromBytes: 2000,
          fragmentsOnly: false,
        },
      },
    ],
    'larger ones pass again: a gap, and not a limit',
  );
  t.match(
    sip(size(500, silent), size(700), size(1000, silent), size(1200)).checks[0]?.evidence,
    {
      largestPassingBytes: null,
      failingBytes: [
        [500, 500],
        [1000, 1000],
      ],
      passesAgainFromBytes: 1200,
    },
    'two windows, the first below all that passes',
  );
  t.match(
    sip(size(500), size(1400, { ...silent, packets: 2 }), size(3000)).checks,
    [
      {
        finding: { verdict: 'unknown', reason: 'no-answer' },
        evidence: { largestPassingBytes: 500, failingBytes: [] },
      },
    ],
    'two packets may be lost: neither a gap nor a pass',
  );
  t.match(
    sip(...[600, 700, 800, 900, 1000, 1100, 1200].map((bytes, index) => size(bytes, index % 2 === 1 ? silent : {})))
      .checks,
    [{ finding: { verdict: 'unknown', reason: 'no-answer' }, evidence: { smallestFailingBytes: null } }],
    'here and there: no matter of size',
  );
  t.match(
    sip(size(600), size(700, silent), size(800), size(1200), size(2000, silent), size(3000, silent)).checks,
    [{ finding: { verdict: 'blocked', reason: 'size-filtered' } }],
    'a gap, and no fragments',
  );
  const lossy = [300, 500, 700, 900, 1100].map((bytes) => size(bytes, { packets: 3, seen: 1 }));
  t.match(
    sip(...lossy, size(1200, { ...silent, packets: 8 }), size(1400, { packets: 3, seen: 1 })).checks,
    [{ finding: { verdict: 'unknown', reason: 'no-answer' } }],
    'the port loses two of three packets of every size',
  );
  const repeated = [300, 500, 700, 900, 1100].map((bytes) => size(bytes, { packets: 3, seen: 3 }));
  t.match(
    sip(...repeated, size(1200, { ...silent, packets: 8 }), size(1400)).checks,
    [{ finding: { reason: 'size-filtered' } }],
    'a long way has questions repeated, and loses none',
  );
  t.match(sip(size(500), size(3000, { ...silent, packets: 3 })).checks, [{ finding: { verdict: 'unknown' } }]);
  t.match(
    sip(size(500, silent), size(3000, silent)).checks,
    [{ finding: { verdict: 'unknown' } }],
    'nothing passes: no matter of size',
  );
});

t.test('a size that the far end saw and did not answer is no size that is filtered', async (t) => {
  const size = (padded: number, over: Partial<SipExchange> = {}): SipExchange =>
    exchange({ method: 'OPTIONS', padded, request: null, response: null, seen: 1, answered: 1, ...over });
  const left = { packets: 10, answers: 0, seen: 10, answered: 0 } as const;
  const [limited] = sip(size(500), size(1400, left), size(3000)).checks;
  t.match(limited, {
    finding: { verdict: 'unknown', reason: 'limited' },
    ...{ sent: 12, seen: 12, answered: 2, received: 2 },
  });
  const [inbound] = sip(size(500), size(1400, { ...left, answered: 10 })).checks;
  t.match(inbound, { finding: { reason: 'size-filtered' }, evidence: { direction: 'inbound' } });
  const method = sip(exchange({ method: 'OPTIONS' }), exchange({ ...silent, seen: 10, answered: 0 }), control);
  t.match(method, { detected: null, findings: [], checks: [{ finding: { verdict: 'unknown', reason: 'limited' } }] });
});

t.test('what something else explains is not blamed on the way back either', async (t) => {
  const size = (padded: number, over: Partial<SipExchange> = {}): SipExchange =>
    exchange({ method: 'OPTIONS', padded, request: null, response: null, ...over });
  const explained = { packets: 0, answers: 0, seen: 8, answered: 8 } as const;
  t.match(sip(size(600), size(1400, explained), size(3000, explained)).checks, [{ finding: { verdict: 'unknown' } }]);
  const method = sip(exchange({ method: 'OPTIONS' }), exchange({ method: 'INVITE', ...explained }), control).checks;
  t.match(method, [{ finding: { verdict: 'unknown' } }]);
});

t.test('size and content are told apart by other bytes of the same size', async (t) => {
  const size = (padded: number, over: Partial<SipExchange> = {}): SipExchange =>
    exchange({ method: 'OPTIONS', padded, request: null, response: null, ...over });
  const exchanges = [size(500), size(1200, silent), size(1400, silent), size(3000)];
  const said = (...sameSize: readonly SameSize[]) =>
    judgeSip([{ address: A, family: 4, exchanges, otherTraffic: [], pinholes: [], sameSize }], LOSS).checks[0];
  const other = (bytes: number, passes: boolean, packets = 8): SameSize => ({
    ...{ port: 5060, bytes, passes },
    silent: passes ? 0 : packets,
  });
  const content = said(other(200, true), other(1200, true), other(1400, true));
  t.match(content, { finding: { verdict: 'blocked', reason: 'payload-filtered' }, evidence: { otherBytesPass: true } });
  const cases = [
    [[other(200, true), other(1200, false), other(1400, false)], false, 'whatever they carry'],
    [[other(200, true), other(1200, true), other(1400, false)], null, 'in both ways'],
    [[other(200, false), other(1200, false), other(1400, false)], null, 'other bytes never pass there'],
    [[other(200, true), other(1200, false, 2), other(1400, false, 2)], null, 'two packets may be lost'],
    [[], null, 'not asked'],
  ] as const;
  for (const [asked, otherBytesPass, what] of cases) {
    t.match(said(...asked), { finding: { reason: 'size-filtered' }, evidence: { otherBytesPass } }, what);
  }
});

t.test('a message whose length fails in other bytes as well is no filter of SIP', async (t) => {
  const subscribe = exchange({ method: 'SUBSCRIBE', bytes: 560, ...silent });
  const exchanges = [
    exchange({ method: 'OPTIONS', bytes: 480 }),
    subscribe,
    exchange({ method: 'OPTIONS', padded: 642, bytes: 642, request: null, response: null }),
  ];
  const said = (...sameSize: readonly SameSize[]) =>
    judgeSip([{ address: A, family: 4, exchanges, otherTraffic: [], pinholes: [], sameSize }], LOSS).checks.find(
      ({ probe }) => probe === 'sip-alg',
    )?.finding;
  const other = (bytes: number, passes: boolean): SameSize => ({
    ...{ port: 5060, bytes, passes, seen: passes ? null : 0 },
    silent: passes ? 0 : 8,
  });
  t.not(said(other(450, true), other(525, false))?.reason, 'payload-filtered');
  t.match(said(other(450, true), other(525, true)), { verdict: 'blocked', reason: 'payload-filtered' });
});

t.test('below the shortest SIP other bytes stand for it', async (t) => {
  const exchanges = [600, 700, 3000].map((padded) =>
    exchange({ method: 'OPTIONS', padded, bytes: Math.max(631, padded), request: null, response: null }),
  );
  const said = (...sameSize: readonly SameSize[]) =>
    judgeSip([{ address: A, family: 4, exchanges, otherTraffic: [], pinholes: [], sameSize }], LOSS).checks[0];
  const other = (bytes: number, passes: boolean, silent = 8): SameSize => ({
    ...{ port: 5060, bytes, passes, seen: passes ? null : 0 },
    silent: passes ? 0 : silent,
  });
  t.match(
    said(other(300, true), other(375, false), other(450, false), other(525, true)),
    {
      finding: { verdict: 'blocked', reason: 'size-filtered' },
      evidence: {
        triedBytes: [300, 375, 450, 525, 631, 700, 3000],
        failingBytes: [[375, 450]],
        passesAgainFromBytes: 525,
        largestPassingBytes: 300,
        otherBytesPass: false,
        direction: 'outbound',
      },
    },
    'a gap where an ACK is',
  );
  t.match(
    said(...[150, 225, 300, 375, 450, 525].map((bytes, index) => other(bytes, index % 2 === 1))),
    { finding: { verdict: 'unknown', reason: 'no-answer' } },
    'here and there: no matter of size, and no pass',
  );
  const passes = { finding: { verdict: 'pass' }, evidence: { failingBytes: [], largestPassingBytes: 3000 } };
  t.match(said(other(300, true), other(375, false, 2)), passes, 'two packets may be lost');
  t.match(said(other(300, false), other(375, false)), passes, 'no other bytes pass there: no matter of size');
});

/** All that a message must have. */
const WHOLE = ALG_SENT.replace(
  'Content-Length',
  'From: <sip:a@10.0.0.9>;tag=1\r\nTo: <sip:b@192.0.2.1>\r\nCall-ID: x@10.0.0.9\r\nCSeq: 1 OPTIONS\r\nContent-Length',
);

t.test('messages in another form that say the same accuse nobody', async (t) => {
  const received = WHOLE.replace('Via:', 'v:');
  const form = { sent: Buffer.from(WHOLE), received: Buffer.from(received) };
  const padded = exchange({ method: 'OPTIONS', padded: 500, request: null, response: null, changed: true });
  const said = sip(exchange({ changed: true, request: form }), padded);
  t.match(said, {
    detected: false,
    findings: [{ class: 'cosmetic' }],
    checks: [
      { probe: 'sip-alg', finding: { verdict: 'pass' } },
      { probe: 'size-sweep', finding: { verdict: 'pass' } },
    ],
  });
  t.same([...said.cosmetic], [`udp/5060#${A}`]);
  t.match(said.notes, [/UDP 5060 in another form \(.*\): the content is the same/]);
  const moved = { sent: Buffer.from(WHOLE), received: Buffer.from(WHOLE.replace('10.0.0.9', '198.51.100.1')) };
  const both = sip(
    exchange({ changed: true, request: form }),
    exchange({ method: 'OPTIONS', changed: true, request: moved }),
  );
  t.match(both, { detected: true, checks: [{ finding: { reason: 'sip-alg' } }], notes: [] }, 'beside what does matter');
});

t.test('what was compared is never said not to have been asked', async (t) => {
  const partly = sip(exchange({ method: 'OPTIONS' }), exchange({ response: null }));
  t.match(partly, { detected: false, checks: [{ finding: { verdict: 'pass' }, evidence: { compared: ['OPTIONS'] } }] });
  t.match(sip(exchange({ response: null })).checks, [{ finding: { verdict: 'unknown', reason: 'no-answer' } }]);
});

t.test('SUBSCRIBE and NOTIFY that vanish cost busy lamps, and no call', async (t) => {
  const events = exchange({ ...silent, method: 'SUBSCRIBE' });
  const elsewhere = exchange({ method: 'SUBSCRIBE', isControl: true, port: 16_384 });
  const said = sip(exchange({ method: 'OPTIONS' }), events, elsewhere);
  t.match(said, {
    detected: true,
    findings: [{ method: 'SUBSCRIBE', kind: 'dropped' }],
    checks: [{ finding: { verdict: 'blocked' }, harm: { verdict: 'altered', reason: 'sip-alg' } }],
  });
  t.equal(sip(exchange({ method: 'OPTIONS' }), exchange(silent), control).checks[0]?.harm, undefined);
});

t.test('a request that was too short to be answered is compared all the same', async (t) => {
  const shortened = {
    sent: Buffer.from(WHOLE),
    received: Buffer.from(WHOLE.replace('Content-Length: 0', 'l: 0')),
  };
  const removed = {
    sent: Buffer.from(WHOLE.replace('Content-Length', 'Allow: BYE\r\nContent-Length')),
    received: Buffer.from(WHOLE),
  };
  const left = { packets: 6, answers: 0, seen: 6, answered: 0, response: null } as const;
  t.match(sip(exchange({ ...left, request: removed })), {
    findings: [{ field: 'Allow', sent: 'BYE', received: '' }],
    checks: [{ finding: { verdict: 'altered', reason: 'sip-alg' } }],
  });
  t.match(sip(exchange({ ...left, request: shortened })).checks, [
    { finding: { verdict: 'unknown', reason: 'limited' } },
  ]);
});

const from = (sourcePort: number, over: Partial<SourcePortFacts> = {}): SourcePortFacts => ({
  ...{ address: A, port: 500, packets: 1, answers: 1, seenPort: sourcePort, notBound: null, errors: [], sourcePort },
  ...over,
});
const unanswered = { packets: 6, answers: 0, seenPort: null } as const;

t.test('source ports, and a flow that is kept from run to run', async (t) => {
  const said = (...all: readonly SourcePortFacts[]) => judgeSourcePorts(all, LOSS);
  t.match(said(from(500)), [{ port: 500, seenPort: 500, answered: true, notBound: null }]);
  t.match(said(from(500, { seenPort: 1024 })), [{ seenPort: 1024, answered: true }]);
  t.match(said(from(500, unanswered)), [{ answered: false }]);
  t.match(said(from(500, { ...unanswered, packets: 2 })), [{ answered: null }], 'two packets may be lost');
  t.match(said(from(500, { ...unanswered, errors: ['EHOSTUNREACH'] })), [{ answered: null }], 'an error is no silence');
  t.match(said(from(500, { ...unanswered, packets: 0, notBound: 'EACCES' })), [{ answered: null, notBound: 'EACCES' }]);
  t.match(said(from(500, { ...unanswered, packets: 2 }), from(500)), [{ answered: true }], 'of two far ends one tells');
  const beside = (answers: number) => said(from(500, { ...unanswered, control: { packets: 20, answers } }));
  t.match(beside(20), [{ answered: false }], 'a flow from another port loses nothing');
  t.match(beside(3), [{ answered: null }], 'a flow from another port is cut as well');
  t.match(beside(12), [{ answered: null }], 'the port loses packets of every flow');
  t.same(said(from(61_000)), [], 'a kept flow is no port of its protocol');

  t.equal(judgeStale([], LOSS), null, 'nobody keeps one');
  t.equal(judgeStale([from(61_000)], LOSS), false);
  t.equal(judgeStale([from(61_000, unanswered)], LOSS), true);
  t.equal(judgeStale([from(61_000, { ...unanswered, packets: 2 })], LOSS), null);
  t.equal(judgeStale([from(61_000, { ...unanswered, packets: 0, notBound: 'EADDRINUSE' })], LOSS), null);
  t.equal(judgeStale([from(61_000, unanswered)], null), null, 'of a path about which nothing is known');
  const path = { trials: 100, answers: 100 };
  t.match(judgePersistentFlow([from(61_000, unanswered)], path, THRESHOLDS).notes, [/stale state/]);
  t.match(judgeSourcePortFacts([from(500, unanswered)], path, THRESHOLDS).notes, [/source port 500/]);
  t.same(judgeSourcePortFacts([from(500)], path, THRESHOLDS).notes, []);
});

t.test('a SIP port that its own source port does not reach', async (t) => {
  const sip = classified(check('sip-options/udp/5060'), 'pass/answered');
  const silent = { port: 5060, seenPort: null, answered: false, notBound: null };
  const told = (one: typeof sip, nat: Parameters<typeof losingOwnPort>[1]): string => {
    const { verdict, reason } = losingOwnPort(one, nat);
    return `${verdict}/${reason}`;
  };
  t.equal(told(sip, { sourcePorts: [silent] }), 'degraded/flow-loss');
  t.equal(told(sip, { sourcePorts: [silent], staleState: true }), 'pass/answered', 'old state is told by itself');
  t.equal(told(sip, { sourcePorts: [{ ...silent, answered: true }] }), 'pass/answered');
  t.equal(told(sip, { sourcePorts: [silent], isLimited: true }), 'pass/answered', 'so is a limit of messages');
  t.equal(told(sip, {}), 'pass/answered', 'it was not tried');
  const stun = classified(check('stun-binding/udp/3478'), 'pass/answered');
  t.equal(told(stun, { sourcePorts: [{ ...silent, port: 3478 }] }), 'pass/answered', 'phones bind no port of STUN');
});
