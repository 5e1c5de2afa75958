/**
 * `rtcp-echo`: a valid compound packet (RFC 3550 §6.1) as goes with every call on the odd port: receiver report,
 * CNAME, and an APP block with the tag. Only a reflector answers.
 */
import { RTCP_APP_NAME } from '../src/wire/carriers.js';
import { NOTHING, zeroed } from '../src/wire/octets.js';
import { expectProof, makeTag } from '../src/wire/proof.js';
import { cnameDescription, encodeRtcp, parseRtcp } from '../src/wire/rtcp.js';
import { ANSWER_TAG_BYTES } from '../src/wire/tag.js';
import { judgeEmbedded, type Probe } from './contract.js';

export const probe: Probe = {
  kind: 'rtcp-echo',
  retransmits: false,
  timed: 'exchange',
  ask: (asking) => {
    const ssrc = Buffer.from(asking.seed).readUInt32BE(0);
    const data = zeroed(ANSWER_TAG_BYTES);
    const tag = makeTag(asking);
    if (tag) data.set(tag);
    const message = encodeRtcp({
      packets: [
        { kind: 'receiver-report', ssrc, reports: [], extension: NOTHING },
        cnameDescription(ssrc, 'probe@callpath'),
        { kind: 'app', subtype: 0, ssrc, name: RTCP_APP_NAME, data },
      ],
      padding: 0,
    });
    return { messages: [message], proof: tag && expectProof(asking, message), answeredByOpening: false };
  },
  read: (bytes, arrival) => {
    const compound = parseRtcp(bytes);
    if (!compound.ok) return { kind: 'refused', why: 'malformed' };
    const app = compound.value.packets.find((packet) => packet.kind === 'app' && packet.name === RTCP_APP_NAME);
    const reading = judgeEmbedded(app?.kind === 'app' ? app.data : null, arrival, {});
    return reading.kind === 'answer' && reading.authentic !== true ? { kind: 'refused', why: 'bad-proof' } : reading;
  },
};
