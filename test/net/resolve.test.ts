/** Names to addresses: what users type, RFC 3263 against tables, and against real servers that answer, lie or keep silent. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import fc from 'fast-check';
import t, { type Test } from 'tap';
import type { Family } from '../../src/model/check.js';
import { TRANSPORTS } from '../../src/model/kinds.js';
import { accept, refuse } from '../../src/model/refusal.js';
import type { DnsFailure, NaptrRecord, SrvRecord } from '../../src/net/dns.js';
import {
  type Dns,
  parseTarget,
  resolveAddresses,
  resolveSip,
  type SipOptions,
  type SipResolution,
  systemDns,
  type Target,
  type TargetRefusal,
} from '../../src/net/resolve.js';
import { orderSrv } from '../../src/net/srv-order.js';

const warnings: string[] = [];
process.on('warning', ({ message }) => warnings.push(message));

const target = (text: string): Target => {
  const result = parseTarget(text);
  if (!result.ok) throw new Error(`${text}: ${result.refusal}`);
  return result.value;
};

t.test('targets as users name them', async (t) => {
  const cases: readonly [string, Target][] = [
    ['carrier.example', { kind: 'name', name: 'carrier.example' }],
    ['Carrier.Example.', { kind: 'name', name: 'carrier.example' }],
    ['pbx', { kind: 'name', name: 'pbx' }],
    ['localhost', { kind: 'name', name: 'localhost' }],
    ['a_b.3cx.example', { kind: 'name', name: 'a_b.3cx.example' }],
    ['bücher.example', { kind: 'name', name: 'xn--bcher-kva.example' }],
    ['例え。jp', { kind: 'name', name: 'xn--r8jz45g.jp' }],
    ['192.0.2.1', { kind: 'address', address: '192.0.2.1', family: 4 }],
    ['127.0.0.1', { kind: 'address', address: '127.0.0.1', family: 4 }],
    ['2001:DB8:0:0::1', { kind: 'address', address: '2001:db8::1', family: 6 }],
    ['[2001:db8::1]', { kind: 'address', address: '2001:db8::1', family: 6 }],
    ['::1', { kind: 'address', address: '::1', family: 6 }],
  ];
  for (const [text, expected] of cases) t.strictSame(parseTarget(text), accept(expected), text);
});

t.test('targets that are refused, and why', async (t) => {
  const cases: readonly [string, TargetRefusal][] = [
    ['', 'empty'],
    [' carrier.example', 'whitespace'],
    ['carrier.example\r\nVia: x', 'whitespace'],
    ['carrier\u0000.example', 'whitespace'],
    ['sip:carrier.example', 'uri'],
    ['sips:alice@carrier.example', 'uri'],
    ['https://carrier.example/', 'uri'],
    ['carrier.example/x', 'uri'],
    ['carrier.example;transport=tcp', 'uri'],
    ['alice@carrier.example', 'userinfo'],
    ['carrier.example:5060', 'port'],
    ['192.0.2.1:5060', 'port'],
    ['[2001:db8::1]:5060', 'port'],
    ['carrier.example:', 'port'],
    ['fe80::1%eth0', 'scoped-address'],
    ['[fe80::1%eth0]', 'scoped-address'],
    ['[192.0.2.1]', 'bad-address'],
    ['[2001:db8::1', 'bad-address'],
    ['2001:db8:::1', 'bad-address'],
    ['192.0.2', 'bad-address'],
    ['192.0.2.256', 'bad-address'],
    ['0x7f.1', 'bad-address'],
    ['１２７.0.0.1', 'bad-address'],
    ['0.0.0.0', 'bad-address'],
    ['224.0.1.75', 'bad-address'],
    ['255.255.255.255', 'bad-address'],
    ['::', 'bad-address'],
    ['ff02::1', 'bad-address'],
    ['.', 'bad-name'],
    ['.example', 'bad-name'],
    ['a..example', 'bad-name'],
    ['-a.example', 'bad-name'],
    ['%63arrier.example', 'bad-name'],
    ['carrier.example,other.example', 'bad-name'],
    ['xn--a', 'bad-name'],
    [`${'a'.repeat(64)}.example`, 'bad-name'],
    [`${'a.'.repeat(130)}example`, 'too-long'],
    [`${'ü.'.repeat(100)}example`, 'too-long'],
  ];
  for (const [text, refusal] of cases) t.strictSame(parseTarget(text), refuse(refusal), JSON.stringify(text));
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 300 }), (text) => {
      const result = parseTarget(text);
      return !result.ok || result.value.kind === 'address' || /^[a-z0-9_.-]{1,253}$/.test(result.value.name);
    }),
    { numRuns: 2_000 },
  );
});

interface Zone {
  readonly naptr?: Readonly<Record<string, readonly Partial<NaptrRecord>[] | DnsFailure>>;
  readonly srv?: Readonly<Record<string, readonly Partial<SrvRecord>[] | DnsFailure>>;
  readonly a?: Readonly<Record<string, readonly string[] | DnsFailure>>;
  readonly aaaa?: Readonly<Record<string, readonly string[] | DnsFailure>>;
}

/** A DNS made of tables; `asked` collects every question. What is in no table does not exist. */
const fakeDns = (zone: Zone, asked: string[] = []): Dns => {
  const answer = async <T>(
    type: string,
    table: Readonly<Record<string, readonly T[] | DnsFailure>> = {},
    name: string,
  ) => {
    asked.push(`${type} ${name}`);
    const entry = table[name] ?? 'not-found';
    return typeof entry === 'string' ? refuse(entry) : accept(entry);
  };
  const naptrDefaults = { flags: 's', service: '', regexp: '', replacement: '', order: 10, preference: 10 };
  const srvDefaults = { name: '', port: 5060, priority: 0, weight: 0 };
  return {
    naptr: async (name) => {
      const found = await answer('NAPTR', zone.naptr, name);
      return found.ok ? accept(found.value.map((record) => ({ ...naptrDefaults, ...record }))) : found;
    },
    srv: async (name) => {
      const found = await answer('SRV', zone.srv, name);
      return found.ok ? accept(found.value.map((record) => ({ ...srvDefaults, ...record }))) : found;
    },
    a: (name) => answer('A', zone.a, name),
    aaaa: (name) => answer('AAAA', zone.aaaa, name),
    lookup: async (name) => {
      const four = await answer('lookup', zone.a, name);
      const six = await answer('lookup', zone.aaaa, name);
      const found = [
        ...(four.ok ? four.value : []).map((address) => ({ address, family: 4 as const })),
        ...(six.ok ? six.value : []).map((address) => ({ address, family: 6 as const })),
      ];
      if (found.length > 0) return accept(found);
      return four.ok ? refuse('no-record') : four;
    },
  };
};

