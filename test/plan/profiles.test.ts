/** Profiles: what the bundled ones promise, and what a user is told about each mistake in a file of their own. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import { nearest } from '../../src/model/nearest.js';
import { alternativesOf, type CheckSpec, type Profile, type RangeSpec } from '../../src/model/profile.js';
import { UserError } from '../../src/model/user-error.js';
import { packageRoot } from '../../src/plan/package-root.js';
import { readProfileText } from '../../src/plan/profile-file.js';
import {
  bundledProfilesFolder,
  listBundledProfiles,
  loadProfile,
  MAX_PROFILE_BYTES,
  readProfile,
} from '../../src/plan/profiles.js';

const fixtures = join(packageRoot(), 'fixtures', 'profiles');

/** The error that loading ends with, or null. */
const refusalOf = async (nameOrFile: string): Promise<{ code: string; message: string } | null> => {
  try {
    await loadProfile(nameOrFile);
    return null;
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return { code: error.code, message: error.message };
  }
};

/** `probe/transport/port` or `probe+probe/transport/from-to`. */
const specText = (spec: CheckSpec | RangeSpec): string =>
  'probes' in spec
    ? `${spec.probes.join('+')}/${spec.transport}/${spec.from}-${spec.to}`
    : `${spec.probe}/${spec.transport}/${spec.port}`;

/** The questions of all rows of one need, alternatives joined by "or". */
const questions = (profile: Profile, need: 'required' | 'optional'): readonly string[] =>
  profile.requirements.filter((row) => row.need === need).map((row) => alternativesOf(row).map(specText).join(' or '));

