/**
 * The body of an echo request: padding of any length, the first octet of which may ask for an answer that is as long as the
 * request. By it a path shows whether long packets pass both ways. A reflector that does not know it answers as shortly as ever.
 */
import { NOTHING, zeroed } from './octets.js';
import { answerRoom } from './tag.js';

/** Stands where other agents send padding, which is zero. */
const AS_LONG = 1;

/** A body of that many octets, at least one, that asks for an answer as long as its request. */
export const echoBody = (bytes: number): Uint8Array => {
  const body = zeroed(Math.max(1, bytes));
  body[0] = AS_LONG;
  return body;
};

/** The body of the answer: as much as the request has paid for where it asks for it, nothing otherwise. */
export const echoAnswerBody = (body: Uint8Array): Uint8Array => {
  const room = answerRoom(body.length);
  return body[0] === AS_LONG && room > 0 ? zeroed(room) : NOTHING;
};