/** The same resolution in a few words: `udp naptr: 192.0.2.1:5060 …`, `tcp srv: no`, `tls address?: …`. */
const brief = ({ services }: SipResolution): readonly string[] =>
  services.map(({ transport, offered, via, endpoints }) => {
    const list = endpoints.map(({ address, port }) => `${address}:${port}`).join(' ');
    return `${transport} ${via}${offered === null ? '?' : ''}: ${offered === false ? 'no' : ''}${list}`;
  });

const failuresOf = ({ failures }: SipResolution): readonly string[] =>
  failures.map(({ name, type, reason }) => `${name} ${type} ${reason}`).sort();

const sip = (name: string, dns: Dns, options: Partial<SipOptions> = {}): Promise<SipResolution> =>
  resolveSip(target(name), { transports: TRANSPORTS, families: [4, 6], dns, random: () => 0, ...options });

const D = 'carrier.example';
const HOST = { a: { [D]: ['192.0.2.9'], 'sip.example': ['192.0.2.1'], 'sip2.example': ['192.0.2.2'] } };

t.test('RFC 3263 by tables', async (t) => {
  const cases: readonly {
    readonly what: string;
    readonly zone: Zone;
    readonly services: readonly string[];
    readonly failures?: readonly string[];
  }[] = [
    {
      what: 'NAPTR names two transports, so the third is not offered',
      zone: {
        ...HOST,
        naptr: {
          [D]: [
            { service: 'SIPS+D2T', replacement: '_sips._tcp.sip.example.', order: 20 },
            { service: 'sip+d2u', flags: 'S', replacement: '_sip._udp.sip.example', order: 10 },
          ],
        },
        srv: {
          '_sip._udp.sip.example': [{ name: 'sip.example', port: 5070 }],
          '_sips._tcp.sip.example': [{ name: 'SIP2.example.', port: 5061 }],
          [`_sip._tcp.${D}`]: [{ name: 'sip.example' }],
        },
      },
      services: ['udp naptr: 192.0.2.1:5070', 'tcp naptr: no', 'tls naptr: 192.0.2.2:5061'],
    },
    {
      what: 'the better NAPTR record first, the next if it leads nowhere',
      zone: {
        ...HOST,
        naptr: {
          [D]: [
            { service: 'SIP+D2U', replacement: 'b.example', order: 10, preference: 20 },
            { service: 'SIP+D2U', replacement: 'c.example', order: 20, preference: 1 },
            { service: 'SIP+D2U', replacement: 'a.example', order: 10, preference: 10 },
          ],
        },
        srv: { 'b.example': [{ name: 'sip.example' }], 'c.example': [{ name: 'sip2.example' }] },
      },
      services: ['udp naptr: 192.0.2.1:5060', 'tcp naptr: no', 'tls naptr: no'],
    },
    {
      what: 'NAPTR whose SRV does not exist: the domain itself (§4.2)',
      zone: { ...HOST, naptr: { [D]: [{ service: 'SIP+D2T', replacement: '_sip._tcp.carrier.example' }] } },
      services: ['udp naptr: no', 'tcp address: 192.0.2.9:5060', 'tls naptr: no'],
    },
    {
      what: 'NAPTR whose SRV lookup fails is offered, somewhere',
      zone: {
        ...HOST,
        naptr: { [D]: [{ service: 'SIP+D2T', replacement: 'x.example' }] },
        srv: { 'x.example': 'server-failure' },
      },
      services: ['udp naptr: no', 'tcp naptr: ', 'tls naptr: no'],
      failures: ['x.example SRV server-failure'],
    },
    {
      what: 'NAPTR of other services, SCTP, other flags and regular expressions count as none',
      zone: {
        ...HOST,
        naptr: {
          [D]: [
            { service: 'E2U+sip', flags: 'u', regexp: '!^.*$!sip:x@carrier.example!' },
            { service: 'SIP+D2S', replacement: '_sip._sctp.carrier.example' },
            { service: 'SIP+D2U', flags: 'a', replacement: 'sip.example' },
            { service: 'SIP+D2T', regexp: '!.*!x!' },
          ],
        },
      },
      services: ['udp address?: 192.0.2.9:5060', 'tcp address?: 192.0.2.9:5060', 'tls address?: 192.0.2.9:5061'],
      failures: [`${D} NAPTR bad-record`, `${D} NAPTR unsupported-flag`],
    },
    {
      what: 'no NAPTR: SRV under the standard names, the missing one is not offered',
      zone: {
        ...HOST,
        naptr: { [D]: 'no-record' },
        srv: {
          [`_sip._udp.${D}`]: [{ name: 'sip.example' }],
          [`_sips._tcp.${D}`]: [{ name: 'sip.example', port: 443 }],
        },
      },
      services: ['udp srv: 192.0.2.1:5060', 'tcp srv: no', 'tls srv: 192.0.2.1:443'],
    },
    {
      what: 'a target of "." is a refusal (RFC 2782)',
      zone: {
        ...HOST,
        srv: { [`_sip._udp.${D}`]: [{ name: '.', port: 0 }], [`_sip._tcp.${D}`]: [{ name: 'sip.example' }] },
      },
      services: ['udp srv: no', 'tcp srv: 192.0.2.1:5060', 'tls srv: no'],
    },
    {
      what: 'a target of "" is how c-ares spells "."; alone it denies the whole domain',
      zone: { ...HOST, srv: { [`_sip._udp.${D}`]: [{ name: '', port: 0 }] } },
      services: ['udp srv: no', 'tcp srv: no', 'tls srv: no'],
    },
    {
      what: 'no records at all: the host at default ports',
      zone: { a: { [D]: ['192.0.2.9', '192.0.2.9'] }, aaaa: { [D]: ['2001:db8::9'] } },
      services: [
        'udp address?: 192.0.2.9:5060 2001:db8::9:5060',
        'tcp address?: 192.0.2.9:5060 2001:db8::9:5060',
        'tls address?: 192.0.2.9:5061 2001:db8::9:5061',
      ],
    },
    {
      what: 'a failed SRV lookup is not "not offered"',
      zone: {
        ...HOST,
        srv: {
          [`_sip._udp.${D}`]: [{ name: 'sip.example' }],
          [`_sip._tcp.${D}`]: 'timeout',
          [`_sips._tcp.${D}`]: 'no-record',
        },
      },
      services: ['udp srv: 192.0.2.1:5060', 'tcp srv?: ', 'tls srv: no'],
      failures: [`_sip._tcp.${D} SRV timeout`],
    },
    {
      what: 'a failed NAPTR lookup leaves open what else is offered',
      zone: { ...HOST, naptr: { [D]: 'timeout' }, srv: { [`_sip._udp.${D}`]: [{ name: 'sip.example' }] } },
      services: ['udp srv: 192.0.2.1:5060', 'tcp srv?: ', 'tls srv?: '],
      failures: [`${D} NAPTR timeout`],
    },
    {
      what: 'a DNS that knows only addresses still gives the host, and says what failed',
      zone: {
        ...HOST,
        naptr: { [D]: 'refused' },
        srv: { [`_sip._udp.${D}`]: 'refused', [`_sip._tcp.${D}`]: 'refused', [`_sips._tcp.${D}`]: 'refused' },
      },
      services: ['udp address?: 192.0.2.9:5060', 'tcp address?: 192.0.2.9:5060', 'tls address?: 192.0.2.9:5061'],
      failures: [
        `_sip._tcp.${D} SRV refused`,
        `_sip._udp.${D} SRV refused`,
        `_sips._tcp.${D} SRV refused`,
        `${D} NAPTR refused`,
      ],
    },
    {
      what: 'one host that does not resolve does not lose the others',
      zone: {
        a: {
          'good.example': ['192.0.2.1'],
          'half.example': ['192.0.2.2'],
          'empty.example': 'no-record',
          'sick.example': 'server-failure',
        },
        aaaa: { 'half.example': 'timeout', 'empty.example': 'no-record', 'sick.example': 'no-record' },
        srv: {
          [`_sip._udp.${D}`]: ['gone.example', 'sick.example', 'empty.example', 'half.example', 'good.example'].map(
            (name, priority) => ({ name, priority }),
          ),
        },
      },
      services: ['udp srv: 192.0.2.2:5060 192.0.2.1:5060', 'tcp srv: no', 'tls srv: no'],
      failures: [
        'empty.example A no-address',
        'gone.example A not-found',
        'half.example AAAA timeout',
        'sick.example A server-failure',
      ],
    },
    {
      what: 'nothing at all',
      zone: {},
      services: ['udp address?: ', 'tcp address?: ', 'tls address?: '],
      failures: [`${D} address not-found`],
    },
  ];
  for (const { what, zone, services, failures = [] } of cases) {
    const resolution = await sip(D, fakeDns(zone));
    t.strictSame(brief(resolution), services, what);
    t.strictSame(failuresOf(resolution), failures, `${what}: failures`);
  }
});

