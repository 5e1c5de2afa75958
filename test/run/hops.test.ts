/** The climb, hop by hop, in a chain of routers that the test makes: each drop is found where it is, at little cost. */
import t from 'tap';
import type { HeardError, Kernel, KernelView } from '../../src/net/kernel/kernel.js';
import { study } from '../../src/run/studies/hops.js';
import type { StudiedFarEnd } from '../../src/run/studies/study.js';
import { judge } from '../../src/verdict/studies/hops.js';
import { deriveKeys } from '../../src/wire/keys.js';
import { pureReflector, TOKEN } from '../support/pure-reflector.js';
import { ADDRESS, check, observed, proven, silence } from '../verdict/support/facts.js';
import { toolsOf } from './support/context.js';
import { fakeNet } from './support/fake-net.js';

const ROUTERS = ['10.77.0.1', '100.64.0.1', '100.64.1.1', '203.0.113.9'];
const LOCAL = '10.77.0.2';

interface World {
  /** The router at which port 5060 is dropped, from 0, and whether before it looks at hop limits; null: nowhere. */
  readonly drops: { readonly at: number; readonly early: boolean } | null;
  /** Errors of one router that are sent at most; the rest are held back. */
  readonly errorsAtMost?: number;
  /** What errors quote of the datagram. */
  readonly quotes?: number;
}

const worldOf = ({ drops, errorsAtMost = Number.POSITIVE_INFINITY, quotes = 500 }: World) => {
  const reflector = pureReflector();
  const errors = new Map<string, number>();
  const counts = { open: 0, sent: 0 };
  const kernel: Kernel = {
    openFlow: ({ port }, events) => {
      counts.open += 1;
      const local = { address: LOCAL, port: 40_000 + port };
      const tell = (from: string, bytes: Uint8Array): void => {
        const before = errors.get(from) ?? 0;
        if (before >= errorsAtMost) return;
        errors.set(from, before + 1);
        const error: HeardError = {
          ...{ origin: 'icmp', errno: 'EHOSTUNREACH', type: 11, code: 0, info: 0, from, atMs: 0 },
          quoted: bytes.slice(0, quotes),
        };
        queueMicrotask(() => events.error(error));
      };
      const send = (bytes: Uint8Array, { hopLimit = 64 } = {}): number => {
        counts.sent += 1;
        for (const [at, router] of ROUTERS.entries()) {
          const isDropped = port === 5060 && drops?.at === at;
          if (isDropped && drops.early) return 0;
          if (hopLimit === at + 1) {
            tell(router, bytes);
            return 0;
          }
          if (isDropped) return 0;
        }
        const answer = reflector.datagram(bytes, { ...local, localPort: port });
        const heard = { hopLimit: 60, trafficClass: 0, atMs: 0, isKernelTime: true };
        if (answer) queueMicrotask(() => events.message({ bytes: answer, ...heard }));
        return 0;
      };
      const close = (): void => {
        counts.open -= 1;
      };
      return { local, send, close, read: () => undefined };
    },
    tryConnection: () => Promise.reject(new Error('nobody opens a connection')),
  };
  return { kernel, counts };
};

const far = (blocked: boolean): StudiedFarEnd => {
  const passing = [check('udp-echo/udp/3478'), check('udp-echo/udp/20000')];
  return {
    ...{ address: ADDRESS, passing, signalling: [], ways: [], identity: null, flows: null, connections: null },
    observations: [
      ...(blocked ? [observed(check('udp-echo/udp/5060'), silence(4), { seen: 0 })] : []),
      ...passing.map((one) => observed(one, [proven({}, { seenAddress: '198.51.100.77' })])),
    ],
  };
};

const climbed = async (world: World, { blocked = true, view = null as KernelView | null } = {}) => {
  const { kernel, counts } = worldOf(world);
  const net = fakeNet();
  const id = new Uint8Array(8).fill(7);
  const tools = toolsOf({ ...net, kernel: async () => view ?? kernel }, { id, keys: deriveKeys(TOKEN, id) });
  const found = await net.run(study.ask([far(blocked)], tools));
  // The networks of the host that runs this test are not those of the example.
  const facts = found.map((one) => ({
    ...one,
    places: Object.fromEntries(
      ROUTERS.map((router, at) => [router, at === 0 ? ('on-link' as const) : ('beyond' as const)]),
    ),
  }));
  return { ...counts, rows: judge(facts, { trials: 10, answers: 10 }, {} as never).hops ?? [], tookMs: net.now() };
};

t.test('a drop at each router is found between two hops that hold it', async (t) => {
  for (const at of ROUTERS.keys()) {
    for (const early of [true, false]) {
      const { rows, open } = await climbed({ drops: { at, early } });
      const last = early ? at - 1 : at;
      const row = rows.find(({ passes }) => !passes);
      t.match(row, { lastSeen: ROUTERS[last] ?? null, nextOnControl: ROUTERS[last + 1] ?? ADDRESS }, `${at} ${early}`);
      t.equal(open, 0, 'no socket is left open');
    }
  }
});

t.test('errors that quote headers alone are told apart by their moment', async (t) => {
  const { rows } = await climbed({ drops: { at: 1, early: false }, quotes: 0 });
  t.match(rows, [{ passes: false, lastSeen: ROUTERS[1], nextOnControl: ROUTERS[2] }]);
});

t.test('a router that holds its errors back is no boundary', async (t) => {
  for (const errorsAtMost of [1, 3, 5, 7]) {
    const { rows } = await climbed({ drops: { at: 2, early: false }, errorsAtMost });
    const row = rows.find(({ passes }) => !passes);
    if (!row) continue;
    const from = row.lastSeen === null ? -1 : ROUTERS.indexOf(row.lastSeen);
    const to = row.nextOnControl === ADDRESS ? ROUTERS.length : ROUTERS.indexOf(row.nextOnControl ?? '');
    t.ok(from <= 2 && to >= 2, `${errorsAtMost} errors: ${row.lastSeen} to ${row.nextOnControl}`);
  }
});

t.test('nothing blocked: what passes is followed, and nothing is followed unless it was asked for', async (t) => {
  t.equal(study.wanted({ deep: false, nat: false }), false);
  const asked = await climbed({ drops: null }, { blocked: false });
  t.match(asked.rows, [
    { passes: true, answered: ROUTERS },
    { passes: true, answered: ROUTERS },
  ]);
});

t.test('a port that passes again is no longer blocked, and without a kernel nothing is said', async (t) => {
  const passes = await climbed({ drops: null });
  t.notOk(passes.rows.some((row) => !row.passes));
  const blind = await climbed({ drops: { at: 1, early: false } }, { view: { why: 'not here' } });
  t.same(blind.rows, []);
  t.equal(blind.sent, 0);
});

t.test('it costs little and takes its time', async (t) => {
  const { sent, tookMs } = await climbed({ drops: { at: 1, early: false } });
  t.ok(sent <= 3 * 3 * (ROUTERS.length + 1), `${sent} packets`);
  t.ok(tookMs < 12_000, `${tookMs} ms`);
});
