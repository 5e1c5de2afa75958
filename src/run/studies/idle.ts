/** Single flows that fall silent until the far end's delayed answer is due: a UDP socket, or a connection. */
import type { Check } from '../../model/check.js';
import { openSocket } from '../../net/udp-open.js';
import { ESP_TAG_SPI_MASK } from '../../wire/carriers.js';
import { encodeDeferral } from '../../wire/deferral.js';
import { classifyNatT, encodeEspInUdp, NAT_T_KEEPALIVE } from '../../wire/nat-t.js';
import { NOTHING } from '../../wire/octets.js';
import { expectProof, judgeTag, makeTag, type TagProof } from '../../wire/proof.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES } from '../../wire/tag.js';
import type { Tools } from '../tools.js';

/**
 * A UDP flow is asked twice at once and answered twice, so far apart in milliseconds that one burst of loss seldom takes
 * both: its silence then weighs two packets, and the bracket around a lifetime needs fewer flows.
 */
export const SECOND_ANSWER_MS = 250;
const PADDING = ANSWER_TAG_BYTES - REQUEST_TAG_BYTES;
/** Of our own making, so above those that IANA holds back; what follows the mask tells flows apart in a capture. */
const SPI_BITS = 0x00ff_ffff;

export interface IdleFlow {
  readonly check: Check;
  /** Packets went both ways before it falls silent. */
  readonly bidirectional: boolean;
  /** Keepalives of IPsec are sent meanwhile, this often; null for silence. */
  readonly keptEveryMs: number | null;
  readonly afterMs: number;
  /** Requests of which each may be the one that arrived. */
  readonly proofs: TagProof[];
  /** Sequence numbers of the last asking. */
  asked: readonly number[];
  sentAtMs: number;
  keepalives: number;
  /** Questions of the conversation before the silence, and those of them that were answered. */
  readonly talk: { readonly proof: TagProof; answered: boolean }[];
  answered: boolean;
  /** Requests that arrived; null if it could not be asked. */
  seen: number | null;
  send(bytes: Uint8Array): void;
  close(): void;
}

const newFlow = (
  check: Check,
  how: Pick<IdleFlow, 'bidirectional' | 'keptEveryMs' | 'afterMs'>,
  nowMs: number,
): IdleFlow => ({
  check,
  ...how,
  proofs: [],
  asked: [],
  sentAtMs: nowMs,
  keepalives: 0,
  talk: [],
  answered: false,
  seen: null,
  send: () => undefined,
  close: () => undefined,
});

const hear = (flow: IdleFlow, bytes: Uint8Array): void => {
  for (const proof of flow.proofs) {
    const judged = judgeTag(bytes, proof, 0);
    if (judged.authentic && judged.tag.type === 'deferredAnswer') flow.answered = true;
  }
  for (const said of flow.talk) {
    const judged = said.answered ? null : judgeTag(bytes, said.proof, 0);
    if (judged?.authentic && judged.tag.type === 'echoAnswer') said.answered = true;
  }
};

/** On IPsec's port a tunnel's traffic is what matters, so that the tag goes in ESP's clothes. */
const dressed = (tag: Uint8Array, { natT }: Check, sequence: number): Uint8Array => {
  if (!natT) return tag;
  const spi = (ESP_TAG_SPI_MASK | (sequence & SPI_BITS)) >>> 0;
  return encodeEspInUdp({ spi, sequence, payload: tag });
};

const undressed = (bytes: Uint8Array, { natT }: Check): Uint8Array | null => {
  if (!natT) return bytes;
  const datagram = classifyNatT(bytes);
  return datagram.ok && datagram.value.kind === 'esp' ? datagram.value.payload : null;
};

const request = (
  flow: IdleFlow,
  afterMs: number,
  { net, session, nextSequence }: Tools,
  binding: Uint8Array | null,
): Uint8Array => {
  const sequence = nextSequence();
  const input = { session, sequence, sentAtMicros: net.nowMicros(), binding };
  const body = encodeDeferral({ afterMs, changeIp: false, changePort: false }, PADDING);
  const tag = makeTag(input, 'deferredRequest', body) ?? NOTHING;
  const message = dressed(tag, flow.check, sequence);
  const proof = expectProof(input, message);
  if (proof) flow.proofs.push(proof);
  flow.asked = [...flow.asked, sequence];
  return message;
};

