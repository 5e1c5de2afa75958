/** From verdicts to what users experience: ranges, services by CONTRACT's rules, symptoms and fixes. */
import fc from 'fast-check';
import t from 'tap';
import type { PortRange } from '../../src/model/check.js';
import type { AskedKind, Transport } from '../../src/model/kinds.js';
import type { Profile, Requirement, RequirementRole } from '../../src/model/profile.js';
import type { SymptomId } from '../../src/model/verdict.js';
import { diagnose } from '../../src/verdict/diagnose.js';
import { PLACEHOLDER } from '../../src/verdict/fixes/ask.js';
import { classifyRange, type RangeRun, worstOf } from '../../src/verdict/ranges.js';
import {
  type Item,
  type RequirementState,
  type ServiceState,
  weigh,
  weighService,
} from '../../src/verdict/services.js';
import { ADDRESS, check, classified, finding } from './support/facts.js';
import { exampleProfile } from './support/profile.js';

const SOURCE = { title: 'a document', evidence: 'primary', checkedOn: '2026-11-21' } as const;

/** `sip-options/udp/5060 pass/answered`, or a range `rtp-echo/udp/16384-32766 blocked/dropped partly`. */
const item = (text: string): Item => {
  const [id = '', said = '', ...marks] = text.split(' ');
  const [name = '', address] = id.split('#');
  const [probe, transport, ports = ''] = name.split('/');
  const [from, to = from] = ports.split('-');
  return {
    id,
    probe: probe as AskedKind,
    transport: transport as Transport,
    address: address ?? ADDRESS,
    from: Number(from),
    to: Number(to),
    finding: finding(said),
    partly: marks.includes('partly'),
    ...(marks.includes('leaves-short') && { leavesShort: true as const }),
    provable: !marks.includes('unprovable'),
  };
};

const requirement = (role: RequirementRole, need: 'required' | 'optional' = 'required'): Requirement => ({
  id: role,
  need,
  role,
  purpose: 'a purpose',
  source: SOURCE,
  check: { probe: 'sip-options', transport: 'udp', port: 5060 },
});

const PROFILE = exampleProfile({ thresholdsSources: [SOURCE], symptoms: { signalling: 'cannot-register' } });

/** Alternatives apart, their parts joined by `+`. */
const alternatives = (...texts: readonly string[]): readonly (readonly Item[])[] =>
  texts.map((text) => text.split(' + ').map(item));

const state = (
  role: RequirementRole,
  texts: readonly string[],
  need: 'required' | 'optional' = 'required',
): RequirementState => weigh(requirement(role, need), alternatives(...texts));

const service = (...requirements: readonly RequirementState[]): ServiceState => weighService(PROFILE, requirements);

const UDP_PASSES = 'sip-options/udp/5060 pass/answered';
const UDP_BLOCKED = 'sip-options/udp/5060 blocked/dropped';
const UDP_DEGRADED = 'sip-options/udp/5060 degraded/loss';
const UDP_ALTERED = 'sip-options/udp/5060 altered/sip-alg';
const UDP_UNKNOWN = 'sip-options/udp/5060 unknown/no-answer';
const UDP_LOSES_LONG = 'size-sweep/udp/5060 blocked/size-filtered leaves-short';
const TCP_PASSES = 'sip-options/tcp/5060 pass/answered';
const TCP_BLOCKED = 'sip-options/tcp/5060 blocked/rejected';
const TCP_UNKNOWN = 'sip-options/tcp/5060 unknown/not-run';
const TLS_PASSES = 'sip-options/tls/5061 pass/answered';
const TLS_BLOCKED = 'sip-options/tls/5061 blocked/rejected';
const TLS_INTERCEPTED = 'sip-options/tls/5061 altered/tls-intercepted';
const RTP_PASSES = 'rtp-echo/udp/16384-32766 pass/answered partly';
const RTCP_PASSES = 'rtcp-echo/udp/16385-32767 pass/answered partly';
const RTP_BLOCKED = 'rtp-echo/udp/16384-32766 blocked/dropped';
const RTP_OF_CARRIER = 'rtp-echo/udp/16384-32766 unknown/not-run unprovable';
const RTCP_OF_CARRIER = 'rtcp-echo/udp/16385-32767 unknown/not-run unprovable';