/** One fixture per mistake: what follows the file's name in the one line that a user reads. */
const MESSAGES: Readonly<Record<string, string>> = {
  alias: ':31:requirements[1].source: is an alias (*name), which a profile may not use; write the value out',
  'any-of-member': ':15:requirements[0].anyOf[1].port: is 506100; use a whole number from 1 to 65535',
  'any-of-range': ':15:requirements[0].anyOf[1].transport: is "tcp", over which udp-echo cannot be asked; use udp',
  'any-of-single': ':14:requirements[0].anyOf: has fewer than two members; use "check" or "range" instead',
  colon:
    ':25: is not valid YAML: Nested mappings are not allowed in compact mappings; put a text that holds ": " in quotes',
  'control-character': ':3:title: holds control characters; remove them',
  date: ':21:requirements[0].source.checkedOn: is "21.11.2026"; use a date such as 2026-11-21',
  'dns-over-tls': ':15:requirements[0].check.transport: is "tls", over which dns cannot be asked; use udp or tcp',
  'duplicate-id': ':22:requirements[1].id: is "signalling", as in requirements[0]; give each its own id',
  'duplicate-key': ':17:requirements[0].check.port: stands twice in one map; keep one',
  'empty-text': ':3:title: is empty; write a sentence',
  empty: ':1: is empty; a profile begins with "profile: NAME"',
  'escape-in-key': ':4:["ti\\u001btle"]: is not a key that belongs here; did you mean "title"?',
  'http-over-tls': ':15:requirements[0].check.transport: is "tls", over which http cannot be asked; use tcp',
  id: ':22:requirements[1].id: is "Media range"; use lower-case words joined by hyphens',
  'ike-over-tcp': ':15:requirements[0].check.transport: is "tcp", over which ike-sa-init cannot be asked; use udp',
  'keepalive-over-tcp':
    ':15:requirements[0].check.transport: is "tcp", over which nat-t-keepalive cannot be asked; use udp',
  'key-is-list': ':1: has a list or a map as a key; use a plain word',
  list: ':1: is a list; use a map with the keys profile, title, summary, host, notes, thresholds, thresholdsSources, symptoms, appliesTo, udpTimeoutSeconds, keepaliveSeconds, inspection, destinations, farSide, requirements',
  'missing-key': ':22:requirements[1].purpose: is missing; add it',
  'misspelt-question': ':13:requirements[0].chek: is not a key that belongs here; did you mean "check"?',
  nested: ':1: is nested more than 32 levels deep; a profile needs seven',
  'no-question': ':9:requirements[0]: asks nothing; add one of check, range or anyOf',
  'not-a-list': ':8:requirements: is "none"; use a list',
  'not-a-map': ':13:requirements[0].check: is "sip-options/udp/5060"; use a map with the keys probe, transport, port',
  'nothing-required':
    ':8:requirements: holds no required row, so the service would always seem to work; make one required',
  'port-empty': ':16:requirements[0].check.port: is empty; use a whole number from 1 to 65535',
  'port-text': ':16:requirements[0].check.port: is "5060"; use a whole number from 1 to 65535',
  'port-zero': ':16:requirements[0].check.port: is 0; use a whole number from 1 to 65535',
  'range-no-probe': ':27:requirements[1].range.probes: is an empty list; name one probe, or two that take turns',
  'range-odd-rtp':
    ':27:requirements[1].range.probes: puts RTP on odd ports, as 16385 is odd; use [rtcp-echo, rtp-echo]',
  'range-one-port':
    ':27:requirements[1].range.probes: names two probes for one port; name one probe, or widen the range',
  'range-over-tcp': ':28:requirements[1].range.transport: is "tcp", over which rtp-echo cannot be asked; use udp',
  'range-past-end': ':30:requirements[1].range.to: is 65536; use a whole number from 1 to 65535',
  'range-probe-twice': ':27:requirements[1].range.probes: names rtp-echo twice; name it once',
  'range-reversed': ':30:requirements[1].range.to: is 16483, below "from" (16484); swap the two',
  'range-three-probes':
    ':27:requirements[1].range.probes: names more than two probes; name one probe, or two that take turns',
  ratio: ':5:thresholds.lossRatio: is 1.5; use a ratio from 0 to 1 (1 % is 0.01)',
  'rtp-over-tcp': ':15:requirements[0].check.transport: is "tcp", over which rtp-echo cannot be asked; use udp',
  several: ':3:title: is 7; use text (and 2 more mistakes)',
  'stun-over-tcp': ':15:requirements[0].check.transport: is "tcp", over which stun-binding cannot be asked; use udp',
  syntax: ':25: is not valid YAML: Missing closing "quote; mend the syntax',
  tab: ':10: is not valid YAML: Tabs are not allowed as indentation; indent with spaces',
  'tcp-connect-over-udp':
    ':15:requirements[0].check.transport: is "udp", over which tcp-connect cannot be asked; use tcp',
  time: ':5:thresholds.rttMs: is 0; use a number of milliseconds above 0',
  'tls-over-tcp': ':15:requirements[0].check.transport: is "tcp", over which tls-handshake cannot be asked; use tls',
  'tls-over-udp': ':15:requirements[0].check.transport: is "udp", over which tls-handshake cannot be asked; use tls',
  'two-documents': ':8: begins a second YAML document; keep one profile in a file',
  'two-questions':
    ':9:requirements[0]: has more than one of check, range and anyOf; keep one, or split it into several requirements',
  'unknown-key-of-check': ':16:requirements[0].check.prot: is not a key that belongs here; did you mean "port"?',
  'unknown-key': ':26:requirements[1].notes: is not a key that belongs here; did you mean "note"?',
  'unknown-probe': ':14:requirements[0].check.probe: is "sip-option"; did you mean "sip-options"?',
  'unknown-transport': ':15:requirements[0].check.transport: is "sctp"; use one of udp, tcp, tls',
  'primary-without-url':
    ':19:requirements[0].source.evidence: is "primary" without a url; give the document\'s address, or mark it secondary',
  'unverified-dated':
    ':34:requirements[1].source.checkedOn: dates what nobody has read; remove it, or read the source and mark it',
  'secondary-undated':
    ':33:requirements[1].source.evidence: is "secondary" without checkedOn; add the day on which the source was read',
  'dscp-too-large': ':13:requirements[0].dscp: is 64; use a whole number from 0 to 63, such as 46 for EF',
  'fallback-circle':
    ':13:requirements[0].fallback.row: is "media", which leads back to this row; name a row that stands by itself (and 1 more mistake)',
  'fallback-unknown':
    ':13:requirements[0].fallback.row: is "htps", a row that this profile does not have; use one of media',
  'list-empty': ':9:destinations[0]: names no place; add networks, hosts or wildcards',
  'list-unknown':
    ':17:requirements[0].destinations[0]: is "voice", a list that this profile does not have; use one of media',
  'network-host-bits':
    ':10:destinations[0].networks[0]: is "192.0.2.1/24"; use a network without host bits, such as 52.112.0.0/14, 2603:1063::/38 or 192.0.2.1',
  'wildcard-as-host': ':10:destinations[0].hosts[0]: is "*.example.com"; use a host name such as epdg.epc.att.net',
  'role-unknown': ':7:symptoms.medai: is not a key that belongs here; did you mean "media"?',
  'timeout-zero': ':8:udpTimeoutSeconds: is 0; use a whole number of seconds from 1 to 86400',
  'document-date': ':21:requirements[0].source.dated: is "June 2023"; use a date such as 2023-09-27 or 2023-09',
  'extends-unknown': ':2:extends: is "busines-sip"; use the name of a bundled profile, such as business-sip',
  'extends-changes-port': ':4:requirements[0].source: is missing; add it',
  'without-unknown': ':3:without[0]: is "vidoe", no row of business-sip; use one of signalling, media, stun',
  url: ':19:requirements[0].source.url: is "javascript:alert(1)"; use a complete address such as https://www.rfc-editor.org/rfc/rfc3261',
};

