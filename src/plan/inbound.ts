/** `--inbound`: at which port of this host the far side of a row is let try, and which rows that is about. Pure. */
import type { InboundPort, Plan } from '../model/check.js';
import { TRANSPORTS, type Transport } from '../model/kinds.js';
import { nearest } from '../model/nearest.js';
import { alternativesOf, type Requirement } from '../model/profile.js';
import { UserError } from '../model/user-error.js';

/** One `--inbound`, as it was written. */
export interface InboundWish {
  /** The id of a row; null for all rows that hold the port. */
  readonly row: string | null;
  readonly port: number;
  /** Null where the row says it. */
  readonly transport: Transport | null;
}

const FORM = /^(?:([a-z0-9]+(?:-[a-z0-9]+)*)=)?(\d{1,5})(?:\/(udp|tcp|tls))?$/;
const usage = (message: string): UserError => new UserError('usage', `--inbound: ${message}`);
const isTransport = (text: string): text is Transport => (TRANSPORTS as readonly string[]).includes(text);

/** Reads `5061`, `5061/tls` or `signalling=5067`. @throws UserError that says how it is written */
export const readInbound = (text: string): InboundWish => {
  const [, row = null, number = '', transport = null] = FORM.exec(text) ?? [];
  const port = Number(number);
  if (number === '' || port < 1 || port > 65_535) {
    throw usage(`"${text.slice(0, 60)}" names no port; write for example 5061, 5061/tls or signalling=5067`);
  }
  return { row, port, transport: transport !== null && isTransport(transport) ? transport : null };
};

const isInbound = ({ direction }: Requirement): boolean => direction === 'inbound' || direction === 'both';

const holds = (row: Requirement, { port, transport }: InboundWish): readonly Transport[] =>
  alternativesOf(row)
    .filter((spec) => ('port' in spec ? spec.port === port : spec.from <= port && port <= spec.to))
    .map((spec) => spec.transport)
    .filter((one) => transport === null || one === transport);

/** Over what a row is asked at this port: what its question at that port says, or the one transport that it has. */
const transportsOf = (row: Requirement, wish: InboundWish): readonly Transport[] => {
  const held = holds(row, wish);
  if (held.length > 0 || wish.row === null) return [...new Set(held)];
  const own = [...new Set(alternativesOf(row).map((spec) => spec.transport))];
  if (wish.transport !== null) return own.includes(wish.transport) ? [wish.transport] : [];
  if (own.length === 1) return own;
  throw usage(`row ${row.id} has ${own.join(', ')}; say which, as in ${wish.row}=${wish.port}/${own[0]}`);
};

/**
 * The plan with the ports at which its rows let the far side begin.
 * @throws UserError for a port or a row that nothing chosen lets in
 */
export const withInbound = (plan: Plan, wishes: readonly InboundWish[]): Plan => {
  if (wishes.length === 0) return plan;
  const rows = plan.requirements.map(({ requirement }) => requirement).filter(isInbound);
  for (const wish of wishes) {
    const named = rows.filter(({ id }) => wish.row === null || id === wish.row);
    if (named.some((row) => transportsOf(row, wish).length > 0)) continue;
    const ids = [...new Set(rows.map(({ id }) => id))];
    if (ids.length === 0)
      throw usage('no chosen profile has a row that the far side starts, such as teams-direct-routing has');
    if (wish.row !== null && named.length === 0) {
      const meant = nearest(wish.row, ids);
      throw usage(
        `"${wish.row}" is not a row that the far side starts; ${meant ? `did you mean ${meant}?` : `use one of ${ids.join(', ')}`}`,
      );
    }
    throw usage(
      `no row lets in ${wish.port}; name the row that it is for, as in ${ids[0]}=${wish.port}, one of ${ids.join(', ')}`,
    );
  }
  return {
    ...plan,
    requirements: plan.requirements.map((planned) => {
      const { requirement } = planned;
      if (!isInbound(requirement)) return planned;
      const inbound = wishes
        .filter(({ row }) => row === null || row === requirement.id)
        .flatMap((wish) => transportsOf(requirement, wish).map((transport) => ({ transport, port: wish.port })));
      return inbound.length > 0 ? { ...planned, inbound } : planned;
    }),
  };
};

/** Every port at which this host is to listen, each once. */
export const inboundPorts = ({ requirements }: Plan): readonly InboundPort[] => {
  const ports = requirements.flatMap(({ inbound = [] }) => inbound);
  return [...new Map(ports.map((one) => [`${one.transport}/${one.port}`, one])).values()];
};
