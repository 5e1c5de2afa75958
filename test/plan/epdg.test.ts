/** A carrier's gateway: its name, and what of a resolver's answer can be believed. */
import t from 'tap';
import { accept, refuse } from '../../src/model/refusal.js';
import type { Dns, NaptrRecord } from '../../src/net/dns.js';
import { CARRIERS, gatewayName, readForm } from '../../src/plan/carriers.js';
import type { Resolved } from '../../src/plan/destination.js';
import {
  checkPlmn,
  epdgName,
  gatewayNotes,
  hostOf,
  inventedAddresses,
  type Plmn,
  screenEpdg,
} from '../../src/plan/epdg.js';
import { loadProfile } from '../../src/plan/profiles.js';
import { visitedGateways } from '../../src/plan/visited.js';

const GATEWAY = 'epdg.epc.mnc099.mcc999.pub.3gppnetwork.org';

const resolved = (addresses: readonly string[], host = GATEWAY, notes: readonly string[] = []): Resolved => {
  const endpoints =
    addresses.length > 0
      ? addresses.map((address) => ({ host, address, family: address.includes(':') ? (6 as const) : (4 as const) }))
      : [{ host, address: null, family: null }];
  const route = { offered: true, endpoints: endpoints.map((one) => ({ ...one, port: null })) };
  return { destination: { host, endpoints, sip: { udp: route, tcp: route, tls: route } }, resolution: null, notes };
};
const kept = ({ destination }: Resolved): readonly (string | null)[] =>
  destination.endpoints.map(({ address }) => address);

t.test('names', async (t) => {
  t.equal(epdgName('310', '260'), 'epdg.epc.mnc260.mcc310.pub.3gppnetwork.org');
  t.equal(epdgName('262', '01'), 'epdg.epc.mnc001.mcc262.pub.3gppnetwork.org', 'two digits get a zero in front');
  const bad: readonly (readonly [string | null, string | null, RegExp])[] = [
    ['31', '260', /^--mcc: "31" is not three digits/],
    ['3100', '260', /^--mcc/],
    ['31a', '260', /^--mcc/],
    ['310', '2', /^--mnc: "2" is not two or three digits/],
    ['310', '2600', /^--mnc/],
    ['310', null, /^--mnc is missing/],
    [null, '260', /^--mcc is missing/],
  ];
  for (const [mcc, mnc, message] of bad) t.throws(() => checkPlmn({ mcc, mnc }), { message }, `${mcc} ${mnc}`);
  for (const [mcc, mnc] of [
    [null, null],
    ['310', '260'],
    ['262', '01'],
  ] as const) {
    t.doesNotThrow(() => checkPlmn({ mcc, mnc }));
  }
});

t.test('names of other gateways of a carrier', async (t) => {
  const rows: readonly (readonly [form: string, name: string])[] = [
    ['home', 'epdg.epc.mnc120.mcc311.pub.3gppnetwork.org'],
    ['emergency', 'sos.epdg.epc.mnc120.mcc311.pub.3gppnetwork.org'],
    ['visited', 'epdg.epc.mcc311.visited-country.pub.3gppnetwork.org'],
    ['emergency-visited', 'sos.epdg.epc.mcc311.visited-country.pub.3gppnetwork.org'],
    ['lac:FFCC', 'lacffcc.epdg.epc.mnc120.mcc311.pub.3gppnetwork.org'],
    ['emergency-lac:ffcc', 'lacffcc.sos.epdg.epc.mnc120.mcc311.pub.3gppnetwork.org'],
    ['tai:ffcc', 'tac-lbcc.tac-hbff.tac.epdg.epc.mnc120.mcc311.pub.3gppnetwork.org'],
    ['emergency-tai:ffcc', 'tac-lbcc.tac-hbff.tac.sos.epdg.epc.mnc120.mcc311.pub.3gppnetwork.org'],
    ['tai:ffccaa', 'tac-lbaa.tac-mbcc.tac-hbff.5gstac.epdg.epc.mnc120.mcc311.pub.3gppnetwork.org'],
  ];
  for (const [form, name] of rows) t.equal(gatewayName('311', '120', readForm(form)), name, form);
  for (const bad of ['away', 'lac:12', 'lac:123456', 'tai:12345', 'tai:ghij', 'emergency-x', '\u001b[2J']) {
    t.throws(() => readForm(bad), { message: /^--epdg: ".*" is not one of home/ }, JSON.stringify(bad));
  }
});

t.test('carriers by their names', async (t) => {
  t.equal(new Set(CARRIERS.map(({ name }) => name)).size, CARRIERS.length);
  for (const { name, host, more, source } of CARRIERS) {
    t.match(name, /^[a-z0-9-]+$/);
    for (const one of [host, ...more]) t.match(one, /^[a-z0-9-]+(\.[a-z0-9-]+)+$/, `${name}: ${one}`);
    t.not(source.evidence, 'unverified', `${name}: was read somewhere`);
    t.equal(hostOf([], { mcc: null, mnc: null, carrier: name }), host);
    t.match(gatewayNotes({ mcc: null, mnc: null, carrier: name }), [new RegExp(host.replaceAll('.', '\\.'))]);
  }
  t.equal(
    hostOf([], { mcc: null, mnc: null, carrier: 't-mobile', form: 'emergency' }),
    'sos.epdg.epc.mnc260.mcc310.pub.3gppnetwork.org',
  );
  const bad: readonly (readonly [Plmn, RegExp])[] = [
    [{ mcc: null, mnc: null, carrier: 'verzon' }, /^--carrier: "verzon" is not one of .*did you mean verizon\?/],
    [{ mcc: '310', mnc: '260', carrier: 'att' }, /^--carrier excludes/],
    [{ mcc: null, mnc: null, carrier: 'jio', form: 'emergency' }, /^--epdg: the numbers of jio are not in the table/],
    [{ mcc: null, mnc: null, form: 'emergency' }, /^--epdg needs a carrier/],
    [{ mcc: '310', mnc: '260', form: 'nowhere' }, /^--epdg: "nowhere"/],
  ];
  for (const [plmn, message] of bad) t.throws(() => checkPlmn(plmn), { message }, JSON.stringify(plmn));
});

