/** Facts in few words, so that a table of cases reads like a table: checks, attempts, and what is known of an address. */
import { type Check, keyOf } from '../../../src/model/check.js';
import type { AskedKind, Transport } from '../../../src/model/kinds.js';
import type { Attempt, Attestation, Evidence, Failure, Observation } from '../../../src/model/observation.js';
import type { Classified, Finding, Reason, Verdict } from '../../../src/model/verdict.js';
import type { Circumstances, FarEndState, Listens } from '../../../src/verdict/circumstances.js';

export const ADDRESS = '198.51.100.10';
/** Fingerprints as Node prints them; which bytes they hold does not matter. */
export const OWN_CERTIFICATE = Array.from({ length: 32 }, () => 'AB').join(':');
export const FOREIGN_CERTIFICATE = Array.from({ length: 32 }, () => 'CD').join(':');

/** `sip-options/udp/5060` as a check at ADDRESS. */
export const check = (name: string, fields: Partial<Check> = {}): Check => {
  const [probe, transport, port] = name.split('/');
  const question = {
    probe: probe as AskedKind,
    transport: transport as Transport,
    port: Number(port),
    address: ADDRESS,
  };
  return {
    ...question,
    key: keyOf({ ...question, ...fields }),
    id: name,
    family: 4,
    host: 'target.example',
    requiredBy: [],
    isOfRange: false,
    natT: false,
    ...fields,
  };
};

/** Of an attempt whose flow and times do not matter. */
export const UNTIMED = { sourcePort: null, lostAtMs: [] } as const;

/** What a reflector says when nothing in between has touched the request. */
export const attested = (fields: Partial<Attestation> = {}): Attestation => ({
  intact: true,
  seenAddress: '192.0.2.7',
  seenPort: 40_000,
  arrivalPort: 5060,
  clockSkewMs: 0.5,
  keepalives: 0,
  heldBack: 0,
  ...fields,
});

type Answer = Extract<Attempt, { outcome: 'answer' }>;

/** An answer without any proof, as third parties give it. */
export const answer = (fields: Partial<Answer> = {}): Attempt => ({
  outcome: 'answer',
  packets: 1,
  answers: 1,
  ...UNTIMED,
  rttMs: 20,
  authentic: null,
  attestation: null,
  detail: {},
  ...fields,
});

/** An answer that a reflector has proven to be its own. */
export const proven = (fields: Partial<Answer> = {}, attestation: Partial<Attestation> = {}): Attempt =>
  answer({ authentic: true, attestation: attested(attestation), ...fields });

/** An answer without the proof that was asked for. */
export const unproven = (fields: Partial<Answer> = {}): Attempt => answer({ authentic: false, ...fields });

/** As many silent packets, each a request of its own. */
export const silence = (packets: number, opened: Evidence | null = null): readonly Attempt[] =>
  Array.from({ length: packets }, () => ({ outcome: 'silence', packets: 1, ...UNTIMED, opened }));

export const failure = (
  name: Failure,
  fields: { readonly code?: string; readonly opened?: Evidence; readonly packets?: number } = {},
): Attempt => ({
  outcome: 'error',
  failure: name,
  code: fields.code ?? 'E',
  packets: fields.packets ?? 1,
  ...UNTIMED,
  opened: fields.opened ?? null,
});

export const observed = (of: Check, attempts: readonly Attempt[], fields: Partial<Observation> = {}): Observation => ({
  check: of,
  attempts,
  sequences: [],
  refused: {},
  seen: null,
  notRun: null,
  ...fields,
});

export const EVERYWHERE: Listens = { udp: [[1, 65_535]], tcp: [[1, 65_535]], certificateSha256: OWN_CERTIFICATE };

/** A proven reflector that listens on all ports. */
export const reflector = (fields: Partial<FarEndState> = {}): FarEndState => ({
  role: 'reflector',
  alive: true,
  asked: 10,
  listens: EVERYWHERE,
  openUdpPorts: new Set(),
  ...fields,
});

/** Somebody who answers something and has proven nothing. */
export const thirdParty = (fields: Partial<FarEndState> = {}): FarEndState => ({
  role: 'third-party',
  alive: true,
  asked: 10,
  listens: null,
  openUdpPorts: new Set(),
  ...fields,
});

/** A path that loses at most a tenth, and the thresholds of business telephony. */
export const circumstances = (fields: Partial<Circumstances> = {}): Circumstances => ({
  lossUpperBound: 0.1,
  doubt: 1e-3,
  thresholds: { lossRatio: 0.01, rttMs: 300 },
  ...fields,
});

/** `blocked/dropped` as a finding. */
export const finding = (text: string): Finding => {
  const [verdict, reason] = text.split('/');
  return { verdict: verdict as Verdict, reason: reason as Reason } as Finding;
};

/** A check's classification of which only the verdict matters. */
export const classified = (of: Check, text: string, fields: Partial<Classified> = {}): Classified =>
  ({
    ...finding(text),
    check: of,
    confidence: 1,
    sent: 1,
    seen: null,
    received: text.startsWith('pass') ? 1 : 0,
    duringOutage: 0,
    firstPackets: 0,
    rttMs: null,
    evidence: {},
    ...fields,
  }) as Classified;

/** What most profiles bear. */
export const THRESHOLDS = { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.0005 } as const;
