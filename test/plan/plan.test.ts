/** From profiles and addresses to questions: which are asked, of whom, under which ids. */
import fc from 'fast-check';
import t from 'tap';
import type { Grounds, Plan, PlannedCheck } from '../../src/model/check.js';
import { addressesOf, plan, portOfRange, questionsOf, samplePorts } from '../../src/plan/plan.js';
import { loadProfile } from '../../src/plan/profiles.js';
import { destination, endpoint, input, profile, requirement } from '../run/support/profiles.js';

const SIP = requirement('signalling', ['sip-options/udp/5060', 'sip-options/tcp/5060', 'sip-options/tls/5061']);
const MEDIA = requirement('media', ['rtp-echo+rtcp-echo/udp/16384-32767'], { role: 'media' });
const STUN = requirement('stun', ['stun-binding/udp/3478'], { need: 'optional', role: 'media' });
const BUSINESS = profile('business', [SIP, MEDIA, STUN]);

const idsOf = (of: readonly { readonly id: string }[]): readonly string[] => of.map(({ id }) => id);
/** What an alternative stands on, by the ids that people read. */
const groundsOf =
  ({ checks }: Plan) =>
  ({ checks: keys, ranges }: Grounds): readonly string[] => [
    ...keys.flatMap((key) => checks.find((one) => one.key === key)?.id ?? []),
    ...idsOf(ranges),
  ];
/** `id` with what matters behind it. */
const places = (checks: readonly PlannedCheck[]): readonly string[] =>
  checks.map(({ id, address, port, host, skip }) => `${id} -> ${host} ${address} ${port}${skip ? ` ${skip}` : ''}`);

t.test('ids name the question; the address is appended when the target has several', async (t) => {
  const one = plan(input({ profiles: [BUSINESS] }));
  t.strictSame(idsOf(one.checks), [
    'sip-options/udp/5060',
    'sip-options/tcp/5060',
    'sip-options/tls/5061',
    'stun-binding/udp/3478',
  ]);
  t.strictSame(idsOf(one.ranges), ['rtp-echo/udp/16384-32766', 'rtcp-echo/udp/16385-32767']);
  t.strictSame(
    one.requirements.map(({ requirement: { id }, alternatives }) => [id, alternatives.map(groundsOf(one))]),
    [
      ['signalling', [['sip-options/udp/5060'], ['sip-options/tcp/5060'], ['sip-options/tls/5061']]],
      ['media', [['rtp-echo/udp/16384-32766', 'rtcp-echo/udp/16385-32767']]],
      ['stun', [['stun-binding/udp/3478']]],
    ],
    'RTP without RTCP is not the range that was asked for',
  );

  const two = plan(input({ profiles: [BUSINESS], target: destination(['198.51.100.10', '2001:db8::10']) }));
  t.strictSame(idsOf(two.checks).slice(0, 2), [
    'sip-options/udp/5060#198.51.100.10',
    'sip-options/udp/5060#2001:db8::10',
  ]);
  t.equal(two.checks[1]?.family, 6);
  t.strictSame(idsOf(two.ranges), [
    'rtp-echo/udp/16384-32766#198.51.100.10',
    'rtp-echo/udp/16384-32766#2001:db8::10',
    'rtcp-echo/udp/16385-32767#198.51.100.10',
    'rtcp-echo/udp/16385-32767#2001:db8::10',
  ]);
  t.strictSame(
    two.requirements[1]?.alternatives.map(groundsOf(two)),
    [
      ['rtp-echo/udp/16384-32766#198.51.100.10', 'rtcp-echo/udp/16385-32767#198.51.100.10'],
      ['rtp-echo/udp/16384-32766#2001:db8::10', 'rtcp-echo/udp/16385-32767#2001:db8::10'],
    ],
    'each address is an alternative of its own, RTP and RTCP of it together',
  );
});

t.test('SIP goes where RFC 3263 sends it', async (t) => {
  const at = (address: string, port: number, host: string) => ({ ...endpoint(address, host), port });
  const target = destination([null], {
    udp: { offered: false, endpoints: [{ ...endpoint('198.51.100.60', 'sip1.example'), port: null }] },
    tcp: {
      offered: true,
      endpoints: [at('198.51.100.60', 5080, 'sip1.example'), at('198.51.100.61', 5060, 'sip2.example')],
    },
    tls: { offered: true, endpoints: [at('198.51.100.60', 5061, 'sip1.example')] },
  });
  const { checks, requirements } = plan(input({ profiles: [profile('carrier', [SIP])], target }));
  t.strictSame(places(checks), [
    'sip-options/udp/5060#198.51.100.60 -> sip1.example 198.51.100.60 5060 not-offered',
    'sip-options/tcp/5080#198.51.100.60 -> sip1.example 198.51.100.60 5080',
    'sip-options/tcp/5060#198.51.100.61 -> sip2.example 198.51.100.61 5060',
    'sip-options/tls/5061#198.51.100.60 -> sip1.example 198.51.100.60 5061',
  ]);
  t.strictSame(
    requirements[0]?.alternatives,
    checks.map(({ id }) => [id]),
    'the requirement follows',
  );
  t.strictSame(addressesOf([target]), ['198.51.100.60', '198.51.100.61'], 'whichever records they came from');
});