t.test('what alternatives come to', async (t) => {
  const rows: readonly (readonly [story: string, says: RequirementState['state'], ...alternatives: string[]])[] = [
    ['the only one passes', 'pass', UDP_PASSES],
    ['all pass', 'pass', UDP_PASSES, TCP_PASSES, TLS_PASSES],
    ['one passes, another is blocked', 'degraded', UDP_BLOCKED, TCP_PASSES],
    ['one passes, another is altered', 'degraded', UDP_ALTERED, TCP_PASSES],
    ['one passes, another is not known', 'pass', UDP_UNKNOWN, TCP_PASSES],
    ['one passes, another is worse and passes', 'pass', UDP_DEGRADED, TCP_PASSES],
    ['one passes, one is blocked, one is not known', 'degraded', UDP_PASSES, TCP_UNKNOWN, TLS_BLOCKED],
    ['the best one suffers', 'degraded', UDP_DEGRADED, TCP_BLOCKED],
    ['all are blocked', 'blocked', UDP_BLOCKED, TCP_BLOCKED, TLS_BLOCKED],
    ['none passes, one is blocked', 'blocked', UDP_BLOCKED, TCP_UNKNOWN],
    ['none passes, one is altered, one blocked', 'blocked', UDP_ALTERED, TCP_BLOCKED],
    ['the only one is altered', 'altered', UDP_ALTERED],
    ['one altered, one not known', 'altered', UDP_ALTERED, TCP_UNKNOWN],
    ['none is known', 'unknown', UDP_UNKNOWN, TCP_UNKNOWN],
    ['one of two addresses is blocked', 'degraded', `${UDP_PASSES}`, 'sip-options/udp/5060#192.0.2.1 blocked/dropped'],
    ['long messages alone are lost', 'degraded', `${UDP_PASSES} + ${UDP_LOSES_LONG}`],
    ['the same, and no TLS', 'degraded', `${UDP_PASSES} + ${UDP_LOSES_LONG}`, TLS_BLOCKED],
    ['long ones are lost, and another way passes', 'degraded', `${UDP_PASSES} + ${UDP_LOSES_LONG}`, TLS_PASSES],
    [
      'those with which phones register are lost',
      'blocked',
      `${UDP_PASSES} + size-sweep/udp/5060 blocked/size-filtered`,
    ],
    [
      'RTP passes and RTCP beside it is blocked',
      'blocked',
      `${RTP_PASSES} + rtcp-echo/udp/16385-32767 blocked/dropped`,
    ],
    [
      'RTP passes and RTCP beside it is not known',
      'unknown',
      `${RTP_PASSES} + rtcp-echo/udp/16385-32767 unknown/no-answer`,
    ],
    [
      'one of two ranges is complete',
      'pass',
      `${RTP_PASSES} + ${RTCP_PASSES}`,
      'rtp-echo/udp/4000-4014 unknown/not-run',
    ],
    ['nobody there answers media', 'untested', `${RTP_OF_CARRIER} + ${RTCP_OF_CARRIER}`],
    ['nobody there answers, and the target refuses', 'untested', 'rtp-echo/udp/16384-32766 unknown/closed unprovable'],
    ['a reflector would have to answer media', 'unknown', 'rtp-echo/udp/16384-32766 unknown/not-run'],
    ['any SIP server could have answered', 'unknown', 'sip-options/udp/5060 unknown/no-answer unprovable'],
    ['media or SIP, and neither is known', 'unknown', RTP_OF_CARRIER, `${UDP_UNKNOWN} unprovable`],
    ['nothing to ask', 'unknown'],
  ];
  for (const [story, says, ...texts] of rows) t.equal(state('signalling', texts).state, says, story);
});

t.test('what a service comes to', async (t) => {
  const rows: readonly (readonly [story: string, says: ServiceState['verdict'], ...RequirementState[]])[] = [
    ['all pass', 'works', state('signalling', [UDP_PASSES]), state('media', [RTP_PASSES])],
    [
      'an alternative is lost',
      'degraded',
      state('signalling', [UDP_BLOCKED, TCP_PASSES]),
      state('media', [RTP_PASSES]),
    ],
    [
      'media suffers',
      'degraded',
      state('signalling', [UDP_PASSES]),
      state('media', ['rtp-echo/udp/1-2 degraded/loss']),
    ],
    ['signalling is altered', 'degraded', state('signalling', [UDP_ALTERED]), state('media', [RTP_PASSES])],
    ['media is blocked', 'impaired', state('signalling', [UDP_PASSES]), state('media', [RTP_BLOCKED])],
    [
      'push is blocked',
      'impaired',
      state('signalling', [UDP_PASSES]),
      state('push', ['tcp-connect/tcp/5223 blocked/dropped']),
    ],
    [
      'signalling suffers and media is blocked',
      'impaired',
      state('signalling', [UDP_DEGRADED]),
      state('media', [RTP_BLOCKED]),
    ],
    ['signalling is blocked', 'blocked', state('signalling', [UDP_BLOCKED]), state('media', [RTP_PASSES])],
    ['both are blocked', 'blocked', state('signalling', [UDP_BLOCKED]), state('media', [RTP_BLOCKED])],
    ['blocked outweighs unknown', 'blocked', state('signalling', [UDP_BLOCKED]), state('media', [TCP_UNKNOWN])],
    ['signalling is not known', 'unknown', state('signalling', [UDP_UNKNOWN]), state('media', [RTP_PASSES])],
    ['unknown outweighs degraded', 'unknown', state('signalling', [UDP_DEGRADED]), state('media', [TCP_UNKNOWN])],
    [
      'one of two signalling rows is blocked',
      'blocked',
      state('signalling', [UDP_PASSES]),
      state('signalling', [TCP_BLOCKED]),
    ],
    [
      'what a carrier cannot answer does not count',
      'works',
      state('signalling', [UDP_PASSES]),
      state('media', [RTP_OF_CARRIER]),
    ],
    ['nothing could be asked at all', 'unknown', state('media', [RTP_OF_CARRIER])],
    ['nothing is required', 'unknown', state('signalling', [UDP_PASSES], 'optional')],
    [
      'an optional row is blocked',
      'works',
      state('signalling', [UDP_PASSES]),
      state('media', [RTP_BLOCKED], 'optional'),
    ],
    [
      'optional signalling is blocked',
      'works',
      state('media', [RTP_PASSES]),
      state('signalling', [UDP_BLOCKED], 'optional'),
    ],
    [
      'an optional row is not known',
      'works',
      state('signalling', [UDP_PASSES]),
      state('media', [TCP_UNKNOWN], 'optional'),
    ],
    [
      'an optional row passes, the required one does not',
      'blocked',
      state('signalling', [UDP_BLOCKED]),
      state('signalling', [TCP_PASSES], 'optional'),
    ],
  ];
  for (const [story, says, ...states] of rows) t.equal(service(...states).verdict, says, story);
});

