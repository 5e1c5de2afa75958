/** Mutated datagrams to all ports, in bursts that each end with a request whose answer must come and be authentic. */
import { createSocket, type Socket } from 'node:dgram';
import { once } from 'node:events';
import { expectProof, judgeTag, makeTag } from '../../src/wire/proof.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES } from '../../src/wire/tag.js';
import { sessionOf } from '../../test/reflector/support.js';
import { mutated, pick, type Random } from './mutate.js';
import type { Target } from './target.js';

/** Fits into the smallest receive buffer that systems grant, so that what is sent is also read. */
const BURST = 64;
const LANES = 4;
const TRIES = 8;
const ANSWER_WITHIN_MS = 1000;
/** The fuzz's own session; the corpus has others. */
const SESSION = 77;
const PADDING = new Uint8Array(ANSWER_TAG_BYTES - REQUEST_TAG_BYTES);

interface PacketsResult {
  readonly sent: number;
  readonly proofs: number;
  /** What went wrong, at most once for each lane. */
  readonly findings: readonly string[];
}

/** Asks for one echo; true if its authentic answer came. */
const proves = async (socket: Socket, { address }: Target, port: number, sequence: number): Promise<boolean> => {
  const asking = {
    session: sessionOf(SESSION),
    sequence,
    sentAtMicros: BigInt(Date.now()) * 1000n,
    binding: null,
  };
  const tag = makeTag(asking, 'echoRequest', PADDING);
  const proof = tag && expectProof(asking, tag);
  if (!tag || !proof) return false;
  return new Promise((resolve) => {
    const settle = (authentic: boolean): void => {
      clearTimeout(timer);
      socket.off('message', hear);
      resolve(authentic);
    };
    const hear = (message: Buffer): void => {
      const judged = judgeTag(message, proof, 0);
      if (judged.authentic && judged.attestation.intact && judged.attestation.arrivalPort === port) settle(true);
    };
    const timer = setTimeout(() => settle(false), ANSWER_WITHIN_MS);
    socket.on('message', hear);
    socket.send(tag, port, address);
  });
};

/** Sends `packets` mutated datagrams, or fewer once something is found. */
export const fuzzPackets = async (
  target: Target,
  packets: number,
  corpus: readonly Uint8Array[],
  random: Random,
): Promise<PacketsResult> => {
  let sent = 0;
  let proofs = 0;
  let sequence = 0;
  const findings: string[] = [];
  const lane = async (): Promise<void> => {
    const socket = createSocket({ type: 'udp4', lookup: (host, _options, done) => done(null, host, 4) });
    socket.on('error', () => undefined);
    const bound = once(socket, 'listening');
    socket.bind(0, '127.0.0.1');
    await bound;
    while (sent < packets && findings.length === 0) {
      const port = pick(random, target.udp);
      for (let count = 0; count < BURST; count += 1) {
        socket.send(mutated(random, corpus), port, target.address, () => undefined);
      }
      sent += BURST;
      let proven = false;
      for (let tries = 0; tries < TRIES && !proven; tries += 1) {
        sequence += 1;
        proven = await proves(socket, target, port, sequence);
      }
      if (proven) proofs += 1;
      else findings.push(`after ${sent} packets: no authentic answer at udp ${port} in ${TRIES} tries`);
    }
    socket.close();
  };
  await Promise.all(Array.from({ length: LANES }, lane));
  return { sent, proofs, findings };
};
