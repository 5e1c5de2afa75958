/** Evidence of SIP exchanges: kept for who holds the token, given in pieces, bounded for everybody. */
import fc from 'fast-check';
import t from 'tap';
import { createEvidenceBook } from '../../src/reflector/captures.js';
import {
  encodeCaptureQuery,
  encodeEvidencePiece,
  MAX_PIECE_BYTES,
  readCapturePiece,
  readCaptureQuery,
} from '../../src/wire/capture.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES } from '../../src/wire/tag.js';

const bytes = (length: number, octet = 1): Uint8Array => new Uint8Array(length).fill(octet);

const FROM_START = { offset: 0, isTurned: false } as const;

t.test('a whole in pieces, none larger than its query has paid for', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 5000 }), fc.boolean(), (whole, isTurned) => {
      const got: Uint8Array[] = [];
      let offset = 0;
      while (offset < whole.length) {
        const body = encodeCaptureQuery({ sequence: 7, side: 'response', offset, isTurned });
        const query = readCaptureQuery(body);
        const answer = encodeEvidencePiece(whole, query ?? FROM_START, body.length);
        const piece = readCapturePiece(answer);
        if (ANSWER_TAG_BYTES + answer.length > REQUEST_TAG_BYTES + body.length || !piece) return false;
        if (piece.wholeLength !== whole.length || piece.bytes.length === 0) return false;
        got.push(piece.bytes);
        offset += piece.bytes.length;
      }
      return Buffer.compare(Buffer.concat(got), whole) === 0;
    }),
  );
  t.same(readCaptureQuery(encodeCaptureQuery({ sequence: 9, side: 'request', offset: 3, isTurned: true })), {
    sequence: 9,
    side: 'request',
    offset: 3,
    isTurned: true,
  });
});

t.test('nothing that a device replaces stands in a piece as it stood in the message', async (t) => {
  const message = Buffer.from('Via: SIP/2.0/UDP 198.51.100.1:5060;received=198.51.100.1', 'latin1');
  const address = Buffer.from([198, 51, 100, 1]);
  const answer = Buffer.from(
    encodeEvidencePiece(Buffer.concat([message, address]), { offset: 0, isTurned: true }, 2000),
  );
  for (const found of ['SIP/2.0', '198.51.100.1', address]) t.notOk(answer.includes(found), `${found}`);
  t.ok(Buffer.concat([message, address]).equals(readCapturePiece(answer)?.bytes ?? new Uint8Array(0)));
  const plain = Buffer.from(encodeEvidencePiece(message, FROM_START, 2000));
  t.ok(plain.includes('SIP/2.0'), 'who asks without the form, an older agent, gets the bytes as they are');
  t.equal(readCapturePiece(plain)?.wholeLength, message.length);
});

t.test('hostile queries and pieces', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ maxLength: 2000 }), (body, whole) => {
      const query = readCaptureQuery(body);
      const answer = encodeEvidencePiece(whole, query ?? FROM_START, body.length);
      readCapturePiece(body);
      return answer.length <= 4 + MAX_PIECE_BYTES;
    }),
  );
  const unknownSide = Uint8Array.from(encodeCaptureQuery({ sequence: 1, side: 'request', offset: 0, isTurned: true }));
  unknownSide[4] = 9;
  t.equal(readCaptureQuery(unknownSide), null);
  t.equal(readCapturePiece(bytes(3)), null);
  t.same(readCapturePiece(encodeEvidencePiece(null, FROM_START, 2000)), { wholeLength: 0, bytes: Buffer.alloc(0) });
  t.equal(encodeEvidencePiece(bytes(100), FROM_START, 12).length, 4, 'an unpadded query is told nothing');
});

t.test('the book', async (t) => {
  const book = createEvidenceBook();
  const request = bytes(1000, 1);
  book.keep('a', 1, request, bytes(500, 2));
  request.fill(9);
  t.same(book.find('a', 1, 'request'), bytes(1000, 1), 'a copy: the network uses its buffers again');
  t.same(book.find('a', 1, 'response'), bytes(500, 2));
  t.equal(book.find('b', 1, 'request'), null, 'another session');
  book.keep('a', 1, bytes(10, 3), bytes(10, 4));
  t.same(book.find('a', 1, 'response'), bytes(500, 2), 'of a retransmission the first');
  for (let sequence = 2; sequence < 150; sequence += 1) book.keep('a', sequence, bytes(1000), bytes(500));
  t.ok(book.find('a', 1, 'request'), 'a run that asks everything four times keeps its first answers');
  for (let sequence = 150; sequence < 200; sequence += 1) book.keep('a', sequence, bytes(1000), bytes(500));
  t.equal(book.find('a', 1, 'request'), null, 'the oldest of a session is forgotten');
  t.ok(book.find('a', 199, 'request'));
  book.keep('a', 200, bytes(270_000), bytes(1));
  t.equal(book.find('a', 200, 'request'), null, 'what is larger than a session may hold');
  for (let session = 0; session < 300; session += 1) book.keep(`s${session}`, 1, bytes(10), bytes(10));
  t.equal(book.find('a', 199, 'request'), null, 'the stalest session is forgotten');
  t.ok(book.find('s299', 1, 'request'));
});

t.test('large sessions leave room for one another', async (t) => {
  const book = createEvidenceBook();
  const kept = (): number =>
    Array.from({ length: 200 }, (_, session) => session).filter((session) => book.find(`s${session}`, 249, 'request'))
      .length;
  for (let session = 0; session < 200; session += 1) {
    for (let sequence = 0; sequence < 250; sequence += 1) book.keep(`s${session}`, sequence, bytes(500), bytes(500));
  }
  t.equal(kept(), 67, '16 MiB of 250 kB each');
  t.ok(book.find('s199', 249, 'request'), 'the newest among them');
});
