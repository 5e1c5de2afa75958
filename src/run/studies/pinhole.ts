/**
 * ALGs that rewrite nothing and open ports: while an INVITE is unanswered, its far end sends RTP to the port that the SDP
 * names, from another port and from another address. Nothing has left that port, so that only who read the SDP lets it
 * in. The same after an INVITE to a port that is not SIP's shows whether it was the SDP.
 */
import type { Reading } from '../../../probes/contract.js';
import { algProbe, type Exchange } from '../../../probes/sip-alg.js';
import type { Check, Family } from '../../model/check.js';
import type { PinholeTest } from '../../model/study-facts.js';
import { localAddressFor } from '../../net/local.js';
import { type OpenSocket, openSocket } from '../../net/udp-open.js';
import { packetsNeeded, RANGE_PORT_DOUBT } from '../../verdict/silence.js';
import { encodeDeferral } from '../../wire/deferral.js';
import { NOTHING } from '../../wire/octets.js';
import { expectProof, judgeTag, makeTag, type TagProof } from '../../wire/proof.js';
import { encodeRtp, parseRtp } from '../../wire/rtp.js';
import { askReceipts } from '../ask/receipts.js';
import type { Net } from '../net.js';
import type { Tools } from '../tools.js';

/** The INVITE is answered so much later; an ALG forgets the call when it sees the refusal. */
const UNANSWERED_MS = 1200;
/** An INVITE that is lost is sent again, sooner than RFC 3261 §17.1.1.2 would, because only its way out matters. */
const INVITE_AT_MS = [0, 250, 500] as const;
/** Whatever reads the SDP has read it by then: what asks for media follows on the same way. */
const MEDIA_FROM_MS = 200;
const MEDIA_EVERY_MS = 60;
const LOOK_EVERY_MS = 20;
/** The far end answers only what arrives, so more is sent than the silence needs to mean something. */
const SPARE = 1.5;
const MIN_MEDIA = 5;
const MAX_MEDIA = 12;
/**
 * Media is expected above what Linux gives to programs that ask for any port (32768 to 60999): a port over which an
 * earlier flow still holds a way open would be let in without any ALG. So many even ones fit below 65,534.
 */
const MEDIA_PORTS = { first: 61_000, count: 2_200 } as const;
/** Elsewhere, or on a port that somebody has chosen as well, a second socket is not let in by the same chance. */
const SOCKETS = 2;
const TRIES = 20;
const PAYLOAD_BYTES = 160;
const SEED_BYTES = 32;

/** RTP's port is even (RFC 3550 §11), and ALGs open that one and the next. @throws SocketError if none is to be had */
const openEven = async (net: Net, family: Family, heard: (bytes: Uint8Array) => void): Promise<OpenSocket> => {
  for (let turn = 1; ; turn += 1) {
    const chance = Buffer.from(net.random(2)).readUInt16BE(0);
    const port = MEDIA_PORTS.first + 2 * (chance % MEDIA_PORTS.count);
    try {
      return await openSocket(family, net.source, heard, port);
    } catch (error) {
      if (turn >= TRIES) throw error;
    }
  }
};

const replyOf = (reading: Reading<Exchange> | null): Uint8Array | null =>
  reading?.kind === 'answer' ? (reading.reply ?? null) : null;

interface Media {
  readonly from: PinholeTest['from'];
  readonly proofs: TagProof[];
  heard: boolean;
  /** It came to who asked for it: this far end sends nothing elsewhere. */
  refused: boolean;
}

const listen = (all: readonly Media[], bytes: Uint8Array, found: (one: Media) => void): void => {
  const packet = parseRtp(bytes);
  if (!packet.ok) return;
  for (const one of all) {
    if (one.proofs.some((proof) => judgeTag(packet.value.payload, proof, 0).authentic)) found(one);
  }
};