t.test('a name that does not resolve leaves questions that cannot be asked', async (t) => {
  const { checks, ranges } = plan(input({ profiles: [BUSINESS], target: destination([null]) }));
  t.equal(checks.length, 4);
  t.ok(checks.every(({ skip, address, family }) => skip === 'dns-failure' && address === null && family === null));
  t.ok(ranges.every(({ sample, address }) => address === null && sample.every(({ skip }) => skip === 'dns-failure')));
});

t.test('what only a reflector answers', async (t) => {
  const skips = ({ ranges }: Plan) => [...new Set(ranges.flatMap(({ sample }) => sample.map(({ skip }) => skip)))];
  t.strictSame(skips(plan(input({ profiles: [BUSINESS] }))), [null], 'the target may be one');
  const without = plan(input({ profiles: [BUSINESS], hasToken: false }));
  t.strictSame(skips(without), ['needs-reflector'], 'without a token nobody can prove to be one');
  t.ok(
    without.checks.every(({ skip }) => skip === null),
    'and SIP and STUN are asked all the same',
  );

  const elsewhere = plan(
    input({
      profiles: [BUSINESS],
      target: destination(['198.51.100.10', '198.51.100.11']),
      reflectors: [destination(['203.0.113.5'], {}, 'reflector.example')],
    }),
  );
  t.strictSame(
    elsewhere.ranges.map(({ id, address }) => `${id} ${address}`),
    ['rtp-echo/udp/16384-32766 203.0.113.5', 'rtcp-echo/udp/16385-32767 203.0.113.5'],
    'media is asked of the reflector that was named, which has one address',
  );
  t.ok(
    elsewhere.checks.every(({ address }) => address !== '203.0.113.5'),
    'and SIP of the target',
  );
});

t.test('NAT-T: IKE on 4500 has the non-ESP marker, IKE elsewhere has not', async (t) => {
  const wifi = profile('wifi', [
    requirement('ike', ['ike-sa-init/udp/500']),
    requirement('nat-t', ['ike-sa-init/udp/4500']),
    requirement('keepalive', ['nat-t-keepalive/udp/4500']),
  ]);
  const marks = ({ checks }: Plan) => checks.map(({ id, natT }) => `${id} ${natT}`);
  t.strictSame(marks(plan(input({ profiles: [wifi] }))), [
    'ike-sa-init/udp/500 false',
    'ike-sa-init/udp/4500 true',
    'nat-t-keepalive/udp/4500 true',
  ]);
  t.strictSame(
    marks(
      plan(
        input({
          profiles: [wifi],
          portMap: new Map([
            [500, 40_500],
            [4500, 44_500],
          ]),
        }),
      ),
    ),
    ['ike-sa-init/udp/40500 false', 'ike-sa-init/udp/44500 true', 'nat-t-keepalive/udp/44500 true'],
    'a stand-in for 4500 is NAT-T as well',
  );
});

t.test('a media range of the user', async (t) => {
  const withRange = (from: number, to: number) => plan(input({ profiles: [BUSINESS], rtpRange: [from, to] }));
  t.strictSame(idsOf(withRange(10_000, 20_000).ranges), ['rtp-echo/udp/10000-20000', 'rtcp-echo/udp/10001-19999']);
  t.strictSame(
    idsOf(withRange(10_001, 10_010).ranges),
    ['rtcp-echo/udp/10001-10009', 'rtp-echo/udp/10002-10010'],
    'RTP keeps to even ports wherever the range begins (RFC 3550 section 11)',
  );
  t.strictSame(idsOf(withRange(10_000, 10_001).ranges), ['rtp-echo/udp/10000-10000', 'rtcp-echo/udp/10001-10001']);
  t.strictSame(idsOf(withRange(10_000, 10_000).ranges), ['rtp-echo/udp/10000-10000'], 'one port has no RTCP');
  t.strictSame(withRange(10_000, 10_000).requirements[1]?.alternatives, [['rtp-echo/udp/10000-10000']]);

  const several = profile('several', [
    requirement('low', ['rtp-echo+rtcp-echo/udp/4000-4015'], { role: 'media' }),
    SIP,
    requirement('high', ['rtp-echo+rtcp-echo/udp/16384-32767'], { role: 'media' }),
  ]);
  const merged = plan(input({ profiles: [several], rtpRange: [10_000, 10_003] }));
  t.strictSame(idsOf(merged.ranges), ['rtp-echo/udp/10000-10002', 'rtcp-echo/udp/10001-10003']);
  t.strictSame(
    merged.requirements.map(({ requirement: { id } }) => id),
    ['low', 'signalling'],
  );
  t.strictSame(idsOf(plan(input({ profiles: [profile('none', [SIP])], rtpRange: [10_000, 10_003] })).ranges), []);
});