t.test('what an endpoint carries, and the order of transports', async (t) => {
  const resolution = await sip(
    D,
    fakeDns({
      naptr: {
        [D]: [
          { service: 'SIP+D2U', replacement: '_sip._udp.carrier.example', order: 30 },
          { service: 'SIPS+D2T', replacement: '_sips._tcp.carrier.example', order: 10 },
        ],
      },
      srv: { [`_sip._udp.${D}`]: [{ name: 'sip.example', port: 5070, priority: 10, weight: 60 }] },
      a: { 'sip.example': ['192.0.2.1'] },
      aaaa: { 'sip.example': ['2001:db8::1'] },
    }),
    { transports: ['udp'], families: [6, 4] },
  );
  t.strictSame(resolution.preference, ['tls', 'udp']);
  const common = { host: 'sip.example', port: 5070, priority: 10, weight: 60 };
  t.strictSame(resolution.services, [
    {
      transport: 'udp',
      offered: true,
      via: 'naptr',
      endpoints: [
        { ...common, address: '2001:db8::1', family: 6 },
        { ...common, address: '192.0.2.1', family: 4 },
      ],
    },
  ]);
});

t.test('literals and localhost are not asked of any server', async (t) => {
  const asked: string[] = [];
  const dns = fakeDns({ a: { localhost: ['127.0.0.1'] } }, asked);
  const literal = await sip('[2001:db8::1]', dns);
  t.strictSame(brief(literal), [
    'udp literal?: 2001:db8::1:5060',
    'tcp literal?: 2001:db8::1:5060',
    'tls literal?: 2001:db8::1:5061',
  ]);
  t.strictSame(asked, []);
  const wrongFamily = await sip('192.0.2.1', dns, { families: [6] });
  t.strictSame(brief(wrongFamily), ['udp literal?: ', 'tcp literal?: ', 'tls literal?: ']);
  t.strictSame(failuresOf(wrongFamily), ['192.0.2.1 address no-address']);
  t.equal(brief(await sip('localhost', dns))[2], 'tls address?: 127.0.0.1:5061');
  t.strictSame(new Set(asked), new Set(['lookup localhost']));
});