const tryOne = async (invited: Check, isControl: boolean, media: Check, ways: readonly Check[], tools: Tools) => {
  const { net, path, session, signal, totals } = tools;
  const family = media.family ?? 4;
  const address = net.source ?? (await localAddressFor(media.address ?? '', family));
  if (address === null) return [];
  const all: readonly Media[] = (['other-port', 'other-address'] as const).map((from) => ({
    from,
    proofs: [],
    heard: false,
    refused: false,
  }));
  const begunMs = net.now();
  const until = (ms: number): Promise<void> =>
    net.sleep(Math.max(0, begunMs + ms - net.now()), signal).catch(() => undefined);
  const inner = await openEven(net, family, (bytes) => {
    totals.packetsReceived += 1;
    listen(all, bytes, (one) => {
      one.heard = true;
    });
  });
  const asker = await openSocket(family, net.source, (bytes) => {
    totals.packetsReceived += 1;
    listen(all, bytes, (one) => {
      one.refused = true;
    });
  });
  let said: ((bytes: Uint8Array) => void) | null = null;
  const phone = await openSocket(family, net.source, (bytes) => {
    totals.packetsReceived += 1;
    said?.(bytes);
  });
  const put = async (socket: OpenSocket, bytes: Uint8Array, port: number): Promise<void> => {
    await net.pacer.take(1, signal).catch(() => undefined);
    totals.packetsSent += 1;
    totals.bytesSent += bytes.length;
    socket.send(bytes, { address: media.address ?? '', port });
  };

  let final: Reading<Exchange> | null = null;
  const probe = algProbe({
    method: 'INVITE',
    mediaPort: inner.localPort,
    answerAfterMs: UNANSWERED_MS,
  });
  const question = probe.ask({
    check: invited,
    local: { address, port: phone.localPort },
    session,
    sequence: tools.nextSequence(),
    seed: net.random(SEED_BYTES),
    sentAtMicros: net.nowMicros(),
    binding: null,
  });
  said = (bytes) => {
    const arrival = { check: invited, question, receivedAtMicros: net.nowMicros(), elapsedMicros: 0 };
    const reading = probe.read(bytes, arrival);
    if (reading.kind === 'answer' && reading.value) final = reading;
  };

  const invite = async (): Promise<void> => {
    for (const at of INVITE_AT_MS) {
      await until(at);
      for (const message of question.messages) await put(phone, message, invited.port);
    }
  };
  const rtp = async (one: Media): Promise<void> => {
    const needed = Math.ceil(SPARE * packetsNeeded(path.upperBound(), RANGE_PORT_DOUBT));
    const packets = Math.min(MAX_MEDIA, Math.max(MIN_MEDIA, needed));
    for (let turn = 0; turn < packets && !one.heard && !one.refused && !signal.aborted; turn += 1) {
      await until(MEDIA_FROM_MS + turn * MEDIA_EVERY_MS);
      const sequence = tools.nextSequence();
      const input = { session, sequence, sentAtMicros: net.nowMicros(), binding: null };
      const changeIp = one.from === 'other-address';
      const deferral = encodeDeferral({ afterMs: 0, changeIp, changePort: false, toPort: inner.localPort });
      const payload = new Uint8Array(PAYLOAD_BYTES).fill(0xff);
      payload.set(makeTag(input, 'deferredRequest', deferral) ?? NOTHING);
      const message = encodeRtp({
        marker: turn === 0,
        payloadType: 0,
        sequence: turn,
        timestamp: turn * PAYLOAD_BYTES,
        ssrc: sequence,
        csrcs: [],
        extension: null,
        payload,
        padding: 0,
      });
      const proof = expectProof(input, message);
      if (proof) one.proofs.push(proof);
      await put(asker, message, media.port);
    }
  };
  try {
    await Promise.all([invite(), ...all.map(rtp)]);
    await until(UNANSWERED_MS);
    const lateMs = net.now() + path.lateMs('udp');
    while (!final && net.now() < lateMs && !signal.aborted)
      await net.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    const ack = replyOf(final);
    if (ack) await put(phone, ack, invited.port);
    const { seen } = await askReceipts(
      all.flatMap(({ proofs }) => proofs.map(({ sequence }) => sequence)),
      ways,
      tools,
    );
    return all
      .filter(({ refused }) => !refused)
      .map(({ from, heard, proofs }): PinholeTest => {
        const told = proofs.map(({ sequence }) => seen.get(sequence));
        const isKnown = told.every((count) => count !== undefined);
        const sent = isKnown ? told.reduce<number>((sum, count) => sum + (count ?? 0), 0) : null;
        return { port: invited.port, isControl, from, heard, sent };
      });
  } finally {
    for (const socket of [inner, asker, phone]) socket.close();
  }
};

const isLoopback = (address: string): boolean => address === '::1' || address.startsWith('127.');

/**
 * Asks one proven reflector.
 * @param signalling SIP's port, where INVITEs pass
 * @param control another UDP port that passes
 * @param media a port there that echoes RTP
 */
export const pinholeStudy = async (
  signalling: Check,
  control: Check,
  media: Check,
  ways: readonly Check[],
  tools: Tools,
): Promise<readonly PinholeTest[]> => {
  // Between two programs of one host there is nobody who could open anything.
  if (isLoopback(media.address ?? '')) return [];
  const tests = await Promise.all([
    ...Array.from({ length: SOCKETS }, () => tryOne(signalling, false, media, ways, tools)),
    // The same name and transport in the request: only the port differs.
    tryOne({ ...control, host: signalling.host, natT: false }, true, media, ways, tools),
  ]);
  return tests.flat();
};
