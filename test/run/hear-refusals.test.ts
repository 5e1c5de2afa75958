/** Who rejects what was rejected or stayed silent: what the kernel tells becomes evidence, and no more than it says. */
import t from 'tap';
import type { Observation } from '../../src/model/observation.js';
import type { HeardError, Kernel, KernelPeer, KernelView } from '../../src/net/kernel/kernel.js';
import { placeOf } from '../../src/net/on-link.js';
import { hearRefusals } from '../../src/run/phases/hear-refusals.js';
import { ADDRESS, check, observed, silence, UNTIMED } from '../verdict/support/facts.js';
import { fakeNet } from './support/fake-net.js';
import { stateWith } from './support/state.js';

const ROUTER = '203.0.113.1';
const error = (some: Partial<HeardError> = {}): HeardError => ({
  ...{ origin: 'icmp', errno: 'EHOSTUNREACH', type: 3, code: 1, info: 0, from: ROUTER },
  ...{ quoted: new Uint8Array(0), atMs: 0 },
  ...some,
});

/** What a port says to a question: an error, an answer, or nothing. */
type Says = (port: number, count: number) => HeardError | 'answer' | null;

const kernelOf = (says: Says, open: { count: number }, asked: number[]): Kernel => ({
  openFlow: (peer: KernelPeer, events) => {
    open.count += 1;
    let count = 0;
    return {
      local: { address: '192.0.2.99', port: 40_000 + open.count },
      send: () => {
        asked.push(peer.port);
        count += 1;
        const said = says(peer.port, count);
        if (said === 'answer') {
          const heard = { hopLimit: 60, trafficClass: 0, atMs: 0, isKernelTime: true };
          queueMicrotask(() => events.message({ bytes: new Uint8Array(1), ...heard }));
        } else if (said) queueMicrotask(() => events.error(said));
        return 0;
      },
      read: () => undefined,
      close: () => {
        open.count -= 1;
      },
    };
  },
  tryConnection: async ({ port }) => {
    asked.push(port);
    const said = says(port, asked.filter((one) => one === port).length);
    if (said === 'answer') return { outcome: 'open' };
    return said
      ? { outcome: 'error', code: said.errno, icmp: said }
      : { outcome: 'error', code: 'ECONNREFUSED', icmp: null };
  },
});

const STUDIES = { deep: false, nat: false } as const;

const heard = async (
  before: readonly Observation[],
  says: Says,
  { studies = true, view }: { readonly studies?: boolean; readonly view?: KernelView } = {},
) => {
  const open = { count: 0 };
  const asked: number[] = [];
  const net = fakeNet();
  const kernel = async (): Promise<KernelView> => view ?? kernelOf(says, open, asked);
  const state = await stateWith({ ...net, kernel }, before, studies ? { studies: STUDIES } : {});
  await net.run(hearRefusals(state));
  const after = state.observations.inOrder();
  state.close();
  return { after, asked, isLeft: open.count > 0 };
};

const SIP = check('sip-options/udp/5060');
const OTHER = check('sip-options/udp/5062');
const rejected = (transport: 'udp' | 'tcp' = 'udp'): Observation =>
  observed(check(`sip-options/${transport}/5060`), [
    { outcome: 'error', failure: 'host-unreachable', code: 'EHOSTUNREACH', packets: 1, ...UNTIMED, opened: null },
  ]);

t.test('a rejection that Node heard of gets its sender', async (t) => {
  for (const transport of ['udp', 'tcp'] as const) {
    const { after, isLeft } = await heard([rejected(transport)], () => error({ code: 13 }));
    t.same(after[0]?.icmp, { family: 4, type: 3, code: 13, from: ROUTER, place: 'beyond', mtu: null }, transport);
    t.equal(after[0]?.attempts.length, 1, 'and nothing else is said of it');
    t.notOk(isLeft, 'no socket is left open');
  }
});

t.test('silence that was a rejection is one, once it was heard twice', async (t) => {
  const { after, asked } = await heard([observed(SIP, silence(4))], () => error());
  t.equal(asked.length, 2);
  const added = after[0]?.attempts.slice(4);
  const one = { outcome: 'error', failure: 'host-unreachable', code: 'EHOSTUNREACH', packets: 1 } as const;
  t.match(added, [one, one]);
  t.equal(added?.length, 2, 'each sending counts for itself: it may have gone out while the line was away');
  t.match(after[0]?.icmp, { code: 1, from: ROUTER });
});

