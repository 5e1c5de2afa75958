/**
 * NAT behaviour (RFC 5780 §4): filtering first and from sockets of its own, before anything opens a way for the answers
 * it waits for; then what the far end's addresses and ports see of one socket. Every request is sent again until it is
 * answered or its silence means something, and an answer is matched by its transaction and by where it came from.
 */
import type { Check, Family } from '../../model/check.js';
import type { FilterTest, Mapping, NatFacts, Place, StunPlace } from '../../model/stages.js';
import { localAddressFor } from '../../net/local.js';
import { type OpenSocket, openSocket } from '../../net/udp-open.js';
import { packetsNeeded, RANGE_PORT_DOUBT } from '../../verdict/silence.js';
import { STUN_TAG_ATTRIBUTE } from '../../wire/carriers.js';
import { judgeTag, makeTag } from '../../wire/proof.js';
import {
  attributeOf,
  BINDING,
  encodeStun,
  mappedAddressOf,
  opaqueOf,
  parseStun,
  type StunAttribute,
  TRANSACTION_ID_BYTES,
} from '../../wire/stun.js';
import { ANSWER_TAG_BYTES } from '../../wire/tag.js';
import type { Stage } from './evidence.js';
import { arrivals } from './receipts.js';

/** Pause between two sendings of a request, in milliseconds: longer than most round trips, and no burst. */
const RESEND_MS = 300;
/** The far end answers only what arrives, so more is sent than the silence needs to mean something. */
const SPARE = 1.5;
/** More sockets show whether a NAT keeps to its ways; a single collision of ports must not look like a habit. */
const SOCKETS = 3;
/**
 * A socket may by chance have a port over which an earlier flow, of this host or of another run, still holds a way open;
 * of two that happens to both once in many years.
 */
const FILTER_SOCKETS = 2;
const FILTER_TESTS = ['other-both', 'other-port'] as const;
const MIN_PACKETS = 5;
const MAX_PACKETS = 24;
/** Mapped address and both of RFC 5780's, for IPv6: the request is padded by as much, so that the answer may have them. */
const ADDRESSES_BYTES = 3 * 24;

interface Answered {
  readonly mapped: Place;
  readonly other: Place | null;
}

interface Outcome {
  readonly answer: Answered | null;
  readonly sequence: number;
}

interface Talk {
  readonly socket: OpenSocket;
  ask(
    to: Place,
    from: Place | 'anywhere else',
    change: { readonly ip: boolean; readonly port: boolean },
  ): Promise<Outcome>;
  close(): void;
}

const same = (a: Place, b: Place): boolean => a.address === b.address && a.port === b.port;

const openTalk = async (family: Family, stage: Stage): Promise<Talk> => {
  const { context, path, signal } = stage;
  const { net, session, totals } = context;
  const listeners = new Set<(bytes: Uint8Array, from: Place) => void>();
  const socket = await openSocket(family, net.source, (bytes, from) => {
    totals.packetsReceived += 1;
    for (const listener of listeners) listener(bytes, from);
  });
  const ask: Talk['ask'] = async (to, from, change) => {
    const sequence = context.nextSequence();
    const sentAtMicros = net.nowMicros();
    const value = Buffer.alloc(ANSWER_TAG_BYTES + ADDRESSES_BYTES);
    value.set(makeTag({ session, sequence, sentAtMicros, binding: null }) ?? new Uint8Array(0));
    const attributes: StunAttribute[] = [{ kind: 'opaque', type: STUN_TAG_ATTRIBUTE, value }];
    if (change.ip || change.port)
      attributes.push({ kind: 'change-request', changeIp: change.ip, changePort: change.port });
    const transactionId = net.random(TRANSACTION_ID_BYTES.rfc8489);
    const message = encodeStun({ dialect: 'rfc8489', class: 'request', method: BINDING, transactionId, attributes });
    let answer: Answered | null = null;
    let ring: () => void = () => undefined;
    const hear = (bytes: Uint8Array, source: Place): void => {
      const parsed = parseStun(bytes);
      if (!parsed.ok || parsed.value.class !== 'success' || answer || !session.keys) return;
      if (Buffer.compare(parsed.value.transactionId, transactionId) !== 0) return;
      if (from === 'anywhere else' ? same(source, to) : !same(source, from)) return;
      const tag = opaqueOf(parsed.value, STUN_TAG_ATTRIBUTE);
      const proof = { keys: session.keys, session: session.id, sequence, sentAtMicros, binding: null, message };
      const mapped = mappedAddressOf(parsed.value);
      const judged = tag && judgeTag(tag, proof, 0);
      if (!judged?.authentic || !mapped) return;
      // What the tag attests nobody can have rewritten on the way, as some NATs do with addresses in a payload.
      const { seenAddress: address, seenPort: port } = judged.attestation;
      const other = attributeOf(parsed.value, 'other-address');
      answer = { mapped: { address, port }, other: other && { address: other.address, port: other.port } };
      ring();
    };
    listeners.add(hear);
    const needed = Math.ceil(SPARE * packetsNeeded(path.upperBound(), RANGE_PORT_DOUBT)) + 1;
    const packets = Math.min(MAX_PACKETS, Math.max(MIN_PACKETS, needed));
    for (let sent = 0; sent < packets && !answer && !signal.aborted; sent += 1) {
      await net.pacer.take(1, signal).catch(() => undefined);
      totals.packetsSent += 1;
      totals.bytesSent += message.length;
      socket.send(message, to);
      const rest = new AbortController();
      const pause = net.sleep(RESEND_MS, AbortSignal.any([signal, rest.signal])).catch(() => undefined);
      await Promise.race([
        pause,
        new Promise<void>((resolve) => {
          ring = resolve;
          if (answer) resolve();
        }),
      ]);
      rest.abort();
    }
    listeners.delete(hear);
    return { answer, sequence };
  };
  return { socket, ask, close: socket.close };
};

