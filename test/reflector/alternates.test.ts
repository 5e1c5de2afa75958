/** RFC 5780 with two addresses: who is told of what, and from where an answer comes. */
import t from 'tap';
import { createAlternates, type Listener, type Place } from '../../src/reflector/alternates.js';
import { answerDatagram } from '../../src/reflector/datagrams.js';
import type { Answer } from '../../src/reflector/exchange.js';
import { STUN_TAG_ATTRIBUTE } from '../../src/wire/carriers.js';
import { encodeDeferral, readDeferral } from '../../src/wire/deferral.js';
import { attributeOf, parseStun, type StunAttribute } from '../../src/wire/stun.js';
import { readTag } from '../../src/wire/tag.js';
import { arrivalFrom, createRig, oldStunRequest, requestTag, stunRequest } from './support.js';

const listener = (address: string, publicAddress = address): Listener => ({ address, publicAddress });
const TWO = [listener('10.0.0.10', '192.0.2.10'), listener('10.0.0.11', '192.0.2.11')];
const EVERYWHERE = (): boolean => true;
const at = (port: number, listeners = TWO, isBound: (place: Place) => boolean = EVERYWHERE) =>
  createAlternates(listeners, isBound)({ listener: 0, port });

t.test('the other address and port of a socket', async (t) => {
  t.same(at(3478).origin, { address: '192.0.2.10', port: 3478 }, 'agents know it by its public address');
  t.same(at(3478).other(), { address: '192.0.2.11', port: 3479 });
  t.same(at(3479).other(), { address: '192.0.2.11', port: 3478 });
  t.same(at(5060).other(), { address: '192.0.2.11', port: 3478 });
  t.same(at(5060).change(true, false), { listener: 1, port: 5060 });
  t.same(at(5060).change(false, true), { listener: 0, port: 3478 });
  t.same(at(5060, [listener('192.0.2.10')]).change(false, true), null, 'one address knows no change');
  t.equal(at(5060, [listener('192.0.2.10')]).other(), null);
  t.equal(at(5060, [listener('192.0.2.10'), listener('2001:db8::1')]).other(), null, 'of another family');
  t.equal(at(5060, [listener('0.0.0.0'), listener('192.0.2.11')]).other(), null, 'all addresses are no address');
  t.equal(at(5060, TWO, ({ port }) => port !== 3478).other(), null, 'what could not be bound');
});

const ask = (message: Uint8Array, port = 3478, listeners = TWO): Answer | null =>
  answerDatagram(
    message,
    { ...arrivalFrom({ localPort: port }), surroundings: at(port, listeners) },
    createRig().rules,
  );
const stunOf = (answer: Answer | null) => {
  const parsed = answer && parseStun(answer.bytes);
  if (!parsed?.ok) throw new Error('no STUN answer');
  return parsed.value;
};
const proof = (sequence: number): StunAttribute => ({
  kind: 'opaque',
  type: STUN_TAG_ATTRIBUTE,
  value: Buffer.concat([requestTag(sequence), Buffer.alloc(120)]),
});
const change = (changeIp: boolean, changePort: boolean): StunAttribute => ({
  kind: 'change-request',
  changeIp,
  changePort,
});

t.test('an agent with a token is told both addresses', async (t) => {
  const answer = stunOf(ask(stunRequest(proof(1))));
  t.match(attributeOf(answer, 'response-origin'), { address: '192.0.2.10', port: 3478 });
  t.match(attributeOf(answer, 'other-address'), { address: '192.0.2.11', port: 3479 });
  const changed = ask(stunRequest(change(true, true), proof(2)));
  t.match(changed?.delivery, { changeIp: true, changePort: true, toPort: null });
  t.match(attributeOf(stunOf(changed), 'response-origin'), { address: '192.0.2.11', port: 3479 });
  t.equal(stunOf(ask(stunRequest(proof(3)), 3478, [listener('192.0.2.10')])).class, 'success');
  t.equal(attributeOf(stunOf(ask(stunRequest(proof(3)), 3478, [listener('192.0.2.10')])), 'other-address'), null);
});

