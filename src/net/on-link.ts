/** Where an address lies, seen from this host's own networks. */
import { BlockList, isIPv4 } from 'node:net';
import type { NetworkInterfaceInfo } from 'node:os';
import type { IcmpPlace } from '../model/icmp.js';

type Interfaces = Readonly<Record<string, readonly NetworkInterfaceInfo[] | undefined>>;

/** A network of one address is a tunnel's end and no link to a router (RFC 3021 has two). */
const WHOLE = { IPv4: 32, IPv6: 128 } as const;

/** Whether it is one of these interfaces' own, the target's, on a network of theirs, or further away. */
export const placeOf = (address: string, target: string, interfaces: Interfaces): IcmpPlace => {
  const all = Object.values(interfaces).flatMap((some) => some ?? []);
  if (all.some((one) => one.address === address)) return 'this-host';
  if (address === target) return 'target';
  const family = isIPv4(address) ? 'IPv4' : 'IPv6';
  const links = new BlockList();
  for (const one of all) {
    const bits = Number(one.cidr?.split('/')[1]);
    if (one.family === family && !one.internal && bits < WHOLE[family]) {
      links.addSubnet(one.address, bits, family === 'IPv4' ? 'ipv4' : 'ipv6');
    }
  }
  return links.check(address, family === 'IPv4' ? 'ipv4' : 'ipv6') ? 'on-link' : 'beyond';
};