t.test('a row in whose place another serves', async (t) => {
  const PASSES = 'tls-handshake/tls/443 pass/answered';
  const row = (leaves: 'works' | 'degraded', text: string): RequirementState =>
    weigh({ ...requirement('push'), fallback: { row: 'web', leaves } }, alternatives(text));
  const web = (text: string): RequirementState => state('web', [text], 'optional');
  const rows: readonly (readonly [
    story: string,
    leaves: 'works' | 'degraded',
    own: string,
    other: string,
    says: ServiceState['verdict'],
  ])[] = [
    [
      'it passes itself',
      'degraded',
      'tls-handshake/tls/5223 pass/answered',
      'tls-handshake/tls/443 blocked/dropped',
      'works',
    ],
    ['served in full', 'works', 'tls-handshake/tls/5223 blocked/dropped', PASSES, 'works'],
    ['served, and worse', 'degraded', 'tls-handshake/tls/5223 blocked/dropped', PASSES, 'degraded'],
    [
      'the other suffers',
      'works',
      'tls-handshake/tls/5223 blocked/dropped',
      'tls-handshake/tls/443 degraded/loss',
      'degraded',
    ],
    [
      'the other does not pass',
      'works',
      'tls-handshake/tls/5223 blocked/dropped',
      'tls-handshake/tls/443 blocked/dropped',
      'impaired',
    ],
    [
      'the other is opened on the way',
      'works',
      'tls-handshake/tls/5223 blocked/dropped',
      'tls-handshake/tls/443 altered/tls-intercepted',
      'impaired',
    ],
    [
      'the other is not known',
      'works',
      'tls-handshake/tls/5223 blocked/dropped',
      'tls-handshake/tls/443 unknown/no-answer',
      'unknown',
    ],
    ['nobody answers, and it works either way', 'works', 'tls-handshake/tls/5223 unknown/no-answer', PASSES, 'works'],
    [
      'nobody answers, and how well it works is not known',
      'degraded',
      'tls-handshake/tls/5223 unknown/no-answer',
      PASSES,
      'unknown',
    ],
  ];
  for (const [story, leaves, own, other, says] of rows) {
    const of = service(state('signalling', [UDP_PASSES]), row(leaves, own), web(other));
    t.equal(of.verdict, says, story);
    if (says === 'works') t.match(diagnose(of), { symptoms: [], fixes: [] }, `${story}: nobody need do anything`);
  }
  const circle = weighService(PROFILE, [
    weigh({ ...requirement('push'), fallback: { row: 'web', leaves: 'works' } }, alternatives(TCP_BLOCKED)),
    weigh({ ...requirement('web'), fallback: { row: 'push', leaves: 'works' } }, alternatives(TCP_BLOCKED)),
  ]);
  t.equal(circle.verdict, 'impaired', 'a circle ends');
});

t.test('what the far side begins is untested', async (t) => {
  const inbound = weigh({ ...requirement('web'), direction: 'inbound' }, []);
  t.equal(inbound.state, 'untested');
  const both = weigh({ ...requirement('signalling'), direction: 'both' }, alternatives(UDP_PASSES));
  const of = service(both, inbound);
  t.equal(of.verdict, 'works', 'what could be asked passes');
  t.strictSame(of.untested, ['inbound/udp/5060'], 'and inbound traffic is named, once');
});