const NO_CHANGE = { ip: false, port: false } as const;
const CHANGES = { 'other-both': { ip: true, port: true }, 'other-port': { ip: false, port: true } } as const;

const filterTest = async (
  from: FilterTest['from'],
  to: Place,
  family: Family,
  stage: Stage,
): Promise<{ readonly test: Omit<FilterTest, 'seen'>; readonly sequence: number }> => {
  const talk = await openTalk(family, stage);
  try {
    const { answer, sequence } = await talk.ask(to, 'anywhere else', CHANGES[from]);
    return { test: { from, answered: answer !== null }, sequence };
  } finally {
    talk.close();
  }
};

const mappingsOf = async (
  places: readonly (readonly [StunPlace, Place])[],
  family: Family,
  stage: Stage,
): Promise<readonly Mapping[]> => {
  const talk = await openTalk(family, stage);
  const mappings: Mapping[] = [];
  try {
    for (const [place, to] of places) {
      const { answer } = await talk.ask(to, to, NO_CHANGE);
      mappings.push({ localPort: talk.socket.localPort, place, to, mapped: answer?.mapped ?? null });
    }
  } finally {
    talk.close();
  }
  return mappings;
};

/**
 * Asks one proven reflector's address.
 * @param base a UDP port there that passes; STUN's own where it does
 * @param beside another one, for what a second port alone can show
 */
export const natStage = async (
  base: Check,
  beside: Check | null,
  ways: readonly Check[],
  stage: Stage,
): Promise<NatFacts | null> => {
  const { address, family } = base;
  if (address === null || family === null) return null;
  const localAddress = stage.context.net.source ?? (await localAddressFor(address, family));
  if (localAddress === null) return null;
  const first: Place = { address, port: base.port };
  const scout = await openTalk(family, stage);
  const found = await scout.ask(first, first, NO_CHANGE).finally(scout.close);
  if (!found.answer) return null;
  const { other } = found.answer;
  const sane = other && other.address !== address && other.port !== first.port ? other : null;
  const tests = sane
    ? await Promise.all(
        FILTER_TESTS.flatMap((from) =>
          Array.from({ length: FILTER_SOCKETS }, () => filterTest(from, first, family, stage)),
        ),
      )
    : [];
  const places: (readonly [StunPlace, Place])[] = sane
    ? [
        ['first', first],
        ['other-address', { address: sane.address, port: first.port }],
        ['other-both', sane],
        ['other-port', { address, port: sane.port }],
      ]
    : [['first', first], ...(beside ? [['other-port', { address, port: beside.port }] as const] : [])];
  const [seen, mappings] = await Promise.all([
    arrivals(
      tests.map(({ sequence }) => sequence),
      ways,
      stage,
    ),
    Promise.all(Array.from({ length: SOCKETS }, () => mappingsOf(places, family, stage))),
  ]);
  return {
    address,
    localAddress,
    hasOther: sane !== null,
    mappings: mappings.flat(),
    filtering: tests.map(({ test, sequence }) => ({ ...test, seen: seen.get(sequence) ?? null })),
  };
};
