/** The closed lists of verdicts and reasons, and the classification of one check. */
import type { Check } from './check.js';
import type { Evidence } from './observation.js';

export const VERDICTS = ['pass', 'degraded', 'altered', 'blocked', 'unknown'] as const;
export type Verdict = (typeof VERDICTS)[number];

/** Every reason, under the one verdict that it explains. */
export const REASONS = {
  pass: ['answered'],
  degraded: ['loss', 'latency', 'jitter', 'reordered', 'rate-limited', 'flow-loss'],
  altered: [
    'sip-alg',
    'payload-rewritten',
    'tls-intercepted',
    'http-intercepted',
    'dns-intercepted',
    'answered-by-other',
  ],
  blocked: [
    'dropped-outbound',
    'dropped-inbound',
    'dropped',
    'rejected',
    'payload-filtered',
    'size-filtered',
    'not-let-in',
  ],
  unknown: [
    'no-answer',
    'closed',
    'tls-refused',
    'unreadable',
    'unproven',
    'outage',
    'cut-off',
    'target-unreachable',
    'limited',
    'dns-failure',
    'no-network',
    'local-error',
    'not-run',
    'not-forwarded',
    'no-way-in',
  ],
} as const satisfies Record<Verdict, readonly string[]>;
export type Reason = (typeof REASONS)[Verdict][number];

/** A verdict with a reason that belongs to it. */
export type Finding = {
  [V in Verdict]: { readonly verdict: V; readonly reason: (typeof REASONS)[V][number] };
}[Verdict];

export interface RttSummary {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

/** The classification of one check. */
export type Classified = Finding & {
  readonly check: Check;
  /** 1 minus the probability that chance alone explains the finding, 0–1. */
  readonly confidence: number;
  readonly sent: number;
  readonly seen: number | null;
  /** Of `seen`, how many the far end says it answered; null if it did not tell. */
  readonly answered: number | null;
  readonly received: number;
  /** Of those that stayed unanswered, how many went out while the line was away: they are evidence of nothing. */
  readonly duringOutage: number;
  /** Flows of which a packet stayed unanswered: where the first of each is lost, so many packets are no loss. */
  readonly firstPackets: number;
  readonly rttMs: RttSummary | null;
  /** Round trips of packets that were not the first of their flow, in milliseconds; none if left out. */
  readonly laterRttsMs?: readonly number[];
  readonly evidence: Evidence;
};

export const SERVICE_VERDICTS = ['works', 'degraded', 'impaired', 'blocked', 'unknown'] as const;
export type ServiceVerdict = (typeof SERVICE_VERDICTS)[number];

export const SYMPTOMS = [
  'cannot-register',
  'no-audio',
  'one-way-audio-outbound',
  'one-way-audio-inbound',
  'some-calls-silent',
  'lost-inbound-calls',
  'calls-drop',
  'long-invites-fail',
  'choppy-audio',
  'transfers-fail',
  'wifi-calling-unavailable',
  'facetime-cannot-connect',
  'push-delayed',
  'peer-to-peer-fails',
  'calls-not-private',
  'cannot-call',
  'delayed-audio',
  'registration-flaps',
  'cannot-sign-in',
  'trunk-down',
  'messages-fail',
  'provisioning-fails',
  'activation-fails',
  'wrong-time',
  'app-limited',
  'cannot-find-service',
  'over-fallback',
] as const;
export type SymptomId = (typeof SYMPTOMS)[number];