t.test('an optional row never decides', async (t) => {
  const texts = [UDP_PASSES, UDP_BLOCKED, UDP_DEGRADED, UDP_ALTERED, UDP_UNKNOWN, RTP_OF_CARRIER];
  for (const required of texts) {
    for (const optional of texts) {
      const alone = service(state('signalling', [required]));
      const both = service(state('signalling', [required]), state('media', [optional], 'optional'));
      t.equal(both.verdict, alone.verdict, `${required} with optional ${optional}`);
      t.strictSame(both.untested, alone.untested);
    }
  }
});

t.test('what is untested is named', async (t) => {
  const carrier = service(
    state('signalling', [UDP_PASSES]),
    state('media', [`${RTP_OF_CARRIER} + ${RTCP_OF_CARRIER}`]),
    state('keepalive', ['nat-t-keepalive/udp/4500 unknown/no-answer unprovable'], 'optional'),
  );
  t.strictSame(carrier.untested, ['rtp-echo/udp/16384-32766', 'rtcp-echo/udp/16385-32767'], 'the required ones');
  t.strictSame(service(state('signalling', [UDP_UNKNOWN])).untested, [], 'no answer is not untested');
});

t.test('the worst of several findings', async (t) => {
  const worst = (...texts: readonly string[]): string => {
    const found = worstOf(texts.map(finding));
    return found ? `${found.verdict}/${found.reason}` : 'none';
  };
  t.equal(worst(), 'none');
  t.equal(worst('pass/answered', 'unknown/not-run'), 'unknown/not-run');
  t.equal(worst('unknown/not-run', 'degraded/loss', 'pass/answered'), 'degraded/loss');
  t.equal(worst('altered/sip-alg', 'degraded/loss'), 'altered/sip-alg');
  t.equal(worst('altered/sip-alg', 'blocked/dropped', 'blocked/rejected'), 'blocked/dropped', 'the first of equals');
});

// Ranges.

const range = (from: number, to: number, step: number): PortRange => ({
  id: 'range',
  probe: 'rtp-echo',
  transport: 'udp',
  from,
  to,
  step,
  address: ADDRESS,
  requiredBy: ['example'],
});
const THRESHOLDS = { lossRatio: 0.01, rttMs: 300 };
const atPort = (port: number, said: string, fields: Parameters<typeof classified>[2] = {}) =>
  classified(check(`rtp-echo/udp/${port}`, { isOfRange: true }), said, {
    ...(said === 'unknown/not-run' && { sent: 0, confidence: 0 }),
    ...fields,
  });
const short = ({ from, to, verdict, reason, tested, confidence }: RangeRun): string =>
  `${from}-${to} ${verdict}/${reason} tested ${tested} confidence ${confidence}`;
const runsOf = (of: PortRange, ...ports: readonly ReturnType<typeof atPort>[]): readonly string[] =>
  classifyRange(of, ports, THRESHOLDS).runs.map(short);

t.test('runs of a range', async (t) => {
  const tens = range(16_384, 16_404, 2);
  t.strictSame(
    runsOf(tens, atPort(16_404, 'pass/answered'), atPort(16_384, 'pass/answered'), atPort(16_390, 'pass/answered')),
    ['16384-16404 pass/answered tested 3 confidence 1'],
    'in whatever order the ports were asked; between equal neighbours is inferred',
  );
  t.strictSame(
    runsOf(tens, atPort(16_384, 'pass/answered'), atPort(16_404, 'blocked/dropped', { confidence: 0.9999 })),
    [
      '16384-16384 pass/answered tested 1 confidence 1',
      '16386-16402 unknown/not-run tested 0 confidence 0',
      '16404-16404 blocked/dropped tested 1 confidence 0.9999',
    ],
    'what lies between neighbours that differ is not known',
  );
  t.strictSame(
    runsOf(
      tens,
      atPort(16_384, 'pass/answered'),
      atPort(16_394, 'pass/answered'),
      atPort(16_396, 'blocked/dropped', { confidence: 0.9999 }),
      atPort(16_404, 'blocked/dropped', { confidence: 0.99999 }),
    ),
    ['16384-16394 pass/answered tested 2 confidence 1', '16396-16404 blocked/dropped tested 2 confidence 0.9999'],
    'an exact boundary; the least sure port counts',
  );
  t.strictSame(
    runsOf(tens, atPort(16_384, 'blocked/dropped'), atPort(16_404, 'blocked/rejected')),
    [
      '16384-16384 blocked/dropped tested 1 confidence 1',
      '16386-16402 unknown/not-run tested 0 confidence 0',
      '16404-16404 blocked/rejected tested 1 confidence 1',
    ],
    'another reason is another run',
  );
  t.strictSame(runsOf(tens), ['16384-16404 unknown/not-run tested 0 confidence 0'], 'nothing was sampled');
  t.strictSame(
    runsOf(tens, atPort(16_384, 'unknown/not-run'), atPort(16_404, 'unknown/not-run')),
    ['16384-16404 unknown/not-run tested 0 confidence 0'],
    'nothing was asked, so nothing was tested',
  );
  t.strictSame(
    runsOf(tens, atPort(16_384, 'pass/answered'), atPort(16_394, 'unknown/not-run'), atPort(16_404, 'pass/answered')),
    [
      '16384-16384 pass/answered tested 1 confidence 1',
      '16386-16402 unknown/not-run tested 0 confidence 0',
      '16404-16404 pass/answered tested 1 confidence 1',
    ],
    'interrupted in the middle: one run, not three',
  );
  t.strictSame(
    runsOf(range(5000, 5000, 1), atPort(5000, 'pass/answered')),
    ['5000-5000 pass/answered tested 1 confidence 1'],
    'a range of one port',
  );
});

