/** conntrack(8), for both of Linux's dialects: a flow keeps the helper and the address that it began with. */
import { type Ask, textOf } from './ask.js';

/** More lines than this nobody reads: then all flows of the protocol to the address are forgotten. */
const MAX_LINES = 4;

/** Commands that forget the flows of a request, so that a new rule counts for them as well. */
export const forgetFlows = ({ family, protocol, networks, ports }: Ask): readonly string[] => {
  const flows = `conntrack -D -f ipv${family} -p ${protocol}`;
  const all = networks.map((network) => `${flows} -d ${textOf(network)}`);
  const single = all.length * ports.length <= MAX_LINES && ports.every(([from, to]) => from === to);
  // Without networks the flows of everybody would go, and every call with them.
  if (networks.length === 0) {
    return [`# flows that exist go on as they began: forget them, ${flows} -d NETWORK for each network of the service`];
  }
  return [
    '# flows that exist go on as they began: forget them (exit code 1: there were none)',
    // It knows no ranges.
    ...all.flatMap((one) => (single ? ports.map(([port]) => `${one} --dport ${port} || true`) : [`${one} || true`])),
  ];
};
