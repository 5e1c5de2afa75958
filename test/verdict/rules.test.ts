/** Every rule of diagnosis: a case in which it fires and one, as near as possible, in which it must not. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { DEVICES, LIKELIHOODS } from '../../src/model/diagnosis.js';
import type { IcmpFact, IcmpPlace } from '../../src/model/icmp.js';
import type { AskedKind, Transport } from '../../src/model/kinds.js';
import type { Requirement, RequirementRole, RoleSymptom } from '../../src/model/profile.js';
import type { ReportCheck } from '../../src/model/report.js';
import { SYMPTOMS } from '../../src/model/verdict.js';
import { packageRoot } from '../../src/plan/package-root.js';
import { diagnose } from '../../src/verdict/diagnose.js';
import { RULES } from '../../src/verdict/rules/all.js';
import { type Facts, NO_FACTS } from '../../src/verdict/rules/rule.js';
import {
  type Item,
  type RequirementState,
  type ServiceState,
  weigh,
  weighService,
  withWayIn,
} from '../../src/verdict/services.js';
import { ADDRESS, finding } from './support/facts.js';
import { exampleProfile } from './support/profile.js';

const SOURCE = { title: 'a document', evidence: 'primary', checkedOn: '2026-11-21' } as const;

/** `rtp-echo/udp/16384-32766#ADDRESS blocked/dropped partly`. */
const item = (text: string): Item => {
  const [id = '', said = '', ...marks] = text.split(' ');
  const [name = '', address] = id.split('#');
  const [probe, transport, ports = ''] = name.split('/');
  const [from, to = from] = ports.split('-');
  return {
    id,
    probe: probe as AskedKind,
    transport: transport as Transport,
    address: address ?? ADDRESS,
    from: Number(from),
    to: Number(to),
    finding: finding(said),
    partly: marks.includes('partly'),
    provable: !marks.includes('unprovable'),
  };
};

/** `falls-back` is media in whose place the row `web` serves; items of `inbound/…` are what the far end began. */
type Row = readonly [role: RequirementRole | 'inbound' | 'optional' | 'falls-back', ...alternatives: string[]];

const state = ([role, ...all]: Row): RequirementState => {
  const waysIn = all.filter((text) => text.startsWith('inbound/'));
  const texts = all.filter((text) => !waysIn.includes(text));
  const requirement: Requirement = {
    id: role,
    need: role === 'optional' ? 'optional' : 'required',
    role: role === 'optional' || role === 'inbound' || role === 'falls-back' ? 'media' : role,
    purpose: 'a purpose',
    ...(role === 'inbound' && { direction: 'inbound' }),
    ...(waysIn.length > 0 && role !== 'inbound' && { direction: 'both' }),
    ...(role === 'falls-back' && { fallback: { row: 'web', leaves: 'degraded' } }),
    source: SOURCE,
    check: { probe: 'sip-options', transport: 'udp', port: 5060 },
  };
  const outward = weigh(
    requirement,
    texts.map((text) => [item(text)]),
  );
  return withWayIn(outward, waysIn.map(item));
};

const serviceOf = (rows: readonly Row[], signalling: RoleSymptom): ServiceState => {
  const profile = exampleProfile({ thresholdsSources: [SOURCE], symptoms: { signalling } });
  return weighService(profile, rows.map(state));
};

/** A line of the report's checks that belongs to the example. */
const stage = (name: string, said: string, evidence: ReportCheck['evidence'] = {}): ReportCheck => {
  const [probe, transport, port] = name.split('/');
  const { verdict, reason } = finding(said);
  return {
    id: name,
    probe: probe as ReportCheck['probe'],
    transport: transport as Transport,
    port: Number(port),
    address: ADDRESS,
    family: 4,
    requiredBy: ['example'],
    verdict,
    reason,
    confidence: 1,
    sent: 3,
    seen: 3,
    received: 3,
    rttMs: null,
    evidence,
  };
};

const facts = (some: Partial<Facts>): Facts => ({ ...NO_FACTS, ...some });
const DROPPED: Row = ['signalling', 'sip-options/udp/5060 blocked/dropped-outbound'];
type Hops = NonNullable<Facts['hops']>[number];
/** How far SIP over UDP comes. */
const hop = (lastSeen: string | null, nextOnControl: string, more: Partial<Hops> = {}): Facts =>
  facts({
    hops: [
      {
        ...{ check: 'sip-options/udp/5060', probe: 'sip-options', transport: 'udp', port: 5060, address: ADDRESS },
        ...{
          direction: 'outbound',
          passes: false,
          answered: [],
          lastSeen,
          nextOnControl,
          outside: false,
          device: null,
        },
        ...more,
      },
    ],
  });
/** The one who rejects SIP over UDP. */
const rejection = (from: string, place: IcmpPlace, more: Partial<IcmpFact> = {}): Facts => {
  const icmp: IcmpFact = { family: 4, type: 3, code: 13, from, place, mtu: null, ...more };
  return facts({ rejections: [{ id: 'sip-options/udp/5060', address: ADDRESS, icmp }] });
};
const nat = (some: Partial<Facts['nat']>): Facts => facts({ nat: { ...NO_FACTS.nat, ...some } });
const lifetime = (port: number, belowSeconds: number | null, more: Record<string, unknown> = {}): Facts =>
  nat({ bindingLifetime: [{ port, transport: 'udp', atLeastSeconds: 1, belowSeconds, ...more }] });

type AlgFinding = Facts['sipAlg']['findings'][number];
const alg = (some: Partial<AlgFinding>, checks: readonly ReportCheck[] = []): Facts =>
  facts({
    checks,
    sipAlg: {
      detected: true,
      findings: [
        {
          transport: 'udp',
          port: 5060,
          method: 'REGISTER',
          direction: 'outbound',
          kind: 'rewritten',
          class: 'semantic',
          field: 'Contact',
          sent: '<sip:a@10.0.0.2:5060>',
          received: '<sip:a@192.0.2.7:5060>',
          ...some,
        },
      ],
    },
  });
const stream = (some: Partial<Facts['quality'][number]>, checks: readonly ReportCheck[] = []): Facts =>
  facts({
    checks,
    quality: [
      {
        port: 16384,
        direction: 'outbound',
        packets: 250,
        lossRatio: 0,
        jitterMs: 1,
        reordered: 0,
        rFactor: 93,
        mos: 4.4,
        ...some,
      },
    ],
  });
type Call = NonNullable<Facts['calls']>[number];
/** One rehearsed call with these steps blocked and those passing. */
const call = (
  blocked: readonly Call['steps'][number]['step'][],
  {
    passing = ['invite'],
    idle = null,
    verdict = 'blocked',
    reason = 'dropped-outbound',
  }: {
    passing?: readonly Call['steps'][number]['step'][];
    idle?: Call['idle'];
    verdict?: 'blocked' | 'unknown';
    reason?: string;
  } = {},
): Facts => {
  const step = (name: Call['steps'][number]['step'], of: 'blocked' | 'unknown' | 'pass') => ({
    ...{ step: name, verdict: of, reason: of === 'pass' ? 'answered' : reason, status: null, ms: null, untested: null },
    ...{ confidence: 1, legs: [] },
  });
  return facts({
    checks: [stage('call/udp/5060', 'blocked/dropped-outbound')],
    calls: [
      {
        ...{ transport: 'udp', port: 5060, address: ADDRESS, direction: idle ? 'inbound' : 'outbound', idle },
        steps: [...passing.map((name) => step(name, 'pass')), ...blocked.map((name) => step(name, verdict))],
      },
    ],
  });
};
const seen = (...pairs: readonly (readonly [id: string, address: string])[]): Facts =>
  facts({ seen: pairs.map(([id, address]) => ({ id, address })) });

