/** Answers DNS on port 53's behalf: the proof as a TXT record for who asked with a tag, REFUSED for everyone else. */
import { DNS_SUFFIX } from '../../wire/carriers.js';
import { buildResponse, parseDns, RCODES } from '../../wire/dns.js';
import { labelsToTag } from '../../wire/dns-labels.js';
import { answerTag, type Responder } from '../exchange.js';

export const answerDns: Responder = (message, arrival, host) => {
  const query = parseDns(message);
  if (!query.ok || query.value.flags.response || !query.value.question) return null;
  const labels = labelsToTag(query.value.question.name, DNS_SUFFIX);
  const tag = labels.ok ? answerTag(labels.value, message, arrival, host) : null;
  return tag
    ? {
        bytes: buildResponse(query.value, { rcode: RCODES.noError, txt: tag.bytes }),
        proven: true,
        delivery: tag.delivery,
        consults: tag.consults,
        of: tag.of,
      }
    : { bytes: buildResponse(query.value, { rcode: RCODES.refused }), proven: false };
};
