/**
 * What happens to SIP on the way, once its port is known to pass: each method on SIP's port and on another, from SIP's
 * source port and from another; large requests; and what is no SIP at all on SIP's port. The far end says what arrived
 * and what it answered.
 */
import { ALG_METHODS, type AlgMethod, algProbe, type Exchange } from '../../../probes/sip-alg.js';
import type { Check } from '../../model/check.js';
import type { LossSample, Observation } from '../../model/observation.js';
import type { Passage, SipExchange, SipFacts, SipLimit } from '../../model/study-facts.js';
import { connectionsDie, flowsDie } from '../../verdict/flows.js';
import { RANGE_PORT_DOUBT } from '../../verdict/silence.js';
import { askFor } from '../ask/ask.js';
import { lengthOf, messagesOf } from '../ask/length.js';
import { askReceipts, withReceipts } from '../ask/receipts.js';
import type { Request } from '../ask/transactions.js';
import { isSilent, passed, witnessedPackets } from '../observations.js';
import type { Tools } from '../tools.js';
import { fetchCapture } from './captures.js';
import { OTHER_TRAFFIC_PACKETS, otherTraffic } from './other-traffic.js';
import { pinholeStudy } from './pinhole.js';
import { findSipLimit, findSlowLimit } from './sip-limit.js';
import { askSameSizes, askSmaller, factsOfSmaller, SIZES, SMALLER_SIZES, STREAM_SIZES } from './sizes.js';
import { HEADER_BYTES, type StudiedFarEnd, type Study, sumOf } from './study.js';

/** SIP's own (RFC 3261 §19.1.2), for the source port: the destination is whatever port the check was about. */
const SIP_PORT = 5060;
/** A control is only a control: it need not prove that it is silent. */
const CONTROL_ATTEMPTS = 6;
/** One flow's worth (run/ask/flows.ts): a fixed source port cannot be bound for a second flow beside it. */
const FIXED_PORT_ATTEMPTS = 3;
/** What other ports inspect as their own protocol is no control for SIP. */
const NO_CONTROL: ReadonlySet<number> = new Set([53, 80, 500, 3478, 3479, 4500, 5060, 5061]);
interface Asked {
  readonly check: Check;
  readonly method: AlgMethod;
  readonly isControl: boolean;
  readonly fromSipPort: boolean;
  readonly padded: number | null;
}

interface Heard {
  readonly asked: Asked;
  readonly observation: Observation;
  readonly exchange: Exchange | null;
  /** Requests as they were sent, the latest last. */
  readonly requests: readonly Request[];
  readonly passages: Passages;
}

/** What stood on the wire each way, as far as it is known; nothing of what was not answered. */
type Passages = Pick<SipExchange, 'request' | 'response'>;

const NO_PASSAGES: Passages = { request: null, response: null };

const probeOf = ({ method, padded }: Pick<Asked, 'method' | 'padded'>) =>
  algProbe({ method, ...(padded !== null && { atLeastBytes: padded }) });

const passagesOf = async (
  { asked, observation, exchange }: Omit<Heard, 'passages'>,
  ways: readonly Check[],
  tools: Tools,
): Promise<Passages> => {
  if (!exchange || asked.padded !== null) return NO_PASSAGES;
  // The same way first: of several processes the one that answered has what it answered.
  const all = [asked.check, ...ways];
  const intact = observation.attempts.some((one) => one.outcome === 'answer' && one.attestation?.intact === true);
  const [arrived, answered] = await Promise.all([
    intact ? exchange.sent : fetchCapture(exchange.sequence, 'request', all, tools),
    fetchCapture(exchange.sequence, 'response', all, tools),
  ]);
  return {
    request: arrived && { sent: exchange.sent, received: arrived },
    response: answered && { sent: answered, received: exchange.received },
  };
};

const askAlone = async (asked: Asked, tools: Tools): Promise<Omit<Heard, 'passages'>> => {
  const atMost = asked.fromSipPort ? FIXED_PORT_ATTEMPTS : asked.isControl ? CONTROL_ATTEMPTS : undefined;
  const options = {
    samples: 1,
    doubt: RANGE_PORT_DOUBT,
    ...(atMost !== undefined && { atMost }),
    ...(asked.fromSipPort && { sourcePort: SIP_PORT }),
  };
  const { observation, values, requests } = await askFor(asked.check, probeOf(asked), options, tools);
  return { asked, observation, exchange: values[0] ?? null, requests };
};

const withPassages = async (heard: Omit<Heard, 'passages'>, ways: readonly Check[], tools: Tools): Promise<Heard> => ({
  ...heard,
  passages: await passagesOf(heard, ways, tools),
});

