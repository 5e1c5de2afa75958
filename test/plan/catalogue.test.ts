/** The catalogue: what every bundled profile promises to whoever opens ports by it. */
import t from 'tap';
import { alternativesOf, type Profile, type RequirementRole, symptomOf } from '../../src/model/profile.js';
import { STALE_AFTER_MONTHS, staleSources } from '../../src/plan/freshness.js';
import { listBundledProfiles, loadProfile } from '../../src/plan/profiles.js';
import { renderProfileMarkdown } from '../../src/report/profiles/markdown.js';
import { type Item, weigh, weighService } from '../../src/verdict/services.js';

const profiles: readonly Profile[] = await Promise.all(
  (await listBundledProfiles()).map(({ name }) => loadProfile(name)),
);

/** A row's answer, as if its first question had it. */
const itemOf = (profile: Profile, id: string, finding: Item['finding']): readonly (readonly Item[])[] => {
  const row = profile.requirements.find((one) => one.id === id);
  const [spec] = row ? alternativesOf(row) : [];
  if (!row || !spec) throw new Error(`${profile.profile} has no row ${id}`);
  if (row.direction === 'inbound') return [];
  return [
    [
      {
        id,
        probe: 'probe' in spec ? spec.probe : (spec.probes[0] ?? 'udp-echo'),
        transport: spec.transport,
        address: '198.51.100.10',
        from: 'port' in spec ? spec.port : spec.from,
        to: 'port' in spec ? spec.port : spec.to,
        finding,
        partly: false,
        provable: true,
      },
    ],
  ];
};

/** The service while these rows do not pass and all others do. */
const without = (profile: Profile, ...blocked: readonly string[]) =>
  weighService(
    profile,
    profile.requirements.map((row) =>
      weigh(
        row,
        itemOf(
          profile,
          row.id,
          blocked.includes(row.id)
            ? { verdict: 'blocked', reason: 'dropped' }
            : { verdict: 'pass', reason: 'answered' },
        ),
      ),
    ),
  );

t.test('every required row weighs, whatever its source', async (t) => {
  for (const profile of profiles) {
    t.equal(without(profile).verdict, 'works', `${profile.profile}: all passes`);
    for (const row of profile.requirements) {
      const { verdict } = without(profile, row.id);
      const wanted =
        row.need === 'optional' || row.direction === 'inbound' || row.fallback?.leaves === 'works'
          ? 'works'
          : row.fallback
            ? 'degraded'
            : row.role === 'signalling'
              ? 'blocked'
              : 'impaired';
      t.equal(verdict, wanted, `${profile.profile}: ${row.id} blocked (${row.source.evidence})`);
    }
  }
});

t.test('what only the far side begins is untested, and never passes', async (t) => {
  const inbound = profiles.flatMap((profile) =>
    profile.requirements
      .filter(({ direction, need }) => need === 'required' && direction !== undefined && direction !== 'outbound')
      .map((row) => ({ profile, row })),
  );
  t.ok(inbound.length > 5, 'there are some');
  for (const { profile, row } of inbound) {
    const [spec] = alternativesOf(row);
    const ports = spec && ('port' in spec ? `${spec.port}` : `${spec.from}-${spec.to}`);
    t.ok(
      without(profile).untested.includes(`inbound/${spec?.transport}/${ports}`),
      `${profile.profile}: inbound traffic of ${row.id} is listed as untested`,
    );
  }
});

t.test('every primary source has its address, every date is where it belongs', async (t) => {
  for (const { profile, requirements, destinations = [], thresholdsSources } of profiles) {
    const sources = [...requirements, ...destinations].map(({ id, source }) => ({ id, source }));
    for (const { id, source } of [...sources, ...thresholdsSources.map((source) => ({ id: 'thresholds', source }))]) {
      t.ok(source.evidence !== 'primary' || source.url, `${profile} ${id}: primary demands a URL`);
      t.equal(source.checkedOn === undefined, source.evidence === 'unverified', `${profile} ${id}: date`);
    }
  }
});

