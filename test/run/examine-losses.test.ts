/** Ports that lost packets for a time, by themselves, are told from a line that loses. */
import t from 'tap';
import { examineLosses } from '../../src/run/phases/examine-losses.js';
import { pureReflector } from '../support/pure-reflector.js';
import { ADDRESS, check, observed, proven, UNTIMED } from '../verdict/support/facts.js';
import { fakeNet, LOCAL_ADDRESS, type SentPacket } from './support/fake-net.js';
import { stateWith } from './support/state.js';

/** Sixty ports that passed, of which some lost one packet before; which of them are taken for shut meanwhile. */
const shutOf = async (
  hadLost: (port: number) => boolean,
  isLostNow: (packet: SentPacket) => boolean = () => false,
): Promise<readonly number[]> => {
  const farEnd = pureReflector();
  const net = fakeNet({
    udp: (packet) => {
      const { bytes, localPort, peer } = packet;
      const answer = farEnd.datagram(bytes, { address: LOCAL_ADDRESS, port: localPort, localPort: peer.port });
      return answer && !isLostNow(packet) ? [{ afterMs: 10, bytes: answer }] : [];
    },
  });
  const before = Array.from({ length: 60 }, (_, index) => 16_384 + index).map((port) => {
    const silence = { outcome: 'silence', packets: 1, ...UNTIMED, lostAtMs: [100], opened: null } as const;
    return observed(check(`rtp-echo/udp/${port}`), [
      ...(hadLost(port) ? [silence] : []),
      proven({ sourcePort: 40_000 }, { arrivalPort: port }),
    ]);
  });
  const state = await stateWith(net, before);
  for (const atMs of [0, 200]) state.tools.timeline.answered(ADDRESS, atMs, 'udp');
  await net.run(examineLosses(state));
  state.close();
  return state.tools.timeline.shutFor(ADDRESS).map(({ port }) => port);
};

t.test('a part that lost one packet each, and loses none now', async (t) => {
  t.equal((await shutOf((port) => port >= 16_414)).length, 30, 'the upper half');
  t.equal((await shutOf((port) => port % 2 === 1)).length, 30, 'odd ports');
});

t.test('losses all over the range are the line’s, and so are those that go on', async (t) => {
  t.same(await shutOf((port) => port % 4 < 2), []);
  let count = 0;
  const everyFourth = (): boolean => {
    count += 1;
    return count % 4 === 0;
  };
  t.same(await shutOf((port) => port >= 16_414, everyFourth), []);
});