t.test('each name is asked for once, and only families that are wanted', async (t) => {
  const asked: string[] = [];
  const srv = [{ name: 'sip.example' }];
  const zone = {
    srv: { [`_sip._udp.${D}`]: srv, [`_sip._tcp.${D}`]: srv, [`_sips._tcp.${D}`]: srv },
    a: { 'sip.example': ['192.0.2.1'] },
  };
  await sip(D, fakeDns(zone, asked), { families: [4] });
  t.strictSame(
    asked.filter((question) => !question.startsWith('lookup')).sort(),
    ['A sip.example', `NAPTR ${D}`, `SRV _sip._tcp.${D}`, `SRV _sip._udp.${D}`, `SRV _sips._tcp.${D}`].sort(),
  );
});

t.test('hostile answers', async (t) => {
  const many = Array.from({ length: 300 }, (_, index) => index);
  const resolution = await sip(
    D,
    fakeDns({
      srv: {
        [`_sip._udp.${D}`]: many.map((index) => ({ name: `h${index}.example`, priority: index })),
        [`_sip._tcp.${D}`]: [
          { name: 'a b\r\nVia: x' },
          { name: '192.0.2.1' },
          { name: 'zero.example', port: 0 },
          { name: `${'a.'.repeat(200)}example` },
          { name: 'sip.example', port: 70_000 },
          { name: 'blocked.example' },
          { name: 'flood.example' },
        ],
      },
      a: {
        ...Object.fromEntries(many.map((index) => [`h${index}.example`, [`192.0.2.${index % 256}`]])),
        'blocked.example': ['0.0.0.0', '224.0.0.1', 'not an address'],
        'flood.example': many.map((index) => `198.51.100.${index % 256}`),
      },
    }),
  );
  const [udp, tcp] = resolution.services;
  t.equal(udp?.endpoints.length, 16);
  t.strictSame(udp?.endpoints.at(0)?.host, 'h0.example', 'the best ones are kept');
  t.strictSame(new Set(tcp?.endpoints.map(({ host }) => host)), new Set(['flood.example']));
  t.equal(tcp?.endpoints.length, 16);
  t.strictSame(failuresOf(resolution), [
    `_sip._tcp.${D} SRV bad-record`,
    `_sip._udp.${D} SRV too-many`,
    'blocked.example A bad-address',
    'flood.example A too-many',
  ]);
  const naptr = await sip(
    D,
    fakeDns({
      naptr: { [D]: many.map((order) => ({ service: 'SIP+D2U', replacement: `n${order}.example`, order })) },
      srv: { 'n15.example': [{ name: 's.example' }], 'n16.example': [{ name: 's.example' }] },
      a: { 's.example': ['192.0.2.1'] },
    }),
  );
  t.equal(brief(naptr)[0], 'udp naptr: 192.0.2.1:5060');
  t.strictSame(failuresOf(naptr), [`${D} NAPTR too-many`]);
  const rejecting = await sip(D, { ...fakeDns(HOST), naptr: () => Promise.reject(new Error('broken')) });
  t.strictSame(failuresOf(rejecting), [`${D} NAPTR other`], 'even a Dns that breaks its promise');
});