t.test('every fallback resolves, and serves', async (t) => {
  const served = profiles.flatMap((profile) =>
    profile.requirements.flatMap((row) => (row.fallback ? [{ profile, row, fallback: row.fallback }] : [])),
  );
  t.ok(served.length >= 6);
  for (const { profile, row, fallback } of served) {
    const name = `${profile.profile} ${row.id}`;
    t.ok(
      profile.requirements.some(({ id }) => id === fallback.row),
      `${name}: ${fallback.row} is a row`,
    );
    if (row.need === 'optional') continue;
    t.not(without(profile, row.id).verdict, 'blocked', `${name}: served by ${fallback.row}`);
    const chain: string[] = [row.id];
    for (let next = row.fallback?.row; next !== undefined; ) {
      chain.push(next);
      next = profile.requirements.find(({ id }) => id === next)?.fallback?.row;
    }
    const { verdict } = without(profile, ...chain);
    t.ok(verdict === 'blocked' || verdict === 'impaired', `${name}: without ${chain.join(', ')} it is ${verdict}`);
  }
});

t.test('every destination list is used, and every row names lists that are there', async (t) => {
  for (const { profile, requirements, destinations = [] } of profiles) {
    for (const { id } of destinations) {
      t.ok(
        requirements.some((row) => row.destinations?.includes(id)),
        `${profile}: ${id} is used`,
      );
    }
  }
});

/** What users of each kind of service can notice; whoever adds a profile decides it here as well. */
const SIGNALLING: Readonly<Record<string, string>> = {
  '3cx': 'trunk-down',
  '8x8': 'cannot-sign-in',
  'amazon-chime-sdk': 'cannot-sign-in',
  'amazon-chime-voice-connector': 'trunk-down',
  'amazon-connect': 'cannot-sign-in',
  asterisk: 'cannot-register',
  'business-sip': 'cannot-register',
  facetime: 'facetime-cannot-connect',
  'facetime-article': 'facetime-cannot-connect',
  freeswitch: 'cannot-register',
  'genesys-cloud': 'cannot-sign-in',
  'google-voice': 'cannot-sign-in',
  'goto-app': 'cannot-sign-in',
  'goto-connect': 'cannot-register',
  imessage: 'messages-fail',
  jitsi: 'cannot-sign-in',
  'microsoft-teams': 'cannot-sign-in',
  nextiva: 'cannot-register',
  nfon: 'cannot-register',
  ringcentral: 'cannot-register',
  'teams-direct-routing': 'trunk-down',
  telnyx: 'trunk-down',
  twilio: 'trunk-down',
  'twilio-voice-sdk': 'cannot-sign-in',
  vonage: 'cannot-sign-in',
  'webex-calling': 'cannot-register',
  'webex-calling-trunk': 'trunk-down',
  whatsapp: 'cannot-sign-in',
  'wifi-calling-3gpp': 'wifi-calling-unavailable',
  'wifi-calling-att': 'wifi-calling-unavailable',
  'wifi-calling-t-mobile': 'wifi-calling-unavailable',
  'wifi-calling-t-mobile-article': 'wifi-calling-unavailable',
  'wifi-calling-verizon': 'wifi-calling-unavailable',
  zoom: 'cannot-sign-in',
  'zoom-phone': 'cannot-register',
};

t.test('symptoms make sense for the service, role by role', async (t) => {
  t.strictSame(profiles.map(({ profile }) => profile).sort(), Object.keys(SIGNALLING).sort(), 'all are decided');
  for (const profile of profiles) {
    const { profile: name, requirements } = profile;
    const expected = (role: RequirementRole): string | undefined => {
      const isWifi = name.startsWith('wifi-calling-');
      switch (role) {
        case 'signalling':
          return SIGNALLING[name];
        case 'media':
          return isWifi ? 'wifi-calling-unavailable' : 'no-audio';
        case 'web':
          return isWifi ? 'activation-fails' : 'app-limited';
        case 'push':
          return 'push-delayed';
        case 'keepalive':
          return 'lost-inbound-calls';
        case 'provisioning':
          return 'provisioning-fails';
        case 'time':
          return 'wrong-time';
        case 'dns':
          return 'cannot-find-service';
      }
    };
    for (const role of new Set(requirements.map((row) => row.role))) {
      t.equal(symptomOf(profile, role), expected(role), `${name} ${role}`);
    }
    const asksSip = requirements
      .filter(({ need }) => need === 'required')
      .flatMap(alternativesOf)
      .some((spec) => ('probe' in spec ? [spec.probe] : spec.probes).includes('sip-options'));
    const article = name === 'wifi-calling-t-mobile-article';
    t.ok(
      article || asksSip === ['cannot-register', 'trunk-down'].includes(profile.symptoms.signalling),
      `${name}: only SIP registers`,
    );
  }
});

