/**
 * What happens to SIP on the way, once its port is known to pass: each method on SIP's port and on another, from SIP's
 * source port and from another; large requests; and what is no SIP at all on SIP's port. The far end says what arrived
 * and what it answered.
 */
import type { Probe } from '../../../probes/contract.js';
import { ALG_METHODS, type AlgMethod, acknowledgement, algProbe, type Exchange } from '../../../probes/sip-alg.js';
import type { Check } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import type { Passage, SipExchange, SipFacts } from '../../model/study-facts.js';
import { RANGE_PORT_DOUBT } from '../../verdict/silence.js';
import { askCheck } from '../ask/ask.js';
import type { Net } from '../net.js';
import { witness } from '../phases/fetch-receipts.js';
import { passed } from '../phases/follow-up.js';
import { fetchCapture, type Tools } from './captures.js';
import { otherTraffic } from './other-traffic.js';
import { pinholeStudy } from './pinhole.js';
import { askSameSizes, SIZES } from './sizes.js';

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

/** The net with a source port of our choice, and a way to send one more message on what was opened last. */
const tapped = (
  net: Net,
  sourcePort: number | null,
): { readonly net: Net; readonly say: (bytes: Uint8Array) => void } => {
  let say: (bytes: Uint8Array) => void = () => undefined;
  return {
    say: (bytes) => say(bytes),
    net: {
      ...net,
      openUdp: async (peer, events, local) => {
        const flow = await net.openUdp(peer, events, { ...local, ...(sourcePort !== null && { port: sourcePort }) });
        // An acknowledgement is never answered, so nobody waits to hear that it could not be sent.
        say = (bytes) => void flow.send(bytes).catch(() => undefined);
        return flow;
      },
      openStream: (peer, secure, events, local) =>
        net.openStream(
          peer,
          secure,
          {
            ...events,
            open: (stream, at) => {
              say = stream.write;
              events.open(stream, at);
            },
          },
          local,
        ),
    },
  };
};

interface Heard {
  readonly asked: Asked;
  readonly observation: Observation;
  readonly exchange: Exchange | null;
  /** Requests as they were sent, the latest last. */
  readonly requests: readonly Pick<Exchange, 'sequence' | 'sent'>[];
}

const nameOf = ({ check, method, isControl, fromSipPort, padded }: Asked): string =>
  ['sip', method, isControl && 'control', fromSipPort && 'from-sip-port', padded]
    .filter((part) => part !== false && part !== null)
    .join('-')
    .concat(`@${check.id}`);

const ask = async (asked: Asked, tools: Tools): Promise<Heard> => {
  const { context, path, signal } = tools;
  let exchange: Exchange | null = null;
  const requests: Pick<Exchange, 'sequence' | 'sent'>[] = [];
  const tap = tapped(context.net, asked.fromSipPort ? SIP_PORT : null);
  const probe: Probe = algProbe({
    method: asked.method,
    ...(asked.padded !== null && { atLeastBytes: asked.padded }),
    asked: (request) => requests.push(request),
    found: (found) => {
      exchange ??= found;
      const ack = acknowledgement(found);
      if (!ack) return;
      context.totals.packetsSent += 1;
      context.totals.bytesSent += ack.length;
      tap.say(ack);
    },
  });
  const atMost = asked.fromSipPort ? FIXED_PORT_ATTEMPTS : asked.isControl ? CONTROL_ATTEMPTS : undefined;
  const options = { samples: 1, doubt: RANGE_PORT_DOUBT, ...(atMost !== undefined && { atMost }) };
  const check: Check = { ...asked.check, id: nameOf(asked) };
  const observation = await askCheck(check, probe, { ...context, net: tap.net }, path, options, signal);
  return { asked, observation, exchange, requests };
};

/** It arrived, and its answer would have been larger than what was left of it. */
const isTooLarge = ({ unanswered }: Observation): boolean => (unanswered?.['too-large'] ?? 0) > 0;

const isSilent = ({ observation: { attempts, notRun } }: Heard): boolean =>
  notRun === null && attempts.length > 0 && attempts.every(({ outcome }) => outcome === 'silence');

