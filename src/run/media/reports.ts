/**
 * RTCP beside a stream, as a phone sends it: sender reports with what was heard so far, at the intervals of RFC 3550 §6.2 and §6.3, to the
 * port above the stream's. They carry a tag, so that the far end answers them; nothing is held against the line that loses them.
 */
import type { Check } from '../../model/check.js';
import { isSocketError } from '../../net/errno.js';
import type { UdpFlow } from '../../net/udp.js';
import { RTCP_APP_NAME } from '../../wire/carriers.js';
import { NOTHING, zeroed } from '../../wire/octets.js';
import { expectProof, judgeTag, makeTag, type TagProof } from '../../wire/proof.js';
import { cnameDescription, encodeRtcp, MAX_RTCP_BYTES, parseRtcp } from '../../wire/rtcp.js';
import { ANSWER_TAG_BYTES } from '../../wire/tag.js';
import type { Tools } from '../tools.js';
import type { OpenMedia } from './stream.js';

/** RFC 3550 §6.2: five seconds at least, and half of it before the first. */
const INTERVAL_MS = 5000;
/** §6.3.1: reconsideration of the timers makes intervals longer than meant; e − 3/2 compensates it. */
const COMPENSATION = 1.21828;
/** Seconds from 1900 to 1970: NTP counts from the former (RFC 5905 §6). */
const NTP_EPOCH_S = 2_208_988_800n;
const MICROS = 1_000_000n;

export interface Reports {
  /** Sends one where one is due at this time of the run's clock. */
  sendIfDue(nowMs: number): void;
  sent(): number;
  /** Of those, how many were answered with a proof that holds. */
  answered(): number;
  close(): void;
}

/** 32.32 fixed point seconds since 1900 (RFC 3550 §4). */
export const ntpOf = (micros: bigint): bigint =>
  ((micros / MICROS + NTP_EPOCH_S) << 32n) | (((micros % MICROS) << 32n) / MICROS);

/** Whoever lets no socket open for them, or has the stream on an odd port (RFC 3550 §11), gets none: null. */
export const openReports = async (check: Check, stream: OpenMedia, tools: Tools): Promise<Reports | null> => {
  const { net, session, totals } = tools;
  if (check.port % 2 !== 0 || session.keys === null) return null;
  const proofs: { readonly proof: TagProof; readonly sentAtMs: number; isAnswered: boolean }[] = [];

  const hear = (bytes: Uint8Array, atMs: number): void => {
    totals.packetsReceived += 1;
    if (bytes.length > MAX_RTCP_BYTES) return;
    const compound = parseRtcp(bytes);
    const app = compound.ok
      ? compound.value.packets.find((one) => one.kind === 'app' && one.name === RTCP_APP_NAME)
      : undefined;
    if (app?.kind !== 'app') return;
    for (const one of proofs) {
      if (judgeTag(app.data, one.proof, Math.round((atMs - one.sentAtMs) * 1000)).authentic) one.isAnswered = true;
    }
  };

  let flow: UdpFlow;
  try {
    flow = await net.openUdp(
      { address: check.address ?? '', port: check.port + 1, family: check.family ?? 4 },
      { message: hear, error: () => undefined },
      { address: net.source ?? undefined },
    );
  } catch (error) {
    if (!isSocketError(error)) throw error;
    return null;
  }

  const send = (nowMs: number): void => {
    const { ssrc, rtpTimestamp, packetCount, octetCount, heard } = stream.report(nowMs);
    const sentAtMicros = net.nowMicros();
    const input = { session, sequence: tools.nextSequence(), sentAtMicros, binding: null };
    const data = zeroed(ANSWER_TAG_BYTES);
    const tag = makeTag(input);
    if (!tag) return;
    data.set(tag);
    const counts = { ntpTimestamp: ntpOf(sentAtMicros), rtpTimestamp, packetCount, octetCount };
    const message = encodeRtcp({
      packets: [
        { kind: 'sender-report', ssrc, ...counts, reports: heard ? [heard] : [], extension: NOTHING },
        cnameDescription(ssrc, 'probe@callpath'),
        { kind: 'app', subtype: 0, ssrc, name: RTCP_APP_NAME, data },
      ],
      padding: 0,
    });
    const proof = expectProof(input, message);
    if (!proof) return;
    proofs.push({ proof, sentAtMs: nowMs, isAnswered: false });
    totals.packetsSent += 1;
    totals.bytesSent += message.length;
    net.pacer.book(1);
    // What this host or the path refuses is no news: RTCP has checks of its own.
    flow.send(message).catch(() => undefined);
  };

  /** Half to one and a half times the interval, so that phones do not report in step. */
  const interval = (meantMs: number): number =>
    (meantMs * (0.5 + Buffer.from(net.random(4)).readUInt32BE(0) / 2 ** 32)) / COMPENSATION;
  let dueAtMs = net.now() + interval(INTERVAL_MS / 2);
  return {
    sendIfDue: (nowMs) => {
      if (nowMs < dueAtMs) return;
      dueAtMs = nowMs + interval(INTERVAL_MS);
      send(nowMs);
    },
    sent: () => proofs.length,
    answered: () => proofs.filter(({ isAnswered }) => isAnswered).length,
    close: flow.close,
  };
};