t.test('what the catalogue was wrong about', async (t) => {
  const of = (name: string): Profile => {
    const found = profiles.find(({ profile }) => profile === name);
    if (!found) throw new Error(`no profile ${name}`);
    return found;
  };
  const row = (name: string, id: string) => of(name).requirements.find((one) => one.id === id);
  const networks = (name: string): readonly string[] =>
    (of(name).destinations ?? []).flatMap((list) => list.networks ?? []);

  t.notOk(row('nfon', 'provisioning-https')?.destinations, 'NFON provisions from anywhere');
  t.strictSame(row('nfon', 'signalling')?.destinations, ['telephony']);
  t.equal(row('nfon', 'media')?.need, 'required', 'NFON: silent audio does not pass');
  t.equal(row('nextiva', 'media')?.need, 'required');
  t.equal(row('nfon', 'time')?.need, 'required');
  t.equal(networks('ringcentral').length, 9);
  t.equal(row('ringcentral', 'web-signalling')?.need, 'optional');
  t.equal(row('microsoft-teams', 'https')?.need, 'required');
  t.equal(row('teams-direct-routing', 'signalling')?.direction, 'both');
  t.match(row('teams-direct-routing', 'media-relays'), { range: { probes: ['rtp-echo'] } }, 'SRTP, not STUN');
  t.equal(row('twilio', 'signalling')?.need, 'required');
  t.equal(row('zoom-phone', 'signalling')?.need, 'required', 'from memory, and it weighs');
  t.ok(networks('wifi-calling-t-mobile').includes('208.54.0.0/16'));
  t.match(row('wifi-calling-t-mobile', 'https'), { host: 'eas3.msg.t-mobile.com' }, 'not of the gateway');
  t.match(row('facetime', 'push')?.fallback, { row: 'https', leaves: 'works' });
  t.match(row('whatsapp', 'chat')?.fallback, { row: 'https', leaves: 'works' });
  t.match(row('zoom', 'media')?.fallback, { row: 'https', leaves: 'degraded' });
  const ports = (name: string): readonly number[] =>
    of(name)
      .requirements.flatMap(alternativesOf)
      .flatMap((spec) => ('port' in spec ? [spec.port] : []));
  t.notOk(ports('webex-calling').includes(5062), 'phones alone do not need the port of trunks');
  t.ok(ports('webex-calling-trunk').includes(5062));
  t.ok(ports('freeswitch').includes(5080));
  t.ok(ports('3cx').includes(5061));
});

t.test('old sources are told', async (t) => {
  const example: Profile = {
    profile: 'example',
    title: 'Example',
    summary: 'A service.',
    notes: [],
    thresholds: { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.01 },
    thresholdsSources: [{ title: 'fresh', evidence: 'secondary', checkedOn: '2026-11-01' }],
    symptoms: { signalling: 'cannot-register' },
    requirements: (
      [
        ['read-long-ago', { title: 'a', evidence: 'secondary', checkedOn: '2025-05-26' }],
        ['read-in-time', { title: 'b', evidence: 'secondary', checkedOn: '2025-05-27' }],
        ['old-document', { title: 'c', evidence: 'secondary', checkedOn: '2026-11-01', dated: '2025-04' }],
        ['document-of-that-month', { title: 'd', evidence: 'secondary', checkedOn: '2026-11-01', dated: '2025-05' }],
        ['from-memory', { title: 'e', evidence: 'unverified' }],
      ] as const
    ).map(([id, source]) => ({
      id,
      need: 'required',
      role: 'signalling',
      purpose: 'a purpose',
      source,
      check: { probe: 'sip-options', transport: 'udp', port: 5060 },
    })),
  };
  t.equal(STALE_AFTER_MONTHS, 18);
  t.strictSame(
    staleSources(example, new Date('2026-11-27T10:00:00Z')).map(({ rests, why, since }) => [rests.join(), why, since]),
    [
      ['read-long-ago', 'read', '2025-05-26'],
      ['old-document', 'dated', '2025-04'],
    ],
  );
  t.strictSame(
    staleSources(example, new Date('2026-08-31T00:00:00Z')).map(({ rests }) => rests.join()),
    [],
    'eighteen months before the end of August is the end of February',
  );
});

t.test('a worksheet holds every row, and nothing in it is markup', async (t) => {
  for (const profile of profiles) {
    const lines = renderProfileMarkdown(profile).split('\n');
    const table = lines.filter((line) => line.startsWith('| ☐ |'));
    t.equal(table.length, profile.requirements.length, `${profile.profile}: a line for each row`);
    for (const line of table) t.equal(line.split(/(?<!\\)\|/).length, 10, `${profile.profile}: eight cells`);
  }
});