/** What stood on the wire is fetched at once: a run that ends while others are still asked knows what it can compare. */
const ask = async (asked: Asked, ways: readonly Check[], tools: Tools): Promise<Heard> =>
  withPassages(await askAlone(asked, tools), ways, tools);

/** Silence here accuses somebody, so it is asked for twice, some time apart. */
const again = async (heard: Heard, ways: readonly Check[], tools: Tools): Promise<Heard> => {
  if (!isSilent(heard.observation) || heard.asked.isControl || heard.asked.fromSipPort) return heard;
  const second = await ask(heard.asked, ways, tools);
  if (!isSilent(second.observation)) return second;
  const { observation } = heard;
  const { attempts, sequences } = second.observation;
  return {
    ...heard,
    requests: [...heard.requests, ...second.requests],
    observation: {
      ...observation,
      attempts: [...observation.attempts, ...attempts],
      sequences: [...observation.sequences, ...sequences],
    },
  };
};

/** Why silence is not about what was asked. */
interface Rivals {
  readonly limit: SipLimit | null;
  /** The run or the line ended before it was known whether there is a limit. */
  readonly isUntold: boolean;
  /** Some flows die whatever they carry. */
  readonly flowsDie: boolean;
  /** Some connections never open, whatever they would carry. */
  readonly connectionsDie: boolean;
  /** The far end saw SIP on this port over UDP and did not answer it: silence means something only where it tells that it did. */
  readonly unansweredPort: number | null;
}

const isExplained = (
  { asked, observation }: Heard,
  { limit, isUntold, flowsDie: dying, connectionsDie: unopened, unansweredPort }: Rivals,
): boolean => {
  if (!isSilent(observation)) return false;
  const { transport, port } = asked.check;
  if (transport !== 'udp') return unopened;
  return dying || isUntold || port === limit?.port || (port === unansweredPort && observation.seen === null);
};

/**
 * A connection that never stood, or whose TLS never came about, did not carry the message: its silence is no message's. One
 * that stood may have met the end of the line, two did not.
 */
const MIN_CARRIED = 2;
const carried = ({ attempts, check }: Observation): number => {
  const silent = attempts.filter(
    (one) =>
      one.outcome === 'silence' && one.opened !== null && (check.transport !== 'tls' || one.opened.tls !== undefined),
  );
  return silent.length < MIN_CARRIED ? 0 : silent.length;
};

/** Packets of it whose fate is the message's own, and not the line's, a flow's, or a limit's. */
const ownPackets = (heard: Heard, tools: Tools, rivals: Rivals): number => {
  const { observation } = heard;
  if (isExplained(heard, rivals)) return 0;
  const overConnections = heard.asked.check.transport !== 'udp' && isSilent(observation);
  return overConnections ? carried(observation) : witnessedPackets(observation, tools);
};

const packetsOf = ({ attempts }: Observation): number => attempts.reduce((sum, { packets }) => sum + packets, 0);

const sampleOf = (all: readonly Heard[]): LossSample => ({
  trials: all.reduce((sum, { observation }) => sum + packetsOf(observation), 0),
  answers: all.reduce(
    (sum, { observation: { attempts } }) =>
      sum + attempts.reduce((own, one) => own + (one.outcome === 'answer' ? one.answers : 0), 0),
    0,
  ),
});

/** Whether silence on SIP's own port over UDP is about how much was asked there. */
const limitOf = async (known: Check, all: readonly Heard[], tools: Tools): Promise<SipLimit | null | 'untold'> => {
  const here = all.filter(({ asked: { check } }) => check.transport === 'udp' && check.port === known.port);
  const silent = here.filter(({ asked, observation }) => isSilent(observation) && !asked.fromSipPort);
  if (silent.length === 0) {
    const controls = all.filter(({ asked: { check, isControl } }) => check.transport === 'udp' && isControl);
    return findSlowLimit(known, sampleOf(here), sampleOf(controls), tools);
  }
  // As unlike as they are; each by itself may have come a moment too early.
  const unlike = [...new Set([silent[0], silent.at(-1)])].flatMap((one) =>
    one ? { check: one.asked.check, probe: probeOf(one.asked) } : [],
  );
  return findSipLimit(unlike, known, tools);
};

/** It arrived, and its answer would have been larger than what was left of it. */
const isTooLarge = ({ unanswered }: Observation): boolean => (unanswered?.['too-large'] ?? 0) > 0;

