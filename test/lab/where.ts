/** The keys of a scenario's tables: which checks and ports a line is about. The last key that matches wins. */

/**
 * `*` everything · `udp/5060` a port · `udp/*` a transport · `udp/16384-32767` a range · `udp/16384-32767:odd` every
 * second port of it · `sip-options/udp/5060` one probe only · any of them with `#198.51.100.11` for one address only.
 */
export type Where = string;

/** What a key is compared with: a check of the report, or one port of a range. */
export interface Place {
  readonly probe: string;
  readonly transport: string;
  readonly port: number;
  readonly address: string | null;
}

const FORM =
  /^(?:\*|(?:(?<probe>[a-z-]+)\/)?(?<transport>udp|tcp|tls|\*)\/(?:\*|(?<from>\d+)(?:-(?<to>\d+))?(?::(?<parity>odd|even))?))?(?:#(?<address>[\d.:a-f]+))?$/;

interface ParsedWhere {
  readonly probe: string | null;
  readonly transport: string | null;
  readonly from: number;
  readonly to: number;
  /** The remainder modulo 2, or null for all ports. */
  readonly parity: 0 | 1 | null;
  readonly address: string | null;
}

/** @throws Error for a key of no known form: a mistake in a scenario file */
export const parseWhere = (where: Where): ParsedWhere => {
  const groups = FORM.exec(where)?.groups;
  if (!groups || where === '') throw new Error(`"${where}" is no key of a scenario; write for example udp/5060`);
  const { probe, transport, from, to, parity, address } = groups;
  return {
    probe: probe ?? null,
    transport: transport === '*' ? null : (transport ?? null),
    from: Number(from ?? 1),
    to: Number(to ?? from ?? 65_535),
    parity: parity === undefined ? null : parity === 'odd' ? 1 : 0,
    address: address ?? null,
  };
};

/** True if the key is about this place. */
export const matches = (where: Where, place: Place): boolean => {
  const { probe, transport, from, to, parity, address } = parseWhere(where);
  return (
    (probe === null || probe === place.probe) &&
    (transport === null || transport === place.transport) &&
    from <= place.port &&
    place.port <= to &&
    (parity === null || parity === place.port % 2) &&
    (address === null || address === place.address)
  );
};

/** The value of the last key that matches, or undefined. */
export const lookUp = <T>(table: Readonly<Record<Where, T>> | undefined, place: Place): T | undefined =>
  Object.entries(table ?? {}).findLast(([where]) => matches(where, place))?.[1];
