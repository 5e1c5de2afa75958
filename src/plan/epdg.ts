/**
 * A carrier's gateway for Wi-Fi Calling (ePDG) by its name: how 3GPP forms it, and whether what a resolver says of it can
 * be true. A handset behind a resolver that fails or lies gets no further, whatever the ports do.
 */
import { isIP } from 'node:net';
import type { Profile } from '../model/profile.js';
import { UserError } from '../model/user-error.js';
import { gatewayImpossible, gatewayInvented, gatewayUnresolved } from '../words/name-notes.js';
import { lookupInWords } from '../words/names.js';
import { carrierNamed, carrierNote, gatewayName, HOME, PUBLIC_3GPP, readForm } from './carriers.js';
import type { Resolved } from './destination.js';
import type { Endpoint } from './plan.js';
import { isPublic } from './public-address.js';

/** A carrier's two numbers (ITU-T E.212), or its name in the table, as the user wrote them; null where not given. */
export interface Plmn {
  readonly mcc: string | null;
  readonly mnc: string | null;
  readonly carrier?: string | null;
  /** Which of its gateways: `home`, `emergency`, `visited`, `lac:01ab`, `tai:0b1a`. */
  readonly form?: string | null;
}

/** `epdg.epc.mnc260.mcc310.pub.3gppnetwork.org`: an MNC of two digits gets a zero in front (TS 23.003 §19.4.2.9). */
export const epdgName = (mcc: string, mnc: string): string => gatewayName(mcc, mnc);

/** Reads `--mcc`, `--mnc`, `--carrier` and `--epdg`. @throws UserError that names the option */
export const checkPlmn = ({ mcc, mnc, carrier = null, form = null }: Plmn): void => {
  if (carrier !== null) {
    const { plmn } = carrierNamed(carrier);
    if (mcc !== null || mnc !== null) throw new UserError('usage', '--carrier excludes --mcc and --mnc; choose one');
    if (form !== null && plmn === null && (readForm(form).kind !== 'home' || readForm(form).emergency)) {
      throw new UserError('usage', `--epdg: the numbers of ${carrier} are not in the table; give --mcc and --mnc`);
    }
  }
  if (form !== null && carrier === null && readForm(form) && (mcc === null || mnc === null)) {
    throw new UserError('usage', '--epdg needs a carrier: --carrier NAME, or --mcc NNN --mnc NN');
  }
  if (mcc !== null && !/^\d{3}$/.test(mcc)) {
    throw new UserError('usage', `--mcc: "${mcc.slice(0, 20)}" is not three digits, as in 310`);
  }
  if (mnc !== null && !/^\d{2,3}$/.test(mnc)) {
    throw new UserError('usage', `--mnc: "${mnc.slice(0, 20)}" is not two or three digits, as in 260`);
  }
  if ((mcc === null) !== (mnc === null)) {
    throw new UserError(
      'usage',
      `--${mcc === null ? 'mcc' : 'mnc'} is missing: a carrier has both, as in --mcc 310 --mnc 260`,
    );
  }
};

/** The host that the options and profiles themselves name, for a run without `--target`; null if they name none. */
export const hostOf = (
  profiles: readonly Profile[],
  { mcc, mnc, carrier = null, form = null }: Plmn,
): string | null => {
  const wanted = form === null ? HOME : readForm(form);
  if (carrier !== null) {
    const { host, plmn } = carrierNamed(carrier);
    // A name of the carrier's own is its usual gateway; all others are formed from its numbers.
    if (wanted.kind === 'home' && !wanted.emergency) return host;
    return plmn === null ? host : gatewayName(plmn[0], plmn[1], wanted);
  }
  if (mcc !== null && mnc !== null) return gatewayName(mcc, mnc, wanted);
  return profiles.flatMap(({ host }) => host ?? [])[0] ?? null;
};