t.test('SRV order: priority, then weighted chance', async (t) => {
  const record = (name: string, priority: number, weight: number): SrvRecord => ({
    name,
    priority,
    weight,
    port: 5060,
  });
  const records = [record('c', 20, 0), record('b', 10, 10), record('a', 10, 30), record('z', 10, 0)];
  // RFC 2782: weight 0 stands first in the running sum, and a mark of 0 picks it.
  t.strictSame(
    orderSrv(records, () => 0).map(({ name }) => name),
    ['z', 'b', 'a', 'c'],
  );
  t.strictSame(
    orderSrv(records, () => 0.999).map(({ name }) => name),
    ['a', 'b', 'z', 'c'],
  );
  t.strictSame(
    orderSrv([], () => 0),
    [],
  );
  // A fixed generator (Lehmer), so that the shares are the same in every run.
  let state = 1;
  const random = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  let first = 0;
  for (let run = 0; run < 4_000; run += 1) if (orderSrv(records, random)[0]?.name === 'a') first += 1;
  // Marks are 0 to 40 inclusive, and 11 to 40 pick the one of weight 30.
  t.ok(Math.abs(first / 4_000 - 30 / 41) < 0.03, `${first} of 4000`);
});

t.test('addresses of what is no SIP service', async (t) => {
  const dns = fakeDns({
    a: {
      'both.example': ['192.0.2.1', '192.0.2.1'],
      'none.example': 'no-record',
      'sick.example': 'server-failure',
      'sink.example': ['0.0.0.0'],
    },
    aaaa: { 'both.example': ['2001:db8::1'], 'none.example': 'no-record', 'six.example': ['2001:db8::6'] },
  });
  const resolve = (name: string, families: readonly Family[] = [4, 6]) =>
    resolveAddresses(target(name), { families, dns });
  const four = { address: '192.0.2.1', family: 4 as const };
  const six = { address: '2001:db8::1', family: 6 as const };
  t.strictSame(await resolve('both.example'), accept([four, six]));
  t.strictSame(await resolve('both.example', [6]), accept([six]));
  t.strictSame(await resolve('192.0.2.1'), accept([four]));
  t.strictSame(await resolve('192.0.2.1', [6]), refuse('no-address'));
  t.strictSame(await resolve('six.example', [4]), refuse('no-address'));
  t.strictSame(await resolve('none.example'), refuse('no-address'));
  t.strictSame(await resolve('gone.example'), refuse('not-found'));
  t.strictSame(await resolve('sick.example'), refuse('server-failure'));
  t.strictSame(
    await resolve('sink.example'),
    refuse('bad-address'),
    'a blocking resolver does not send us to ourselves',
  );
});