t.test('one error alone is no rule; of two ports that one router rejects each needs one', async (t) => {
  const once = await heard([observed(SIP, silence(4))], (_port, count) => (count === 1 ? error() : null));
  t.same(once.after[0]?.attempts, silence(4));
  t.equal(once.after[0]?.icmp, undefined);
  const both = await heard([observed(SIP, silence(4)), observed(OTHER, silence(4))], (_port, count) =>
    count === 1 ? error() : null,
  );
  t.same(
    both.after.map(({ icmp }) => icmp?.from),
    [ROUTER, ROUTER],
  );
  const differ = await heard([observed(SIP, silence(4)), observed(OTHER, silence(4))], (port, count) =>
    count === 1 ? error({ from: `203.0.113.${port - 5050}` }) : null,
  );
  t.same(
    differ.after.map(({ icmp }) => icmp),
    [undefined, undefined],
    'two routers that say it once each are no rule either',
  );
});

t.test('an error that is held back is waited for, where others come', async (t) => {
  const { after } = await heard([observed(SIP, silence(4)), observed(OTHER, silence(4))], (port, count) =>
    port === 5060 || count > 2 ? error() : null,
  );
  t.match(
    after.map(({ icmp }) => icmp),
    [{ from: ROUTER }, { from: ROUTER }],
  );
});

t.test('mere silence costs one question, and what answers after all is left as it was', async (t) => {
  const silent = await heard([observed(SIP, silence(4))], () => null);
  t.equal(silent.asked.length, 1);
  t.same(silent.after[0]?.attempts, silence(4));
  const answers = await heard([observed(SIP, silence(4))], (_port, count) => (count === 1 ? error() : 'answer'));
  t.same(answers.after[0]?.attempts, silence(4));
  t.equal(answers.after[0]?.icmp, undefined, 'an error beside answers says nothing of the port');
});

t.test('a reset has no sender', async (t) => {
  const { after, asked } = await heard([rejected('tcp')], () => null);
  t.equal(after[0]?.icmp, undefined);
  t.equal(asked.length, 1);
});

t.test('what is no refusal makes no rejection', async (t) => {
  const loop = await heard([observed(SIP, silence(4))], () => error({ type: 11, code: 0 }));
  t.same(loop.after[0]?.attempts, silence(4), 'a packet that goes in a circle is lost');
  t.match(loop.after[0]?.icmp, { type: 11 });
  const large = await heard([observed(SIP, silence(4))], () =>
    error({ type: 3, code: 4, errno: 'EMSGSIZE', info: 1300 }),
  );
  t.same(large.after[0]?.attempts, silence(4));
  t.match(large.after[0]?.icmp, { mtu: 1300 });
  const local = await heard([observed(SIP, silence(4))], () => error({ origin: 'local', from: null }));
  t.equal(local.after[0]?.icmp, undefined, 'this host said it');
});

t.test('nothing is asked without studies, without a kernel, and of what passed', async (t) => {
  const light = await heard([rejected()], () => error(), { studies: false });
  t.same(light.asked, []);
  const blind = await heard([rejected()], () => error(), { view: { why: 'not here' } });
  t.equal(blind.after[0]?.icmp, undefined);
  const net = fakeNet();
  const state = await stateWith(net, [rejected()], { studies: STUDIES });
  await net.run(hearRefusals(state));
  state.close();
  t.equal(net.sent.length, 0, 'a network without one');
});

t.test('many ports of a range are asked by a few of them', async (t) => {
  const ports = Array.from({ length: 60 }, (_, i) => ({ ...check(`rtp-echo/udp/${20_000 + 2 * i}`), isOfRange: true }));
  const { asked, after } = await heard(
    ports.map((port) => observed(port, silence(4))),
    () => error({ code: 13 }),
  );
  t.equal(new Set(asked).size, 8);
  t.equal(after.filter(({ icmp }) => icmp).length, 8);
});

t.test('where an address lies, seen from here', async (t) => {
  const own = {
    address: '10.77.0.2',
    netmask: '255.255.255.0',
    family: 'IPv4',
    mac: '',
    internal: false,
    cidr: '10.77.0.2/24',
  } as const;
  const own6 = {
    address: '2001:db8:77::2',
    netmask: '',
    family: 'IPv6',
    mac: '',
    internal: false,
    cidr: '2001:db8:77::2/64',
    scopeid: 0,
  } as const;
  const tunnel = { ...own, address: '10.9.0.1', cidr: '10.9.0.1/32' } as const;
  const all = { lan0: [own, own6], tun0: [tunnel], none: undefined };
  for (const [address, place] of [
    ['10.77.0.1', 'on-link'],
    ['10.77.0.2', 'this-host'],
    ['10.77.1.1', 'beyond'],
    ['10.9.0.2', 'beyond'],
    [ADDRESS, 'target'],
    ['2001:db8:77::1', 'on-link'],
    ['2001:db8:78::1', 'beyond'],
  ] as const)
    t.equal(placeOf(address, ADDRESS, all), place, address);
});
