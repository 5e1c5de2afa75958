/** A path that loses all that is long: what is asked of the far end goes in short messages then, and silence is about size. */
import t from 'tap';
import { algProbe } from '../../probes/sip-alg.js';
import type { Observation } from '../../src/model/observation.js';
import { askFor } from '../../src/run/ask/ask.js';
import { askReceipts } from '../../src/run/ask/receipts.js';
import { askWhoIsThere } from '../../src/run/phases/identify.js';
import { tryOtherBytes } from '../../src/run/phases/try-other-bytes.js';
import { trySameSize } from '../../src/run/phases/try-same-size.js';
import { watchLine } from '../../src/run/phases/watch-line.js';
import { fetchCapture } from '../../src/run/studies/captures.js';
import { classify } from '../../src/verdict/classify.js';
import { farEndStates } from '../../src/verdict/far-end.js';
import { sessionOf } from '../reflector/support.js';
import { pureReflector, TOKEN } from '../support/pure-reflector.js';
import { ADDRESS, check, circumstances, observed, proven, silence } from '../verdict/support/facts.js';
import { toolsOf } from './support/context.js';
import { fakeNet, LOCAL_ADDRESS, type SentPacket } from './support/fake-net.js';
import { stateWith } from './support/state.js';

const WAY = check('stun-binding/udp/3478');
const SIP = check('sip-options/udp/5060');

const netLosing = (isLost: (packet: SentPacket, answer: Uint8Array) => boolean) => {
  const farEnd = pureReflector();
  return fakeNet({
    udp: (packet) => {
      const { bytes, localPort, peer } = packet;
      const answer = farEnd.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer && !isLost(packet, answer) ? [{ afterMs: 10, bytes: answer }] : [];
    },
  });
};
const longIsLost = (most: number) => netLosing(({ bytes }) => bytes.length > most);

t.test('who is there, what arrived, and what it looked like', async (t) => {
  const net = longIsLost(900);
  const tools = toolsOf(net, sessionOf(1, TOKEN));
  const { facts } = await net.run(askWhoIsThere([WAY], tools));
  t.ok(facts.identity, 'the short question for info is answered');

  const sequences = Array.from({ length: 150 }, () => tools.nextSequence());
  const { told } = await net.run(askReceipts(sequences, [WAY], tools));
  t.equal(told.size, 150, 'of all numbers, in several short queries');

  const { values, requests } = await net.run(
    askFor(SIP, algProbe({ method: 'OPTIONS' }), { samples: 1, doubt: 0, atMost: 1 }, tools),
  );
  const [exchange] = values;
  const capture = exchange && (await net.run(fetchCapture(exchange.sequence, 'request', [WAY], tools)));
  t.same(capture, requests[0]?.sent, 'in pieces');
});

/** What silence of OPTIONS comes to. */
const judged = async (isLost: (packet: SentPacket, answer: Uint8Array) => boolean) => {
  const net = netLosing(isLost);
  const before: readonly Observation[] = [
    observed(WAY, [proven({}, { arrivalPort: 3478 })]),
    { ...observed(SIP, silence(6)), sequences: [] },
  ];
  const state = await stateWith(net, before);
  state.tools.path.open(ADDRESS, 'udp')(300, 300);
  state.farEnds.passedOverUdp(WAY);
  const done = new AbortController();
  const watching = watchLine(state, done.signal);
  const asking = (async () => {
    await tryOtherBytes(state);
    await trySameSize(state);
    done.abort(new Error('done'));
    await watching;
  })();
  await net.run(asking);
  const { observations, farEnds } = state.output();
  state.close();
  const farEnd = farEndStates(observations, farEnds).get(ADDRESS);
  const sip = observations[1];
  if (!farEnd || !sip) throw new Error('nothing was observed');
  const listens = { udp: [[1, 65535]], tcp: [[1, 65535]], certificateSha256: null } as const;
  const { verdict, reason, evidence } = classify(sip, { ...farEnd, listens }, circumstances());
  const { passesAgainAtBytes } = evidence;
  return `${verdict}/${reason}${passesAgainAtBytes === undefined ? '' : ` passes again at ${passesAgainAtBytes}`}`;
};

t.test('size or content: other bytes of the same length tell', async (t) => {
  t.equal(await judged(({ bytes }) => bytes.length > 400), 'blocked/size-filtered');
  t.equal(await judged((_, answer) => answer.length > 400), 'blocked/size-filtered', 'on the way back as well');
  const isSip = ({ bytes }: SentPacket): boolean => Buffer.from(bytes).includes('SIP/2.0');
  t.equal(await judged(isSip), 'blocked/payload-filtered', 'as long as SIP, and no SIP: it passes');
  t.equal(await judged(({ peer }) => peer.port === 5060), 'blocked/dropped', 'nothing passes there');
});

t.test('a gap: longer ones pass again', async (t) => {
  const said = 'blocked/size-filtered passes again at 1000';
  t.equal(await judged(({ bytes }) => bytes.length >= 600 && bytes.length <= 900), said);
  t.equal(await judged((_, answer) => answer.length >= 600 && answer.length <= 900), said, 'on the way back');
  t.equal(await judged(({ bytes }) => bytes.length >= 600), 'blocked/size-filtered', 'a limit is no gap');
});

const TLS = check('sip-options/tls/5061');

/** Which checks over TLS are found too long, where a plain connection to its port loses all writes that are longer than `most`. */
const tooLongOverTls = async (most: number) => {
  const farEnd = pureReflector();
  const conversations = new Map<number, ReturnType<typeof farEnd.conversation>>();
  const net = fakeNet({
    udp: ({ bytes, localPort, peer }) => {
      const answer = farEnd.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer ? [{ afterMs: 10, bytes: answer }] : [];
    },
    connect: () => [{ afterMs: 10, open: { binding: null, tls: null } }],
    written: (bytes, peer, local) => {
      if (bytes.length > most) return [];
      const conversation = conversations.get(local.port) ?? farEnd.conversation();
      conversations.set(local.port, conversation);
      const arrival = farEnd.arrival({ address: local.address, port: local.port, localPort: peer.port });
      return conversation.push(bytes, arrival).send.map((one) => ({ afterMs: 10, bytes: one.bytes }));
    },
  });
  const opened = { connectMs: 10, tls: { protocol: 'TLSv1.3' } };
  const state = await stateWith(net, [
    observed(WAY, [proven({}, { arrivalPort: 3478 })]),
    { ...observed(TLS, silence(6, opened)), sequences: [] },
  ]);
  state.tools.path.open(ADDRESS, 'udp')(300, 300);
  state.farEnds.passedOverUdp(WAY);
  const done = new AbortController();
  const watching = watchLine(state, done.signal);
  const asking = (async () => {
    await trySameSize(state);
    done.abort(new Error('done'));
    await watching;
  })();
  await net.run(asking);
  const { farEnds } = state.output();
  state.close();
  return farEnds.flatMap(({ onlyShortPasses }) => onlyShortPasses);
};

t.test('TLS stands and its first answer is silent: it shares a segment with session tickets', async (t) => {
  t.same(await tooLongOverTls(960), [TLS.key], 'a limit that is longer than the question itself');
  t.same(await tooLongOverTls(1500), [], 'whatever fits a frame passes');
});
