/**
 * `rtp-echo`: one RTP packet as a call sends fifty a second: PCMU, 20 ms, 160 octets (RFC 3551 §4.5.14). The tag lies
 * where speech would. Only a reflector answers.
 */
import { isReturned } from '../src/wire/carriers.js';
import { expectProof, makeTag } from '../src/wire/proof.js';
import { encodeRtp, parseRtp } from '../src/wire/rtp.js';
import { changedOnReturn, judgeEmbedded, type Probe } from './contract.js';

const PAYLOAD_TYPE_PCMU = 0;
const PAYLOAD_BYTES = 160;
/** μ-law silence, so that a listener on the wrong end hears nothing. */
const SILENCE = 0xff;
/** 20 ms at 8 kHz. */
const TIMESTAMP_STEP = 160;

export const probe: Probe = {
  kind: 'rtp-echo',
  retransmits: false,
  timed: 'exchange',
  ask: (asking) => {
    const payload = Buffer.allocUnsafe(PAYLOAD_BYTES).fill(SILENCE);
    const tag = makeTag(asking);
    if (tag) payload.set(tag);
    const seed = Buffer.from(asking.seed);
    const message = encodeRtp({
      marker: true,
      payloadType: PAYLOAD_TYPE_PCMU,
      sequence: asking.sequence & 0xffff,
      timestamp: (asking.sequence * TIMESTAMP_STEP) >>> 0,
      ssrc: seed.readUInt32BE(0),
      csrcs: [],
      extension: null,
      payload,
      padding: 0,
    });
    return { messages: [message], proof: tag && expectProof(asking, message), answeredByOpening: false };
  },
  read: (bytes, arrival) => {
    const packet = parseRtp(bytes);
    if (!packet.ok) return { kind: 'refused', why: 'malformed' };
    const reading = judgeEmbedded(packet.value.payload, arrival, {});
    // Our own packet come back, or anyone's: without the proof it is not an echo.
    if (reading.kind === 'answer' && reading.authentic !== true) return { kind: 'refused', why: 'bad-proof' };
    const sent = parseRtp(arrival.question.messages[0] ?? bytes);
    return changedOnReturn(reading, !sent.ok || !isReturned(packet.value, sent.value));
  },
};