t.test('runs cover a range exactly once, whatever was sampled and found', async (t) => {
  const findings = [
    'pass/answered',
    'blocked/dropped',
    'blocked/rejected',
    'altered/payload-rewritten',
    'unknown/not-run',
  ];
  const anyRange = fc
    .record({
      from: fc.integer({ min: 1, max: 65_000 }),
      count: fc.integer({ min: 1, max: 60 }),
      step: fc.integer({ min: 1, max: 3 }),
    })
    .chain(({ from, count, step }) =>
      fc
        .uniqueArray(fc.record({ index: fc.nat(count - 1), said: fc.constantFrom(...findings) }), {
          selector: ({ index }) => index,
        })
        .map((sample) => ({
          of: range(from, from + (count - 1) * step, step),
          sample: sample.map(({ index, said }) => atPort(from + index * step, said)),
        })),
    );
  const covers = fc.property(anyRange, ({ of, sample }) => {
    const { runs, worst } = classifyRange(of, sample, THRESHOLDS);
    const rule = (name: string, holds: boolean): void => {
      if (!holds) throw new Error(`${name}: ${runs.map(short).join(', ')}`);
    };
    rule('begins where the range begins', runs[0]?.from === of.from);
    rule('ends where the range ends', runs.at(-1)?.to === of.to);
    runs.forEach((run, index) => {
      const before = runs[index - 1];
      rule('goes on where the last one ended', !before || run.from === before.to + of.step);
      rule('is not empty, and on the grid', run.from <= run.to && (run.to - run.from) % of.step === 0);
      rule('differs from the last one', !before || before.verdict !== run.verdict || before.reason !== run.reason);
      const inside = sample.filter(({ check: { port } }) => run.from <= port && port <= run.to);
      rule(
        'holds only ports of its own finding',
        inside.every(({ verdict, reason }) => verdict === run.verdict && reason === run.reason),
      );
      rule('counts the ports that were asked', run.tested === inside.filter(({ sent }) => sent > 0).length);
      rule('infers nothing from nothing', run.verdict === 'unknown' || inside.length > 0);
      rule(
        'infers only between two ports of its finding',
        run.verdict === 'unknown' ||
          (inside.some(({ check: { port } }) => port === run.from) &&
            inside.some(({ check: { port } }) => port === run.to)),
      );
    });
    rule('names the worst', sample.length === 0 || sample.some(({ verdict }) => verdict === worst.verdict));
  });
  t.doesNotThrow(() => fc.assert(covers, { numRuns: 2000 }));
});