t.test('a stranger is answered from where it asks, and told as much as it pays for', async (t) => {
  const plain = ask(stunRequest());
  t.equal(plain?.bytes.length, 32, 'the smallest answer there is');
  const changed = ask(stunRequest(change(true, false)));
  t.match(changed?.delivery, { changeIp: true, changePort: false });
  t.equal(stunOf(changed).class, 'success');
  t.equal(changed?.bytes.length, 32);
  const padded = ask(stunRequest({ kind: 'padding', value: new Uint8Array(100) }));
  t.match(attributeOf(stunOf(padded), 'other-address'), { address: '192.0.2.11', port: 3479 });
  t.ok(attributeOf(stunOf(padded), 'padding'), 'and the answer is as large as the request');
  t.equal(padded?.bytes.length, 20 + 104);
  const old = stunOf(ask(oldStunRequest()));
  t.equal(old.attributes.length, 1, 'RFC 3489 wants CHANGED-ADDRESS, and its request has no room for it');
});

t.test('one address refuses to change it', async (t) => {
  const one = [listener('192.0.2.10')];
  const refused = ask(stunRequest(change(false, true)), 3478, one);
  t.match(attributeOf(stunOf(refused), 'error-code'), { code: 420 });
  t.equal(refused?.delivery, undefined);
  const proven = ask(stunRequest(change(true, true), proof(1)), 3478, one);
  t.match(attributeOf(stunOf(proven), 'error-code'), { code: 420 });
  t.match(attributeOf(stunOf(proven), 'unknown-attributes'), { types: [3] });
  t.ok(proven?.proven);
  t.ok(
    stunOf(proven).attributes.some(({ kind }) => kind === 'opaque'),
    'with the proof that it was the reflector',
  );
});

t.test('RESPONSE-PORT is for those who have proven themselves', async (t) => {
  const port: StunAttribute = { kind: 'response-port', port: 50_000 };
  t.match(attributeOf(stunOf(ask(stunRequest(port))), 'error-code'), { code: 420 });
  t.match(ask(stunRequest(port, proof(1)))?.delivery, { toPort: 50_000, changeIp: false, afterMs: 0 });
  const both = ask(stunRequest(port, { kind: 'padding', value: new Uint8Array(8) }, proof(2)));
  t.match(attributeOf(stunOf(both), 'error-code'), { code: 400 }, 'and not with PADDING');
});

t.test('a deferred answer, in any protocol', async (t) => {
  const request = (afterMs: number, changeIp: boolean, sequence: number) =>
    requestTag(sequence, {
      type: 'deferredRequest',
      body: encodeDeferral({ afterMs, changeIp, changePort: false }, 52),
    });
  const bodyOf = (answer: Answer | null) => {
    const read = answer && readTag(answer.bytes);
    if (!read?.ok || read.value.tag.type !== 'deferredAnswer') throw new Error('no deferred answer');
    return { told: readDeferral(read.value.tag.body), turnaround: read.value.tag.turnaroundMicros };
  };
  const later = ask(request(30_000, false, 1), 5060);
  t.match(later?.delivery, { afterMs: 30_000, changeIp: false, changePort: false });
  t.ok(bodyOf(later).turnaround >= 30_000_000, 'the time that it waits is none of the round trip');
  const other = ask(request(0, true, 2), 5060);
  t.match(other?.delivery, { afterMs: 0, changeIp: true });
  const impossible = ask(request(5000, true, 3), 5060, [listener('192.0.2.10')]);
  t.match(impossible?.delivery, { afterMs: 0, changeIp: false }, 'at once where there is no other address');
  t.match(bodyOf(impossible).told, { afterMs: 0, changeIp: false }, 'and it says so');
  const body = encodeDeferral({ afterMs: 300_000, changeIp: false, changePort: false }, 52);
  t.ok(ask(requestTag(4, { type: 'deferredRequest', body })));
  Buffer.from(body.buffer, body.byteOffset).writeUInt32BE(300_001, 4);
  t.equal(ask(requestTag(5, { type: 'deferredRequest', body })), null, 'nothing waits for longer than five minutes');
  const elsewhere = encodeDeferral({ afterMs: 0, changeIp: false, changePort: false, toPort: 40_000 }, 52);
  t.match(
    ask(requestTag(6, { type: 'deferredRequest', body: elsewhere }))?.delivery,
    { toPort: 40_000 },
    'to another port of who asks',
  );
  t.throws(() => encodeDeferral({ afterMs: -1, changeIp: false, changePort: false }), RangeError);
  t.equal(readDeferral(new Uint8Array(7)), null);
});