const never = <T>(): Promise<T> => new Promise<T>(() => {});

t.test('the deadline and the signal hold for a DNS that never answers', async (t) => {
  const mute: Dns = { naptr: never, srv: never, a: never, aaaa: never, lookup: never };
  const options = { families: [4 as const], dns: mute };
  t.strictSame(await resolveAddresses(target(D), { ...options, deadlineMs: 5 }), refuse('timeout'));
  t.strictSame(failuresOf(await sip(D, mute, { deadlineMs: 5 })).at(-1), `${D} address timeout`);
  t.strictSame(await resolveAddresses(target(D), { ...options, signal: AbortSignal.abort() }), refuse('cancelled'));
  const controller = new AbortController();
  const asking = sip(D, mute, { signal: controller.signal });
  controller.abort();
  t.ok(failuresOf(await asking).every((failure) => failure.endsWith('cancelled')));
  // What is known when the time is up is kept.
  const half = await sip(
    D,
    { ...fakeDns({ srv: { [`_sip._udp.${D}`]: [{ name: 'sip.example' }] }, ...HOST }), aaaa: never },
    { deadlineMs: 50 },
  );
  t.strictSame(brief(half), ['udp srv: 192.0.2.1:5060', 'tcp srv: no', 'tls srv: no']);
  t.strictSame(failuresOf(half), ['sip.example AAAA timeout']);
});