t.test('each mistake is told in one line with file, line, path and fix', async (t) => {
  const present = readdirSync(fixtures).filter((file) => file.startsWith('invalid-'));
  t.strictSame(
    present.sort(),
    Object.keys(MESSAGES)
      .map((name) => `invalid-${name}.yaml`)
      .sort(),
    'all are asserted',
  );
  for (const [name, message] of Object.entries(MESSAGES)) {
    const file = join(fixtures, `invalid-${name}.yaml`);
    const told = await refusalOf(file);
    t.equal(told?.message, `${file}${message}`, name);
    t.equal(told?.code, 'profile-invalid', `${name}: code`);
    t.notMatch(told?.message, /[\p{Cc}]/u, `${name}: one line, nothing that steers a terminal`);
  }
});

t.test('a valid file loads, as YAML and as JSON', async (t) => {
  const folder = t.testdir();
  const profile = await loadProfile(join(fixtures, 'valid.yaml'));
  t.equal(profile.profile, 'example');
  t.strictSame(profile.notes, [], 'notes may be left out');
  t.strictSame(questions(profile, 'required'), ['sip-options/udp/5060', 'rtp-echo+rtcp-echo/udp/16384-16483']);
  for (const indent of [undefined, 2, '\t']) {
    const file = join(folder, 'mine.json');
    writeFileSync(file, JSON.stringify(profile, null, indent));
    t.strictSame(await loadProfile(file), profile, `JSON indented by ${JSON.stringify(indent)}`);
  }
  writeFileSync(join(folder, 'bom.yaml'), `\uFEFF${readFileSync(join(fixtures, 'valid.yaml'), 'utf8')}`);
  t.strictSame(await loadProfile(join(folder, 'bom.yaml')), profile, 'a byte order mark does no harm');
});

t.test('a file in the older form loads, with a warning for each key that is new', async (t) => {
  const file = join(fixtures, 'older.yaml');
  const { profile, warnings } = await readProfile(file);
  t.strictSame(profile.symptoms, { signalling: 'cannot-register' });
  t.equal(profile.thresholdsSources[0]?.evidence, 'secondary', 'primary promises an address');
  for (const key of ['"symptoms:', '"thresholdsSources"', '"url"']) {
    t.ok(
      warnings.some((warning) => warning.startsWith(`${file}: `) && warning.includes(key)),
      `a warning names ${key}`,
    );
  }
  const text = readFileSync(file, 'utf8');
  const withPlaces = readProfileText(
    `${text.replace('requirements:', "destinations: ['198.51.100.0/24', '*.example.com', 'sip.example.com', 'who knows']\nrequirements:")}`,
  );
  t.match(withPlaces, {
    ok: true,
    profile: {
      destinations: [
        { id: 'far-side', networks: ['198.51.100.0/24'], hosts: ['sip.example.com'], wildcards: ['*.example.com'] },
      ],
      requirements: [{ destinations: ['far-side'] }, { destinations: ['far-side'] }],
    },
  });
  t.match(withPlaces.ok && withPlaces.warnings.join(' '), /1 that are neither a network nor a name/);
  t.strictSame((await readProfile(join(fixtures, 'valid.yaml'))).warnings, [], 'the present form has none');
  const told = spawnSync(
    process.execPath,
    [fileURLToPath(new URL('../../src/cli/probe.js', import.meta.url)), 'profiles', file],
    {
      encoding: 'utf8',
    },
  );
  t.equal(told.status, 0);
  t.match(told.stderr, /^warning: .*older\.yaml: symptomWhenBlocked is an older key/, 'the command tells them');
});

