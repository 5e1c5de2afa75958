/** Profiles and destinations in few words, for planning. */

import type { AskedKind, Transport } from '../../../src/model/kinds.js';
import type { CheckSpec, Profile, RangeSpec, Requirement } from '../../../src/model/profile.js';
import type { Destination, Endpoint, PlanInput, SipRoute } from '../../../src/plan/plan.js';

const SOURCE = { title: 'a document', evidence: 'primary', checkedOn: '2026-11-21' } as const;

/** `sip-options/udp/5060`, or `rtp-echo+rtcp-echo/udp/16384-32767`. */
export const spec = (text: string): CheckSpec | RangeSpec => {
  const [kinds = '', transport, ports = ''] = text.split('/');
  const probes = kinds.split('+') as AskedKind[];
  const [from, to] = ports.split('-').map(Number);
  const [probe] = probes;
  if (!probe || from === undefined) throw new RangeError(`not a question: ${text}`);
  return to === undefined
    ? { probe, transport: transport as Transport, port: from }
    : { probes, transport: transport as Transport, from, to };
};

/** A requirement from its questions; more than one are alternatives. */
export const requirement = (
  id: string,
  questions: readonly string[],
  fields: Partial<Pick<Requirement, 'need' | 'role'>> = {},
): Requirement => {
  const common = { id, need: 'required', role: 'signalling', purpose: 'a purpose', source: SOURCE, ...fields } as const;
  const [only, ...more] = questions.map(spec);
  if (!only) throw new RangeError('no question');
  if (more.length > 0) return { ...common, anyOf: [only, ...more] };
  return 'probes' in only ? { ...common, range: only } : { ...common, check: only };
};

export const profile = (name: string, requirements: readonly Requirement[]): Profile => ({
  profile: name,
  title: name,
  summary: 'A service.',
  notes: [],
  thresholds: { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.01 },
  thresholdsSources: [SOURCE],
  symptoms: { signalling: 'cannot-register' },
  requirements,
});

export const endpoint = (address: string | null, host = 'target.example'): Endpoint => ({
  host,
  address,
  family: address === null ? null : address.includes(':') ? 6 : 4,
});

/** Where SIP goes: the same addresses and the profile's own ports, unless told otherwise. */
export const destination = (
  addresses: readonly (string | null)[],
  sip: Partial<Destination['sip']> = {},
  host = 'target.example',
): Destination => {
  const endpoints = addresses.map((address) => endpoint(address, host));
  const route: SipRoute = { offered: true, endpoints: endpoints.map((one) => ({ ...one, port: null })) };
  return { host, endpoints, sip: { udp: route, tcp: route, tls: route, ...sip } };
};

/** A plan for one address with a token and nothing special. */
export const input = (fields: Partial<PlanInput> & Pick<PlanInput, 'profiles'>): PlanInput => ({
  target: destination(['198.51.100.10']),
  reflectors: [],
  hasToken: true,
  rtpRange: null,
  transports: null,
  exhaustive: false,
  random: () => 0,
  portMap: new Map(),
  ...fields,
});