const UDP: Row = ['signalling', 'sip-options/udp/5060 pass/answered'];
const UDP_BLOCKED: Row = ['signalling', 'sip-options/udp/5060 blocked/dropped-outbound'];
const RTP = 'rtp-echo/udp/16384-32766';
const MEDIA: Row = ['media', `${RTP} pass/answered`];
const IKE: Row = ['signalling', 'ike-sa-init/udp/4500 pass/answered'];
const STUN: Row = ['media', 'stun-binding/udp/3478 pass/answered'];
const lost = (said: string, ...marks: readonly string[]): Row => ['media', [RTP, said, ...marks].join(' ')];

interface Case {
  readonly rows: readonly Row[];
  readonly facts?: Facts;
  readonly whenBlocked?: RoleSymptom;
}
interface Cases {
  readonly fires: Case;
  readonly silent: readonly Case[];
}

const SIP_ALG = 'sip-alg/udp/5060';
const STREAM = 'media-stream/udp/16384';
const CUT = { seconds: 1.2, packets: 60, bytes: 12_000, kind: 'quota' } as const;
const SIZES = 'size-sweep/udp/5060';
const LARGE = (direction: string, fragmentsOnly = true): Facts =>
  facts({ checks: [stage(SIZES, 'blocked/size-filtered', { direction, fragmentsOnly })] });
const TCP: Row = ['signalling', 'sip-options/tcp/5060 pass/answered'];
const LONG_ANSWERS = facts({
  checks: [stage('size-sweep/tcp/5060', 'blocked/size-filtered', { direction: 'inbound' })],
});
const DENIED = facts({ failures: [{ id: 'sip-options/udp/5060', failure: 'local-denied', code: 'EPERM' }] });

const FEW_FLOWS = facts({ limits: [{ address: ADDRESS, limit: { kind: 'flows', flows: 100 } }] });

