/** One stream of audio over one flow: its packets as they are built and sent, and what comes back to each. */
import type { Check } from '../../model/check.js';
import { CODECS, type Codec, SPACING_MS } from '../../model/media.js';
import type { SocketError } from '../../net/errno.js';
import type { UdpFlow } from '../../net/udp.js';
import { isReturned } from '../../wire/carriers.js';
import { expectProof, judgeTag, makeTag, type TagProof } from '../../wire/proof.js';
import type { ReportBlock } from '../../wire/rtcp.js';
import { encodeRtp, looksLikeRtp, parseRtp } from '../../wire/rtp.js';
import { readTag } from '../../wire/tag.js';
import type { Tools } from '../tools.js';
import { createReception } from './reception.js';

/** No answer to a packet of a stream is longer; the same as it was sent. */
const MAX_DATAGRAM_BYTES = 512;
/** An ICMP error that was still pending takes the place of the sending that it is reported to. */
const PENDING_ICMP = new Set(['ECONNREFUSED', 'EHOSTUNREACH']);

/** One packet that left, and what came of it so far. Times are the run's own, in milliseconds. */
export interface SentPacket {
  readonly sequence: number;
  /** Its place in the stream. */
  readonly index: number;
  readonly dueAtMs: number;
  readonly sentAtMs: number;
  readonly proof: TagProof;
  /** Microseconds of the far end's clock; null where no answer told. */
  farInMicros: bigint | null;
  farOutMicros: bigint | null;
  heardAtMs: number | null;
  heard: number;
}

/** What a sender report says of the stream at some time (RFC 3550 §6.4.1). */
interface StreamReport {
  readonly ssrc: number;
  readonly rtpTimestamp: number;
  readonly packetCount: number;
  /** Payload alone. */
  readonly octetCount: number;
  /** What came back: the far end returns each packet under its number and source. Null before the first one. */
  readonly heard: ReportBlock | null;
}

export interface OpenMedia {
  readonly sent: readonly SentPacket[];
  /** Sends the next packet, which was due at this time of the run's clock. Errors are counted. */
  send(dueAtMs: number): void;
  /** Sendings that this host refused. */
  errors(): number;
  /** Proven answers to packets that had arrived in another form, or that came back changed themselves. */
  changed(): number;
  /** Proven answers to packets that had arrived at another port than this stream's. */
  redirected(): number;
  /** What is to be reported at this time of the run's clock. */
  report(nowMs: number): StreamReport;
  close(): void;
}

/** Of the header: SSRC, first sequence number, first timestamp (RFC 3550 §5.1 wants all three at random). */
const SEED_BYTES = 10;

/** Opens a stream to the port of this check, which passed. @throws SocketError if no socket opens */
export const openMedia = async (check: Check, codec: Codec, tools: Tools): Promise<OpenMedia> => {
  const { net, session, totals } = tools;
  const { payloadType, timestampStep, payloadBytes } = CODECS[codec];
  const sent: SentPacket[] = [];
  const bySequence = new Map<number, SentPacket>();
  const seed = Buffer.from(net.random(SEED_BYTES));
  const [ssrc, firstSequence, firstTimestamp] = [seed.readUInt32BE(0), seed.readUInt16BE(4), seed.readUInt32BE(6)];
  let errors = 0;
  let changed = 0;
  let redirected = 0;
  const reception = createReception(timestampStep / SPACING_MS);

  const hear = (bytes: Uint8Array, atMs: number): void => {
    totals.packetsReceived += 1;
    if (bytes.length > MAX_DATAGRAM_BYTES || !looksLikeRtp(bytes)) return;
    const packet = parseRtp(bytes);
    const read = packet.ok ? readTag(packet.value.payload) : null;
    const own = packet.ok && read?.ok ? bySequence.get(read.value.tag.sequence) : undefined;
    if (!packet.ok || !own) return;
    const judged = judgeTag(packet.value.payload, own.proof, Math.round((atMs - own.sentAtMs) * 1000));
    if (!judged.authentic) return;
    own.heard += 1;
    if (own.heardAtMs !== null) return;
    own.heardAtMs = atMs;
    reception.note(own.index, own.index * SPACING_MS, atMs);
    own.farInMicros = judged.tag.receivedAtMicros;
    own.farOutMicros = judged.tag.receivedAtMicros + BigInt(judged.tag.turnaroundMicros);
    const sentAs = parseRtp(own.proof.message);
    if (!judged.attestation.intact || !sentAs.ok || !isReturned(packet.value, sentAs.value)) changed += 1;
    if (judged.attestation.arrivalPort !== check.port) redirected += 1;
  };

  const flow: UdpFlow = await net.openUdp(
    { address: check.address ?? '', port: check.port, family: check.family ?? 4 },
    // What says no is no answer; the sending that it falls on is repeated.
    { message: hear, error: () => undefined },
    { address: net.source ?? undefined },
  );

  const build = (sequence: number): { readonly message: Uint8Array; readonly proof: TagProof | null } => {
    const input = { session, sequence, sentAtMicros: net.nowMicros(), binding: null };
    // Silence of μ-law, so that a listener on the wrong end hears nothing.
    const payload = Buffer.alloc(payloadBytes, 0xff);
    const tag = makeTag(input);
    if (tag) payload.set(tag);
    const index = sent.length;
    const message = encodeRtp({
      // The first packet of a talk spurt (RFC 3551 §4.1).
      marker: index === 0,
      ...{ payloadType, ssrc, payload },
      sequence: (firstSequence + index) & 0xffff,
      timestamp: (firstTimestamp + index * timestampStep) >>> 0,
      csrcs: [],
      extension: null,
      padding: 0,
    });
    return { message, proof: expectProof(input, message) };
  };

  return {
    sent,
    send: (dueAtMs) => {
      const sequence = tools.nextSequence();
      const { message, proof } = build(sequence);
      if (!proof) return;
      const packet: SentPacket = {
        ...{ sequence, index: sent.length, dueAtMs, proof, sentAtMs: net.now() },
        ...{ farInMicros: null, farOutMicros: null, heardAtMs: null, heard: 0 },
      };
      sent.push(packet);
      bySequence.set(sequence, packet);
      totals.packetsSent += 1;
      totals.bytesSent += message.length;
      net.pacer.book(1);
      flow.send(message).catch(async ({ code }: SocketError) => {
        if (
          PENDING_ICMP.has(code) &&
          (await flow.send(message).then(
            () => true,
            () => false,
          ))
        )
          return;
        errors += 1;
        // It never left: nothing is to be said of it.
        sent.splice(sent.indexOf(packet), 1);
        bySequence.delete(sequence);
      });
    },
    errors: () => errors,
    changed: () => changed,
    redirected: () => redirected,
    report: (nowMs) => {
      const [first] = sent;
      const elapsed = first ? ((nowMs - first.sentAtMs) / SPACING_MS) * timestampStep : 0;
      return {
        ssrc,
        rtpTimestamp: Math.round(firstTimestamp + elapsed) % 2 ** 32,
        packetCount: sent.length,
        octetCount: sent.length * payloadBytes,
        heard: reception.report(ssrc, firstSequence),
      };
    },
    close: flow.close,
  };
};
