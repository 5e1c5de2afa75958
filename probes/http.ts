/**
 * `http`: one GET. Any well-formed response proves the path to a third party. A reflector's carries its proof in a
 * header, so that a captive portal or a proxy that answers in its place is seen.
 */
import { TAG_HEADER, tagFromText, tagToText } from '../src/wire/carriers.js';
import { buildGet, parseResponseHead } from '../src/wire/http.js';
import { expectProof, makeTag } from '../src/wire/proof.js';
import { judgeEmbedded, type Probe } from './contract.js';

/** Evidence keeps this much of a Location or Server field. */
const MAX_FIELD = 200;

export const probe: Probe = {
  kind: 'http',
  retransmits: false,
  timed: 'exchange',
  ask: (asking) => {
    const tag = makeTag(asking);
    const message = buildGet(asking.check.host, asking.check.port, tag && tagToText(tag));
    return { messages: [message], proof: tag && expectProof(asking, message), answeredByOpening: false };
  },
  read: (bytes, arrival) => {
    const head = parseResponseHead(bytes);
    if (!head.ok) return head.refusal === 'partial' ? { kind: 'partial' } : { kind: 'refused', why: 'malformed' };
    const { status, fields } = head.value;
    const field = (name: string): string | null => fields.get(name)?.slice(0, MAX_FIELD) ?? null;
    const tag = fields.get(TAG_HEADER.toLowerCase());
    return judgeEmbedded(tag === undefined ? null : tagFromText(tag), arrival, {
      status,
      server: field('server'),
      location: field('location'),
      via: field('via'),
    });
  },
};
