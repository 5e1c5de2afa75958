/**
 * Which findings a service feels: those about what a required row of its own uses, in the open. A SIP ALG is no matter of
 * Wi-Fi Calling, whose SIP runs inside IPsec, nor of an app that signals over HTTPS.
 */
import type { ProbeKind, Transport } from '../../model/kinds.js';
import { type Profile, type RequirementRole, symptomOf } from '../../model/profile.js';
import type { ServiceState } from '../services.js';

interface Touched {
  /** Of the rows that use it. */
  readonly roles: readonly RequirementRole[];
  /** By which checks these rows are known. */
  readonly probes: readonly ProbeKind[];
  /** Whether it is still there where calls run inside IPsec. */
  readonly besideTunnel: boolean;
}

/** Role by finding: what a study's finding touches. */
const TOUCHED = {
  'sip-alg': { roles: ['signalling'], probes: ['sip-options'], besideTunnel: false },
  call: { roles: ['signalling'], probes: ['sip-options'], besideTunnel: false },
  'size-sweep': { roles: ['signalling'], probes: ['sip-options'], besideTunnel: false },
  'media-stream': { roles: ['media'], probes: ['rtp-echo', 'rtcp-echo'], besideTunnel: false },
  'nat-behavior': { roles: ['signalling', 'keepalive'], probes: ['nat-t-keepalive'], besideTunnel: true },
} as const satisfies Partial<Record<ProbeKind, Touched>>;

type Finding = keyof typeof TOUCHED;

const isFinding = (probe: ProbeKind): probe is Finding => probe in TOUCHED;

/** SIP and RTP run inside IPsec: handsets open a tunnel to the carrier's gateway (3GPP TS 24.302). */
export const isTunnelled = (profile: Pick<Profile, 'symptoms'>): boolean =>
  symptomOf(profile, 'signalling') === 'wifi-calling-unavailable';

/** Whether the finding of a study is about something that the service needs. Of other kinds: yes, they are its own rows. */
export const isFelt = (
  { probe, transport, port }: { readonly probe: ProbeKind; readonly transport: Transport; readonly port: number },
  { profile, requirements }: Pick<ServiceState, 'profile' | 'requirements'>,
): boolean => {
  if (!isFinding(probe)) return true;
  const { roles, probes, besideTunnel }: Touched = TOUCHED[probe];
  if (!besideTunnel && isTunnelled(profile)) return false;
  return requirements.some(
    ({ requirement, items }) =>
      requirement.need === 'required' &&
      roles.includes(requirement.role) &&
      items.some(
        (item) => probes.includes(item.probe) && item.transport === transport && item.from <= port && port <= item.to,
      ),
  );
};
