/** The host's own network: addresses, default routes, tunnels. A change of it explains what no firewall did. */
import { readFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';

/** What of the network decides which path packets take; equal networks have equal JSON. */
export interface HostNetwork {
  /** `eth0 via 192.0.2.1`, sorted; null where the system does not say (not Linux). */
  readonly defaultRoutes: readonly string[] | null;
  /** `eth0 192.0.2.7` or `eth0 2001:db8:1:2::/64`, sorted. */
  readonly addresses: readonly string[];
  /** Tunnels that are up: `wg0`, `tun0`. */
  readonly tunnels: readonly string[];
}

/** What this reads of the world; tests put their own in its place. */
interface NetworkSources {
  readonly interfaces: typeof networkInterfaces;
  /** A file's text, or null if it cannot be read. */
  readonly read: (file: string) => string | null;
}

const systemSources: NetworkSources = {
  interfaces: networkInterfaces,
  read: (file) => {
    try {
      return readFileSync(file, 'utf8');
    } catch {
      return null;
    }
  },
};

/** Names that VPN software gives its interfaces, on Linux, macOS and Windows. */
const TUNNEL = /^(tun|tap|wg|ppp|utun|ipsec|tailscale|nordlynx|proton|zt|gpd|cscotun|vpn)/i;
/** Interfaces that come and go with containers and virtual machines, and that no phone's packet takes. */
const INTERNAL =
  /^(lo|docker|podman|br-[0-9a-f]{12}$|veth|virbr|vnet|lxcbr|lxdbr|incusbr|cni|nerdctl|flannel|cali|cilium|lxc|weave|kube|nodelocaldns|ovs|dummy|ifb|vmnet|vboxnet|vethernet)/i;

/** RTF_UP of <linux/route.h>: a route that is in use. */
const ROUTE_UP = 0x1;

const ipv4FromHex = (hex: string): string => [...Buffer.from(hex, 'hex')].reverse().join('.');

/** Default routes of /proc/net/route: destination and mask are zero; addresses are in host order, little-endian. */
const routes4 = (text: string): readonly string[] =>
  text.split('\n').flatMap((line) => {
    const [device, destination, gateway, flags, , , , mask] = line.split('\t');
    const isDefault = destination === '00000000' && mask === '00000000';
    return isDefault && device && gateway && (Number.parseInt(flags ?? '0', 16) & ROUTE_UP) !== 0
      ? [`${device} via ${ipv4FromHex(gateway)}`]
      : [];
  });

/** Default routes of /proc/net/ipv6_route: prefix ::/0, through a device other than the loopback's reject route. */
const routes6 = (text: string): readonly string[] =>
  text.split('\n').flatMap((line) => {
    const [destination, prefix, , , gateway, , , , , device] = line.trim().split(/\s+/);
    return /^0{32}$/.test(destination ?? '') && prefix === '00' && device && device !== 'lo'
      ? [`${device} via ${gateway}`]
      : [];
  });

/** Temporary addresses (RFC 8981) change daily; the prefix is what a firewall knows us by. */
export const prefixOf = (address: string): string => {
  const [head = '', tail] = address.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? [] : new Array<string>(Math.max(0, 8 - front.length - back.length)).fill('0');
  return `${[...front, ...zeros, ...back].slice(0, 4).join(':')}::/64`;
};

const unique = (texts: readonly string[]): readonly string[] => [...new Set(texts)].sort();

/** The network as it is now. */
export const hostNetwork = (sources: NetworkSources = systemSources): HostNetwork => {
  const [v4, v6] = ['/proc/net/route', '/proc/net/ipv6_route'].map(sources.read);
  const defaultRoutes = v4 === null && v6 === null ? null : unique([...routes4(v4 ?? ''), ...routes6(v6 ?? '')]);
  const all = Object.entries(sources.interfaces()).flatMap(([name, addresses]) =>
    (addresses ?? []).filter(({ internal }) => !internal).map(({ address, family }) => ({ name, address, family })),
  );
  const own = all.filter(({ name, address }) => !INTERNAL.test(name) && !/^(fe80:|169\.254\.)/i.test(address));
  return {
    defaultRoutes,
    addresses: unique(
      own.map(({ name, address, family }) => `${name} ${family === 'IPv6' ? prefixOf(address) : address}`),
    ),
    tunnels: unique(own.filter(({ name }) => TUNNEL.test(name)).map(({ name }) => name)),
  };
};

/** What came and what went, in words; empty if the two are the same network. */
export const networkChanges = (before: HostNetwork, after: HostNetwork): readonly string[] => {
  const compare = (what: string, old: readonly string[], now: readonly string[]): readonly string[] => [
    ...now.filter((one) => !old.includes(one)).map((one) => `${what} ${one} is new`),
    ...old.filter((one) => !now.includes(one)).map((one) => `${what} ${one} is gone`),
  ];
  return [
    ...compare('default route', before.defaultRoutes ?? [], after.defaultRoutes ?? []),
    ...compare('address', before.addresses, after.addresses),
    ...compare('tunnel', before.tunnels, after.tunnels),
  ];
};