t.test('the hosts file of this machine counts', async (t) => {
  const found = await resolveAddresses(target('localhost'), { families: [4], dns: systemDns() });
  t.strictSame(found, accept([{ address: '127.0.0.1', family: 4 }]));
  t.throws(() => systemDns({ servers: ['ns.example'] }), 'a server is an address');
});

/** A UDP server on loopback that treats every query as `answer` says. */
const serve = async (t: Test, answer: (query: Buffer) => Uint8Array | null): Promise<string> => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.teardown(() => socket.close());
  socket.on('message', (query, from) => {
    const reply = answer(query);
    if (reply) socket.send(reply, from.port, from.address);
  });
  return `127.0.0.1:${socket.address().port}`;
};

t.test('servers that fail, refuse, lie or keep silent', async (t) => {
  const signal = new AbortController().signal;
  const reply = (rcode: number) => (query: Buffer) => {
    const bytes = Buffer.from(query);
    bytes.writeUInt16BE(0x8180 | rcode, 2);
    return bytes;
  };
  const cases: readonly [string, (query: Buffer) => Uint8Array | null, DnsFailure][] = [
    ['SERVFAIL', reply(2), 'server-failure'],
    ['REFUSED', reply(5), 'refused'],
    ['NXDOMAIN', reply(3), 'not-found'],
    ['no records', reply(0), 'no-record'],
    ['silence', () => null, 'timeout'],
    [
      'another id',
      (query) => Buffer.concat([Buffer.of(query.readUInt8(0) ^ 1), reply(3)(query).subarray(1)]),
      'timeout',
    ],
  ];
  await Promise.all(
    cases.map(async ([what, answer, failure]) => {
      const dns = systemDns({ timeoutMs: 300, servers: [await serve(t, answer)] });
      t.strictSame(await dns.srv('_sip._udp.carrier.example', signal), refuse(failure), `SRV, ${what}`);
      t.strictSame(await dns.lookup('carrier.example', signal), refuse(failure), `lookup, ${what}`);
    }),
  );
  const junk = systemDns({
    timeoutMs: 300,
    servers: [await serve(t, (query) => Buffer.concat([reply(0)(query), Buffer.alloc(40, 0xff)]))],
  });
  t.notOk((await junk.naptr('carrier.example', signal)).ok, 'garbage is no answer');
});

t.test('a firewall that swallows NAPTR queries costs one timeout and not the result', async (t) => {
  const SRV_TO_SIP = Buffer.from('c00c0021000100000001000f000a003c13c4037369700161016200', 'hex'); // sip.a.b:5060
  const A = Buffer.from('c00c00010001000000010004c0000201', 'hex');
  const server = await serve(t, (query) => {
    const typeAt = query.indexOf(0, 12) + 1;
    const type = query.readUInt16BE(typeAt);
    if (type === 35) return null;
    const asksUdp = query.includes('_sip\x04_udp');
    const answer = type === 33 && asksUdp ? SRV_TO_SIP : type === 1 ? A : null;
    const head = Buffer.from('000081800001000000000000', 'hex');
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(answer ? 1 : 0, 6);
    return Buffer.concat([head, query.subarray(12, typeAt + 4), answer ?? Buffer.alloc(0)]);
  });
  const resolution = await sip(D, systemDns({ timeoutMs: 300, servers: [server] }));
  t.strictSame(brief(resolution), ['udp srv: 192.0.2.1:5060', 'tcp srv?: ', 'tls srv?: ']);
  t.strictSame(failuresOf(resolution), [`${D} NAPTR timeout`]);
});

t.test('a cancelled lookup ends at once', async (t) => {
  const dns = systemDns({ timeoutMs: 60_000, servers: [await serve(t, () => null)] });
  const controller = new AbortController();
  const asking = dns.naptr('carrier.example', controller.signal);
  controller.abort();
  t.strictSame(await asking, refuse('cancelled'));
  t.strictSame(await dns.a('carrier.example', controller.signal), refuse('cancelled'));
});