/** What the far end saw and could not answer in as few bytes, as it arrived; null where there is no such thing. */
const unansweredRequest = async (
  { requests, observation, asked }: Heard,
  ways: readonly Check[],
  tools: Tools,
): Promise<Passage | null> => {
  if (!isTooLarge(observation) || asked.padded !== null) return null;
  for (const { sequence, sent } of requests) {
    const received = await fetchCapture(sequence, 'request', ways, tools);
    if (received) return { sent, received };
  }
  return null;
};

const factsOf = (heard: Heard, tools: Tools, rivals: Rivals): SipExchange => {
  const { asked, observation } = heard;
  const { check, ...how } = asked;
  const { attempts } = observation;
  const answers = attempts.filter((attempt) => attempt.outcome === 'answer');
  return {
    transport: check.transport,
    port: check.port,
    address: check.address ?? '',
    ...how,
    ...(heard.requests[0] && { bytes: heard.requests[0].sent.length }),
    packets: ownPackets(heard, tools, rivals),
    answers: answers.length,
    errors: attempts.flatMap((attempt) => (attempt.outcome === 'error' ? attempt.code : [])),
    seen: observation.seen,
    answered: observation.answered ?? null,
    unproven: answers.some(({ authentic }) => authentic === false),
    changed: answers.some(({ attestation }) => attestation?.intact === false),
    misdirected: answers.some(({ attestation }) => attestation !== null && attestation.arrivalPort !== check.port),
    ...heard.passages,
  };
};

/** A port on which SIP's own inspection has no business, and which is known to pass. */
const controlFor = (transport: Check['transport'], passing: readonly Check[]): Check | null => {
  if (transport === 'tls') return null;
  const candidates = passing.filter(
    (check) => (check.transport === 'udp') === (transport === 'udp') && !NO_CONTROL.has(check.port),
  );
  const rank = ({ probe, port }: Check): number => (probe === 'rtp-echo' ? 0 : port === 443 ? 1 : 2);
  const [best] = candidates.sort((a, b) => rank(a) - rank(b));
  return best ? { ...best, transport, natT: false } : null;
};

/** What is asked of one far end: over sockets of their own, and in turn from SIP's own source port. */
const questionsOf = (
  signalling: readonly Check[],
  others: readonly Check[],
): { readonly free: readonly Asked[]; readonly fixed: readonly Asked[] } => {
  const question =
    (check: Check, how: Partial<Asked>) =>
    (method: AlgMethod): Asked => ({
      check: { ...check, natT: false },
      method,
      isControl: false,
      fromSipPort: false,
      padded: null,
      ...how,
    });
  const free: Asked[] = [];
  const fixed: Asked[] = [];
  for (const check of signalling) {
    const control = controlFor(check.transport, others);
    // The name in the request stays the same, so that both ask the same thing.
    const elsewhere = control && { ...control, host: check.host };
    free.push(...ALG_METHODS.map(question(check, {})));
    if (elsewhere) free.push(...ALG_METHODS.map(question(elsewhere, { isControl: true })));
    if (check.transport === 'udp') {
      free.push(...SIZES.map((padded) => question(check, { padded })('OPTIONS')));
      fixed.push(...ALG_METHODS.map(question(check, { fromSipPort: true })));
      if (elsewhere) fixed.push(...ALG_METHODS.map(question(elsewhere, { isControl: true, fromSipPort: true })));
    }
    if (check.transport === 'tcp') {
      free.push(...STREAM_SIZES.map((padded) => question(check, { padded })('OPTIONS')));
    }
  }
  return { free, fixed };
};

/** One after the other, because they share a source port; what stood on the wire is fetched beside the next ones. */
const inTurn = async (questions: readonly Asked[], ways: readonly Check[], tools: Tools): Promise<readonly Heard[]> => {
  const heard: Promise<Heard>[] = [];
  for (const asked of questions) heard.push(withPassages(await askAlone(asked, tools), ways, tools));
  return Promise.all(heard);
};

/**
 * Asks one proven reflector. A transport whose OPTIONS do not pass is left out, unless the far end saw them and could not
 * answer in as few bytes.
 */