const CASES: Readonly<Record<string, Cases>> = {
  'signalling-blocked': {
    fires: { rows: [UDP_BLOCKED] },
    silent: [{ rows: [[...UDP_BLOCKED, 'sip-options/tcp/5060 pass/answered']] }],
  },
  'signalling-not-private': {
    fires: { rows: [[...UDP, 'sip-options/tls/5061 altered/tls-intercepted']] },
    silent: [
      { rows: [['signalling', 'sip-options/udp/5060 blocked/dropped', 'sip-options/tls/5061 pass/answered']] },
      { rows: [['signalling', 'sip-options/tls/5061 blocked/dropped']] },
    ],
  },
  'keepalive-blocked': {
    fires: { rows: [IKE, ['keepalive', 'nat-t-keepalive/udp/4500 blocked/payload-filtered']] },
    silent: [{ rows: [UDP_BLOCKED, ['keepalive', 'nat-t-keepalive/udp/4500 blocked/payload-filtered']] }],
  },
  'push-blocked': {
    fires: { rows: [UDP, ['push', 'tls-handshake/tls/5223 blocked/dropped']] },
    silent: [{ rows: [UDP, ['push', 'tls-handshake/tls/5223 unknown/no-answer']] }],
  },
  'inbound-signalling-shut': {
    fires: { rows: [[...UDP, 'inbound/tls/5061 blocked/not-let-in']] },
    silent: [
      { rows: [[...UDP, 'inbound/tls/5061 pass/answered']] },
      { rows: [[...UDP, 'inbound/tls/5061 unknown/not-forwarded']] },
    ],
  },
  'inbound-media-shut': {
    fires: { rows: [UDP, [...MEDIA, 'inbound/udp/16384 blocked/not-let-in']] },
    silent: [{ rows: [UDP, [...MEDIA, 'inbound/udp/16384 unknown/no-answer']] }],
  },
  'inbound-web-shut': {
    fires: { rows: [UDP, ['web', 'http/tcp/80 pass/answered', 'inbound/tcp/5090 blocked/rejected']] },
    silent: [{ rows: [UDP, ['web', 'http/tcp/80 blocked/rejected', 'inbound/tcp/5090 pass/answered']] }],
  },
  'inbound-altered': {
    fires: { rows: [[...UDP, 'inbound/tls/5061 altered/tls-intercepted']] },
    silent: [
      { rows: [[...UDP, 'inbound/tls/5061 altered/answered-by-other']] },
      { rows: [[...UDP, 'inbound/tls/5061 blocked/payload-filtered']] },
    ],
  },
  'inbound-nothing-comes': {
    fires: { rows: [[...UDP, 'inbound/tls/5061 unknown/no-way-in']] },
    silent: [{ rows: [[...UDP, 'inbound/tls/5061 unknown/not-forwarded']] }],
  },
  'inbound-not-forwarded': {
    fires: { rows: [[...UDP, 'inbound/tls/5061 unknown/not-forwarded']] },
    silent: [{ rows: [[...UDP, 'inbound/tls/5061 blocked/not-let-in']] }],
  },
  'inbound-port-in-use': {
    fires: { rows: [[...UDP, 'inbound/tls/5061 unknown/local-error']] },
    silent: [{ rows: [['signalling', 'sip-options/udp/5060 unknown/local-error', 'inbound/tls/5061 pass/answered']] }],
  },
  'web-blocked': {
    fires: { rows: [UDP, ['web', 'http/tcp/80 blocked/dropped']] },
    silent: [
      { rows: [UDP_BLOCKED, ['web', 'http/tcp/80 blocked/dropped']] },
      { rows: [UDP, ['web', 'http/tcp/80 unknown/no-answer']] },
      { rows: [UDP, ['web', 'http/tcp/80 blocked/dropped', 'http/tcp/80#192.0.2.1 pass/answered']] },
    ],
  },
  'names-blocked': {
    fires: { rows: [UDP, ['dns', 'dns/udp/53 blocked/dropped']] },
    silent: [
      { rows: [UDP_BLOCKED, ['dns', 'dns/udp/53 blocked/dropped']] },
      { rows: [UDP, ['dns', 'dns/udp/53 unknown/no-answer']] },
      { rows: [UDP, ['dns', 'dns/udp/53 blocked/dropped', 'dns/udp/53#192.0.2.1 pass/answered']] },
    ],
  },
  'provisioning-blocked': {
    fires: { rows: [UDP, ['provisioning', 'tcp-connect/tcp/83 blocked/dropped']] },
    silent: [
      { rows: [UDP_BLOCKED, ['provisioning', 'tcp-connect/tcp/83 blocked/dropped']] },
      { rows: [UDP, ['provisioning', 'tcp-connect/tcp/83 unknown/no-answer']] },
      {
        rows: [
          UDP,
          ['provisioning', 'tcp-connect/tcp/83 blocked/dropped', 'tcp-connect/tcp/83#192.0.2.1 pass/answered'],
        ],
      },
    ],
  },
  'time-blocked': {
    fires: { rows: [UDP, ['time', 'udp-echo/udp/123 blocked/dropped']] },
    silent: [
      { rows: [UDP_BLOCKED, ['time', 'udp-echo/udp/123 blocked/dropped']] },
      { rows: [UDP, ['time', 'udp-echo/udp/123 unknown/no-answer']] },
      { rows: [UDP, ['time', 'udp-echo/udp/123 blocked/dropped', 'udp-echo/udp/123#192.0.2.1 pass/answered']] },
    ],
  },
  'fallback-in-use': {
    fires: {
      rows: [UDP, ['falls-back', 'rtp-echo/udp/8801 blocked/dropped'], ['web', 'tls-handshake/tls/443 pass/answered']],
    },
    silent: [
      {
        rows: [
          UDP,
          ['falls-back', 'rtp-echo/udp/8801 blocked/dropped'],
          ['web', 'tls-handshake/tls/443 blocked/dropped'],
        ],
      },
      {
        rows: [UDP, ['falls-back', 'rtp-echo/udp/8801 pass/answered'], ['web', 'tls-handshake/tls/443 pass/answered']],
      },
      {
        rows: [
          UDP_BLOCKED,
          ['falls-back', 'rtp-echo/udp/8801 blocked/dropped'],
          ['web', 'tls-handshake/tls/443 pass/answered'],
        ],
      },
    ],
  },
  'gateway-abroad': {
    fires: { rows: [['signalling', 'ike-sa-init/udp/500 unknown/no-answer unprovable']] },
    silent: [
      { rows: [['signalling', 'ike-sa-init/udp/500 unknown/no-answer']] },
      { rows: [['signalling', 'sip-options/udp/5060 unknown/no-answer unprovable']] },
    ],
  },
  'non-sip-filtered': {
    fires: {
      rows: [UDP],
      facts: facts({ checks: [stage(SIP_ALG, 'pass/answered', { nonSipPasses: false, stunPasses: false })] }),
    },
    silent: [
      {
        rows: [UDP],
        facts: facts({ checks: [stage(SIP_ALG, 'pass/answered', { nonSipPasses: null, stunPasses: false })] }),
      },
      {
        rows: [UDP],
        facts: facts({ checks: [stage(SIP_ALG, 'pass/answered', { nonSipPasses: true, stunPasses: false })] }),
      },
    ],
  },
  'stun-keepalive-filtered': {
    fires: {
      rows: [UDP],
      facts: facts({ checks: [stage(SIP_ALG, 'pass/answered', { nonSipPasses: true, stunPasses: false })] }),
    },
    silent: [
      {
        rows: [UDP],
        facts: facts({ checks: [stage(SIP_ALG, 'pass/answered', { nonSipPasses: true, stunPasses: null })] }),
      },
      {
        rows: [UDP],
        facts: facts({ checks: [stage(SIP_ALG, 'pass/answered', { nonSipPasses: false, stunPasses: false })] }),
      },
    ],
  },
  'name-not-resolved': {
    fires: { rows: [['signalling', 'sip-options/udp/5060 unknown/dns-failure']] },
    silent: [{ rows: [['signalling', 'sip-options/udp/5060 unknown/no-answer']] }],
  },
  'gateway-name-not-resolved': {
    fires: {
      rows: [['signalling', 'ike-sa-init/udp/500 unknown/dns-failure']],
      whenBlocked: 'wifi-calling-unavailable',
    },
    silent: [{ rows: [['signalling', 'sip-options/udp/5060 unknown/dns-failure']] }],
  },
  'media-blocked': {
    fires: { rows: [UDP, lost('blocked/dropped')] },
    silent: [
      { rows: [UDP_BLOCKED, lost('blocked/dropped')] },
      { rows: [UDP, lost('blocked/dropped', 'partly')] },
      { rows: [UDP, ['media', `${RTP} blocked/dropped`, `${RTP}#192.0.2.1 pass/answered`]] },
      { rows: [UDP, ['optional', `${RTP} blocked/dropped`]] },
    ],
  },
  'path-finding-blocked': {
    fires: {
      rows: [UDP, ['media', 'stun-binding/udp/3478-3497 blocked/dropped-outbound']],
      whenBlocked: 'facetime-cannot-connect',
    },
    silent: [
      { rows: [UDP_BLOCKED, ['media', 'stun-binding/udp/3478-3497 blocked/dropped-outbound']] },
      {
        rows: [
          UDP,
          ['falls-back', 'stun-binding/udp/3478 blocked/dropped'],
          ['web', 'tls-handshake/tls/443 pass/answered'],
        ],
      },
    ],
  },
  'media-lost-outbound': {
    fires: { rows: [UDP, lost('blocked/dropped-outbound')] },
    silent: [
      { rows: [UDP_BLOCKED, lost('blocked/dropped-outbound')] },
      { rows: [UDP, ['media', `${RTP} blocked/dropped-outbound`, `${RTP}#192.0.2.1 pass/answered`]] },
      { rows: [UDP, lost('blocked/dropped')] },
    ],
  },
  'media-lost-inbound': {
    fires: { rows: [UDP, lost('blocked/dropped-inbound')] },
    silent: [{ rows: [UDP_BLOCKED, lost('blocked/dropped-inbound')] }, { rows: [UDP, lost('blocked/dropped')] }],
  },
  'media-partly-blocked': {
    fires: { rows: [UDP, lost('blocked/dropped', 'partly')] },
    silent: [
      { rows: [UDP, lost('pass/answered', 'partly')] },
      { rows: [UDP_BLOCKED, lost('blocked/dropped', 'partly')] },
    ],
  },
  'media-uneven': {
    fires: { rows: [UDP, lost('degraded/loss')] },
    silent: [
      { rows: [UDP, lost('degraded/latency')] },
      { rows: [['signalling', 'sip-options/udp/5060 degraded/loss'], MEDIA] },
    ],
  },
  'media-rate-limited': {
    fires: { rows: [UDP, lost('degraded/rate-limited')] },
    silent: [{ rows: [UDP, lost('degraded/loss')] }, { rows: [UDP, lost('degraded/rate-limited')], facts: FEW_FLOWS }],
  },
  'flows-limited': {
    fires: { rows: [UDP, lost('degraded/rate-limited')], facts: FEW_FLOWS },
    silent: [
      { rows: [UDP, lost('degraded/rate-limited')] },
      { rows: [UDP, lost('blocked/dropped')], facts: FEW_FLOWS },
    ],
  },
  'media-late': {
    fires: { rows: [UDP, lost('degraded/latency')] },
    silent: [{ rows: [UDP, lost('degraded/loss')] }],
  },
  'stream-loss': {
    fires: { rows: [UDP, MEDIA], facts: stream({ lossRatio: 0.03 }) },
    silent: [
      { rows: [UDP, MEDIA], facts: stream({ lossRatio: 0.01 }) },
      { rows: [UDP, MEDIA], facts: stream({ lossRatio: 0.03, port: 4000 }) },
      // More than the threshold, and not proven by so few packets.
      { rows: [UDP, MEDIA], facts: stream({ lossRatio: 0.03 }, [stage(STREAM, 'pass/answered')]) },
      { rows: [UDP, MEDIA], facts: stream({ lossRatio: 0.03 }, [stage(STREAM, 'unknown/local-error')]) },
      { rows: [UDP, MEDIA], facts: stream({ lossRatio: 0.8, throttledAfter: CUT }, [stage(STREAM, 'degraded/loss')]) },
    ],
  },
  'stream-cut': {
    fires: { rows: [UDP, MEDIA], facts: stream({ throttledAfter: CUT }, [stage(STREAM, 'degraded/loss')]) },
    silent: [
      { rows: [UDP, MEDIA], facts: stream({ throttledAfter: null }, [stage(STREAM, 'degraded/loss')]) },
      { rows: [UDP, MEDIA], facts: stream({ lossRatio: 0.03 }, [stage(STREAM, 'degraded/loss')]) },
    ],
  },
  'stream-jitter': {
    fires: { rows: [UDP, MEDIA], facts: stream({ jitterMs: 31 }) },
    silent: [{ rows: [UDP, MEDIA], facts: stream({ jitterMs: 30 }) }],
  },
  'alg-rewrites-contact': {
    fires: { rows: [UDP], facts: alg({}) },
    silent: [
      { rows: [UDP], facts: alg({ class: 'cosmetic' }) },
      { rows: [UDP], facts: alg({ field: 'Via' }) },
      { rows: [UDP], facts: alg({ port: 5080 }) },
    ],
  },
  'alg-rewrites-public-sdp': {
    fires: { rows: [UDP], facts: alg({ method: 'INVITE', field: 'SDP c=', sent: 'IN IP4 192.0.2.7' }) },
    silent: [{ rows: [UDP], facts: alg({ method: 'INVITE', field: 'SDP c=', sent: 'IN IP4 10.0.0.2' }) }],
  },
  'invite-dropped': {
    fires: { rows: [UDP], facts: alg({ method: 'INVITE', kind: 'dropped', field: 'message' }) },
    silent: [
      { rows: [UDP], facts: alg({ method: 'INVITE', field: 'Via' }) },
      { rows: [UDP_BLOCKED], facts: alg({ method: 'INVITE', kind: 'dropped' }) },
      { rows: [UDP], facts: alg({ method: 'INVITE', kind: 'dropped' }, [stage(SIP_ALG, 'unknown/no-answer')]) },
    ],
  },
  'register-dropped': {
    fires: { rows: [UDP], facts: alg({ kind: 'dropped' }) },
    silent: [{ rows: [UDP], facts: alg({}) }],
  },
  'events-dropped': {
    fires: { rows: [UDP], facts: alg({ method: 'SUBSCRIBE', kind: 'dropped', field: 'message' }) },
    silent: [{ rows: [UDP], facts: alg({ method: 'NOTIFY', field: 'Event' }) }],
  },
  'call-ack-lost': {
    fires: { rows: [UDP], facts: call(['ack']) },
    silent: [
      { rows: [UDP], facts: call([], { passing: ['invite', 'ack'] }) },
      { rows: [UDP], facts: call(['ack'], { verdict: 'unknown', reason: 'no-answer' }) },
      { rows: [MEDIA], facts: call(['ack']) },
    ],
  },
  'call-media-lost': {
    fires: { rows: [UDP], facts: call(['media-inbound']) },
    silent: [
      { rows: [UDP], facts: call(['invite', 'media-inbound'], { passing: [] }) },
      { rows: [UDP], facts: call(['dtmf']) },
    ],
  },
  'call-hold-lost': {
    fires: { rows: [UDP], facts: call(['remote-hold']) },
    silent: [{ rows: [UDP], facts: call(['bye'], { passing: ['hold', 'resume', 'remote-hold'] }) }],
  },
  'call-refresh-lost': {
    fires: { rows: [UDP], facts: call(['refresh']) },
    silent: [{ rows: [UDP], facts: call(['hold'], { passing: ['refresh'] }) }],
  },
  'call-transfer-lost': {
    fires: { rows: [UDP], facts: call(['transfer']) },
    silent: [{ rows: [UDP], facts: call(['transfer'], { verdict: 'unknown', reason: 'limited' }) }],
  },
  'call-bye-lost': {
    fires: { rows: [UDP], facts: call(['remote-bye']) },
    silent: [{ rows: [UDP], facts: call(['long', 'remote-bye']) }],
  },
  'call-cut-off': {
    fires: { rows: [UDP], facts: call(['long']) },
    silent: [{ rows: [UDP], facts: call(['media-outbound', 'long']) }],
  },
  'call-inbound-lost': {
    fires: { rows: [UDP], facts: call(['inbound-after-idle'], { idle: { seconds: 35, keepalives: true } }) },
    silent: [{ rows: [UDP], facts: call(['inbound-after-idle'], { idle: { seconds: 35, keepalives: false } }) }],
  },
  'alg-rewrites-learnt-address': {
    fires: { rows: [UDP], facts: alg({ direction: 'inbound', field: 'Via' }) },
    silent: [
      { rows: [UDP], facts: alg({ field: 'Via' }) },
      { rows: [UDP], facts: alg({ direction: 'inbound', field: 'Contact' }) },
    ],
  },
  'alg-present': {
    fires: { rows: [UDP], facts: alg({ field: 'Via' }) },
    silent: [{ rows: [UDP], facts: alg({ class: 'cosmetic', field: 'Via' }) }],
  },
  'long-messages-dropped': {
    fires: { rows: [UDP], facts: LARGE('outbound') },
    silent: [
      { rows: [UDP], facts: facts({ checks: [stage(SIZES, 'unknown/no-answer')] }) },
      { rows: [UDP], facts: LARGE('inbound') },
    ],
  },
  'long-notifies-dropped': {
    fires: { rows: [UDP], facts: LARGE('inbound') },
    silent: [{ rows: [UDP], facts: LARGE('outbound') }],
  },
  'tunnel-carries-nothing': {
    fires: { rows: [IKE, ['media', 'esp-in-udp/udp/4500 blocked/payload-filtered']] },
    silent: [
      { rows: [IKE, ['media', 'esp-in-udp/udp/4500 blocked/size-filtered']] },
      { rows: [IKE, ['media', 'esp-in-udp/udp/4500 unknown/no-answer']] },
    ],
  },
  'tunnel-loses-large': {
    fires: { rows: [IKE, ['media', 'esp-in-udp/udp/4500 blocked/size-filtered']] },
    silent: [{ rows: [IKE, ['media', 'esp-in-udp/udp/4500 blocked/payload-filtered']] }],
  },
  'sip-binding-short': {
    fires: { rows: [UDP], facts: lifetime(5060, 15, { bidirectional: true }) },
    silent: [
      { rows: [UDP], facts: lifetime(5060, 25) },
      { rows: [UDP], facts: lifetime(5060, null) },
      { rows: [UDP], facts: lifetime(5060, 15, { bidirectional: false }) },
      { rows: [['signalling', 'sip-options/tcp/5060 pass/answered']], facts: lifetime(5060, 15) },
    ],
  },
  'sip-connection-short': {
    fires: {
      rows: [['signalling', 'sip-options/tcp/5060 pass/answered']],
      facts: nat({ bindingLifetime: [{ port: 5060, transport: 'tcp', atLeastSeconds: 15, belowSeconds: 30 }] }),
    },
    silent: [
      {
        rows: [['signalling', 'sip-options/tcp/5060 pass/answered']],
        facts: nat({ bindingLifetime: [{ port: 5060, transport: 'tcp', atLeastSeconds: 90, belowSeconds: 120 }] }),
      },
      {
        rows: [UDP],
        facts: nat({ bindingLifetime: [{ port: 5060, transport: 'tcp', atLeastSeconds: 15, belowSeconds: 30 }] }),
      },
    ],
  },
  'nat-t-binding-short': {
    fires: { rows: [IKE], facts: lifetime(4500, 20) },
    silent: [
      { rows: [IKE], facts: lifetime(4500, 21) },
      { rows: [IKE, ['keepalive', 'nat-t-keepalive/udp/4500 blocked/dropped-outbound']] },
    ],
  },
  'symmetric-mapping': {
    fires: { rows: [UDP, STUN], facts: nat({ mapping: 'address-and-port-dependent' }) },
    silent: [
      { rows: [UDP, STUN], facts: nat({ mapping: 'endpoint-independent' }) },
      { rows: [UDP, MEDIA], facts: nat({ mapping: 'address-dependent' }) },
    ],
  },
  'forwarded-port-changed': {
    fires: { rows: [UDP, ['inbound', `${RTP} pass/answered`]], facts: nat({ portPreservation: false }) },
    silent: [
      { rows: [UDP, ['inbound', `${RTP} pass/answered`]], facts: nat({ portPreservation: null }) },
      { rows: [UDP, MEDIA], facts: nat({ portPreservation: false }) },
    ],
  },
  'media-by-another-line': {
    fires: {
      rows: [UDP, MEDIA],
      facts: seen(['sip-options/udp/5060', '192.0.2.7'], [RTP, '192.0.2.8'], [RTP, '192.0.2.8']),
    },
    silent: [
      { rows: [UDP, MEDIA], facts: seen(['sip-options/udp/5060', '192.0.2.7'], [RTP, '192.0.2.7']) },
      { rows: [UDP, MEDIA], facts: seen(['sip-options/udp/5060', '2001:db8::1'], [RTP, '192.0.2.8']) },
    ],
  },
  'lines-take-turns': {
    fires: { rows: [UDP, MEDIA], facts: seen([RTP, '192.0.2.7'], [RTP, '192.0.2.8']) },
    silent: [
      { rows: [UDP, MEDIA], facts: seen([RTP, '192.0.2.7'], [RTP, '2001:db8::1']) },
      // One change in the course of the run, as after a redial.
      {
        rows: [UDP, MEDIA],
        facts: { ...seen([RTP, '192.0.2.7'], [RTP, '192.0.2.8']), addressChangedAt: [ADDRESS] },
      },
      // Two far ends, each by a line of its own.
      {
        rows: [UDP, ['media', `${RTP}#192.0.2.1 pass/answered`, `${RTP}#192.0.2.2 pass/answered`]],
        facts: seen([`${RTP}#192.0.2.1`, '198.51.100.1'], [`${RTP}#192.0.2.2`, '198.51.100.2']),
      },
    ],
  },
  'double-nat': {
    fires: {
      rows: [IKE, ['keepalive', 'nat-t-keepalive/udp/4500 blocked/payload-filtered']],
      facts: nat({ layers: 2 }),
      whenBlocked: 'wifi-calling-unavailable',
    },
    silent: [{ rows: [IKE], facts: nat({ layers: 2 }), whenBlocked: 'wifi-calling-unavailable' }],
  },
  'local-refusal': {
    fires: { rows: [['signalling', 'sip-options/udp/5060 unknown/local-error']], facts: DENIED },
    silent: [{ rows: [['signalling', 'sip-options/udp/5060 unknown/no-answer']], facts: DENIED }],
  },
  'required-harmed': {
    fires: { rows: [UDP, ['web', 'http/tcp/80 altered/http-intercepted']] },
    silent: [{ rows: [UDP, ['optional', 'http/tcp/80 altered/http-intercepted']] }],
  },
  'required-degraded': {
    fires: { rows: [['signalling', 'sip-options/udp/5060 degraded/loss']] },
    silent: [{ rows: [['signalling', 'sip-options/udp/5060 degraded/loss', 'sip-options/tcp/5060 pass/answered']] }],
  },
  'nothing-passes': {
    fires: { rows: [['signalling', 'sip-options/udp/5060 unknown/target-unreachable']] },
    silent: [{ rows: [UDP, ['optional', 'http/tcp/80 unknown/target-unreachable']] }],
  },
  unproven: {
    fires: { rows: [['signalling', 'sip-options/udp/5060 unknown/unproven']] },
    silent: [{ rows: [['signalling', 'sip-options/udp/5060 unknown/closed']] }],
  },
  'nothing-listens': {
    fires: { rows: [['signalling', 'sip-options/udp/5060 unknown/closed']] },
    silent: [
      { rows: [[...UDP, 'sip-options/tcp/5060 unknown/closed']] },
      { rows: [['signalling', 'sip-options/udp/5060 unknown/closed', 'sip-options/tcp/5060 unknown/unproven']] },
    ],
  },
  'hung-up': {
    fires: { rows: [['signalling', 'sip-options/tls/5061 unknown/tls-refused']] },
    silent: [{ rows: [[...UDP, 'sip-options/tls/5061 unknown/tls-refused']] }],
  },
  'unreadable-answer': {
    fires: { rows: [['signalling', 'sip-options/udp/5060 unknown/unreadable']] },
    silent: [{ rows: [[...UDP, 'sip-options/tcp/5060 unknown/unreadable']] }],
  },
  'silent-stranger': {
    fires: { rows: [['signalling', 'sip-options/udp/5060 unknown/no-answer unprovable']] },
    silent: [
      { rows: [[...UDP, 'sip-options/tcp/5060 unknown/no-answer unprovable']] },
      { rows: [['signalling', 'sip-options/udp/5060 unknown/no-answer']] },
    ],
  },
  'not-listening': {
    fires: {
      rows: [['signalling', 'sip-options/tls/5061 unknown/not-run']],
      facts: facts({ checks: [stage('sip-options/tls/5061', 'unknown/not-run', { notRun: 'not-listening' })] }),
    },
    silent: [
      {
        rows: [['signalling', 'sip-options/tls/5061 unknown/not-run']],
        facts: facts({ checks: [stage('sip-options/tls/5061', 'unknown/not-run', { notRun: 'interrupted' })] }),
      },
    ],
  },
  'silent-reflector': {
    fires: { rows: [['signalling', 'sip-options/udp/5060 unknown/no-answer']] },
    silent: [{ rows: [['signalling', 'sip-options/udp/5060 unknown/no-answer unprovable']] }],
  },
  'ended-early': {
    fires: {
      rows: [['signalling', 'sip-options/udp/5060 unknown/outage']],
      facts: facts({ ended: 'outage' }),
    },
    silent: [
      { rows: [['signalling', 'sip-options/udp/5060 unknown/outage']] },
      { rows: [UDP], facts: facts({ ended: 'cut-off' }) },
    ],
  },
  'shut-during-run': {
    fires: { rows: [['signalling', 'sip-options/udp/5060 unknown/cut-off']] },
    silent: [
      { rows: [['signalling', 'sip-options/udp/5060 unknown/no-answer']] },
      { rows: [['signalling', 'sip-options/udp/5060 unknown/cut-off']], facts: facts({ ended: 'outage' }) },
      { rows: [['signalling', 'sip-options/udp/5060 unknown/cut-off']], facts: facts({ comesAndGoes: true }) },
    ],
  },
  'comes-and-goes': {
    fires: {
      rows: [['signalling', 'sip-options/udp/5060 unknown/cut-off']],
      facts: facts({ comesAndGoes: true }),
    },
    silent: [
      { rows: [['signalling', 'sip-options/udp/5060 unknown/cut-off']] },
      {
        rows: [['signalling', 'sip-options/udp/5060 unknown/cut-off']],
        facts: facts({ comesAndGoes: true, ended: 'cut-off' }),
      },
    ],
  },
  'long-messages-over-tcp': {
    fires: {
      rows: [['signalling', 'sip-options/tcp/5060 pass/answered']],
      facts: facts({ checks: [stage('size-sweep/tcp/5060', 'blocked/size-filtered')] }),
    },
    silent: [
      // Of a transport that the service does not use.
      { rows: [UDP], facts: facts({ checks: [stage('size-sweep/tcp/5060', 'blocked/size-filtered')] }) },
      { rows: [UDP], facts: facts({ checks: [stage('size-sweep/tcp/5060', 'unknown/no-answer')] }) },
      { rows: [UDP], facts: facts({ checks: [stage('size-sweep/udp/5060', 'pass/answered')] }) },
      // What is long comes out and not back in.
      { rows: [TCP], facts: LONG_ANSWERS },
    ],
  },
  'long-notifies-over-tcp': {
    fires: { rows: [TCP], facts: LONG_ANSWERS },
    silent: [
      { rows: [UDP], facts: LONG_ANSWERS },
      { rows: [TCP], facts: facts({ checks: [stage('size-sweep/tcp/5060', 'blocked/size-filtered')] }) },
    ],
  },
  'answer-from-elsewhere': {
    fires: {
      rows: [['signalling', 'sip-options/udp/5060 unknown/no-answer']],
      facts: facts({ checks: [stage('sip-options/udp/5060', 'unknown/no-answer', { elsewhere: {} })] }),
    },
    silent: [
      {
        rows: [['signalling', 'sip-options/udp/5060 unknown/no-answer']],
        facts: facts({ checks: [stage('sip-options/udp/5060', 'unknown/no-answer')] }),
      },
    ],
  },
  'transport-not-offered': {
    fires: {
      rows: [['signalling', 'sip-options/tls/5061 unknown/not-run']],
      facts: facts({ checks: [stage('sip-options/tls/5061', 'unknown/not-run', { notRun: 'not-offered' })] }),
    },
    silent: [
      {
        rows: [['signalling', 'sip-options/tls/5061 unknown/not-run']],
        facts: facts({ checks: [stage('sip-options/tls/5061', 'unknown/not-run', { notRun: 'interrupted' })] }),
      },
    ],
  },
  'own-port-only': {
    fires: {
      rows: [['signalling', 'sip-options/udp/5060 degraded/flow-loss']],
      facts: facts({ checks: [stage('sip-options/udp/5060', 'degraded/flow-loss', { ownPortOnly: true })] }),
    },
    silent: [
      {
        rows: [['signalling', 'sip-options/udp/5060 degraded/flow-loss']],
        facts: facts({ checks: [stage('sip-options/udp/5060', 'degraded/flow-loss')] }),
      },
    ],
  },
  'own-port-silent': {
    fires: {
      rows: [['signalling', 'sip-options/udp/5060 degraded/flow-loss']],
      facts: nat({ sourcePorts: [{ port: 5060, seenPort: null, answered: false, notBound: null }] }),
    },
    silent: [
      {
        rows: [['signalling', 'sip-options/udp/5060 degraded/flow-loss']],
        facts: nat({ sourcePorts: [{ port: 5060, seenPort: 5060, answered: true, notBound: null }] }),
      },
    ],
  },
  'silent-server': {
    fires: {
      rows: [['signalling', 'sip-options/tls/5061 unknown/no-answer unprovable']],
      facts: facts({ checks: [stage('sip-options/tls/5061', 'unknown/no-answer', { opened: {} })] }),
    },
    silent: [
      {
        rows: [['signalling', 'sip-options/tls/5061 unknown/no-answer']],
        facts: facts({ checks: [stage('sip-options/tls/5061', 'unknown/no-answer', { opened: {} })] }),
      },
      {
        rows: [['signalling', 'sip-options/tls/5061 unknown/no-answer unprovable']],
        facts: facts({ checks: [stage('sip-options/tls/5061', 'unknown/no-answer')] }),
      },
    ],
  },
  'answers-held-back': {
    fires: { rows: [['signalling', 'sip-options/udp/5060 unknown/limited']] },
    silent: [{ rows: [['signalling', 'sip-options/udp/5060 unknown/no-answer']] }],
  },
};

