/** conntrack(8), for both of Linux's dialects: a flow keeps the helper and the address that it began with. */
import { type Ask, textOf } from './ask.js';

/** More lines than this nobody reads: then all flows of the protocol to the address are forgotten. */
const MAX_LINES = 4;

/** Commands that forget the flows of a request, so that a new rule counts for them as well. */
export const forgetFlows = ({ family, protocol, networks, ports }: Ask): readonly string[] => {
  const flows = `conntrack -D -f ipv${family} -p ${protocol}`;
  // Where nobody knows the networks, those of the ports go, wherever they lead.
  const all = networks.length > 0 ? networks.map((network) => `${flows} -d ${textOf(network)}`) : [flows];
  const single = all.length * ports.length <= MAX_LINES && ports.every(([from, to]) => from === to);
  return [
    '# flows that exist go on as they began: forget them (exit code 1: there were none)',
    // It knows no ranges.
    ...all.flatMap((one) => (single ? ports.map(([port]) => `${one} --dport ${port} || true`) : [`${one} || true`])),
  ];
};
