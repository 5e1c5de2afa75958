/** A far end that was silent is asked whether it remembers: a reflector that was restarted is not told as an outage of the line. */
import t from 'tap';
import { recallMemory } from '../../src/run/phases/recall-memory.js';
import { watchLine } from '../../src/run/phases/watch-line.js';
import type { RunState } from '../../src/run/state.js';
import { readTag } from '../../src/wire/tag.js';
import { pureReflector } from '../support/pure-reflector.js';
import { ADDRESS, check } from '../verdict/support/facts.js';
import { type FakeNet, fakeNet, LOCAL_ADDRESS } from './support/fake-net.js';
import { planned, stateWith } from './support/state.js';

const SIP = planned('sip-options/udp/5060');
const STUN = planned('stun-binding/udp/3478');

interface World {
  /** Nothing passes at these times. */
  readonly isAway?: (atMs: number) => boolean;
  /** From then on another reflector, or the same one with an empty memory, answers. */
  readonly restartedAtMs?: number;
  /** Answers to these bytes are lost. */
  readonly isLost?: (bytes: Uint8Array, atMs: number) => boolean;
  /** Asks something before the silence; by default SIP and STUN, which are answered. */
  readonly before?: (state: RunState) => Promise<unknown>;
}

interface Recalled {
  readonly isForgetful: boolean;
  /** Packets that the recall itself cost. */
  readonly packets: number;
  readonly net: FakeNet;
}

const bothAsked = async (state: RunState): Promise<unknown> => Promise.all([SIP, STUN].map(state.ask));

/** Asks, watches the line for five seconds, and then asks the far end what it remembers. */
const recalled = async ({
  isAway = () => false,
  restartedAtMs = Number.POSITIVE_INFINITY,
  isLost = () => false,
  before = bothAsked,
}: World): Promise<Recalled> => {
  let farEnd: ReturnType<typeof pureReflector> | null = null;
  let second: ReturnType<typeof pureReflector> | null = null;
  const net: FakeNet = fakeNet({
    udp: ({ bytes, localPort, peer, atMs }) => {
      farEnd ??= pureReflector(net.nowMicros);
      if (isAway(atMs)) return [];
      if (atMs >= restartedAtMs) second ??= pureReflector(net.nowMicros);
      const answer = (second ?? farEnd).datagram(bytes, {
        ...{ address: LOCAL_ADDRESS, port: localPort, localPort: peer.port },
      });
      return answer && !isLost(bytes, atMs) ? [{ afterMs: 10, bytes: answer }] : [];
    },
  });
  const state = await stateWith(net, [], { questions: [SIP, STUN] });
  await net.run(before(state));
  state.farEnds.passedOverUdp(check('stun-binding/udp/3478'));
  const done = new AbortController();
  net.at(6000, () => done.abort(new Error('done')));
  await net.run(watchLine(state, done.signal));
  const sent = net.sent.length;
  await net.run(recallMemory(state));
  state.close();
  const isForgetful = state.farEnds.get(ADDRESS)?.facts.isForgetful ?? false;
  return { isForgetful, packets: net.sent.length - sent, net };
};

/** Two seconds without anything. */
const away = (atMs: number): boolean => atMs >= 2000 && atMs < 4000;

const asksForReceipts = (bytes: Uint8Array): boolean => {
  const read = readTag(bytes);
  return read.ok && read.value.tag.type === 'receiptsRequest';
};

t.test('a far end that was silent and remembers: it was the line', async (t) => {
  const { isForgetful, packets, net } = await recalled({ isAway: away });
  t.equal(isForgetful, false);
  t.equal(packets, 1, 'one question tells');
  t.equal(net.openSockets(), 0);
});

t.test('a far end that was silent and has forgotten: it was restarted', async (t) => {
  const { isForgetful } = await recalled({ isAway: away, restartedAtMs: 3000 });
  t.equal(isForgetful, true);
});

t.test('without a silence nothing is asked', async (t) => {
  const { isForgetful, packets } = await recalled({ restartedAtMs: 3000 });
  t.equal(packets, 0);
  t.equal(isForgetful, false);
});

t.test('whose silence goes on cannot be asked, and nothing is said of it', async (t) => {
  const { isForgetful, packets } = await recalled({ isAway: (atMs) => atMs >= 2000 });
  t.same([isForgetful, packets], [false, 0]);
});

t.test('one that does not say what it remembers is not said to have forgotten', async (t) => {
  const { isForgetful, packets } = await recalled({ isAway: away, isLost: asksForReceipts });
  t.ok(packets > 0);
  t.equal(isForgetful, false);
});

t.test('what was lost in part is no memory that it should have', async (t) => {
  // The first packet of each check is lost, and the far end has not seen it: only some of the numbers ever arrived.
  const { isForgetful, packets } = await recalled({
    isAway: (atMs) => atMs < 50 || away(atMs),
    restartedAtMs: 3000,
  });
  t.same([isForgetful, packets], [false, 0], 'of no check it is certain which of its numbers were answered');
});

t.test('where nothing was answered before the silence there is nothing to remember', async (t) => {
  const { isForgetful, packets } = await recalled({
    isAway: away,
    restartedAtMs: 3000,
    before: async () => undefined,
  });
  t.same([isForgetful, packets], [false, 0]);
});
