/**
 * A socket that asks STUN servers and hears them: every request is sent again until it is answered or its silence means
 * something, and an answer is matched by its transaction, by its proof and by where it came from.
 */
import type { Family } from '../../model/check.js';
import type { Place } from '../../model/study-facts.js';
import { type OpenSocket, openSocket } from '../../net/udp-open.js';
import { packetsNeeded, RANGE_PORT_DOUBT } from '../../verdict/silence.js';
import { STUN_TAG_ATTRIBUTE } from '../../wire/carriers.js';
import { NOTHING } from '../../wire/octets.js';
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
import type { Tools } from '../tools.js';

/** Pause between two sendings of a request, in milliseconds: longer than most round trips, and no burst. */
const RESEND_MS = 300;
/** The far end answers only what arrives, so more is sent than the silence needs to mean something. */
const SPARE = 1.5;
export const MIN_PACKETS = 5;
/** No question takes more packets than this. */
export const MAX_PACKETS = 24;
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

interface Question {
  readonly to: Place;
  /** Where the answer is to come from. */
  readonly from: Place | 'anywhere else';
  readonly changeIp?: boolean;
  readonly changePort?: boolean;
  /** Another port of our outer address to which the answer goes (RFC 5780 §7.5), and the socket behind it. */
  readonly answerTo?: { readonly port: number; readonly talk: Talk };
  /** At most so many packets; as many as silence needs to mean something, if left out. */
  readonly atMost?: number;
}

interface Talk {
  readonly socket: OpenSocket;
  readonly listeners: Set<(bytes: Uint8Array, from: Place) => void>;
  ask(question: Question): Promise<Outcome>;
  close(): void;
}

const same = (a: Place, b: Place): boolean => a.address === b.address && a.port === b.port;

/** Opens a socket on a fresh port. */
export const openTalk = async (family: Family, tools: Tools): Promise<Talk> => {
  const { net, path, session, signal, timeline, totals } = tools;
  const listeners = new Set<(bytes: Uint8Array, from: Place) => void>();
  const socket = await openSocket(family, net.source, (bytes, from) => {
    totals.packetsReceived += 1;
    for (const listener of listeners) listener(bytes, from);
  });
  const ask: Talk['ask'] = async ({
    to,
    from,
    changeIp = false,
    changePort = false,
    answerTo,
    atMost = MAX_PACKETS,
  }) => {
    const sequence = tools.nextSequence();
    const sentAtMicros = net.nowMicros();
    const value = Buffer.alloc(ANSWER_TAG_BYTES + ADDRESSES_BYTES);
    value.set(makeTag({ session, sequence, sentAtMicros, binding: null }) ?? NOTHING);
    const attributes: StunAttribute[] = [{ kind: 'opaque', type: STUN_TAG_ATTRIBUTE, value }];
    if (changeIp || changePort) attributes.push({ kind: 'change-request', changeIp, changePort });
    if (answerTo) attributes.push({ kind: 'response-port', port: answerTo.port });
    const transactionId = net.random(TRANSACTION_ID_BYTES.rfc8489);
    const message = encodeStun({ dialect: 'rfc8489', class: 'request', method: BINDING, transactionId, attributes });
    let answer: Answered | null = null;
    let sentAtMs = net.now();
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
      timeline.answered(to.address, sentAtMs, 'udp');
      timeline.seenAs(to.address, sentAtMs, address);
      answer = { mapped: { address, port }, other: other && { address: other.address, port: other.port } };
      ring();
    };
    const heardBy = answerTo ? answerTo.talk.listeners : listeners;
    heardBy.add(hear);
    const needed = Math.ceil(SPARE * packetsNeeded(path.upperBound(), RANGE_PORT_DOUBT)) + 1;
    const packets = Math.min(atMost, Math.max(MIN_PACKETS, needed));
    for (let sent = 0; sent < packets && !answer && !signal.aborted; sent += 1) {
      await net.pacer.take(1, signal).catch(() => undefined);
      totals.packetsSent += 1;
      totals.bytesSent += message.length;
      sentAtMs = net.now();
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
    heardBy.delete(hear);
    return { answer, sequence };
  };
  return { socket, listeners, ask, close: socket.close };
};
