/** Which addresses a public name can have. */
import { BlockList, isIP } from 'node:net';

/** Addresses that no public name has: they lead to this host, this network, or nowhere (RFC 6890, RFC 6598). */
const NOT_PUBLIC = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['224.0.0.0', 3],
] as const) {
  NOT_PUBLIC.addSubnet(net, bits, 'ipv4');
}
NOT_PUBLIC.addAddress('::', 'ipv6');
NOT_PUBLIC.addAddress('::1', 'ipv6');
NOT_PUBLIC.addSubnet('fc00::', 7, 'ipv6');
NOT_PUBLIC.addSubnet('fe80::', 10, 'ipv6');
NOT_PUBLIC.addSubnet('ff00::', 8, 'ipv6');

/** Can a name that everybody may ask for have this address? */
export const isPublic = (address: string): boolean => !NOT_PUBLIC.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** This host itself (RFC 6890 §2.2.2). */
export const isLoopback = (address: string): boolean => address === '::1' || /^127\./.test(address);