t.test('a visited country leads to gateways by its records', async (t) => {
  const signal = new AbortController().signal;
  const record = (replacement: string, order: number): NaptrRecord => ({
    flags: 'a',
    service: 'x-3gpp-epdg:x-swu',
    regexp: '',
    replacement,
    order,
    preference: 1,
  });
  const dns = (answer: Awaited<ReturnType<Dns['naptr']>>): Dns => ({
    naptr: async () => answer,
    srv: async () => refuse('no-record'),
    a: async () => refuse('no-record'),
    aaaa: async () => refuse('no-record'),
    lookup: async () => refuse('no-record'),
  });
  t.strictSame(
    await visitedGateways('x', signal, dns(accept([record('b.example.', 2), record('a.example', 1), record('-', 0)]))),
    ['a.example', 'b.example'],
    'the preferred first, and names only',
  );
  t.strictSame(await visitedGateways('x', signal, dns(refuse('not-found'))), [], 'a country without any');
  await t.rejects(visitedGateways('x', signal, dns(refuse('timeout'))), { message: /could not be asked \(timeout\)/ });
});

t.test('whose gateway is asked without --target', async (t) => {
  const none = { mcc: null, mnc: null };
  const [generic, carrier] = await Promise.all([
    loadProfile('wifi-calling-3gpp'),
    loadProfile('wifi-calling-t-mobile'),
  ]);
  t.equal(hostOf([generic], none), null);
  t.equal(hostOf([generic], { mcc: '999', mnc: '99' }), GATEWAY);
  t.match(hostOf([carrier], none), /mnc260\.mcc310\.pub\.3gppnetwork\.org$/);
  t.equal(hostOf([carrier], { mcc: '999', mnc: '99' }), GATEWAY, 'what the user says comes first');
});

t.test('addresses that no carrier has', async (t) => {
  const impossible = [
    ...['0.0.0.0', '10.1.2.3', '100.64.0.1', '127.0.0.1', '169.254.1.1', '172.16.0.1', '172.31.255.255'],
    ...['192.168.1.1', '224.0.0.1', '255.255.255.255', '::', '::1', 'fc00::1', 'fd12::1', 'fe80::1', 'ff02::1'],
  ];
  for (const address of impossible) {
    const screened = screenEpdg(resolved([address]), false);
    t.same(kept(screened), [null], `${address} is not asked`);
    t.match(screened.notes, [/answers wrongly.*cannot be a carrier's address/], address);
    t.same(kept(screenEpdg(resolved([address], 'reflector.example'), false)), [address], 'but it may be a reflector');
    t.same(
      kept(screenEpdg(resolved([address], 'gateway.example'), true)),
      [null],
      "or a profile's gateway, and is not",
    );
  }
  for (const address of ['208.54.1.1', '172.32.0.1', '100.128.0.1', '2607:fb90::1', '11.0.0.1']) {
    t.same(screenEpdg(resolved([address]), false), resolved([address]), `${address} is`);
  }
  const mixed = screenEpdg(resolved(['10.0.0.1', '208.54.1.1']), false);
  t.same(kept(mixed), ['208.54.1.1'], 'the others are asked');
  t.same(
    mixed.destination.sip.udp.endpoints.map(({ address }) => address),
    ['208.54.1.1'],
  );
});

t.test('a resolver that fails is told in words', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['not-found', /NXDOMAIN/],
    ['no-record', /no address/],
    ['timeout', /no resolver answered in time/],
    ['server-failure', /SERVFAIL/],
    ['refused', /refused to answer/],
  ];
  for (const [reason, words] of cases) {
    const { notes } = screenEpdg(resolved([], GATEWAY, [`The name ${GATEWAY} does not resolve (${reason}).`]), false);
    t.equal(notes.length, 2);
    t.match(notes[1], words, reason);
    t.match(notes[1], /No port is blamed/);
  }
});

t.test('a resolver that answers for names that cannot exist', async (t) => {
  const asked: string[] = [];
  const lying = async (name: string): Promise<readonly string[]> => {
    asked.push(name);
    return ['203.0.113.9'];
  };
  const honest = async (): Promise<readonly string[]> => [];
  const found = resolved(['203.0.113.9', '208.54.1.1']);
  const invented = await inventedAddresses(found, false, lying);
  t.same(invented, ['203.0.113.9']);
  t.same(asked, ['epdg.epc.mnc000.mcc000.pub.3gppnetwork.org']);
  const screened = screenEpdg(found, false, invented);
  t.same(kept(screened), ['208.54.1.1'], 'what it may have got elsewhere is asked');
  t.match(screened.notes, [/gives 203\.0\.113\.9 for epdg\.epc\.mnc000\.mcc000.* a name that cannot exist/]);
  t.same(await inventedAddresses(found, false, honest), []);
  t.same(await inventedAddresses(resolved(['203.0.113.9'], 'wo.example'), true, lying), ['203.0.113.9']);
  t.same(asked.slice(1), ['gateway.invalid'], "outside of 3GPP's names");
  t.same(await inventedAddresses(resolved(['203.0.113.9'], 'reflector.example'), false, lying), []);
  t.same(await inventedAddresses(resolved([]), false, lying), []);
  t.equal(asked.length, 2, 'nobody else asks for more than his own name');
});
