/** Who rejects, where an ICMP error names its sender: what the address is, and what it says. */

export const SENDERS = {
  'this-host': 'this computer itself',
  'on-link': "this site's firewall or router",
  'far-end': "the far end's own address",
  bridge: "a firewall of this site that answers in the far end's name",
  'site-public': "this site's public address",
  'site-or-nat': "this site's public address, or that of a NAT beyond",
  'provider-nat': 'a NAT of the provider',
  shared: 'an address of shared space, as access providers use it',
  'private-site': 'a private address beyond the first router',
  'private-provider': 'a private address, as some access providers use it',
  between: "a router between this site's network and the far end",
  'before-far-end': 'a router in front of the far end',
  'site-router': 'a router of this site',
} as const;

/** `10.77.0.1 (this site's firewall or router) rejects UDP 5060: administratively prohibited.` */
export const rejectedBy = (
  senders: readonly { readonly from: string; readonly what: string }[],
  ports: string,
  meanings: readonly string[],
): string => {
  const named = senders.map(({ from, what }) => `${from} (${what})`).join(' and ');
  return `${named} ${senders.length > 1 ? 'reject' : 'rejects'} ${ports}: ${[...new Set(meanings)].join(', ')}.`;
};
