/** What of an agent arrives and cannot be read is told to that agent, and to nobody else. */
import t from 'tap';
import { answerDatagram } from '../../src/reflector/datagrams.js';
import { createUnreadable } from '../../src/reflector/unreadable.js';
import { encodeRtp } from '../../src/wire/rtp.js';
import { arrivalFrom, createRig, requestTag } from './support.js';

const AGENT = '192.0.2.9';
const STRANGER = '192.0.2.10';

const book = () => {
  let nowMs = 0;
  const unreadable = createUnreadable(
    (address) => address === AGENT,
    () => nowMs,
  );
  return {
    unreadable,
    advance: (ms: number) => {
      nowMs += ms;
    },
  };
};

t.test('two at a port of one that has shown a token are told, for half a minute', async (t) => {
  const { unreadable, advance } = book();
  for (const port of [16_384, 16_385, 20_000]) unreadable.saw(AGENT, port);
  t.same(unreadable.at(AGENT), [], 'a single one may be a stray');
  for (const port of [16_384, 16_385]) unreadable.saw(AGENT, port);
  t.same(unreadable.at(AGENT), [[16_384, 16_385]]);
  t.same(unreadable.at(STRANGER), []);
  advance(29_999);
  t.same(unreadable.at(AGENT), [[16_384, 16_385]]);
  advance(1);
  t.same(unreadable.at(AGENT), []);
  unreadable.saw(AGENT, 16_384);
  t.same(unreadable.at(AGENT), [], 'what was long ago counts no more');
});

t.test('of strangers nothing is kept', async (t) => {
  const { unreadable } = book();
  for (let count = 0; count < 10; count += 1) unreadable.saw(STRANGER, 5060);
  t.same(unreadable.at(STRANGER), []);
});

t.test('however many agents and ports there are, memory has a ceiling', async (t) => {
  const unreadable = createUnreadable(() => true);
  for (let address = 0; address < 1000; address += 1) {
    for (let count = 0; count < 2; count += 1) unreadable.saw(`agent ${address}`, 5060);
  }
  t.same(unreadable.at('agent 999'), [[5060, 5060]]);
  t.same(unreadable.at('agent 0'), []);
  for (let port = 1; port <= 65_535; port += 1) for (let count = 0; count < 2; count += 1) unreadable.saw('a', port);
  t.same(unreadable.at('a'), [[1, 4096]]);
});

t.test('media that is cut is unreadable; what is held back, replayed or answered is not', async (t) => {
  const { rules } = createRig();
  const seen: number[] = [];
  const send = (message: Uint8Array, localPort: number): void => {
    answerDatagram(message, arrivalFrom({ localPort }), { ...rules, sawUnreadable: (_, port) => seen.push(port) });
  };
  const rtp = (payload: Uint8Array): Uint8Array =>
    encodeRtp({
      ...{ marker: false, payloadType: 0, sequence: 1, timestamp: 0, ssrc: 1, csrcs: [], extension: null, padding: 0 },
      payload,
    });
  const whole = rtp(Buffer.concat([requestTag(1), Buffer.alloc(112)]));
  send(whole, 16_384);
  send(Buffer.of(0xff), 4500);
  send(Buffer.from('\r\n\r\n'), 5060);
  const headers = ['Via: SIP/2.0/UDP 192.0.2.9;branch=z9hG4bKa', 'From: <sip:a@b>;tag=1', 'To: <sip:a@b>;tag=2'];
  const ack = ['ACK sip:a@b SIP/2.0', ...headers, 'Call-ID: a', 'CSeq: 1 ACK', 'Content-Length: 0', '', ''];
  send(Buffer.from(ack.join('\r\n')), 5060);
  t.same(seen, []);
  send(whole.subarray(0, 40), 16_384);
  send(whole.subarray(0, 52), 16_386);
  const changed = Buffer.from(whole);
  changed[40] = (changed[40] ?? 0) ^ 1;
  send(changed, 16_388);
  t.same(seen, [16_384, 16_386, 16_388]);
});