t.test('the quality of a range is that of all its ports together', async (t) => {
  const of = range(16_384, 16_422, 2);
  const ports = (fields: (index: number) => Parameters<typeof classified>[2]) =>
    Array.from({ length: 20 }, (_, index) => atPort(16_384 + 2 * index, 'pass/answered', fields(index)));
  const rtt = (min: number) => ({ min, median: min, max: min });

  t.strictSame(runsOf(of, ...ports(() => ({}))), ['16384-16422 pass/answered tested 20 confidence 1']);
  t.match(
    runsOf(of, ...ports((index) => ({ sent: index < 10 ? 2 : 1 }))),
    [/^16384-16422 degraded\/loss/],
    'ten of thirty lost',
  );
  t.match(runsOf(of, ...ports((index) => ({ sent: index < 1 ? 2 : 1 }))), [/pass\/answered/], 'one of 21: chance');
  t.match(runsOf(of, ...ports(() => ({ rttMs: rtt(301) }))), [/degraded\/latency/], 'even the fastest is slow');
  t.match(
    runsOf(of, ...ports((index) => ({ rttMs: rtt(index === 3 ? 20 : 900) }))),
    [/pass\/answered/],
    'the fastest shows the path, the others waited for something',
  );
  const held = { asked: 12, dead: 0, packetsOfDead: 0, firstLost: 0, firstPackets: 0, firstHeld: 12 };
  const flows = { ...held, packetsOfLiving: 48, lostOfLiving: 0 };
  const settled = (laterMs: readonly number[]) =>
    classifyRange(
      of,
      ports((index) => ({ rttMs: rtt(750), laterRttsMs: index === 5 ? laterMs : [] })),
      { ...THRESHOLDS, flows },
    ).worst.reason;
  t.equal(settled([]), 'answered', 'the first packet of each flow is held: it says nothing of the line');
  t.equal(settled([40, 42, 41]), 'answered');
  t.equal(settled([420, 410, 415]), 'latency', 'the later packets of a flow are as slow');
  const usually = (slow: number, slowPorts: number, ownLateMs: number) =>
    classifyRange(
      of,
      ports((index) => ({
        ...{ rttMs: rtt(index < slowPorts ? 600 : 150) },
        laterRttsMs: index === 5 ? Array.from({ length: 24 }, (_, packet) => (packet < slow ? 600 : 150)) : [],
      })),
      { ...THRESHOLDS, ownLateMs },
    ).worst.reason;
  t.equal(usually(20, 17, 50), 'latency', 'some packets are quick, and most are not');
  t.equal(usually(13, 17, 50), 'answered', 'half of the later ones: not proven');
  t.equal(usually(20, 11, 50), 'answered', 'half of the ports');
  t.equal(usually(20, 17, 400), 'answered', 'a busy host may have been so late itself');
  const { worst } = classifyRange(
    of,
    [...ports((index) => ({ sent: index < 10 ? 2 : 1 })), atPort(16_424, 'blocked/dropped')],
    THRESHOLDS,
  );
  t.strictSame(worst, { verdict: 'blocked', reason: 'dropped' }, 'blocked ports are not loss');
});

// Symptoms and fixes.

const symptomsOf = (of: ServiceState): readonly SymptomId[] => diagnose(of).symptoms.map(({ id }) => id);

t.test('each symptom appears with its evidence and not without', async (t) => {
  const signalling = state('signalling', [UDP_PASSES]);
  const media = (...texts: readonly string[]): RequirementState => state('media', texts);
  const rows: readonly (readonly [story: string, says: readonly SymptomId[], of: ServiceState])[] = [
    ['all passes', [], service(signalling, media(RTP_PASSES))],
    ['nothing is known', [], service(state('signalling', [UDP_UNKNOWN]), media(RTP_OF_CARRIER))],
    ['signalling does not pass', ['cannot-register'], service(state('signalling', [UDP_BLOCKED, TCP_BLOCKED]))],
    ['one of two ways to register is lost', [], service(state('signalling', [UDP_BLOCKED, TCP_PASSES]))],
    ['no media port passes', ['no-audio'], service(signalling, media(RTP_BLOCKED))],
    [
      'signalling is blocked as well: that is what users notice',
      ['cannot-register'],
      service(state('signalling', [UDP_BLOCKED]), media(RTP_BLOCKED)),
    ],
    ['part of the range is blocked', ['some-calls-silent'], service(signalling, media(`${RTP_BLOCKED} partly`))],
    [
      'nothing arrives at the far end',
      ['one-way-audio-outbound'],
      service(signalling, media('rtp-echo/udp/16384-32766 blocked/dropped-outbound')),
    ],
    [
      'nothing comes back',
      ['one-way-audio-inbound'],
      service(signalling, media('rtp-echo/udp/16384-32766 blocked/dropped-inbound')),
    ],
    [
      'part of what is sent does not arrive',
      ['some-calls-silent'],
      service(signalling, media('rtp-echo/udp/16384-32766 blocked/dropped-outbound partly')),
    ],
    [
      'only RTCP is blocked: calls can be heard',
      [],
      service(signalling, media(`${RTP_PASSES} + rtcp-echo/udp/16385-32767 blocked/dropped`)),
    ],
    ['media is lossy', ['choppy-audio'], service(signalling, media('rtp-echo/udp/16384-32766 degraded/loss'))],
    ['signalling is lossy', [], service(state('signalling', [UDP_DEGRADED]), media(RTP_PASSES))],
    [
      'keepalives do not pass',
      ['lost-inbound-calls'],
      service(signalling, state('keepalive', ['nat-t-keepalive/udp/4500 blocked/payload-filtered'])),
    ],
    [
      'push does not pass',
      ['push-delayed'],
      service(signalling, state('push', ['tcp-connect/tcp/5223 blocked/dropped'])),
    ],
    ['the web does not pass', ['app-limited'], service(signalling, state('web', ['http/tcp/80 blocked/dropped']))],
    [
      'only encrypted signalling is blocked',
      ['calls-not-private'],
      service(state('signalling', [UDP_PASSES, TLS_BLOCKED])),
    ],
    [
      'encrypted signalling is intercepted',
      ['calls-not-private'],
      service(state('signalling', [UDP_PASSES, TLS_INTERCEPTED])),
    ],
    ['only unencrypted signalling is blocked', [], service(state('signalling', [UDP_BLOCKED, TLS_PASSES]))],
    ['an optional row is blocked', [], service(signalling, state('media', [RTP_BLOCKED], 'optional'))],
  ];
  for (const [story, says, of] of rows) {
    t.strictSame(symptomsOf(of), says, story);
    const known = new Set(of.requirements.flatMap(({ items }) => items).map(({ id }) => id));
    for (const { id, because, text } of diagnose(of).symptoms) {
      t.ok(because.length > 0 && because.every((one) => known.has(one)), `${story}: ${id} names its evidence`);
      t.match(text, /\.$/, `${story}: ${id} is a sentence`);
    }
  }
});