const put = async (flow: IdleFlow, bytes: Uint8Array, { net, totals, signal }: Tools): Promise<void> => {
  await net.pacer.take(1, signal).catch(() => undefined);
  totals.packetsSent += 1;
  totals.bytesSent += bytes.length;
  flow.send(bytes);
};

/** Asks a UDP flow for its delayed answers; from now on it is silent. */
export const fallSilent = async (flow: IdleFlow, tools: Tools): Promise<void> => {
  flow.asked = [];
  await put(flow, request(flow, flow.afterMs + SECOND_ANSWER_MS, tools, null), tools);
  await put(flow, request(flow, flow.afterMs, tools, null), tools);
  flow.sentAtMs = tools.net.now();
};

/** One packet that is answered at once. */
export const converseOnce = async (flow: IdleFlow, tools: Tools): Promise<void> => {
  const { net, session } = tools;
  const sequence = tools.nextSequence();
  const body = new Uint8Array(PADDING);
  const input = { session, sequence, sentAtMicros: net.nowMicros(), binding: null };
  const message = dressed(makeTag(input, 'echoRequest', body) ?? body, flow.check, sequence);
  const proof = expectProof(input, message);
  if (proof) flow.talk.push({ proof, answered: false });
  await put(flow, message, tools);
};

/** Sends the keepalives that are due by now; none once the answer is. */
export const keepAlive = async (flow: IdleFlow, tools: Tools): Promise<void> => {
  const { keptEveryMs, afterMs, sentAtMs } = flow;
  if (keptEveryMs === null) return;
  const nextMs = (flow.keepalives + 1) * keptEveryMs;
  if (nextMs >= afterMs || tools.net.now() < sentAtMs + nextMs) return;
  flow.keepalives += 1;
  await put(flow, NAT_T_KEEPALIVE, tools);
};

/** Opens a socket of its own for one UDP flow, and sends nothing yet. */
export const openIdleUdp = async (
  check: Check,
  how: Pick<IdleFlow, 'bidirectional' | 'keptEveryMs' | 'afterMs'>,
  { net, totals }: Tools,
): Promise<IdleFlow> => {
  const to = { address: check.address ?? '', port: check.port };
  const flow = newFlow(check, how, net.now());
  const socket = await openSocket(check.family ?? 4, net.source, (bytes, from) => {
    totals.packetsReceived += 1;
    if (from.address !== to.address || from.port !== to.port) return;
    const tag = undressed(bytes, check);
    if (tag) hear(flow, tag);
  });
  flow.send = (bytes) => socket.send(bytes, to);
  flow.close = socket.close;
  return flow;
};

/** Opens a connection and asks it as soon as it stands. */
export const openIdleStream = (check: Check, afterMs: number, tools: Tools): IdleFlow => {
  const { net, totals } = tools;
  const { address, port, family, host, transport } = check;
  const flow = newFlow(check, { bidirectional: true, keptEveryMs: null, afterMs }, net.now());
  let held: Uint8Array = NOTHING;
  totals.packetsSent += 1;
  flow.close = net.openStream(
    { address: address ?? '', port, family: family ?? 4, host },
    transport === 'tls',
    {
      connected: () => undefined,
      open: (stream) => {
        const message = request(flow, afterMs, tools, stream.binding);
        totals.bytesSent += message.length;
        flow.sentAtMs = net.now();
        stream.write(message);
      },
      data: (bytes) => {
        totals.packetsReceived += 1;
        if (held.length + bytes.length <= 2 * ANSWER_TAG_BYTES) held = Buffer.concat([held, bytes]);
        hear(flow, held);
      },
      end: () => undefined,
    },
    net.source ?? undefined,
  );
  return flow;
};
