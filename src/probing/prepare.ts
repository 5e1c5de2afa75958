/** From a request to a plan: reads the token and the profiles, resolves the names. */
import { randomBytes } from 'node:crypto';
import type { Plan } from '../model/check.js';
import { alternativesOf, type Profile } from '../model/profile.js';
import { seededRandom } from '../model/random.js';
import type { Resolution } from '../model/resolution.js';
import { UserError } from '../model/user-error.js';
import type { Resolved } from '../plan/destination.js';
import { type Destination, plan } from '../plan/plan.js';
import { loadProfile } from '../plan/profiles.js';
import { SESSION_ID_BYTES } from '../wire/keys.js';
import type { ProbeRequest } from './request.js';
import { exposure, findToken } from './token.js';

/** What a run asks and of whom. */
export interface Prepared {
  readonly target: Destination;
  readonly reflectors: readonly Destination[];
  readonly profiles: readonly Profile[];
  readonly plan: Plan;
  readonly token: Uint8Array | null;
  readonly sessionId: Uint8Array;
  readonly notes: readonly string[];
  /** What whoever typed the command should mend, and what the report need not say. */
  readonly warnings?: readonly string[];
  /** What the DNS said of the target; null where it was not asked. */
  readonly resolution?: Resolution | null;
}

/** A fresh session, and the chance that the plan's samples are drawn by. */
export const newSession = (): { readonly sessionId: Uint8Array; readonly random: () => number } => {
  const sessionId = randomBytes(SESSION_ID_BYTES);
  return { sessionId, random: seededRandom(sessionId.readUInt32BE(0)) };
};

const asksSip = (profiles: readonly Profile[]): boolean =>
  profiles.some(({ requirements }) =>
    requirements.flatMap(alternativesOf).some((spec) => 'probe' in spec && spec.probe.startsWith('sip-')),
  );

/** @throws UserError where something is asked for that only a token opens */
const demandToken = ({ reflectors, inbound = [] }: ProbeRequest, token: Uint8Array | null): void => {
  if (token !== null) return;
  const option = reflectors.length > 0 ? '--reflector' : inbound.length > 0 ? '--inbound' : null;
  if (option !== null) throw new UserError('usage', `${option} needs the reflector's token: give --token-file FILE`);
};

/**
 * Reads everything that the request names, and plans the run.
 * @param withoutPackets names are not resolved, because that sends packets
 * @throws UserError for what the user can mend
 */
export const prepare = async (
  request: ProbeRequest,
  env: NodeJS.ProcessEnv,
  signal: AbortSignal,
  { withoutPackets = false }: { readonly withoutPackets?: boolean } = {},
): Promise<Prepared> => {
  const token = findToken(request.tokenFile, env);
  const exposed = exposure(request.tokenFile ?? env.CALLPATH_TOKEN_FILE, request.strict ?? false);
  const [destinations, epdg, rows, { addressNotes }, { withSipIdentity }, { withInbound }] = await Promise.all([
    import('../plan/destination.js'),
    import('../plan/epdg.js'),
    import('../plan/row-target.js'),
    import('../plan/name-notes.js'),
    import('../plan/sip-identity.js'),
    import('../plan/inbound.js'),
  ]);
  const { addressesOfName, readSipTarget, readTarget, resolveDestination, transportsOf, withoutDns } = destinations;
  const { checkPlmn, hostOf, inventedAddresses, screenEpdg } = epdg;
  const { families, plmn } = request;
  checkPlmn(plmn);
  const profiles = await Promise.all(request.profiles.map(loadProfile));
  const home = request.target === null ? hostOf(profiles, plmn) : null;
  const gateway = home !== null && !withoutPackets ? await epdg.gatewayOf(home, plmn, signal) : home;
  const named = request.target ?? gateway;
  if (named === null) {
    throw new UserError('usage', '--target is missing: name a reflector or a carrier, or try "probe demo"');
  }
  const sipTarget = readSipTarget(named, '--target', request.port);
  const { target, port } = sipTarget;
  const reflectorTargets = request.reflectors.map((text) => readTarget(text, '--reflector'));
  demandToken(request, token);
  const resolve = async (one: typeof target, withSip: boolean, at: number | null = null): Promise<Resolved> =>
    withoutPackets && one.kind === 'name'
      ? withoutDns(one.name, families, at)
      : resolveDestination(one, withSip, families, signal, at);
  const screened = async (resolved: Resolved): Promise<Resolved> => {
    if (withoutPackets) return screenEpdg(resolved, gateway !== null);
    const lookUp = (name: string) => addressesOfName(name, families, signal);
    return screenEpdg(resolved, gateway !== null, await inventedAddresses(resolved, gateway !== null, lookUp));
  };
  const isAskedThere = rows.asksOwnHosts({
    namesTarget: request.target !== null,
    namesReflectors: request.reflectors.length > 0,
    hasToken: token !== null,
  });
  const ownHosts = isAskedThere ? rows.hostsOfRows(profiles) : [];
  const [found, besides, ...others] = await Promise.all([
    resolve(target, asksSip(profiles), port).then(screened),
    Promise.all(ownHosts.map((host) => resolve({ kind: 'name', name: host }, false))),
    ...reflectorTargets.map((one) => resolve(one, false)),
  ]);
  const reflectors = others.map(({ destination }) => destination);
  const { sessionId, random } = newSession();
  return {
    ...{ reflectors, profiles, token, sessionId },
    warnings: exposed === null ? [] : [exposed],
    target: found.destination,
    notes: [
      ...(gateway === null ? [] : epdg.gatewayNotes(plmn)),
      ...[found, ...besides, ...others].flatMap(({ notes }) => notes),
      ...addressNotes(found.destination),
    ],
    resolution: found.resolution,
    plan: withInbound(
      withSipIdentity(
        plan({
          ...{ profiles, reflectors, random },
          target: found.destination,
          others: new Map(besides.map(({ destination }) => [destination.host, destination])),
          hasToken: token !== null,
          rtpRange: request.rtpRange,
          transports: transportsOf(sipTarget, request.transports),
          exhaustive: request.exhaustive,
          portMap: new Map(),
          watched: request.watched ?? {},
        }),
        found.destination,
        request.from,
      ),
      request.inbound ?? [],
    ),
  };
};