const evidenceOf = ({ rows, facts: some, whenBlocked }: Case) => ({
  service: serviceOf(rows, whenBlocked ?? 'cannot-register'),
  facts: some ?? NO_FACTS,
});

t.test('each rule fires on its evidence, and not on what only resembles it', async (t) => {
  t.strictSame(RULES.map(({ id }) => id).sort(), Object.keys(CASES).sort(), 'every rule has its cases');
  for (const rule of RULES) {
    const cases = CASES[rule.id];
    if (!cases) continue;
    const evidence = evidenceOf(cases.fires);
    const grounds = rule.when(evidence);
    t.ok(grounds.length > 0, `${rule.id}: fires`);
    const known = new Set([
      ...evidence.service.requirements
        .flatMap(({ items, inbound }) => [...items, ...(inbound?.items ?? [])])
        .map(({ id }) => id),
      ...evidence.facts.checks.map(({ id }) => id),
    ]);
    const diagnosis = diagnose(evidence.service, evidence.facts);
    const said = [...diagnosis.symptoms, ...diagnosis.causes, ...diagnosis.fixes];
    t.ok(
      said.every(({ because }) => because.length > 0 && because.every((id) => known.has(id))),
      `${rule.id}: rests on checks of the run`,
    );
    t.ok(
      said.every(({ text }) => /^[A-Z].*\.$/.test(text)),
      `${rule.id}: speaks in sentences`,
    );
    const symptom = typeof rule.symptom === 'function' ? rule.symptom(evidence) : rule.symptom;
    if (symptom) {
      t.ok(SYMPTOMS.includes(symptom.id));
      t.ok(
        diagnosis.symptoms.some(({ id }) => id === symptom.id),
        `${rule.id}: is noticed as ${symptom.id}`,
      );
    }
    cases.silent.forEach((one, index) => {
      t.strictSame(rule.when(evidenceOf(one)), [], `${rule.id}: silent in case ${index + 1}`);
    });
  }
});