t.test('only the transports that the deployment uses', async (t) => {
  const idsWith = (...transports: readonly ('udp' | 'tcp' | 'tls')[]) =>
    plan(input({ profiles: [BUSINESS], transports })).requirements.map(({ requirement: row, alternatives }) => [
      row.id,
      ...alternatives.flat(),
    ]);
  const rest = [
    ['media', 'rtp-echo/udp/16384-32766', 'rtcp-echo/udp/16385-32767'],
    ['stun', 'stun-binding/udp/3478'],
  ];
  t.strictSame(idsWith('tls'), [['signalling', 'sip-options/tls/5061'], ...rest], 'media and STUN stay');
  t.strictSame(idsWith('udp', 'tls'), [['signalling', 'sip-options/udp/5060', 'sip-options/tls/5061'], ...rest]);
  const one = plan(input({ profiles: [BUSINESS], transports: ['tls'] }));
  t.match(one.requirements[0]?.requirement, { check: { port: 5061 } }, 'one alternative is none');

  const signalling = requirement('signalling', ['sip-options/tcp/5060', 'sip-options/tls/5061']);
  t.throws(
    () => plan(input({ profiles: [profile('trunk', [signalling, MEDIA])], transports: ['udp'] })),
    { code: 'usage', message: '--transport: trunk signals over tcp, tls, and not over udp; choose one of its own' },
    'a service must not pass for want of a question',
  );
  const optional = { ...signalling, need: 'optional' } as const;
  t.strictSame(
    plan(input({ profiles: [profile('trunk', [optional, MEDIA])], transports: ['udp'] })).checks,
    [],
    'an optional row may go',
  );
});

t.test('a question that two profiles share is asked once', async (t) => {
  const other = profile('other', [
    requirement('signalling', ['sip-options/udp/5060']),
    requirement('media', ['rtp-echo+rtcp-echo/udp/16384-32767'], { role: 'media' }),
    requirement('one port', ['rtp-echo/udp/16384'], { role: 'media' }),
  ]);
  const both = plan(input({ profiles: [BUSINESS, other] }));
  t.strictSame(both.checks.find(({ id }) => id === 'sip-options/udp/5060')?.requiredBy, ['business', 'other']);
  t.strictSame(both.checks.find(({ id }) => id === 'sip-options/tcp/5060')?.requiredBy, ['business']);
  t.strictSame(
    both.ranges.map(({ requiredBy }) => requiredBy),
    [
      ['business', 'other'],
      ['business', 'other'],
    ],
  );
  t.strictSame(
    both.requirements.map((row) => row.profile),
    ['business', 'business', 'business', 'other', 'other', 'other'],
  );
  const questions = questionsOf(both);
  t.equal(new Set(idsOf(questions)).size, questions.length, 'no id goes out twice');
  t.equal(
    questions.find(({ id }) => id === 'rtp-echo/udp/16384')?.isOfRange,
    false,
    'a check that stands for itself is asked as one, although a range samples it too',
  );
  t.strictSame(idsOf(questions).slice(0, both.checks.length), idsOf(both.checks), 'in the order of the plan');
});

t.test('the sample of a range', async (t) => {
  const { ranges } = plan(input({ profiles: [BUSINESS] }));
  const [rtp, rtcp] = ranges;
  t.equal(rtp?.sample.length, 18);
  t.strictSame(
    [rtp?.sample[0]?.port, rtp?.sample.at(-1)?.port, rtcp?.sample[0]?.port, rtcp?.sample.at(-1)?.port],
    [16_384, 32_766, 16_385, 32_767],
    'both edges of both',
  );
  t.ok(rtp?.sample.every(({ port, probe, isOfRange }) => port % 2 === 0 && probe === 'rtp-echo' && isOfRange));
  t.ok(rtcp?.sample.every(({ port, probe }) => port % 2 === 1 && probe === 'rtcp-echo'));

  const all = plan(input({ profiles: [BUSINESS], exhaustive: true }));
  t.strictSame(
    all.ranges.map(({ sample }) => sample.length),
    [8192, 8192],
    'every port of every range',
  );
  t.equal(questionsOf(all).length, 16_384 + 4);
  const ports = all.ranges.flatMap(({ sample }) => sample.map(({ port }) => port));
  t.equal(new Set(ports).size, 16_384);
});

