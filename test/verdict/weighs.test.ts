/** Findings weigh on services that use what they touch, and on no other: every bundled profile × every finding. */
import t from 'tap';
import { kindOf } from '../../src/model/kinds.js';
import { alternativesOf, type Profile, type Requirement, symptomOf } from '../../src/model/profile.js';
import type { ReportCheck } from '../../src/model/report.js';
import { listBundledProfiles, loadProfile } from '../../src/plan/profiles.js';
import { diagnose } from '../../src/verdict/diagnose.js';
import { type Facts, NO_FACTS } from '../../src/verdict/rules/rule.js';
import { type Item, weigh, weighService } from '../../src/verdict/services.js';
import { ADDRESS } from './support/facts.js';

const profiles: readonly Profile[] = await Promise.all(
  (await listBundledProfiles()).map(({ name }) => loadProfile(name)),
);

const itemsOf = (row: Requirement): readonly (readonly Item[])[] =>
  alternativesOf(row).map((spec) =>
    ('probe' in spec ? [spec.probe] : spec.probes).map((probe) => {
      const [from, to] = 'port' in spec ? [spec.port, spec.port] : [spec.from, spec.to];
      return {
        id: `${probe}/${spec.transport}/${from}`,
        ...{ probe, transport: spec.transport, address: ADDRESS, from, to },
        finding: { verdict: 'pass', reason: 'answered' },
        ...{ partly: false, provable: true },
      };
    }),
  );

/** Everything that the profile needs passes. */
const openService = (profile: Profile) =>
  weighService(
    profile,
    profile.requirements.map((row) => weigh(row, itemsOf(row))),
  );

/** A study's line in the report: for every profile that has any row about the port, required or not. */
const study = (
  probe: ReportCheck['probe'],
  transport: ReportCheck['transport'],
  port: number,
  verdict: Pick<ReportCheck, 'verdict' | 'reason'>,
  evidence: ReportCheck['evidence'] = {},
): ReportCheck => ({
  id: `${probe}/${transport}/${port}`,
  ...{ probe, transport, port, address: ADDRESS, family: 4, evidence, ...verdict },
  requiredBy: profiles
    .filter(({ requirements }) =>
      requirements
        .flatMap(itemsOf)
        .flat()
        .some((one) => one.probe === kindOf(probe).about && one.transport === transport && one.from === port),
    )
    .map(({ profile }) => profile),
  ...{ confidence: 1, sent: 3, seen: 3, received: 3, rttMs: null },
});

const SIP_ALG = { verdict: 'altered', reason: 'sip-alg' } as const;
const FILTERED = { verdict: 'blocked', reason: 'payload-filtered' } as const;
const SIZE = { verdict: 'blocked', reason: 'size-filtered' } as const;
const algFinding = {
  ...{
    transport: 'udp',
    port: 5060,
    direction: 'outbound',
    class: 'semantic',
    sent: '192.0.2.9',
    received: '192.0.2.7',
  },
} as const;
const alg = (finding: object, check: ReportCheck): Facts => ({
  ...NO_FACTS,
  checks: [check],
  sipAlg: { detected: true, findings: [{ ...algFinding, ...finding } as Facts['sipAlg']['findings'][number]] },
});
const lifetime = (port: number): Facts => ({
  ...NO_FACTS,
  nat: {
    ...NO_FACTS.nat,
    bindingLifetime: [{ port, transport: 'udp', atLeastSeconds: 5, belowSeconds: 10 }],
  },
});

type Uses = 'sip over udp 5060' | 'sip over tcp 5060' | 'nat-t';
const FINDINGS: Readonly<Record<string, { readonly touches: Uses; readonly facts: Facts }>> = {
  'Contact rewritten': {
    touches: 'sip over udp 5060',
    facts: alg({ method: 'REGISTER', kind: 'rewritten', field: 'Contact' }, study('sip-alg', 'udp', 5060, SIP_ALG)),
  },
  'SDP rewritten': {
    touches: 'sip over udp 5060',
    facts: alg({ method: 'INVITE', kind: 'rewritten', field: 'SDP c=' }, study('sip-alg', 'udp', 5060, SIP_ALG)),
  },
  'INVITE dropped': {
    touches: 'sip over udp 5060',
    facts: alg({ method: 'INVITE', kind: 'dropped', field: 'request' }, study('sip-alg', 'udp', 5060, FILTERED)),
  },
  'keepalives dropped': {
    touches: 'sip over udp 5060',
    facts: {
      ...NO_FACTS,
      checks: [
        study(
          'sip-alg',
          'udp',
          5060,
          { verdict: 'pass', reason: 'answered' },
          { nonSipPasses: false, stunPasses: false },
        ),
      ],
    },
  },
  'long messages dropped': {
    touches: 'sip over udp 5060',
    facts: { ...NO_FACTS, checks: [study('size-sweep', 'udp', 5060, SIZE, { direction: 'outbound' })] },
  },
  'long messages over TCP dropped': {
    touches: 'sip over tcp 5060',
    facts: { ...NO_FACTS, checks: [study('size-sweep', 'tcp', 5060, SIZE)] },
  },
  'a short mapping of UDP 5060': { touches: 'sip over udp 5060', facts: lifetime(5060) },
  'a short mapping of UDP 4500': { touches: 'nat-t', facts: lifetime(4500) },
};

const isTunnelled = (profile: Profile): boolean => symptomOf(profile, 'signalling') === 'wifi-calling-unavailable';

const uses = (profile: Profile, what: Uses): boolean => {
  const required = profile.requirements.filter(({ need }) => need === 'required');
  const has = (probe: string, transport: string, port: number): boolean =>
    required.some(
      (row) =>
        ['signalling', 'keepalive'].includes(row.role) &&
        itemsOf(row)
          .flat()
          .some((one) => one.probe === probe && one.transport === transport && one.from === port),
    );
  switch (what) {
    case 'sip over udp 5060':
      return has('sip-options', 'udp', 5060) && !isTunnelled(profile);
    case 'sip over tcp 5060':
      return has('sip-options', 'tcp', 5060) && !isTunnelled(profile);
    case 'nat-t':
      return isTunnelled(profile) && (has('ike-sa-init', 'udp', 4500) || has('nat-t-keepalive', 'udp', 4500));
  }
};

t.test('every bundled profile × every finding', async (t) => {
  let felt = 0;
  for (const profile of profiles) {
    const service = openService(profile);
    for (const [story, { touches, facts }] of Object.entries(FINDINGS)) {
      const { symptoms, causes, fixes } = diagnose(service, facts);
      const wanted = uses(profile, touches);
      felt += wanted ? 1 : 0;
      t.equal(symptoms.length > 0, wanted, `${profile.profile}: ${story}: ${symptoms.map(({ id }) => id).join(' ')}`);
      if (!wanted) t.strictSame([causes, fixes], [[], []], `${profile.profile}: ${story}: nobody is blamed or asked`);
    }
  }
  t.ok(felt > 40, `${felt} pairs are felt`);
});

t.test('a SIP ALG is no symptom of Wi-Fi Calling, of any carrier', async (t) => {
  const tunnelled = profiles.filter(isTunnelled);
  t.ok(tunnelled.length >= 4, 'there are some');
  for (const profile of tunnelled) {
    for (const story of ['Contact rewritten', 'SDP rewritten', 'INVITE dropped']) {
      t.strictSame(diagnose(openService(profile), FINDINGS[story]?.facts).symptoms, [], `${profile.profile}: ${story}`);
    }
  }
});