t.test('each rule is documented', async (t) => {
  const page = readFileSync(join(packageRoot(), 'docs', 'diagnosis.md'), 'utf8');
  t.strictSame(
    RULES.map(({ id }) => id).filter((id) => !page.includes(`\`${id}\``)),
    [],
  );
});

t.test(
  'where nothing passes from one moment on, the far end may have gone down as well as a guard have begun to drop',
  async (t) => {
    const { service } = evidenceOf({ rows: [['signalling', 'sip-options/udp/5060 unknown/cut-off']] });
    const ids = (ended: 'cut-off' | 'outage'): readonly string[] =>
      diagnose(service, facts({ ended })).causes.map(({ id }) => id);
    t.same([ids('cut-off'), ids('outage')], [['cut-off', 'outage'], ['outage']]);
  },
);
t.test('one cause of several rules names the address or the hop of each of its ports', async (t) => {
  const { service } = evidenceOf({
    rows: [
      ['signalling', 'sip-options/udp/5060 blocked/rejected'],
      ['media', 'stun-binding/udp/3478 blocked/rejected'],
    ],
  });
  const icmp = (from: string): IcmpFact => ({ family: 4, type: 3, code: 13, from, place: 'on-link', mtu: null });
  const rejections = [
    { id: 'sip-options/udp/5060', address: ADDRESS, icmp: icmp('10.77.0.1') },
    { id: 'stun-binding/udp/3478', address: ADDRESS, icmp: icmp('10.77.0.9') },
  ];
  const [rejecting] = diagnose(service, facts({ rejections })).causes;
  t.match(rejecting, { id: 'rejected-by', because: ['sip-options/udp/5060', 'stun-binding/udp/3478'] });
  t.match(rejecting?.text, /10\.77\.0\.1.*10\.77\.0\.9/);

  const dropping = evidenceOf({
    rows: [
      ['signalling', 'sip-options/udp/5060 blocked/dropped-outbound'],
      ['media', 'stun-binding/udp/3478 blocked/dropped-outbound'],
    ],
  });
  const [first] = hop('10.77.0.1', '100.64.0.1').hops ?? [];
  const hops = first
    ? [first, { ...first, check: 'stun-binding/udp/3478', port: 3478, nextOnControl: '100.64.0.9' }]
    : [];
  const [followed] = diagnose(dropping.service, facts({ hops })).causes;
  t.match(followed?.text, /UDP 5060 .*100\.64\.0\.1.*UDP 3478 .*100\.64\.0\.9/);
});