t.test('a profile of the user extends a bundled one and changes single rows', async (t) => {
  const folder = t.testdir({
    'mine.yaml': `
profile: mine
extends: business-sip
title: Mine
without: [stun]
notes: [Our own provider.]
requirements:
  - id: media
    range: { probes: [rtp-echo, rtcp-echo], transport: udp, from: 10000, to: 20000 }
    source: { title: Our provider, evidence: secondary, checkedOn: 2026-11-01 }
  - id: signalling
    dscp: 26
  - id: https
    need: required
    role: web
    purpose: The portal
    check: { probe: tls-handshake, transport: tls, port: 443 }
    source: { title: Our provider, evidence: secondary, checkedOn: 2026-11-01 }
`,
  });
  const base = await loadProfile('business-sip');
  const mine = await loadProfile(join(folder, 'mine.yaml'));
  t.equal(mine.profile, 'mine');
  t.strictSame(questions(mine, 'required'), [
    'sip-options/udp/5060 or sip-options/tcp/5060 or sip-options/tls/5061',
    'rtp-echo+rtcp-echo/udp/10000-20000',
    'tls-handshake/tls/443',
  ]);
  t.strictSame(questions(mine, 'optional'), [], 'what is left out is not asked');
  t.equal(mine.requirements[0]?.dscp, 26);
  t.equal(mine.requirements[0]?.source.title, base.requirements[0]?.source.title, 'the rest of a row stays');
  t.strictSame(mine.notes, [...base.notes, 'Our own provider.']);
  t.strictSame(mine.symptoms, base.symptoms);
});

t.test('text is one line, however it was folded', async (t) => {
  const text = readFileSync(join(fixtures, 'valid.yaml'), 'utf8').replace(
    'title: Example',
    'title: |\n  Two\n\n  lines ',
  );
  const reading = readProfileText(text);
  t.equal(reading.ok && reading.profile.title, 'Two lines');
});

t.test('files that are no profile at all', async (t) => {
  const folder = t.testdir({
    'large.yaml': `# ${'x'.repeat(MAX_PROFILE_BYTES)}`,
    'latin1.yaml': Buffer.from([0x61, 0xe9]),
  });
  const told = async (file: string) => {
    const refusal = await refusalOf(file);
    return `${refusal?.code} ${refusal?.message.replace(folder, '')}`;
  };
  t.equal(
    await told(join(folder, 'none.yaml')),
    'profile-unreadable /none.yaml: there is no such file; check the path',
  );
  t.equal(await told(folder), 'profile-unreadable : is a folder; name a file in it');
  t.equal(
    await told(join(folder, 'large.yaml')),
    'profile-invalid /large.yaml: is larger than 256 KiB; a profile takes a few kilobytes',
  );
  t.equal(await told(join(folder, 'latin1.yaml')), 'profile-invalid /latin1.yaml: is not UTF-8 text; save it as UTF-8');
});

const bundledNames = readdirSync(join(packageRoot(), 'profiles'))
  .filter((file) => file.endsWith('.yaml'))
  .map((file) => file.slice(0, -'.yaml'.length))
  .sort();

t.test('a name that is not bundled is answered with the nearest, or with all', async (t) => {
  const all = `bundled: ${bundledNames.join(', ')}; to name a file, give its path, such as ./mine.yaml`;
  t.strictSame(await refusalOf('buisness-sip'), {
    code: 'usage',
    message:
      'no profile is called "buisness-sip"; did you mean business-sip? "probe profiles" lists all bundled ones; to name a file, give its path, such as ./mine.yaml',
  });
  t.strictSame(await refusalOf('\u001b[2Jx'), {
    code: 'usage',
    message: `no profile is called "\\u001b[2Jx"; ${all}`,
  });
  t.equal((await refusalOf('index'))?.code, 'usage', 'the index beside the profiles is none');
  t.equal((await refusalOf(''))?.code, 'usage');
});

t.test('hostile files neither end the process nor take long', async (t) => {
  const size = MAX_PROFILE_BYTES;
  const hostile: Readonly<Record<string, string>> = {
    brackets: '['.repeat(size),
    'closed brackets': '['.repeat(size / 2) + ']'.repeat(size / 2),
    dashes: '- '.repeat(size / 2),
    'question marks': '? '.repeat(size / 2),
    colons: 'a: '.repeat(size / 3),
    keys: Array.from({ length: 30_000 }, (_, index) => `k${index}:`).join('\n'),
    aliases: `a: &a x\nb: [${'*a,'.repeat(80_000)}]`,
    'wrong rows': `requirements:\n${'- {x: 1}\n'.repeat(28_000)}`,
    'a thousand documents': '---\n'.repeat(1000),
    prototype: '__proto__: {profile: x}\nconstructor: 1',
    nothing: '\0\0\0',
  };
  for (const [name, text] of Object.entries(hostile)) {
    const started = performance.now();
    t.equal(readProfileText(text).ok, false, name);
    // Linear work takes a second or two on a slow machine; the quadratic kind takes minutes.
    t.ok(performance.now() - started < 15_000, `${name}: in time`);
  }
});

