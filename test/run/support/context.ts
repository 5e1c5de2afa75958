/** What a run asks with, in a network of the test's own. */
import { loadProbe, type Probe, type Session } from '../../../probes/contract.js';
import type { PlannedCheck } from '../../../src/model/check.js';
import type { RunInput } from '../../../src/model/run.js';
import { createWays } from '../../../src/run/ask/ways.js';
import type { Net } from '../../../src/run/net.js';
import { createPath, type Path } from '../../../src/run/path.js';
import { createTimeline } from '../../../src/run/timeline.js';
import type { Tools } from '../../../src/run/tools.js';

/** Never fires. */
export const NEVER: AbortSignal = new AbortController().signal;

const udpEcho = await loadProbe('udp-echo');

/** Tools whose first request is the one after `last`. */
export const toolsOf = (
  net: Net,
  session: Session,
  { path = createPath(), last = 0, probe = udpEcho }: { path?: Path; last?: number; probe?: Probe } = {},
): Tools => {
  let sequence = last;
  return {
    ...{ net, session, path },
    totals: { packetsSent: 0, bytesSent: 0, packetsReceived: 0 },
    nextSequence: () => {
      sequence += 1;
      return sequence;
    },
    timeline: createTimeline(net.now),
    ways: createWays(),
    watch: { isPaused: false },
    probeOf: () => probe,
    signal: NEVER,
  };
};

/** A path over which `trials` packets went, all answered but `lost`. */
export const knownPath = (trials: number, lost: number): Path => {
  const path = createPath();
  path.open('192.0.2.1', 'udp')(trials, trials - lost);
  return path;
};

/** A run of these questions with a token, and nothing else. */
export const inputOf = (
  questions: readonly PlannedCheck[],
  token: Uint8Array | null,
  fields: Partial<RunInput> = {},
): RunInput => ({
  ...{ questions, token },
  ranges: [],
  reflectorAddresses: null,
  sessionId: new Uint8Array(8).fill(7),
  maxPps: 5000,
  timeoutMs: 60_000,
  source: null,
  ...fields,
});
