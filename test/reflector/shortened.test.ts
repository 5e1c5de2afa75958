/**
 * Devices that shorten SIP on the way, before a reflector on real sockets: requests without the lines that phones add, answers
 * without theirs, a Via without a parameter; over UDP and TCP. An answer comes, or a receipt tells why none does.
 */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import t from 'tap';
import { ALG_METHODS, algProbe, type Exchange } from '../../probes/sip-alg.js';
import { makeCredentials } from '../../src/reflector/certificate.js';
import { startReflector } from '../../src/reflector/server.js';
import { compareSip } from '../../src/verdict/studies/alg.js';
import { encodeCaptureQuery, readCapturePiece } from '../../src/wire/capture.js';
import { encodeReceiptsQuery, readReceipts } from '../../src/wire/receipts.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES, readTag } from '../../src/wire/tag.js';
import { askAs, requestTag, sendInRealTime, TOKEN } from './support.js';

// A reflector on real sockets believes no packets of another year.
sendInRealTime();

const WITHIN_MS = 5000;
const PADDING = ANSWER_TAG_BYTES - REQUEST_TAG_BYTES;
/** What a device does not know it does not pass on. */
const OPTIONAL = /^(?:user-agent|supported|allow|accept):[^\r\n]*\r\n/gim;
const MORE =
  /^(?:user-agent|supported|allow|accept|contact|max-forwards|expires|event|subscription-state):[^\r\n]*\r\n/gim;

const replaced = (message: Uint8Array, what: RegExp | string, by: string): Buffer =>
  Buffer.from(Buffer.from(message).toString('latin1').replace(what, by), 'latin1');

const started = async () => {
  const probe = createSocket('udp4').bind(0, '127.0.0.1');
  await once(probe, 'listening');
  const { port } = probe.address();
  await new Promise<void>((resolve) => probe.close(resolve));
  const reflector = await startReflector({
    listeners: [{ address: '127.0.0.1', publicAddress: '127.0.0.1' }],
    ports: { udp: [port], tcp: [port] },
    tokens: [{ name: 'test', token: TOKEN }],
    credentials: await makeCredentials(),
    version: '0.1.0',
    warn: () => undefined,
  });
  return { port, close: reflector.close };
};

/** A question of the agent's own, and what it makes of the answer. */
const asked = async (method: (typeof ALG_METHODS)[number], sequence: number, transport: 'udp' | 'tcp') => {
  let exchange: Exchange | null = null;
  const probe = algProbe({ method });
  const { asking } = await askAs('sip-options', { sequence, transport });
  const question = probe.ask(asking);
  const [sent = new Uint8Array(0)] = question.messages;
  const read = (bytes: Uint8Array) => {
    const arrival = { check: asking.check, question, receivedAtMicros: 0n, elapsedMicros: 1000 };
    const reading = probe.read(bytes, arrival);
    if (reading.kind === 'answer') exchange = reading.value ?? null;
    return reading;
  };
  return { sent, read, exchange: () => exchange as Exchange | null };
};

const overUdp = async (message: Uint8Array, port: number): Promise<Buffer> => {
  const socket = createSocket('udp4');
  socket.send(message, port, '127.0.0.1');
  const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(WITHIN_MS) })) as [Buffer];
  socket.close();
  return answer;
};
const overTcp = async (message: Uint8Array, port: number): Promise<Buffer> => {
  const socket = connect(port, '127.0.0.1');
  socket.write(message);
  const [answer] = (await once(socket, 'data', { signal: AbortSignal.timeout(WITHIN_MS) })) as [Buffer];
  socket.destroy();
  return answer;
};
const bodyOf = (answer: Uint8Array): Uint8Array => {
  const read = readTag(answer);
  return read.ok && 'body' in read.value.tag ? read.value.tag.body : new Uint8Array(0);
};

t.test('requests without the lines that phones add are answered, with proof that they were changed', async (t) => {
  const { port, close } = await started();
  t.teardown(close);
  let sequence = 0;
  for (const [transport, send] of [
    ['udp', overUdp],
    ['tcp', overTcp],
  ] as const) {
    for (const lines of [OPTIONAL, MORE]) {
      for (const method of ALG_METHODS) {
        sequence += 1;
        const { sent, read } = await asked(method, sequence, transport);
        const shortened = replaced(sent, lines, '');
        const answer = await send(shortened, port);
        t.match(
          read(answer),
          { kind: 'answer', authentic: true, attestation: { intact: false } },
          `${transport} ${method}`,
        );
        if (transport === 'udp')
          t.ok(answer.length <= shortened.length, `${answer.length} to ${shortened.length} bytes`);
      }
    }
  }
});

t.test('answers that lose lines, addresses or a parameter of the Via on their way show it', async (t) => {
  const { port, close } = await started();
  t.teardown(close);
  const cases = [
    ['INVITE', /^Record-Route:[^\r\n]*\r\n/im, '', 'Record-Route'],
    ['OPTIONS', /^Contact:[^\r\n]*\r\n/im, '', 'Contact'],
    ['REGISTER', /^Expires: 3600/im, 'Expires: 60', 'Expires'],
    ['OPTIONS', /received=127\.0\.0\.1/, 'received=10.77.0.2', 'Via'],
    ['SUBSCRIBE', /;rport=\d+/, '', 'Via'],
    ['NOTIFY', /^Call-ID: ([^@\r\n]*)@[^\r\n]*/im, 'Call-ID: $1@198.51.100.1', 'Call-ID'],
  ] as const;
  let sequence = 0;
  for (const [transport, send] of [
    ['udp', overUdp],
    ['tcp', overTcp],
  ] as const) {
    for (const [method, from, to, field] of cases) {
      sequence += 1;
      const { sent, read, exchange } = await asked(method, sequence, transport);
      const answer = await send(sent, port);
      t.match(read(replaced(answer, from, to)), { kind: 'answer', authentic: true }, `${transport} ${field}`);
      const found = compareSip(answer, exchange()?.received ?? new Uint8Array(0));
      t.match(found, [{ class: 'semantic', field }], `${transport} ${method} ${field}`);
    }
  }
});

t.test('what even the least answer does not fit is told: a receipt, and what arrived', async (t) => {
  const { port, close } = await started();
  t.teardown(close);
  const { sent } = await asked('OPTIONS', 1, 'udp');
  // A device that shortens our own line as well: the tag stays whole, what pays for the answer is gone.
  const tag = Buffer.from(requestTag(1)).toString('base64url');
  const least = replaced(replaced(sent, MORE, ''), /^X-Callpath:[^\r\n]*/im, `X-Callpath: ${tag}`);
  const socket = createSocket('udp4');
  socket.send(least, port, '127.0.0.1');
  const query = requestTag(2, { type: 'receiptsRequest', body: encodeReceiptsQuery([1, 9], PADDING) });
  socket.send(query, port, '127.0.0.1');
  const [answer] = (await once(socket, 'message', { signal: AbortSignal.timeout(WITHIN_MS) })) as [Buffer];
  socket.close();
  t.same(readReceipts(bodyOf(answer), 2), [
    { arrived: 1, answered: 0, why: 'too-large' },
    { arrived: 0, answered: 0, why: null },
  ]);
  const capture = requestTag(3, {
    type: 'captureRequest',
    body: encodeCaptureQuery({ sequence: 1, side: 'request', offset: 0, isTurned: true }),
  });
  const piece = readCapturePiece(bodyOf(await overUdp(capture, port)));
  t.equal(Buffer.compare(piece?.bytes ?? new Uint8Array(0), least), 0);
});