t.test('the bundled profiles keep their promises', async (t) => {
  const listing = await listBundledProfiles();
  t.strictSame(
    listing.map(({ name }) => name),
    bundledNames,
  );
  for (const { name, title, summary } of listing) {
    const profile = await loadProfile(name);
    t.strictSame({ name: profile.profile, title: profile.title, summary: profile.summary }, { name, title, summary });
    t.strictSame(await loadProfile(join(packageRoot(), 'profiles', `${name}.yaml`)), profile, `${name}: is its source`);
    for (const { id, source } of profile.requirements) {
      t.ok(source.title, `${name} ${id}: has a source`);
      t.equal(
        source.checkedOn === undefined,
        source.evidence === 'unverified',
        `${name} ${id}: a date for what was read`,
      );
    }
    t.match(
      profile.thresholds,
      { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.0005 },
      `${name}: thresholds`,
    );
    for (const { evidence } of profile.thresholdsSources) t.not(evidence, 'unverified', `${name}: thresholds are read`);
    t.ok(
      profile.requirements.some(({ role, need }) => role === 'signalling' && need === 'required'),
      `${name}: says what its signalling is, and decides by it`,
    );
  }
});

t.test('the default profiles ask what the services need', async (t) => {
  t.strictSame(questions(await loadProfile('business-sip'), 'required'), [
    'sip-options/udp/5060 or sip-options/tcp/5060 or sip-options/tls/5061',
    'rtp-echo+rtcp-echo/udp/16384-32767',
  ]);
  t.strictSame(questions(await loadProfile('business-sip'), 'optional'), ['stun-binding/udp/3478']);

  const wifi = await loadProfile('wifi-calling-t-mobile');
  t.strictSame(questions(wifi, 'required'), [
    'ike-sa-init/udp/500',
    'ike-sa-init/udp/4500',
    'esp-in-udp/udp/4500',
    'nat-t-keepalive/udp/4500',
    'tls-handshake/tls/443',
  ]);
  t.strictSame(questions(wifi, 'optional'), [
    'http/tcp/80',
    'sip-options/udp/5060',
    'sip-options/tls/5061',
    'rtp-echo/udp/5004',
    'rtcp-echo/udp/5005',
  ]);
  for (const row of wifi.requirements) {
    if (/^(sip|rtp|rtcp)/.test(row.id))
      t.match(row.note, /inside the IPsec tunnel/, `${row.id}: says why it is optional`);
  }

  const facetime = await loadProfile('facetime');
  t.strictSame(questions(facetime, 'required'), [
    'tls-handshake/tls/443',
    'tls-handshake/tls/5223',
    'http/tcp/80',
    'stun-binding/udp/3478-3497',
    'rtp-echo+rtcp-echo/udp/16384-16387',
    'rtcp-echo+rtp-echo/udp/16393-16402',
  ]);
  t.strictSame(questions(facetime, 'optional'), [
    'rtcp-echo+rtp-echo/udp/16403-16472',
    'dns/udp/53',
    'dns/tcp/53',
    'tcp-connect/tcp/4080',
  ]);
});

t.test('the article profiles ask what the articles state', async (t) => {
  const wifi = await loadProfile('wifi-calling-t-mobile-article');
  t.strictSame(questions(wifi, 'required'), [
    'sip-options/udp/5060',
    'sip-options/tls/5061',
    'rtp-echo/udp/5004',
    'rtcp-echo/udp/5005',
    'ike-sa-init/udp/4500',
    'tls-handshake/tls/443',
  ]);
  t.strictSame(questions(wifi, 'optional'), ['http/tcp/80']);
  t.match(wifi.notes.join(' '), /omits UDP 500.*inside the IPsec tunnel/);

  const facetime = await loadProfile('facetime-article');
  t.strictSame(questions(facetime, 'required'), [
    'tls-handshake/tls/443',
    'tls-handshake/tls/5223',
    'http/tcp/80',
    'tcp-connect/tcp/4080',
    'dns/udp/53',
    'dns/tcp/53',
    'rtcp-echo+rtp-echo/udp/16393-16472',
  ]);
  t.strictSame(questions(facetime, 'optional'), []);
});