t.test('a size that vanishes: a limit, or a gap where longer ones pass', async (t) => {
  const SILENT = 'sip-options/udp/5060';
  const { service } = evidenceOf({
    rows: [['signalling', `${SILENT} blocked/size-filtered`, 'sip-options/tcp/5060 pass/answered']],
  });
  const causes = (evidence: ReportCheck['evidence']) =>
    diagnose(service, facts({ checks: [stage(SILENT, 'blocked/size-filtered', evidence)] })).causes;
  t.match(causes({}), [{ id: 'size-limit', text: /^Large packets of UDP 5060 are dropped/ }]);
  t.match(causes({ passesAgainAtBytes: 1000 }), [
    { id: 'size-gap', text: /UDP 5060.* passes shorter and longer ones/ },
  ]);
});

t.test('whose device it is', async (t) => {
  const first = (one: Case): string => {
    const { service, facts: some } = evidenceOf(one);
    const [cause] = diagnose(service, some).causes;
    return cause ? `${cause.id} ${cause.device} ${cause.likelihood}` : 'none';
  };
  const rows: readonly (readonly [story: string, says: string, of: Case])[] = [
    ['all passes', 'none', { rows: [UDP, MEDIA] }],
    ['a port that does not pass', 'port-filter branch-firewall likely', { rows: [UDP_BLOCKED] }],
    [
      'it passes to another reflector: no fault of the branch',
      'far-side-filter reflector likely',
      { rows: [UDP, ['media', `${RTP}#192.0.2.2 blocked/dropped-outbound`, `${RTP}#192.0.2.1 pass/answered`]] },
    ],
    [
      'it passes to another third party',
      'far-side-filter carrier likely',
      {
        rows: [
          [
            'signalling',
            'sip-options/udp/5060#192.0.2.2 blocked/rejected unprovable',
            'sip-options/udp/5060#192.0.2.1 pass/answered unprovable',
          ],
        ],
      },
    ],
    [
      'it passes over the other family: another path altogether',
      'port-filter branch-firewall likely',
      { rows: [UDP, ['media', `${RTP}#192.0.2.2 blocked/dropped-outbound`, `${RTP}#2001:db8::1 pass/answered`]] },
    ],
    [
      'this host refuses to send',
      'host-firewall host proven',
      { rows: [['signalling', 'sip-options/udp/5060 unknown/local-error']], facts: DENIED },
    ],
    [
      'a protocol that does not pass',
      'inspection branch-firewall likely',
      { rows: [UDP, lost('blocked/payload-filtered')] },
    ],
    [
      'rewritten SIP',
      'sip-alg branch-firewall likely',
      { rows: [['signalling', 'sip-options/udp/5060 altered/sip-alg']] },
    ],
    [
      'SIP requests that vanish by their method',
      'sip-alg branch-firewall likely',
      {
        rows: [['signalling', 'sip-options/udp/5060 pass/answered', `${SIP_ALG} blocked/payload-filtered`]],
        facts: alg({ method: 'INVITE', kind: 'dropped' }),
      },
    ],
    [
      "silence beside something that answers in the far end's place",
      'interception-takes-more branch-firewall likely',
      {
        rows: [
          ['signalling', 'sip-options/udp/5060 altered/answered-by-other'],
          lost('blocked/dropped-outbound'),
          ['media', 'rtcp-echo/udp/16385-32767 blocked/dropped-outbound'],
        ],
      },
    ],
    ['fragments', 'fragments-dropped branch-firewall likely', { rows: [UDP], facts: LARGE('outbound') }],
    ['large packets that are whole', 'path-mtu unknown likely', { rows: [UDP], facts: LARGE('outbound', false) }],
    [
      'a tunnel that is forgotten between two keepalives',
      'idle-timeout branch-firewall likely',
      {
        rows: [
          IKE,
          ['keepalive', 'nat-t-keepalive/udp/4500 pass/answered', 'nat-behavior/udp/4500 blocked/dropped-inbound'],
        ],
        facts: facts({ checks: [stage('nat-behavior/udp/4500', 'blocked/dropped-inbound')] }),
      },
    ],
    [
      'a table of sessions that is full: nobody is a stranger',
      'session-limit branch-firewall likely',
      { rows: [UDP, lost('unknown/no-answer')], facts: FEW_FLOWS },
    ],
    [
      'dropped before the first router',
      'dropped-after-hop branch-firewall likely',
      { rows: [DROPPED], facts: hop(null, '10.77.0.1', { device: 'branch-firewall' }) },
    ],
    [
      'dropped by the own router or the next',
      'dropped-after-hop branch-firewall possible',
      { rows: [DROPPED], facts: hop('10.77.0.1', '100.64.0.1') },
    ],
    [
      'dropped outside the site',
      'dropped-after-hop provider likely',
      { rows: [DROPPED], facts: hop('100.64.0.1', ADDRESS, { outside: true }) },
    ],
    [
      'the hops of another port',
      'port-filter branch-firewall likely',
      {
        rows: [DROPPED],
        facts: hop('100.64.0.1', ADDRESS, { outside: true, check: 'sip-options/udp/5062', port: 5062 }),
      },
    ],
    [
      "rejected by an address of this host's own network",
      'rejected-by branch-firewall proven',
      { rows: [['signalling', 'sip-options/udp/5060 blocked/rejected']], facts: rejection('10.77.0.1', 'on-link') },
    ],
    [
      'rejected by this host',
      'rejected-by host proven',
      { rows: [['signalling', 'sip-options/udp/5060 blocked/rejected']], facts: rejection('10.77.0.2', 'this-host') },
    ],
    [
      "rejected by an address of the provider's NAT",
      'rejected-by provider likely',
      { rows: [['signalling', 'sip-options/udp/5060 blocked/rejected']], facts: rejection('100.64.0.1', 'beyond') },
    ],
    [
      'rejected by a private address beyond the first router',
      'rejected-by branch-firewall likely',
      { rows: [['signalling', 'sip-options/udp/5060 blocked/rejected']], facts: rejection('10.8.0.1', 'beyond') },
    ],
    [
      "rejected in the far end's name",
      'rejected-by reflector likely',
      { rows: [['signalling', 'sip-options/udp/5060 blocked/rejected']], facts: rejection(ADDRESS, 'target') },
    ],
    [
      'an error that is no refusal names nobody',
      'port-filter branch-firewall likely',
      {
        rows: [['signalling', 'sip-options/udp/5060 blocked/rejected']],
        facts: rejection('10.77.0.1', 'on-link', { type: 11, code: 0 }),
      },
    ],
    [
      'held back by the far end',
      'answers-held-back reflector proven',
      { rows: [['signalling', 'sip-options/udp/5060 unknown/limited']] },
    ],
  ];
  for (const [story, says, of] of rows) t.equal(first(of), says, story);

  const { service } = evidenceOf({ rows: [UDP, lost('blocked/dropped-inbound')] });
  t.match(
    diagnose(service).causes.map(({ device, likelihood }) => `${device} ${likelihood}`),
    ['branch-firewall likely', 'provider possible', 'reflector possible', 'host possible'],
    'what cannot be told apart is said as doubt',
  );
});

