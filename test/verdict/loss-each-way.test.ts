/** Which way the line loses, from the four numbers of single ports that pass, and of the audio. */
import t from 'tap';
import { unknownFarEnd } from '../../src/model/far-end.js';
import type { Attempt } from '../../src/model/observation.js';
import type { Classified } from '../../src/model/verdict.js';
import { classify } from '../../src/verdict/classify.js';
import { farEndStates } from '../../src/verdict/far-end.js';
import { lossEachWay } from '../../src/verdict/loss-each-way.js';
import type { StudyCheck } from '../../src/verdict/studies/study-check.js';
import { ADDRESS, check, circumstances, observed, proven, reflector } from './support/facts.js';

/** As `classify` makes it: so many packets of one flow, answered but for those that were lost. */
const of = (
  name: string,
  [sent, seen, answered, received]: readonly [number, number | null, number | null, number],
  { isOfRange = false, authentic = true } = {},
): Classified => {
  const lost = sent - received;
  const one = check(name, { isOfRange });
  const attempts: readonly Attempt[] = [
    ...(received > 0
      ? [proven({ packets: received, answers: received, sourcePort: 40_000, authentic }, { arrivalPort: one.port })]
      : []),
    ...(lost > 0
      ? [
          {
            ...{ outcome: 'silence' as const, packets: lost, sourcePort: 40_000, opened: null },
            lostAtMs: Array.from({ length: lost }, (_, index) => 10 * index),
          },
        ]
      : []),
  ];
  return classify({ ...observed(one, attempts), seen, answered }, reflector(), circumstances());
};

const stream = (sent: number, seen: number, received: number, fields: Partial<StudyCheck> = {}): StudyCheck => ({
  ...{ probe: 'media-stream', transport: 'udp', port: 16_384, address: ADDRESS, family: 4, confidence: 1 },
  ...{ finding: { verdict: 'pass', reason: 'answered' }, sent, seen, answered: seen, received, evidence: {} },
  ...fields,
});

const clean = of('stun-binding/udp/3478', [3, 3, 3, 3]);
const found = (checks: readonly Classified[], studies: readonly StudyCheck[] = [], farEnds = new Map()) =>
  lossEachWay(checks, studies, farEnds);

t.test('what did not arrive was lost outbound, what was answered and not heard inbound', async (t) => {
  const lossy = of('sip-options/udp/5060', [6, 4, 4, 3]);
  const all = found([clean, lossy], [stream(300, 298, 297)]);
  t.match(all, { outbound: { sent: 309, lost: 4 }, inbound: { sent: 305, lost: 2 } });
  t.ok(all && all.outbound.lower < 4 / 309 && all.outbound.upper > 4 / 309 && all.outbound.upper < 0.035);
});

t.test('a packet that the network doubled has arrived once', async (t) => {
  t.match(found([of('stun-binding/udp/3478', [3, 6, 6, 3])]), {
    outbound: { sent: 3, lost: 0 },
    inbound: { sent: 3, lost: 0 },
  });
});

const lossy: readonly [number, number, number, number] = [8, 4, 4, 4];
const others: Record<string, Classified> = {
  'a silent port': of('sip-options/udp/5060', [8, 0, 0, 0]),
  'a far end that does not tell': of('sip-options/udp/5060', [8, null, null, 4]),
  'somebody else': of('sip-options/udp/5060', lossy, { authentic: false }),
  'a connection': of('sip-options/tcp/5060', lossy),
  keepalives: of('nat-t-keepalive/udp/4500', lossy),
  'a port of a range': of('rtp-echo/udp/16384', lossy, { isOfRange: true }),
};
for (const [what, one] of Object.entries(others)) {
  t.test(`${what} says nothing of the line`, async (t) => {
    t.match(found([clean, one]), { outbound: { sent: 3, lost: 0 }, inbound: { sent: 3, lost: 0 } });
    t.equal(found([one]), null);
  });
}

t.test('where something takes flows, or cuts the stream off, nothing is said of the line', async (t) => {
  const lost = of('sip-options/udp/5060', lossy);
  const limited = { ...unknownFarEnd(ADDRESS), limit: { kind: 'flows', flows: 40 } as const };
  const states = farEndStates([observed(check('stun-binding/udp/3478'), [proven()])], [limited], 0.01);
  t.equal(found([lost], [stream(300, 200, 200)], new Map(states)), null);
  const cut = stream(300, 60, 60, { evidence: { lossAfter: 0.9 } });
  t.match(found([clean], [cut]), { outbound: { sent: 3, lost: 0 } });
  const late = stream(300, 60, 60, { finding: { verdict: 'unknown', reason: 'local-error' } });
  t.match(found([clean], [late]), { outbound: { sent: 3, lost: 0 } });
});