/** The name to ask for: the same, or what the records of a visited country lead to. @throws UserError */
export const gatewayOf = async (host: string, { form = null }: Plmn, signal: AbortSignal): Promise<string> => {
  if (form === null || readForm(form).kind !== 'visited') return host;
  const [first = host] = await (await import('./visited.js')).visitedGateways(host, signal);
  return first;
};

/** What a reader must know of the name that is asked. */
export const gatewayNotes = ({ carrier = null }: Plmn): readonly string[] =>
  carrier === null ? [] : [carrierNote(carrierNamed(carrier))];

const nowhere = ({ host }: Endpoint): Endpoint => ({ host, address: null, family: null });

const isGatewayName = (host: string, isGateway: boolean): boolean =>
  isIP(host) === 0 && (isGateway || host.endsWith(PUBLIC_3GPP));

/**
 * A name beside the gateway's that no carrier can have, because no country has MCC 000 (ITU-T E.212); for names outside
 * of 3GPP's one that must not resolve anywhere (RFC 6761 §6.4). Who answers it answers everything.
 */
const impossibleName = (host: string): string =>
  host.endsWith(PUBLIC_3GPP) ? epdgName('000', '000') : 'gateway.invalid';

/**
 * The addresses of a gateway that this resolver gives for a name that cannot exist as well: its own invention, though
 * they may be public. Empty for what is no gateway's name, and where the resolver is honest or silent.
 */
export const inventedAddresses = async (
  { destination: { host, endpoints } }: Resolved,
  isGateway: boolean,
  lookUp: (name: string) => Promise<readonly string[]>,
): Promise<readonly string[]> => {
  const found = endpoints.flatMap(({ address }) => address ?? []);
  if (found.length === 0 || !isGatewayName(host, isGateway)) return [];
  const invented = await lookUp(impossibleName(host));
  return found.filter((address) => invented.includes(address));
};

/**
 * What was resolved, without the addresses that a carrier's gateway cannot have: asking them would call a port blocked
 * where it is the resolver that lies. Names outside of 3gppnetwork.org and of the profiles are left as they are, because
 * a reflector may well have a private address.
 */
export const screenEpdg = (resolved: Resolved, isGateway: boolean, invented: readonly string[] = []): Resolved => {
  const { destination } = resolved;
  const { host } = destination;
  if (!isGatewayName(host, isGateway)) return resolved;
  const isTrue = (address: string): boolean => isPublic(address) && !invented.includes(address);
  const found = destination.endpoints.flatMap(({ address }) => address ?? []);
  const impossible = found.filter((address) => !isPublic(address));
  const lies = found.filter((address) => isPublic(address) && invented.includes(address));
  const failed = resolved.notes.flatMap((note) => /does not resolve \(([a-z-]+)\)/.exec(note)?.[1] ?? []);
  const notes = [
    ...resolved.notes,
    ...failed.map((reason) => gatewayUnresolved(host, lookupInWords(reason, resolved.resolution?.resolvers ?? []))),
    ...(impossible.length > 0 ? [gatewayImpossible(host, impossible.join(', '))] : []),
    ...(lies.length > 0 ? [gatewayInvented(host, lies.join(', '), impossibleName(host))] : []),
  ];
  if (found.every(isTrue)) return { ...resolved, notes };
  const screen = <E extends Endpoint>(endpoints: readonly E[]): readonly E[] => {
    const kept = endpoints.filter(({ address }) => address === null || isTrue(address));
    return kept.length > 0 ? kept : endpoints.slice(0, 1).map((one) => ({ ...one, ...nowhere(one) }));
  };
  const { udp, tcp, tls } = destination.sip;
  return {
    notes,
    resolution: resolved.resolution,
    destination: {
      ...destination,
      endpoints: screen(destination.endpoints),
      sip: {
        udp: { ...udp, endpoints: screen(udp.endpoints) },
        tcp: { ...tcp, endpoints: screen(tcp.endpoints) },
        tls: { ...tls, endpoints: screen(tls.endpoints) },
      },
    },
  };
};
