/** Answers a bare tag: echo, info, receipts. To strangers it says at most that their token or version is not ours. */
import { encodeRefusalTag, foreignVersion, looksLikeTag, REFUSED_BECAUSE } from '../../wire/tag.js';
import { type Responder, sealAnswer } from '../exchange.js';

export const answerBare: Responder = (message, arrival, host) => {
  if (!looksLikeTag(message)) return null;
  const foreign = foreignVersion(message);
  if (foreign) return { bytes: encodeRefusalTag(foreign, REFUSED_BECAUSE.version), proven: false };
  const admission = host.authority.admit(message, arrival.binding);
  if (admission.kind === 'none') return null;
  if (admission.kind === 'admitted') {
    const sealed = sealAnswer(admission, message, arrival, host);
    return sealed && { ...sealed, proven: true };
  }
  return { bytes: encodeRefusalTag(admission.request, REFUSED_BECAUSE.unknownKey), proven: false };
};