const canRunDnsmasq = (() => {
  try {
    execFileSync('dnsmasq', ['--version'], { stdio: 'ignore' });
    return process.getuid?.() === 0;
  } catch {
    return false;
  }
})();

/** A port that was free a moment ago: dnsmasq cannot be told to choose one and say which. */
const freePort = async (): Promise<number> => {
  const socket = createSocket('udp4').bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const { port } = socket.address();
  socket.close();
  await once(socket, 'close');
  return port;
};

const startDnsmasq = async (port: number, args: readonly string[]): Promise<ChildProcess> => {
  const fixed = [
    '--no-daemon',
    '--conf-file=/dev/null',
    '--no-resolv',
    '--no-hosts',
    '--bind-interfaces',
    '--user=root',
  ];
  const child = spawn('dnsmasq', [...fixed, '--listen-address=127.0.0.1', `--port=${port}`, ...args], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  // It says "started" once its sockets are bound.
  for await (const chunk of child.stderr) if (String(chunk).includes('started')) return child;
  throw new Error('dnsmasq did not start');
};

t.test('a real server', { skip: !canRunDnsmasq && 'needs root and dnsmasq (Debian: dnsmasq-base)' }, async (t) => {
  const port = await freePort();
  const child = await startDnsmasq(port, [
    '--local=/example/',
    '--naptr-record=full.example,10,50,s,SIPS+D2T,,_sips._tcp.full.example',
    '--naptr-record=full.example,20,50,s,SIP+D2U,,_sip._udp.full.example',
    '--srv-host=_sips._tcp.full.example,sip1.full.example,5061,10,60',
    '--srv-host=_sip._udp.full.example,sip1.full.example,5060,10,60',
    '--srv-host=_sip._udp.full.example,sip2.full.example,5070,20,60',
    '--srv-host=_sip._udp.full.example,gone.full.example,5080,30,60',
    '--host-record=sip1.full.example,192.0.2.1,2001:db8::1',
    '--host-record=sip2-real.full.example,192.0.2.2',
    '--cname=sip2.full.example,sip2-real.full.example',
    '--srv-host=_sip._udp.closed.example',
    '--srv-host=_sip._tcp.closed.example,sip1.full.example,5060',
    '--host-record=plain.example,192.0.2.9',
  ]);
  t.teardown(async () => {
    child.kill();
    await once(child, 'exit');
  });
  const dns = systemDns({ servers: [`127.0.0.1:${port}`] });

  const full = await sip('full.example', dns);
  t.strictSame(brief(full), [
    'udp naptr: 192.0.2.1:5060 2001:db8::1:5060 192.0.2.2:5070',
    'tcp naptr: no',
    'tls naptr: 192.0.2.1:5061 2001:db8::1:5061',
  ]);
  t.strictSame(full.preference, ['tls', 'udp']);
  t.strictSame(failuresOf(full), ['gone.full.example A not-found']);

  const closed = await sip('closed.example', dns, { families: [4] });
  t.strictSame(brief(closed), ['udp srv: no', 'tcp srv: 192.0.2.1:5060', 'tls srv: no']);

  const plain = await sip('plain.example', dns);
  t.strictSame(brief(plain), [
    'udp address?: 192.0.2.9:5060',
    'tcp address?: 192.0.2.9:5060',
    'tls address?: 192.0.2.9:5061',
  ]);
  t.strictSame(failuresOf(plain), [], 'missing records are no failures');

  t.strictSame(failuresOf(await sip('gone.example', dns)), ['gone.example address not-found']);
  // It has no upstream, so it refuses what lies outside of its own zone.
  const outside = await sip('carrier.test', dns);
  t.ok(outside.services.every(({ offered, endpoints }) => offered === null && endpoints.length === 0));
  t.strictSame(new Set(outside.failures.map(({ reason }) => reason)), new Set(['refused']));
  t.strictSame(
    await resolveAddresses(target('plain.example'), { families: [4, 6], dns }),
    accept([{ address: '192.0.2.9', family: 4 }]),
  );
});

t.test('nothing of this made Node print a warning on stderr', async (t) => {
  t.strictSame(warnings, []);
});
