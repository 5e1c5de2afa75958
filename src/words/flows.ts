/** What becomes of flows, in words: a dead member of a bundle, the first packet of each. */
import type { FarEndFacts, PortSpan } from '../model/far-end.js';

const share = (part: number, whole: number): string => `${Math.round((100 * part) / Math.max(1, whole))} %`;

export const deadFlowsNote = ({ address, flows }: FarEndFacts): string =>
  `Some flows to ${address} fail, others work (${flows?.dead} of ${flows?.asked} source ports, ${share(flows?.dead ?? 0, flows?.asked ?? 0)}): a failed member of a link bundle (LAG), one of several uplinks, or a bad ECMP path. No port is at fault, and no firewall rule fixes it; about the same share of calls has no audio.`;

/** A bundle of which so many members are dead is rare; a limit on new connections takes as many. */
const NEARLY_ALL_DEAD = 0.9;

export const deadConnectionsNote = ({ address, connections }: FarEndFacts): string => {
  const { dead = 0, asked = 0 } = connections ?? {};
  const why = 'a failed member of a link bundle (LAG), one of several uplinks, or a bad ECMP path';
  return dead > NEARLY_ALL_DEAD * asked
    ? `Nearly all connections to ${address} never open, a few do (${dead} of ${asked}, ${share(dead, asked)}): a limit on new connections in a time (flood protection), which this run may have met, or ${why}. No port is at fault; phones that use TCP or TLS register on some attempts and fail on others. Exempt this host and the phones, and run again.`
    : `Some connections to ${address} never open, others do (${dead} of ${asked}, ${share(dead, asked)}): ${why}. No port is at fault, and no firewall rule fixes it; phones that use TCP or TLS register on some attempts and fail on others.`;
};

export const limitedConnectionsNote = ({ address, connections }: FarEndFacts): string =>
  `Of ${connections?.asked} connections to ${address} opened at the same moment ${connections?.dead} fail; opened one after the other, all work: something on the path limits how many new connections this host may open at once (flood protection). No port is at fault; phones behind one address that register at the same moment share the limit. Exempt them.`;

/** @param count how many packets each flow loses before one passes */
export const firstLostNote = ({ address }: FarEndFacts, count: number): string =>
  count > 1
    ? `Only the first ${count} packets of each flow to ${address} are lost: something on the path drops them while it sets the flow up. A call loses its first ${count * 20} ms, and a request with too few retransmissions is lost; this is not packet loss on the line, and no port is at fault. NAT and SIP ALG are not tested over such a path.`
    : `Only the first packet of each flow to ${address} is lost: something on the path drops it while it sets the flow up (ARP, a flow table). A call loses its first 20 ms, and a request without retransmission is lost; this is not packet loss on the line.`;

export const firstHeldNote = ({ address }: FarEndFacts): string =>
  `Only the first packet of each flow to ${address} is delayed: something on the path sets the flow up first. A call starts a moment late; the latency of the line is normal.`;

export const ownPortNote = (port: number): string =>
  `UDP ${port} passes from source port ${port} only: desk phones and gateways that send from it work; devices that send from any other port (softphones, several phones behind one NAT) do not.`;

/** @param ports `UDP 5060, 16384-16483` */
export const shutNote = (ports: string): string =>
  `${ports} passed at first, but not in the repeat at the end of the run: flood or scan protection${ports.startsWith('UDP') ? '' : ', or a limit of new connections in a time,'} blocks this host there, which this run may have triggered (exempt this host, or use a lower --max-pps), or a rule changed during the run. Run again: what is blocked then is blocked.`;

/** @param fromMs and toMs since the run began, in milliseconds */
export const shutForNote = (
  { address, shutFor }: Pick<FarEndFacts, 'address' | 'shutFor'>,
  fromMs: number,
  toMs: number,
): string => {
  const ports = [...new Set(shutFor.map(({ port }) => port))].sort((a, b) => a - b);
  const [first, last] = [ports[0], ports.at(-1)];
  const named =
    ports.length === 1
      ? `UDP ${first} of ${address} passed nothing`
      : `${ports.length} ports between UDP ${first} and ${last} of ${address} passed nothing`;
  const seconds = (ms: number): string => (ms / 1000).toFixed(1);
  return `${named} from ${seconds(fromMs)} to ${seconds(toMs)} s into the run, while others did, and pass again since: a rule changed during the run. What was lost there is no packet loss of the line, and no port is reported as blocked for it.`;
};

/** Runs of ports that are named; a sweep's sample of a range has more. */
const MAX_NAMED = 6;

export const unreadableNote = ({ address }: FarEndFacts, spans: readonly PortSpan[]): string => {
  const named = spans.slice(0, MAX_NAMED).map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`));
  const more = spans.length > MAX_NAMED ? ` and ${spans.length - MAX_NAMED} more runs of ports` : '';
  return `Datagrams from here arrive at UDP ${named.join(', ')}${more} of ${address}, but the reflector cannot parse them: something on the path changes or truncates them, or another host behind the same address sends there. Silence on these ports is not reported as blocked.`;
};