t.test('outside the site no device of the site is suspected', async (t) => {
  const { service } = evidenceOf({ rows: [DROPPED] });
  const causes = diagnose(service, hop('100.64.0.1', ADDRESS, { outside: true })).causes;
  t.match(causes, [
    {
      device: 'provider',
      likelihood: 'likely',
      text: /^UDP 5060 gets as far as 100\.64\.0\.1 and never to the far end: /,
    },
    { device: 'reflector', likelihood: 'possible' },
  ]);
  t.notOk(causes.some(({ device }) => device === 'branch-firewall'));
});

t.test('whoever may lie unseen on the stretch stays possible', async (t) => {
  const { service } = evidenceOf({ rows: [DROPPED] });
  const devices = (facts: Facts): readonly string[] => diagnose(service, facts).causes.map(({ device }) => device);
  t.same(
    devices(hop('10.77.0.1', ADDRESS)),
    ['branch-firewall', 'provider', 'reflector'],
    'mute routers, limits rewritten',
  );
  t.same(devices(hop('10.77.0.1', '100.64.0.1')), ['branch-firewall', 'provider']);
  t.same(devices(hop(null, '100.64.0.1')), ['branch-firewall', 'provider'], 'the first router is mute');
  t.match(diagnose(service, hop(null, '100.64.0.1')).causes, [{ text: /^UDP 5060 does not get past 100\.64\.0\.1: / }]);
  t.same(devices(hop(null, '10.77.0.1', { device: 'branch-firewall' })), ['branch-firewall']);
});

