/** What a reader must know of a target's name. */

export const offersOnly = (host: string, only: string, without: string): string =>
  `The DNS records of ${host} say that this domain offers ${only}: SIP over ${without} is not asked.`;

export const srvUnknown = (host: string): string =>
  `No resolver tells whether ${host} has SRV records: its own address was asked at the default ports, and phones may be led elsewhere.`;

export const notResolved = (host: string, reason: string, lookup: string): string =>
  `The name ${host} does not resolve (${reason}): ${lookup}.`;

export const leftOutNote = (host: string, total: number, asked: number, leftOut: string): string =>
  `${host} has ${total} addresses: ${asked} are asked, ${leftOut} left out.`;

export const silentResolver = (resolvers: string): string =>
  `The resolver ${resolvers} does not answer; another one does. Each name takes seconds longer for it.`;

export const resolvesToLoopback = (host: string, addresses: string): string =>
  `${host} resolves here to ${addresses}, which is this host itself: what answers there is no provider.`;

export const resolvesInside = (host: string, addresses: string): string =>
  `${host} resolves here to ${addresses}, which is no public address: what answers there is a host of this network, or this resolver answers differently from others.`;

export const gatewayUnresolved = (host: string, lookup: string): string =>
  `DNS keeps handsets from finding the gateway ${host}: ${lookup}. No port is blamed for it; ask another resolver to see who is at fault.`;

export const gatewayImpossible = (host: string, addresses: string): string =>
  `DNS answers wrongly for the gateway ${host}: ${addresses} cannot be a carrier's address. It was not asked; no port is blamed for it.`;

export const gatewayInvented = (host: string, addresses: string, impossible: string): string =>
  `DNS answers wrongly for the gateway ${host}: the resolver gives ${addresses} for ${impossible} as well, a name that cannot exist. It was not asked; no port is blamed for it.`;

export const notAskedInDryRun = (host: string): string =>
  `The name ${host} was not resolved, because that sends packets: it is counted as one address.`;

/** @param more names that its handsets ask for as well */
export const gatewayByHearsay = (carrier: string, host: string, more: readonly string[]): string =>
  `The gateway of ${carrier} is asked as ${host}: guides name it, and no document of the carrier that was read does${more.length > 0 ? `; its handsets also ask for ${more.join(' and ')}` : ''}.`;
