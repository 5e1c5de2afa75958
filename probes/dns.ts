/**
 * `dns`: one query to the target itself, over UDP or TCP. Of a third party any response to it proves the path, REFUSED
 * included. A reflector answers with its proof, so that a firewall that answers DNS in everyone's place is seen.
 */
import { DNS_SUFFIX } from '../src/wire/carriers.js';
import { answersQuestion, buildQuery, parseDns } from '../src/wire/dns.js';
import { tagToLabels } from '../src/wire/dns-labels.js';
import { dnsStream, frameDnsTcp } from '../src/wire/dns-stream.js';
import { expectProof, makeTag } from '../src/wire/proof.js';
import { type Asking, judgeEmbedded, type Probe } from './contract.js';

/** Room for the question, one TXT record with an answer tag, and an OPT record. */
const PADDED_BYTES = 256;
/** What a third party is asked: a name that every server can refuse or answer without looking far. */
const ROOT = '.';

const build = (asking: Asking, tag: Uint8Array | null): Uint8Array => {
  const id = Buffer.from(asking.seed).readUInt16BE(0);
  const name = tag && tagToLabels(tag, DNS_SUFFIX);
  return name
    ? buildQuery({ id, name, type: 'TXT', recursionDesired: true, padTo: PADDED_BYTES })
    : buildQuery({ id, name: ROOT, type: 'NS', recursionDesired: true });
};

export const probe: Probe = {
  kind: 'dns',
  retransmits: false,
  timed: 'exchange',
  ask: (asking) => {
    const tag = makeTag(asking);
    const message = build(asking, tag);
    return {
      messages: [asking.check.transport === 'udp' ? message : frameDnsTcp(message)],
      proof: tag && expectProof(asking, message),
      answeredByOpening: false,
    };
  },
  read: (bytes, arrival) => {
    const overUdp = arrival.check.transport === 'udp';
    const unframed = (framed: Uint8Array): Uint8Array | null => {
      const [item] = dnsStream().push(framed);
      return item?.kind === 'message' ? item.bytes : null;
    };
    const [sent] = arrival.question.messages;
    const query = sent && (overUdp ? sent : unframed(sent));
    const message = overUdp ? bytes : unframed(bytes);
    if (message === null) return { kind: 'partial' };
    const asked = query && parseDns(query);
    const response = parseDns(message);
    if (!response.ok || !asked?.ok) return { kind: 'refused', why: 'malformed' };
    if (!response.value.flags.response) return { kind: 'refused', why: 'not-an-answer' };
    if (!answersQuestion(asked.value, response.value)) return { kind: 'refused', why: 'wrong-id' };
    const txt = response.value.answers.find((record) => record.type === 'TXT');
    return judgeEmbedded(txt?.type === 'TXT' ? txt.bytes : null, arrival, { rcode: response.value.rcode });
  },
};