/** Silence here accuses somebody, so it is asked for twice, some time apart. */
const again = async (heard: Heard, tools: Tools): Promise<Heard> => {
  if (!isSilent(heard) || heard.asked.isControl || heard.asked.fromSipPort) return heard;
  const second = await ask(heard.asked, tools);
  if (!isSilent(second)) return second;
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

const factsOf = async (heard: Heard, ways: readonly Check[], tools: Tools): Promise<SipExchange> => {
  const { asked, observation, exchange } = heard;
  const { check, ...how } = asked;
  const { attempts } = observation;
  const answers = attempts.filter((attempt) => attempt.outcome === 'answer');
  // The same way first: of several processes the one that answered has what it answered.
  const all = [check, ...ways];
  const intact = answers.some(({ attestation }) => attestation?.intact === true);
  const needed = exchange && asked.padded === null;
  const [arrived, answered, unanswered] = await Promise.all([
    needed && (intact ? exchange.sent : fetchCapture(exchange.sequence, 'request', all, tools)),
    needed && fetchCapture(exchange.sequence, 'response', all, tools),
    exchange ? null : unansweredRequest(heard, ways, tools),
  ]);
  return {
    transport: check.transport,
    port: check.port,
    address: check.address ?? '',
    ...how,
    packets: attempts.reduce((sum, { packets }) => sum + packets, 0),
    answers: answers.length,
    errors: attempts.flatMap((attempt) => (attempt.outcome === 'error' ? attempt.code : [])),
    seen: observation.seen,
    answered: observation.answered ?? null,
    unproven: answers.some(({ authentic }) => authentic === false),
    changed: answers.some(({ attestation }) => attestation?.intact === false),
    misdirected: answers.some(({ attestation }) => attestation !== null && attestation.arrivalPort !== check.port),
    request: exchange && arrived ? { sent: exchange.sent, received: arrived } : unanswered,
    response: exchange && answered ? { sent: answered, received: exchange.received } : null,
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

export interface SipTools extends Tools {
  readonly probeOf: (kind: Check['probe']) => Probe;
  /** Checks over which the far end can be asked what arrived, the best first. */
  readonly ways: readonly Check[];
}

const inTurn = async (questions: readonly Asked[], tools: Tools): Promise<readonly Heard[]> => {
  const heard: Heard[] = [];
  for (const asked of questions) heard.push(await ask(asked, tools));
  return heard;
};

/**
 * Asks one proven reflector. `observations` are those of its address; a transport whose OPTIONS do not pass is left out, unless
 * the far end saw them and could not answer in as few bytes.
 */
export const sipStudy = async (observations: readonly Observation[], tools: SipTools): Promise<SipFacts | null> => {
  const passing = observations.filter(passed).map(({ check }) => check);
  const signalling = observations
    .filter((one) => one.check.probe === 'sip-options' && (passed(one) || isTooLarge(one)))
    .map(({ check }) => check);
  const [first] = signalling;
  if (!first || first.address === null || first.family === null) return null;
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
    const control = controlFor(check.transport, [...passing, ...tools.ways]);
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
      free.push(question(check, { padded: SIZES[SIZES.length - 1] ?? null })('OPTIONS'));
    }
  }
  const overUdp = signalling.find(({ transport }) => transport === 'udp') ?? null;
  const besideUdp = overUdp && controlFor('udp', [...passing, ...tools.ways]);
  const media = passing.find(({ probe }) => probe === 'rtp-echo') ?? null;
  const [heard, fromSipPort, others, pinholes] = await Promise.all([
    Promise.all(free.map((asked) => ask(asked, tools))),
    inTurn(fixed, tools),
    Promise.all(
      signalling
        .filter(({ transport }) => transport === 'udp')
        .map((check) => otherTraffic(check, tools.probeOf, tools)),
    ),
    overUdp && besideUdp && media ? pinholeStudy(overUdp, besideUdp, media, tools.ways, tools) : [],
  ]);
  const settled = [...(await Promise.all(heard.map((one) => again(one, tools)))), ...fromSipPort];
  const silentSizes = settled.flatMap((one) => (isSilent(one) && one.asked.padded !== null ? [one.asked] : []));
  const overDatagrams = silentSizes.filter(({ check }) => check.transport === 'udp');
  const sameSize = overUdp
    ? await askSameSizes(
        overUdp,
        overDatagrams.flatMap(({ padded }) => padded ?? []),
        tools,
      )
    : [];
  const asked = settled.map(({ observation }) => observation);
  const told = await witness(asked, tools.ways, tools.context, tools.path, tools.signal);
  const seen = new Map(told.observations.map((one) => [one.check.id, one]));
  const complete = settled.map((one) => ({
    ...one,
    observation: seen.get(one.observation.check.id) ?? one.observation,
  }));
  return {
    address: first.address,
    family: first.family,
    exchanges: await Promise.all(complete.map((one) => factsOf(one, tools.ways, tools))),
    otherTraffic: others,
    pinholes,
    sameSize,
  };
};
