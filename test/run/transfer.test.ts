/** What a thread packs arrives as it was, whatever is mixed with it. */
import { deserialize, serialize } from 'node:v8';
import fc from 'fast-check';
import t from 'tap';
import type { PlannedCheck } from '../../src/model/check.js';
import type { Observation } from '../../src/model/observation.js';
import type { RunOutput } from '../../src/model/run.js';
import { packOutput, unpackOutput } from '../../src/run/thread/transfer.js';
import { NO_FACTS, type StudyFacts } from '../../src/verdict/studies/registry.js';
import { check, observed, proven, silence } from '../verdict/support/facts.js';

const questions: readonly PlannedCheck[] = Array.from({ length: 40 }, (_, index) => ({
  ...check(`rtp-echo/udp/${16_384 + index}`, { isOfRange: true }),
  skip: null,
}));
const outputOf = (observations: readonly Observation[]): RunOutput<StudyFacts> => ({
  observations,
  farEnds: [],
  facts: NO_FACTS,
  loss: { trials: 9, answers: 8 },
  begunAtMs: 0,
  sweptFlows: 3,
  totals: { packetsSent: 9, bytesSent: 900, packetsReceived: 8 },
  cutShort: null,
  eventLoopDelayMs: 1,
  usualDelayMs: 1,
});

const plainAt = (port: number, seenPort = 40_000): Observation =>
  observed(check(`rtp-echo/udp/${port}`), [proven({ sourcePort: 50_000 }, { arrivalPort: port, seenPort })], {
    seen: 1,
  });

t.test('packed and unpacked', async (t) => {
  const any = fc.record({
    kind: fc.constantFrom(
      'plain',
      'altered',
      'silent',
      'twice',
      'elsewhere',
      'held back',
      'told',
      'refused',
      'settled',
    ),
    port: fc.integer({ min: 16_384, max: 16_423 }),
    rttMs: fc.option(fc.double({ min: 0, max: 900, noNaN: true })),
    clockSkewMs: fc.option(fc.double({ min: -900, max: 900, noNaN: true })),
    seenAddress: fc.constantFrom('192.0.2.7', '192.0.2.8'),
    seenPort: fc.integer({ min: 1, max: 65_535 }),
  });
  const observation = fc
    .tuple(fc.uniqueArray(any, { selector: ({ port }) => port }), fc.boolean())
    .map(([all, extra]) => {
      const made = all.map(({ kind, port, rttMs, ...told }): Observation => {
        const of = questions[port - 16_384] ?? check('rtp-echo/udp/1');
        const arrivalPort = kind === 'elsewhere' ? 1 : port;
        const heldBack = kind === 'held back' ? 2 : 0;
        const answered = proven(
          { rttMs, sourcePort: 50_000 + (port % 3) },
          { ...told, arrivalPort, heldBack, intact: kind !== 'altered' },
        );
        return observed(of, kind === 'silent' ? silence(2) : kind === 'twice' ? [answered, answered] : [answered], {
          seen: kind === 'silent' ? null : 1,
          sequences: kind === 'told' ? [7] : [],
          refused: kind === 'refused' ? { malformed: 1 } : {},
          ...(kind === 'settled' && { settledRttsMs: [5, 6] }),
        });
      });
      return extra ? [...made, plainAt(30_000)] : made;
    });
  fc.assert(
    fc.property(observation, (observations) => {
      const output = outputOf(observations);
      const home: ReturnType<typeof packOutput> = deserialize(serialize(packOutput(output, questions)));
      t.same(unpackOutput(home, questions), output);
    }),
    { numRuns: 200 },
  );
});

t.test('thousands of ports that passed take columns and no objects', async (t) => {
  const many = questions.map(({ port }) => plainAt(port, port));
  const { output, plain } = packOutput(outputOf(many), questions);
  t.equal(output.observations.length, 0);
  t.equal(plain.at.length, many.length);
});