t.test('an address is named for what it rejects, and for nothing else', async (t) => {
  const { service } = evidenceOf({
    rows: [['signalling', 'sip-options/udp/5060 blocked/rejected', 'sip-options/tcp/5060 blocked/rejected']],
  });
  const { causes } = diagnose(service, rejection('10.77.0.1', 'on-link'));
  t.match(causes, [
    {
      id: 'rejected-by',
      text: /^10\.77\.0\.1 \(this site's firewall or router\) rejects UDP 5060: administratively prohibited\.$/,
      because: ['sip-options/udp/5060'],
    },
    { id: 'port-filter', because: ['sip-options/tcp/5060'] },
  ]);
  const [udp] = rejection('10.77.0.1', 'on-link').rejections ?? [];
  const [tcp] = rejection('10.77.0.3', 'on-link').rejections ?? [];
  const two = facts({ rejections: udp && tcp ? [udp, { ...tcp, id: 'sip-options/tcp/5060' }] : [] });
  const named = diagnose(service, two).causes;
  t.match(named, [{ id: 'rejected-by', text: /^10\.77\.0\.1 \([^)]+\) and 10\.77\.0\.3 \([^)]+\) reject / }]);
  t.equal(named.length, 1, 'nothing is left for a guess');
});

t.test('what passes to another far end is asked of the one to which it does not pass', async (t) => {
  const { service } = evidenceOf({
    rows: [UDP, ['media', `${RTP}#192.0.2.2 blocked/dropped-outbound`, `${RTP}#192.0.2.1 pass/answered`]],
  });
  const { fixes } = diagnose(service);
  t.match(fixes, [{ text: /^Allow UDP 16384-32766 at 192\.0\.2\.2: /, rules: {}, words: {} }]);
});

t.test('one symptom of an id, and one direction of silence is no news beside silence', async (t) => {
  const { service } = evidenceOf({
    rows: [UDP, lost('blocked/dropped-outbound'), ['media', 'stun-binding/udp/3478 blocked/dropped-outbound']],
    whenBlocked: 'facetime-cannot-connect',
  });
  t.strictSame(
    diagnose(service).symptoms.map(({ id }) => id),
    ['no-audio'],
  );
});

t.test('no calls are lost where there can be none', async (t) => {
  const { service } = evidenceOf({
    rows: [
      IKE,
      ['keepalive', 'nat-t-keepalive/udp/4500 blocked/payload-filtered'],
      ['media', 'esp-in-udp/udp/4500 blocked/payload-filtered'],
    ],
    whenBlocked: 'wifi-calling-unavailable',
  });
  t.strictSame(
    diagnose(service).symptoms.map(({ id }) => id),
    ['wifi-calling-unavailable'],
  );
});

t.test('a range with a hole in it is blocked in parts, and asked for as a whole', async (t) => {
  const { service } = evidenceOf({ rows: [UDP, lost('blocked/dropped-outbound', 'partly')] });
  const { causes, fixes } = diagnose(service);
  t.match(causes[0]?.text, 'blocks parts of UDP 16384-32766 outbound');
  t.match(fixes[0]?.text, 'Allow outbound UDP 16384-32766 to');
  const slow = evidenceOf({ rows: [UDP, lost('degraded/rate-limited', 'partly')] });
  t.notMatch(diagnose(slow.service).causes[0]?.text, 'parts of', 'what passes badly has no hole');
});

t.test('diagnosis is deterministic, ranked, and silent about what passes', async (t) => {
  const rows = Object.values(CASES).flatMap(({ fires, silent }) => [fires, ...silent]);
  const anyEvidence = fc.tuple(fc.constantFrom(...rows), fc.constantFrom(...rows)).map(([a, b]) => ({
    service: evidenceOf({ ...a, rows: [...a.rows, ...b.rows] }).service,
    facts: b.facts ?? a.facts ?? NO_FACTS,
  }));
  const sound = fc.property(anyEvidence, ({ service, facts: some }) => {
    const diagnosis = diagnose(service, some);
    const ranks = diagnosis.causes.map(({ likelihood }) => LIKELIHOODS.indexOf(likelihood));
    const ids = diagnosis.symptoms.map(({ id }) => id);
    const causes = diagnosis.causes.map(({ id, device }) => `${id} ${device}`);
    return (
      JSON.stringify(diagnosis) === JSON.stringify(diagnose(service, some)) &&
      ranks.every((rank, index) => rank >= (ranks[index - 1] ?? 0)) &&
      new Set(ids).size === ids.length &&
      new Set(causes).size === causes.length &&
      diagnosis.causes.every(({ device }) => DEVICES.includes(device)) &&
      diagnosis.fixes.every(({ rules }) => Object.values(rules).every((text) => !/undefined|null/.test(text)))
    );
  });
  t.doesNotThrow(() => fc.assert(sound, { numRuns: 300 }));
});