/** A package of its own, with what was built of this one, and nothing installed. */
const packageCopy = (t: Test): string => {
  const root = mkdtempSync(join(tmpdir(), 'callpath-profiles-'));
  t.teardown(() => rmSync(root, { recursive: true }));
  const built = new URL('../../', import.meta.url);
  cpSync(join(packageRoot(), 'package.json'), join(root, 'package.json'));
  for (const folder of ['plan', 'model']) {
    cpSync(new URL(`src/${folder}/`, built), join(root, 'dist', 'src', folder), { recursive: true });
  }
  cpSync(new URL('scripts/compile-profiles.js', built), join(root, 'dist', 'scripts', 'compile-profiles.js'));
  cpSync(join(packageRoot(), 'profiles'), join(root, 'profiles'), { recursive: true, dereference: true });
  return root;
};

t.test('bundled profiles load without the parser and the validator', async (t) => {
  const root = packageCopy(t);
  cpSync(bundledProfilesFolder(), join(root, 'dist', 'profiles'), { recursive: true });
  const loader = pathToFileURL(join(root, 'dist', 'src', 'plan', 'profiles.js'));
  const load = (name: string) =>
    spawnSync(
      process.execPath,
      [
        '--input-type=module',
        '-e',
        `const { loadProfile } = await import(${JSON.stringify(loader.href)});
         console.log((await loadProfile(${JSON.stringify(name)})).profile);`,
      ],
      { encoding: 'utf8' },
    );
  t.equal(load('business-sip').stdout, 'business-sip\n', 'with neither installed');
  t.match(load(join(fixtures, 'valid.yaml')).stderr, /ERR_MODULE_NOT_FOUND/, 'which a file of the user would need');
});

t.test('the build refuses a bad profile, and writes the same bytes each time', async (t) => {
  const root = packageCopy(t);
  symlinkSync(join(packageRoot(), 'node_modules'), join(root, 'node_modules'));
  const compile = () =>
    spawnSync(process.execPath, [join(root, 'dist', 'scripts', 'compile-profiles.js')], {
      cwd: root,
      encoding: 'utf8',
    });
  const written = (folder: string) =>
    readdirSync(folder).map((file) => [file, readFileSync(join(folder, file), 'utf8')]);

  t.equal(compile().status, 0, 'good profiles compile');
  t.strictSame(written(join(root, 'dist', 'profiles')), written(bundledProfilesFolder()), 'to the same bytes');

  const added = { 'a-bad-one.yaml': 'invalid-several.yaml', 'misnamed.yaml': 'valid.yaml' };
  for (const [name, fixture] of Object.entries(added)) cpSync(join(fixtures, fixture), join(root, 'profiles', name));
  const refused = compile();
  t.equal(refused.status, 1);
  t.strictSame(refused.stderr.trim().split('\n'), [
    'profiles/a-bad-one.yaml:3:title: is 7; use text',
    'profiles/a-bad-one.yaml:16:requirements[0].check.port: is 70000; use a whole number from 1 to 65535',
    'profiles/a-bad-one.yaml:22:requirements[1].purpose: is missing; add it',
    'profiles/misnamed.yaml:1:profile: is "example"; name it "misnamed", after its file',
  ]);

  for (const name of [...Object.keys(added), 'facetime-article.yaml']) rmSync(join(root, 'profiles', name));
  t.equal(compile().status, 0);
  t.notOk(existsSync(join(root, 'dist', 'profiles', 'facetime-article.json')), 'a removed profile leaves the package');
});

t.test('what a mistyped word most likely stands for', async (t) => {
  const known = ['udp', 'tcp', 'tls', 'sip-options', 'rtp-echo', 'rtcp-echo'];
  t.equal(nearest('SIP-option', known), 'sip-options');
  t.equal(nearest('upd', known), 'udp', 'a swap is one slip');
  t.equal(nearest('sip', known), 'sip-options', 'a beginning');
  t.equal(nearest('rcp-echo', known), 'rtp-echo', 'the first of equals');
  t.equal(nearest('icmp', known), null);
  t.equal(nearest('', known), null);
  t.equal(nearest('x'.repeat(1_000_000), known), null, 'a hostile word costs nothing');
});
