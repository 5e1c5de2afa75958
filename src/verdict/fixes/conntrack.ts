/** conntrack(8), for both of Linux's dialects: a flow keeps the helper and the address that it began with. */
import type { Ask } from './ask.js';

/** More lines than this nobody reads: then all flows of the protocol to the address are forgotten. */
const MAX_LINES = 4;

/** Commands that forget the flows of a request, so that a new rule counts for them as well. */
export const forgetFlows = ({ family, protocol, address, ports }: Ask): readonly string[] => {
  const all = `conntrack -D -f ipv${family} -p ${protocol} -d ${address}`;
  const single = ports.length <= MAX_LINES && ports.every(([from, to]) => from === to);
  return [
    '# flows that exist go on as they began: forget them (exit code 1: there were none)',
    // It knows no ranges.
    ...(single ? ports.map(([port]) => `${all} --dport ${port} || true`) : [`${all} || true`]),
  ];
};
