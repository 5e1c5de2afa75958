/**
 * Who is at the other end? Asks an address for its reflector's info over every way that might pass, at once; the
 * first authentic answer ends the search. Without a token there is nothing to ask.
 */
import { setMaxListeners } from 'node:events';
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { Evidence } from '../../model/observation.js';
import { INFO_REQUEST_BYTES, parseInfo, type ReflectorInfo } from '../../wire/info.js';
import { NOTHING } from '../../wire/octets.js';
import { expectProof, judgeTag, makeTag } from '../../wire/proof.js';
import { REFUSED_BECAUSE, REQUEST_TAG_BYTES, readTag } from '../../wire/tag.js';
import { askCheck } from '../ask/ask.js';
import type { AskContext } from '../ask/transactions.js';
import type { Path } from '../path.js';

export interface Identity {
  readonly info: ReflectorInfo;
  /** Where its word came through. */
  readonly control: Check;
}

export interface Identification {
  readonly identity: Identity | null;
  /** It speaks our protocol and does not know our token. */
  readonly tokenRefused: boolean;
  /** It speaks another version of our protocol. */
  readonly versionRefused: boolean;
  /** It gave its word at first, and at the end of the run nothing answers any more where it came through. */
  readonly isGone?: true;
}

/** Ways to ask at once: enough to find an open one in a closed firewall, few enough to stay a guest. */
const MAX_WAYS = { udp: 8, stream: 4 } as const;
/** With RETRY_AFTER_MS this keeps asking for four seconds. */
const ATTEMPTS = 5;
/** An answer is far shorter than its padded request; nothing longer is one. */
const MAX_INFO_BYTES = 1400;

/** Asks for the reflector's info in a bare tag, padded so that the answer is never larger than the request. */
const infoProbe = (found: (info: ReflectorInfo) => void, refused: (because: number) => void): Probe => ({
  kind: 'udp-echo',
  retransmits: false,
  timed: 'exchange',
  ask: (asking) => {
    const padding = new Uint8Array(INFO_REQUEST_BYTES - REQUEST_TAG_BYTES);
    const message = makeTag(asking, 'infoRequest', padding) ?? NOTHING;
    return { messages: [message], proof: expectProof(asking, message), answeredByOpening: false };
  },
  read: (bytes, { question, elapsedMicros }) => {
    if (bytes.length > MAX_INFO_BYTES) return { kind: 'refused', why: 'oversized' };
    const parsed = readTag(bytes);
    if (!parsed.ok) return parsed.refusal === 'truncated' ? { kind: 'partial' } : { kind: 'refused', why: 'malformed' };
    const { tag } = parsed.value;
    if (tag.type === 'refusal') refused(tag.because);
    const judged = question.proof && judgeTag(bytes, question.proof, elapsedMicros);
    if (!judged?.authentic) return { kind: 'refused', why: 'bad-proof' };
    const info = parseInfo(judged.tag.body);
    if (!info.ok) return { kind: 'refused', why: 'malformed' };
    found(info.value);
    const detail: Evidence = { version: info.value.version };
    return { kind: 'answer', authentic: true, attestation: judged.attestation, detail };
  },
});

/** The reflector's control port, which the profile need not name. */
const CONTROL_PORT = 443;

/** The ways to ask: one question for each different transport and port among the checks. */
export const waysOf = (checks: readonly Check[]): readonly Check[] => {
  const [any] = checks;
  const control: readonly Check[] = any
    ? [{ ...any, id: 'control', probe: 'tls-handshake', transport: 'tls', port: CONTROL_PORT, natT: false }]
    : [];
  const ways = new Map([...control, ...checks].map((check) => [`${check.transport}/${check.port}`, check]));
  const all = [...ways.values()];
  return [
    ...all.filter(({ transport }) => transport === 'udp').slice(0, MAX_WAYS.udp),
    ...all.filter(({ transport }) => transport !== 'udp').slice(0, MAX_WAYS.stream),
  ];
};

/** Asks `checks`' address over the ways that these checks use. Resolves when one answers, or all have given up. */
export const identify = async (
  checks: readonly Check[],
  context: AskContext,
  path: Path,
  signal: AbortSignal,
): Promise<Identification> => {
  let identity: Identity | null = null;
  let tokenRefused = false;
  let versionRefused = false;
  const found = new AbortController();
  const over = AbortSignal.any([signal, found.signal]);
  setMaxListeners(0, over);
  await Promise.all(
    waysOf(checks).map(async (way) => {
      const probe = infoProbe(
        (info) => {
          identity ??= { info, control: way };
          // The other ways need not be asked any more; the current one is left to finish its own bookkeeping.
          queueMicrotask(() => found.abort(new Error('identified')));
        },
        (because) => {
          tokenRefused ||= because === REFUSED_BECAUSE.unknownKey;
          versionRefused ||= because === REFUSED_BECAUSE.version;
        },
      );
      // An id of its own, so that the path does not mistake these packets for the check's.
      await askCheck(
        { ...way, id: `info@${way.id}` },
        probe,
        context,
        path,
        { samples: 1, doubt: 0, atMost: ATTEMPTS },
        over,
      );
    }),
  );
  return { identity, tokenRefused, versionRefused };
};
