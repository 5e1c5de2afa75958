/** Answers a bare tag: echo and info. To strangers it says at most that their token is not ours. */
import { encodeRefusalTag, looksLikeTag, REFUSED_BECAUSE } from '../../wire/tag.js';
import { type Responder, sealAnswer } from '../exchange.js';

export const answerBare: Responder = (message, arrival, host) => {
  if (!looksLikeTag(message)) return null;
  const admission = host.authority.admit(message, arrival.binding);
  if (admission.kind === 'admitted') return { bytes: sealAnswer(admission, message, arrival, host), proven: true };
  if (admission.kind === 'none') return null;
  return { bytes: encodeRefusalTag(admission.request, REFUSED_BECAUSE.unknownKey), proven: false };
};
