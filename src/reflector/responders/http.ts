/** Answers HTTP over any TCP or TLS port with one line about who is here, and the proof for who asked with a tag. */
import { TAG_HEADER, tagFromText, tagToText } from '../../wire/carriers.js';
import { buildResponse, headBytes, parseRequestHead } from '../../wire/http.js';
import { answerTag, type Responder } from '../exchange.js';

export const answerHttp: Responder = (message, arrival, host) => {
  const head = headBytes(message);
  const fields = head && parseRequestHead(head);
  if (!head || !fields?.ok) return null;
  const text = fields.value.get(TAG_HEADER.toLowerCase());
  const tag = text === undefined ? null : answerTag(tagFromText(text), head, arrival, host);
  return {
    bytes: buildResponse(200, 'OK', tag && tagToText(tag.bytes), `callpath reflector ${host.version}\n`),
    proven: tag !== null,
    consults: tag?.consults ?? false,
    of: tag?.of,
  };
};
