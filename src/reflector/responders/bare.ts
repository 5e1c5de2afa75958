/** Answers a bare tag: echo, info, receipts. To strangers it says at most that their token or version is not ours. */
import { encodeRefusalTag, foreignVersion, looksLikeTag, REFUSED_BECAUSE } from '../../wire/tag.js';
import { type Responder, sealAnswer } from '../exchange.js';
import { isFarOff } from '../freshness.js';

export const answerBare: Responder = (message, arrival, host) => {
  if (!looksLikeTag(message)) return null;
  const foreign = foreignVersion(message);
  if (foreign) return { bytes: encodeRefusalTag(foreign, REFUSED_BECAUSE.version), proven: false };
  const admission = host.authority.admit(message, arrival.binding);
  if (admission.kind === 'none') return null;
  if (admission.kind === 'admitted') {
    const sealed = sealAnswer(admission, message, arrival, host);
    if (sealed) return { ...sealed, proven: true };
    // An agent whose clock is wrong learns why nobody proves anything to it; who replays an old packet learns nothing.
    const isFar = arrival.binding === null && isFarOff(admission.request.sentAtMicros, arrival.receivedAtMicros);
    return isFar ? { bytes: encodeRefusalTag(admission.request, REFUSED_BECAUSE.clock), proven: false } : null;
  }
  return { bytes: encodeRefusalTag(admission.request, REFUSED_BECAUSE.unknownKey), proven: false };
};
