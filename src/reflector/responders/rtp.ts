/** Echoes RTP and RTCP that carry a valid tag; media of strangers is never answered. */
import { RTCP_APP_NAME } from '../../wire/carriers.js';
import { NOTHING } from '../../wire/octets.js';
import { cnameDescription, encodeRtcp, parseRtcp } from '../../wire/rtcp.js';
import { encodeRtp, parseRtp } from '../../wire/rtp.js';
import { answerTag, type Responder } from '../exchange.js';

export const answerRtp: Responder = (message, arrival, host) => {
  const packet = parseRtp(message);
  if (!packet.ok) return null;
  const tag = answerTag(packet.value.payload, message, arrival, host);
  if (!tag) return null;
  if (tag.bytes.length > packet.value.payload.length) {
    host.sessions.unanswered(tag.of, 'too-large');
    return null;
  }
  const payload = Buffer.from(packet.value.payload);
  payload.set(tag.bytes);
  return {
    bytes: encodeRtp({ ...packet.value, payload }),
    proven: true,
    delivery: tag.delivery,
    consults: tag.consults,
    of: tag.of,
  };
};

export const answerRtcp: Responder = (message, arrival, host) => {
  const compound = parseRtcp(message);
  if (!compound.ok) return null;
  const app = compound.value.packets.find((packet) => packet.kind === 'app' && packet.name === RTCP_APP_NAME);
  if (app?.kind !== 'app') return null;
  const tag = answerTag(app.data, message, arrival, host);
  if (!tag) return null;
  const { ssrc } = app;
  return {
    bytes: encodeRtcp({
      packets: [
        { kind: 'receiver-report', ssrc, reports: [], extension: NOTHING },
        cnameDescription(ssrc, 'reflector'),
        { ...app, data: tag.bytes },
      ],
      padding: 0,
    }),
    proven: true,
    delivery: tag.delivery,
    consults: tag.consults,
    of: tag.of,
  };
};
