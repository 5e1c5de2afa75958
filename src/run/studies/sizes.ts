/**
 * Which sizes of SIP are asked over UDP, and where one of them stays silent the same size in other bytes: what falls to both
 * is a matter of size, what falls to SIP alone is a matter of who reads it.
 */
import { judgeEmbedded, type Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import type { SameSize } from '../../model/study-facts.js';
import { RANGE_PORT_DOUBT } from '../../verdict/silence.js';
import { ESP_TAG_SPI_MASK } from '../../wire/carriers.js';
import { classifyNatT, ESP_HEADER_BYTES, encodeEspInUdp } from '../../wire/nat-t.js';
import { zeroed } from '../../wire/octets.js';
import { expectProof, makeTag } from '../../wire/proof.js';
import { askCheck } from '../ask/ask.js';
import { isSilent, passed, witnessedPackets } from '../observations.js';
import type { Tools } from '../tools.js';
import { askBesideKnown } from './beside-known.js';

/**
 * Bytes of SIP in one datagram; the first is as long as the shortest that there is. A phone's OPTIONS and REGISTER have 500 to
 * 900, an INVITE 900 to 1,400. Up to 1300 it need not use TCP (RFC 3261 §18.1.1), 1472 fill an Ethernet frame, beyond them it
 * takes fragments; an INVITE with a long offer and identity headers reaches 3000. Near enough to each other that a gap of 75
 * octets in what a frame holds has at least one.
 */
export const SIZES = [
  ...[600, 700, 775, 850, 925, 1000, 1075, 1150, 1225, 1300, 1375, 1450, 1472],
  ...[1600, 2000, 2500, 3000],
] as const;
/**
 * The same for what is shorter than any SIP with a proof in it: an ACK, a BYE, the answers of a registrar (300 to 600). Other
 * bytes have to stand for them, from the shortest that is answered in its own length on.
 */
export const SMALLER_SIZES = [150, 225, 300, 375, 450, 525, 600] as const;
/** Over a connection: what fills most of one segment, and what takes several. */
export const STREAM_SIZES = [1300, 3000] as const;
/** Whether these bytes pass at all: smaller than any size that is in question. */
const SMALL = 200;

/** A tag in ESP's clothes, filled up to a size; the reflector answers with as many bytes. */
export const sizedProbe = (bytes: number): Probe => ({
  kind: 'udp-echo',
  retransmits: false,
  timed: 'exchange',
  ask: (asking) => {
    const payload = zeroed(bytes - ESP_HEADER_BYTES);
    const tag = makeTag(asking);
    if (tag) payload.set(tag);
    const spi = (Buffer.from(asking.seed).readUInt32BE(0) | ESP_TAG_SPI_MASK) >>> 0;
    const message = encodeEspInUdp({ spi, sequence: asking.sequence >>> 0, payload });
    return { messages: [message], proof: tag && expectProof(asking, message), answeredByOpening: false };
  },
  read: (received, arrival) => {
    const datagram = classifyNatT(received);
    if (!datagram.ok || datagram.value.kind !== 'esp') return { kind: 'refused', why: 'malformed' };
    const reading = judgeEmbedded(datagram.value.payload, arrival, {});
    return reading.kind === 'answer' && reading.authentic !== true ? { kind: 'refused', why: 'bad-proof' } : reading;
  },
});

const askOne = async (check: Check, bytes: number, tools: Tools): Promise<Observation> => {
  const options = { samples: 1, doubt: RANGE_PORT_DOUBT };
  return askCheck({ ...check, probe: 'udp-echo', natT: false }, sizedProbe(bytes), options, tools);
};

const factsOf = (bytes: number, observation: Observation, tools: Tools): SameSize => ({
  port: observation.check.port,
  bytes,
  passes: passed(observation),
  silent: isSilent(observation) ? witnessedPackets(observation, tools) : 0,
});

/** Asks on the port of a check, in a small size and in those that stayed silent; nothing where none did. */
export const askSameSizes = async (
  check: Check,
  silent: readonly number[],
  tools: Tools,
): Promise<readonly SameSize[]> => {
  if (silent.length === 0) return [];
  return Promise.all([SMALL, ...silent].map(async (bytes) => factsOf(bytes, await askOne(check, bytes, tools), tools)));
};

/** The sizes below SIP's, and what of each the far end can be asked about. */
interface Smaller {
  readonly bytes: number;
  readonly observation: Observation;
  /** It was silent, and so was what is known to pass on the port. */
  readonly isAway?: boolean;
}

/**
 * In turn, as more at once may meet a limit; what stays silent is asked again, beside OPTIONS that are answered.
 * @param isAnswered whether OPTIONS are answered there
 */
export const askSmaller = async (check: Check, isAnswered: boolean, tools: Tools): Promise<readonly Smaller[]> => {
  const all: Smaller[] = [];
  for (const bytes of SMALLER_SIZES) {
    if (tools.signal.aborted) break;
    all.push({ bytes, observation: await askOne(check, bytes, tools) });
  }
  const silent = all.filter(({ observation }) => isSilent(observation));
  const questions = silent.map(
    ({ bytes }) =>
      () =>
        askOne(check, bytes, tools),
  );
  const again = isAnswered
    ? await askBesideKnown(check, questions, tools)
    : await Promise.all(questions.map((ask) => ask()));
  return all.map((one): Smaller => {
    const index = silent.indexOf(one);
    if (index < 0) return one;
    const observation = again[index];
    return observation ? { ...one, observation } : { ...one, isAway: true };
  });
};

export const factsOfSmaller = (
  all: readonly Smaller[],
  withWord: (one: Observation) => Observation,
  tools: Tools,
): readonly SameSize[] =>
  all.map(({ bytes, observation, isAway }) => ({
    ...factsOf(bytes, observation, tools),
    ...(isAway && { silent: 0 }),
    seen: passed(observation) ? null : withWord(observation).seen,
  }));