t.test('the profile says what users notice when signalling is blocked', async (t) => {
  const profile: Profile = { ...PROFILE, symptoms: { signalling: 'wifi-calling-unavailable' } };
  const blocked = weighService(profile, [state('signalling', [UDP_BLOCKED])]);
  t.match(diagnose(blocked).symptoms, [{ id: 'wifi-calling-unavailable', because: ['sip-options/udp/5060'] }]);
});

t.test('each fix names what to change, where, and why', async (t) => {
  const fixOf = (text: string): string => {
    const { fixes } = diagnose(service(state('signalling', [text])));
    return fixes.map((fix) => fix.text).join(' | ');
  };
  // What is asked there is a reflector, and the profile names no networks.
  const AT = "the service's networks (ask its provider)";
  const rows: readonly (readonly [of: string, says: string])[] = [
    [UDP_PASSES, ''],
    [UDP_UNKNOWN, ''],
    [UDP_DEGRADED, ''],
    [UDP_BLOCKED, `Allow outbound UDP 5060 to ${AT} and the return traffic.`],
    [TLS_BLOCKED, `Allow outbound TCP 5061 to ${AT} and the return traffic.`],
    ['sip-options/udp/5060 blocked/dropped-outbound', `Allow outbound UDP 5060 to ${AT}.`],
    ['sip-options/udp/5060 blocked/dropped-inbound', `Allow established return traffic of UDP 5060 from ${AT}.`],
    [
      'sip-options/udp/5060 blocked/payload-filtered',
      `Exempt UDP 5060 to ${AT} from application inspection and IPS: the port passes, the protocol does not.`,
    ],
    [
      UDP_ALTERED,
      'Switch off the SIP ALG (SIP helper, SIP inspection) on the firewall or router. Then clear its session table or reboot it, because existing sessions keep using the ALG, and restart the phones.',
    ],
    [
      'rtp-echo/udp/16384 altered/payload-rewritten',
      `Switch off what rewrites packets to UDP 16384 of ${AT}: application inspection or an ALG.`,
    ],
    [TLS_INTERCEPTED, `Exempt TCP 5061 to ${AT} from TLS inspection.`],
    ['http/tcp/80 altered/http-intercepted', `Exempt TCP 80 to ${AT} from the web proxy or captive portal.`],
    ['dns/udp/53 altered/dns-intercepted', `Let DNS queries to ${AT} pass instead of answering them on the firewall.`],
    [
      'sip-options/udp/5060 altered/answered-by-other',
      `Remove the redirect (destination NAT or proxy) of UDP 5060 to ${AT}: another host answers there.`,
    ],
  ];
  for (const [of, says] of rows) t.equal(fixOf(of), says, of);

  const ranges = diagnose(
    service(
      state('signalling', [UDP_BLOCKED]),
      state('media', [`${RTP_BLOCKED} + rtcp-echo/udp/16385-32767 blocked/dropped`]),
      state('push', [TCP_BLOCKED], 'optional'),
    ),
  );
  t.match(
    ranges.fixes,
    [
      {
        text: `Allow outbound UDP 5060, 16384-32767 to ${AT} and the return traffic.`,
        because: ['sip-options/udp/5060', 'rtp-echo/udp/16384-32766', 'rtcp-echo/udp/16385-32767'],
      },
    ],
    'one request for all that share a reason; RTP and RTCP are one range; optional rows ask for nothing',
  );
  const apart = diagnose(
    service(state('signalling', [UDP_BLOCKED, TCP_BLOCKED, 'sip-options/udp/5060#192.0.2.1 blocked/dropped'])),
  );
  t.match(
    apart.fixes.map(({ text }) => text),
    [`Allow outbound UDP 5060 and TCP 5060 to ${AT} and the return traffic.`],
    'another transport or address is no other request',
  );
  const reasons = diagnose(service(state('signalling', [UDP_BLOCKED, TLS_INTERCEPTED])));
  t.equal(reasons.fixes.length, 2, 'another reason is');
});

