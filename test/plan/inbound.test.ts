/** `--inbound`: how it is written, and which rows and ports it is about. */
import t from 'tap';
import type { Plan } from '../../src/model/check.js';
import { inboundPorts, readInbound, withInbound } from '../../src/plan/inbound.js';
import { loadProfile } from '../../src/plan/profiles.js';

const planOf = async (...names: readonly string[]): Promise<Plan> => {
  const profiles = await Promise.all(names.map(loadProfile));
  return {
    checks: [],
    ranges: [],
    requirements: profiles.flatMap(({ profile, requirements }) =>
      requirements.map((requirement) => ({ profile, requirement, alternatives: [] })),
    ),
  };
};
const asked = async (names: readonly string[], ...texts: readonly string[]): Promise<Record<string, string>> => {
  const plan = withInbound(await planOf(...names), texts.map(readInbound));
  return Object.fromEntries(
    plan.requirements.flatMap(({ requirement, inbound = [] }) =>
      inbound.length > 0
        ? [[requirement.id, inbound.map(({ transport, port }) => `${transport}/${port}`).join(' ')] as const]
        : [],
    ),
  );
};

t.test('how it is written', async (t) => {
  t.strictSame(readInbound('5061'), { row: null, port: 5061, transport: null });
  t.strictSame(readInbound('signalling=5067/tls'), { row: 'signalling', port: 5067, transport: 'tls' });
  for (const wrong of ['', '0', '65536', 'x', 'signalling=', '5061/sctp', '5061-5062', '=5061']) {
    t.throws(() => readInbound(wrong), { message: /--inbound: .* names no port/ }, wrong);
  }
});

t.test('a port is asked of the rows that hold it', async (t) => {
  t.strictSame(await asked(['teams-direct-routing'], '5061'), { signalling: 'tls/5061' });
  t.strictSame(await asked(['teams-direct-routing'], '5061', '49200'), { signalling: 'tls/5061', media: 'udp/49200' });
  t.strictSame(await asked(['3cx'], '5090'), { tunnel: 'tcp/5090', 'tunnel-udp': 'udp/5090' });
  t.strictSame(await asked(['3cx'], '5090/udp'), { 'tunnel-udp': 'udp/5090' });
  t.strictSame(await asked(['3cx'], '443'), { https: 'tls/443' }, 'not the row that goes out to 443');
});

t.test('a border controller may listen elsewhere', async (t) => {
  t.strictSame(await asked(['teams-direct-routing'], 'signalling=5067'), { signalling: 'tls/5067' });
  t.strictSame(await asked(['3cx'], 'signalling=5070/tls'), { signalling: 'tls/5070' });
  await t.rejects(asked(['3cx'], 'signalling=5070'), { message: /row signalling has udp, tcp, tls; say which/ });
});

t.test('each port is listened on once', async (t) => {
  const plan = withInbound(await planOf('3cx', 'teams-direct-routing'), [readInbound('5061')]);
  t.strictSame(inboundPorts(plan), [{ transport: 'tls', port: 5061 }]);
});

t.test('what nothing lets in is refused, with the way out', async (t) => {
  await t.rejects(asked(['zoom'], '443'), { message: /no chosen profile has a row that the far side starts/ });
  await t.rejects(asked(['teams-direct-routing'], 'signaling=5061'), { message: /did you mean signalling\?/ });
  await t.rejects(asked(['teams-direct-routing'], '5060'), { message: /no row lets in 5060; name the row/ });
});