const askOne = async (farEnd: StudiedFarEnd, tools: Tools): Promise<SipFacts | null> => {
  const { passing, observations, signalling: besides, ways, flows, connections } = farEnd;
  // Over UDP nothing passes any more: each question would take its time, which those over connections need.
  const isUdpGone = tools.timeline.isDeaf(farEnd.address, 'udp');
  const asked = observations.filter(
    (one) => one.check.probe === 'sip-options' && (isTooLarge(one) || (passed(one) && passing.includes(one.check))),
  );
  const signalling = [...asked, ...besides]
    .map(({ check }) => check)
    .filter(({ transport }) => transport !== 'udp' || !isUdpGone);
  const [first] = signalling;
  if (!first || first.address === null || first.family === null) return null;
  const { free, fixed } = questionsOf(signalling, [...passing, ...ways]);
  const overUdp = signalling.filter(({ transport }) => transport === 'udp');
  const [udp] = overUdp;
  const besideUdp = udp && controlFor('udp', [...passing, ...ways]);
  const unanswered = asked.find((one) => one.check.transport === 'udp' && isTooLarge(one))?.check;
  const media = passing.find(({ probe }) => probe === 'rtp-echo') ?? null;
  const [heard, fromSipPort, others, pinholes, smaller] = await Promise.all([
    Promise.all(free.map((one) => ask(one, ways, tools))),
    inTurn(fixed, ways, tools),
    Promise.all(overUdp.map((check) => otherTraffic(check, check !== unanswered, tools))),
    udp && besideUdp && media ? pinholeStudy(udp, besideUdp, media, ways, tools) : [],
    udp ? askSmaller(udp, udp !== unanswered, tools) : [],
  ]);
  const all = [...(await Promise.all(heard.map((one) => again(one, ways, tools)))), ...fromSipPort];
  const dying = flowsDie(flows);
  const found = udp && !dying ? await limitOf(udp, all, tools) : null;
  const isUntold = found === 'untold' || (found === null && tools.signal.aborted);
  const limit = found === 'untold' ? null : found;
  const silentSizes = (limit || dying || isUntold ? [] : all).flatMap(
    ({ asked: { check, padded }, observation, requests }) =>
      isSilent(observation) && check.transport === 'udp' && padded !== null
        ? Math.max(padded, requests[0]?.sent.length ?? 0)
        : [],
  );
  const sameSize = udp ? await askSameSizes(udp, silentSizes, tools) : [];
  const receipts = await askReceipts(
    [...all, ...smaller].flatMap(({ observation }) => observation.sequences),
    ways,
    tools,
  );
  const withWord = (one: Observation): Observation => withReceipts(one, receipts);
  const told = await Promise.all(
    all.map(async (one): Promise<Heard> => {
      const known: Heard = { ...one, observation: withWord(one.observation) };
      if (known.exchange) return known;
      return { ...known, passages: { request: await unansweredRequest(known, ways, tools), response: null } };
    }),
  );
  return {
    address: first.address,
    family: first.family,
    exchanges: told.map((one) =>
      factsOf(one, tools, {
        limit,
        isUntold,
        flowsDie: dying,
        connectionsDie: connectionsDie(connections, tools.path.upperBound()),
        unansweredPort: unanswered?.port ?? null,
      }),
    ),
    otherTraffic: limit || dying || isUntold ? [] : others,
    pinholes,
    sameSize: limit || dying || isUntold ? [] : [...factsOfSmaller(smaller, withWord, tools), ...sameSize],
    ...(limit && { limit }),
  };
};

const costOf = (asked: Asked, { session }: Pick<Tools, 'session'>) => ({
  packets: 1,
  bytes: lengthOf(messagesOf(probeOf(asked), asked.check, session)) + HEADER_BYTES[asked.check.family ?? 4],
});

/** A fetch of what stood on the wire, both ways of each exchange; a piece is a request of the size of its answer. */
const CAPTURE_BYTES = 1100;

export const study = {
  kind: 'sip',
  // What it sends from SIP's port may open a way in to it.
  after: ['inbound'],
  wanted: () => true,
  cost: (checks) => {
    const signalling = checks.filter(({ probe }) => probe === 'sip-options');
    const { free, fixed } = questionsOf(signalling, checks);
    const plain = free.filter(({ padded }) => padded === null).length + fixed.length;
    const others = checks.filter(({ probe, transport }) => probe === 'sip-options' && transport === 'udp').length;
    const session = { id: new Uint8Array(8), keys: null };
    const smaller = SMALLER_SIZES.map((bytes) => ({ packets: others, bytes: others * (bytes + HEADER_BYTES[4]) }));
    return sumOf([
      ...smaller,
      ...[...free, ...fixed].map((asked) => costOf(asked, { session })),
      { packets: plain, bytes: plain * CAPTURE_BYTES },
      { packets: others * OTHER_TRAFFIC_PACKETS, bytes: others * OTHER_TRAFFIC_PACKETS * CAPTURE_BYTES },
    ]);
  },
  ask: async (farEnds, tools) =>
    (await Promise.all(farEnds.map((one) => askOne(one, tools)))).flatMap((one) => one ?? []),
} as const satisfies Study<'sip'>;