t.test('rules open the service, and the reflector for the test only', async (t) => {
  const list = (id: string, networks: readonly string[]) => ({
    ...{ id, networks },
    source: {
      title: 'the list',
      url: 'https://voip.example/networks',
      evidence: 'primary',
      checkedOn: '2026-11-01',
    } as const,
  });
  const profile: Profile = {
    ...PROFILE,
    destinations: [
      list('sip', ['203.0.113.0/24', '203.0.113.128/25', '2001:db8:5::/48']),
      list('rtp', ['192.0.2.0/25']),
    ],
  };
  const to = (destination: string, role: 'signalling' | 'media', ...texts: readonly string[]): RequirementState => {
    const { requirement, ...rest } = state(role, texts);
    return { ...rest, requirement: { ...requirement, id: destination, destinations: [destination] } };
  };
  const { fixes } = diagnose(
    weighService(profile, [to('sip', 'signalling', UDP_BLOCKED, TCP_BLOCKED), to('rtp', 'media', RTP_BLOCKED)]),
  );
  t.equal(fixes.length, 2, 'one for each list');
  const [sip, rtp] = fixes;
  t.equal(
    sip?.text,
    'Allow outbound UDP 5060 and TCP 5060 to 203.0.113.0/24 and 2001:db8:5::/48 and the return traffic.',
  );
  t.match(sip?.rules.nftables, /ip daddr 203\.0\.113\.0\/24 udp dport[\s\S]*ip6 daddr 2001:db8:5::\/48 tcp dport/);
  t.match(
    sip?.rules.nftables,
    '# networks sip: source (primary, read 2026-11-01): the list, https://voip.example/networks',
  );
  t.match(rtp?.text, 'to 192.0.2.0/25');
  for (const fix of fixes) {
    t.notMatch(
      JSON.stringify([fix.text, fix.rules, fix.words]),
      '198.51.100.10',
      'nothing opens the reflector by the way',
    );
    t.match(fix.test?.text, /^For this test only: .* to 198\.51\.100\.10\)/);
    for (const [dialect, text] of Object.entries(fix.test?.rules ?? {})) {
      t.match(text, /^[#!] for this test only/, dialect);
      if (dialect !== 'pf')
        t.match(text, /callpath-(?:for-this-)?test|CALLPATH-TEST/, `${dialect}: and its rules say so`);
      t.match(text, '198.51.100.10', dialect);
      t.notMatch(text, /203\.0\.113|192\.0\.2\./, dialect);
    }
  }
  const unknown = diagnose(service(state('signalling', [UDP_BLOCKED]))).fixes[0];
  for (const [dialect, text] of Object.entries(unknown?.rules ?? {})) {
    t.match(text, PLACEHOLDER, `${dialect}: nobody knows the networks`);
    t.match(text, `replace ${PLACEHOLDER} with the service's networks`, dialect);
  }
  const own = diagnose(service(state('signalling', [`${UDP_BLOCKED} unprovable`]))).fixes[0];
  t.match(own?.text, 'to 198.51.100.10', 'the service itself was asked');
  t.match(own?.rules.nftables, 'ip daddr 198.51.100.10 udp');
  t.equal(own?.test, null);
  const alg = diagnose(service(state('signalling', [UDP_ALTERED, 'sip-options/tcp/5060 altered/sip-alg']))).fixes;
  t.equal(alg.length, 1, 'an ALG is one switch');
  t.strictSame(
    Object.keys(alg[0]?.test?.rules ?? {}),
    ['nftables', 'iptables'],
    'elsewhere it counts for the reflector too',
  );
});

t.test('no service gets a symptom or a fix without evidence', async (t) => {
  const texts = [UDP_PASSES, UDP_BLOCKED, UDP_DEGRADED, UDP_ALTERED, UDP_UNKNOWN, TLS_BLOCKED, TLS_INTERCEPTED];
  const mediaTexts = [RTP_PASSES, RTP_BLOCKED, `${RTP_BLOCKED} partly`, RTP_OF_CARRIER];
  const anyService = fc
    .record({
      signalling: fc.subarray(texts, { minLength: 1 }),
      media: fc.subarray(mediaTexts, { minLength: 1 }),
      need: fc.constantFrom('required' as const, 'optional' as const),
    })
    .map(({ signalling, media, need }) => service(state('signalling', signalling), state('media', media, need)));
  const founded = fc.property(anyService, (of) => {
    const { symptoms, fixes } = diagnose(of);
    const guilty = new Set(
      of.requirements
        .filter(({ requirement: { need } }) => need === 'required')
        .flatMap(({ items }) => items)
        .filter((one) => ['blocked', 'altered', 'degraded'].includes(one.finding.verdict))
        .map(({ id }) => id),
    );
    return (
      [...symptoms, ...fixes].every(({ because }) => because.length > 0 && because.every((id) => guilty.has(id))) &&
      (of.verdict !== 'works' || (symptoms.length === 0 && fixes.length === 0))
    );
  });
  t.doesNotThrow(() => fc.assert(founded, { numRuns: 500 }));
});