t.test('a sample has both edges and one port of each stratum', async (t) => {
  const anyRange = fc.record({
    from: fc.integer({ min: 1, max: 60_000 }),
    count: fc.integer({ min: 1, max: 5000 }),
    step: fc.integer({ min: 1, max: 3 }),
    strata: fc.integer({ min: 1, max: 20 }),
    seed: fc.array(fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true }), { minLength: 1, maxLength: 20 }),
    slack: fc.nat(2),
  });
  const covers = fc.property(anyRange, ({ from, count, step, strata, seed, slack }) => {
    let at = 0;
    const random = () => seed[at++ % seed.length] ?? 0;
    const last = from + (count - 1) * step;
    // Where the last step does not fit, the end of the range is not one of its ports.
    const ports = samplePorts(from, last + Math.min(slack, step - 1), step, strata, random);
    const rule = (name: string, holds: boolean): void => {
      if (!holds) throw new Error(`${name}: ${ports.join(' ')}`);
    };
    rule('both edges', ports[0] === from && ports.at(-1) === last);
    rule(
      'ascending, none twice',
      ports.every((port, index) => index === 0 || port > (ports[index - 1] ?? 0)),
    );
    rule(
      'on the grid',
      ports.every((port) => (port - from) % step === 0),
    );
    rule('as many as wanted', ports.length === Math.min(count, strata + 2));
    if (ports.length < count) {
      // Between the edges lie strata of equal width, give or take one port; each holds one of the sample.
      const width = (count - 2) / strata;
      ports.slice(1, -1).forEach((port, stratum) => {
        const index = (port - from) / step - 1;
        rule(
          `stratum ${stratum}`,
          index >= Math.floor(stratum * width) && index < Math.floor((stratum + 1) * width + 1e-9),
        );
      });
    }
  });
  t.doesNotThrow(() => fc.assert(covers, { numRuns: 2000 }));
});

t.test('a port that the sample left out', async (t) => {
  const { ranges } = plan(input({ profiles: [BUSINESS], target: destination(['198.51.100.10', '2001:db8::10']) }));
  const v6 = ranges.find(({ id }) => id === 'rtp-echo/udp/16384-32766#2001:db8::10');
  if (!v6) throw new Error('no such range');
  t.match(portOfRange(v6, 20_000), {
    id: 'rtp-echo/udp/20000#2001:db8::10',
    probe: 'rtp-echo',
    port: 20_000,
    address: '2001:db8::10',
    isOfRange: true,
    skip: null,
  });
  const asked = portOfRange(v6, 16_384);
  t.strictSame(asked, v6.sample[0], 'is the very question of the sample where that has it');
});

t.test('ports that stand in for others', async (t) => {
  const facetime = profile('facetime', [
    requirement('push', ['tcp-connect/tcp/443']),
    requirement('media', ['stun-binding/udp/3478-3497'], { role: 'media' }),
  ]);
  const moved = plan(
    input({
      profiles: [facetime],
      portMap: new Map([
        [443, 40_443],
        [3478, 43_478],
      ]),
    }),
  );
  t.strictSame(idsOf(moved.checks), ['tcp-connect/tcp/40443']);
  t.strictSame(idsOf(moved.ranges), ['stun-binding/udp/3478-3497'], 'a range keeps its name');
  const ports = moved.ranges.flatMap(({ sample }) => sample.map(({ port }) => port));
  t.ok(
    ports.every((port) => port > 3478 && port <= 3497),
    `asks nothing at a place that another port has taken: ${ports.join(' ')}`,
  );
  t.equal(ports.length, 17);
});

t.test('the same inputs give the same plan', async (t) => {
  const profiles = await Promise.all(['business-sip', 'wifi-calling-t-mobile', 'facetime'].map(loadProfile));
  const random = (): (() => number) => {
    let state = 1;
    return () => {
      state = (state * 16_807) % 2_147_483_647;
      return state / 2_147_483_647;
    };
  };
  const make = (): Plan => plan(input({ profiles, random: random() }));
  t.strictSame(make(), make());
  const questions = questionsOf(make());
  t.equal(new Set(idsOf(questions)).size, questions.length);
  const made = make();
  const keys = new Set(made.checks.map(({ key }) => key));
  t.ok(
    made.requirements.every(
      ({ alternatives }) =>
        alternatives.length > 0 &&
        alternatives.every(
          ({ checks, ranges }) =>
            checks.length + ranges.length > 0 &&
            checks.every((key) => keys.has(key)) &&
            ranges.every((range) => made.ranges.includes(range)),
        ),
    ),
    'every requirement of the bundled profiles stands on questions that are asked',
  );
});
