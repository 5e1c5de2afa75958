/** What all observations together say about each address: the controls that a single verdict needs. */
import type { Observation, PathLimit } from '../model/observation.js';
import type { FarEndState, Listens } from './circumstances.js';
import { hasSpoken, isWayLong, lineLoses } from './third-party.js';

export interface FarEndInput {
  readonly observations: readonly Observation[];
  /** What each reflector says that it listens on, by address; null if it could not be asked. */
  readonly listens: ReadonlyMap<string, Listens | null>;
  /** `address/port` of UDP ports on which a bare tag passed. */
  readonly otherBytesPassed: ReadonlySet<string>;
  /** By address: what was found to limit the path. */
  readonly limits?: ReadonlyMap<string, PathLimit>;
  /** What each reflector says it held back, by address. */
  readonly heldBack?: ReadonlyMap<string, number>;
  /** Reflectors that proved themselves, and did not answer any more at the end. */
  readonly gone?: ReadonlySet<string>;
  /** The same of small ESP packets, where large ones stayed silent. */
  readonly smallEspPassed?: ReadonlySet<string>;
}

const answered = (observation: Observation, authentic: boolean): boolean =>
  observation.attempts.some((attempt) => attempt.outcome === 'answer' && (!authentic || attempt.authentic === true));

/** Someone there said no, or the connection stood: the address is alive although the question failed. */
const spoke = (observation: Observation): boolean =>
  hasSpoken(observation) ||
  Boolean(observation.elsewhere) ||
  observation.attempts.some(
    (attempt) =>
      (attempt.outcome !== 'answer' && attempt.opened !== null) ||
      (attempt.outcome === 'error' && ['refused', 'reset', 'tls-failed', 'closed-early'].includes(attempt.failure)),
  );

/** The farEnd of every address that was asked anything. */
export const farEndStates = ({
  observations,
  listens,
  otherBytesPassed,
  limits,
  heldBack,
  gone,
  smallEspPassed = new Set(),
}: FarEndInput): ReadonlyMap<string, FarEndState> => {
  const byAddress = new Map<string, Observation[]>();
  for (const observation of observations) {
    const { address } = observation.check;
    if (address === null || observation.notRun !== null) continue;
    const own = byAddress.get(address);
    if (own) own.push(observation);
    else byAddress.set(address, [observation]);
  }
  return new Map(
    [...byAddress].map(([address, own]): [string, FarEndState] => {
      const proven = own.some((observation) => answered(observation, true)) || Boolean(listens.get(address));
      const passing = own.filter(({ check }) => check.transport === 'udp').filter((one) => answered(one, true));
      const others = [...otherBytesPassed].filter((key) => key.startsWith(`${address}/`));
      return [
        address,
        {
          role: proven ? 'reflector' : 'third-party',
          lineLoses: (lossRatio) => lineLoses(own, lossRatio),
          isWayLong: (rttMs) => isWayLong(own, rttMs),
          alive: proven || own.some((observation) => answered(observation, false) || spoke(observation)),
          asked: own.length,
          listens: listens.get(address) ?? null,
          limit: limits?.get(address) ?? null,
          heldBack: heldBack?.get(address) ?? 0,
          isGone: gone?.has(address) ?? false,
          smallEspPorts: new Set(
            [...smallEspPassed]
              .filter((key) => key.startsWith(`${address}/`))
              .map((key) => Number(key.slice(address.length + 1))),
          ),
          openUdpPorts: new Set([
            ...passing.map(({ check }) => check.port),
            ...others.map((key) => Number(key.slice(address.length + 1))),
          ]),
        },
      ];
    }),
  );
};

/** Of an address that was asked nothing. */
export const UNKNOWN_FAR_END: FarEndState = {
  role: 'third-party',
  alive: false,
  asked: 0,
  listens: null,
  openUdpPorts: new Set(),
};
