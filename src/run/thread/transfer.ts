/**
 * A run's output on its way from the thread: thousands of ports of a sweep fare alike, and to copy an object for each
 * takes longer than to ask it. Those go as columns of numbers, and all others as they are.
 */
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import type { RunInput, RunOutput } from '../../model/run.js';
import type { StudyFacts } from '../../verdict/studies/registry.js';

type Output = RunOutput<StudyFacts>;

interface Plain {
  /** Where among the observations it belongs. */
  readonly at: Uint32Array;
  /** Which of the questions it answers. */
  readonly question: Uint32Array;
  readonly rttMs: Float64Array;
  readonly clockSkewMs: Float64Array;
  readonly sourcePort: Uint16Array;
  readonly seenPort: Uint16Array;
  readonly seenAddress: string;
}

export interface PackedOutput {
  /** Without the plain ones. */
  readonly output: Output;
  readonly plain: Plain;
}

const isEmpty = (value: object): boolean => {
  for (const _ in value) return false;
  return true;
};

/** Asked once, answered once, as asked: what `plain` can carry. */
const plainly = (observation: Observation) => {
  const { check, attempts, sequences, refused, seen, notRun, atLast, settledRttsMs, icmp } = observation;
  if (atLast || settledRttsMs || icmp) return null;
  const [answer] = attempts;
  if (answer?.outcome !== 'answer' || attempts.length !== 1 || answer.packets !== 1 || answer.answers !== 1)
    return null;
  if (seen !== 1 || notRun !== null || sequences.length > 0 || !isEmpty(refused)) return null;
  const { attestation, authentic, rttMs, sourcePort, detail } = answer;
  if (sourcePort === null || answer.lostAtMs.length > 0) return null;
  if (authentic !== true || rttMs === null || !attestation?.intact || attestation.clockSkewMs === null) return null;
  if (attestation.arrivalPort !== check.port || attestation.keepalives !== 0 || attestation.heldBack !== 0) return null;
  return isEmpty(detail) ? { attestation, clockSkewMs: attestation.clockSkewMs, rttMs, sourcePort } : null;
};

/** Packs what a thread sends home. */
export const packOutput = (output: Output, questions: RunInput['questions']): PackedOutput => {
  const indexOf = new Map(questions.map(({ key }, index) => [key, index] as const));
  const count = output.observations.length;
  const at = new Uint32Array(count);
  const question = new Uint32Array(count);
  const rttMs = new Float64Array(count);
  const clockSkewMs = new Float64Array(count);
  const sourcePort = new Uint16Array(count);
  const seenPort = new Uint16Array(count);
  const others: Observation[] = [];
  let seenAddress: string | null = null;
  let size = 0;
  output.observations.forEach((observation, position) => {
    const index = indexOf.get(observation.check.key);
    const plain = index === undefined ? null : plainly(observation);
    seenAddress ??= plain?.attestation.seenAddress ?? null;
    if (index === undefined || !plain || plain.attestation.seenAddress !== seenAddress) {
      others.push(observation);
      return;
    }
    at[size] = position;
    question[size] = index;
    rttMs[size] = plain.rttMs;
    clockSkewMs[size] = plain.clockSkewMs;
    sourcePort[size] = plain.sourcePort;
    seenPort[size] = plain.attestation.seenPort;
    size += 1;
  });
  return {
    output: { ...output, observations: others },
    plain: {
      at: at.slice(0, size),
      question: question.slice(0, size),
      rttMs: rttMs.slice(0, size),
      clockSkewMs: clockSkewMs.slice(0, size),
      sourcePort: sourcePort.slice(0, size),
      seenPort: seenPort.slice(0, size),
      seenAddress: seenAddress ?? '',
    },
  };
};

/** The output as it was before packing. */
export const unpackOutput = ({ output, plain }: PackedOutput, questions: RunInput['questions']): Output => {
  const { at, question, rttMs, clockSkewMs, sourcePort, seenPort, seenAddress } = plain;
  const observations: Observation[] = [];
  let other = 0;
  let next = 0;
  const total = output.observations.length + at.length;
  for (let position = 0; position < total; position += 1) {
    const check: Check | undefined = at[next] === position ? questions[question[next] ?? 0] : undefined;
    const kept = check ? undefined : output.observations[other];
    if (check) {
      observations.push({
        check,
        attempts: [
          {
            outcome: 'answer',
            packets: 1,
            answers: 1,
            sourcePort: sourcePort[next] ?? null,
            lostAtMs: [],
            rttMs: rttMs[next] ?? null,
            authentic: true,
            attestation: {
              intact: true,
              seenAddress,
              seenPort: seenPort[next] ?? 0,
              arrivalPort: check.port,
              clockSkewMs: clockSkewMs[next] ?? null,
              keepalives: 0,
              heldBack: 0,
            },
            detail: {},
          },
        ],
        sequences: [],
        refused: {},
        seen: 1,
        notRun: null,
      });
      next += 1;
    } else if (kept) {
      observations.push(kept);
      other += 1;
    }
  }
  return { ...output, observations };
};
