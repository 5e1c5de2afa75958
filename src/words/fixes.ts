/**
 * What to ask for, one sentence each. `what` is the traffic, `UDP 5060, 16384-32767`; `where` the networks that the service
 * uses, or the words that stand for them.
 */

export const FIXES = {
  'udp-timeout': (what: string, where: string) =>
    `Raise the firewall's UDP session timeout to 300 seconds for ${what} to ${where}, or have phones send keepalives more often.`,
  'tcp-timeout': (what: string, where: string) =>
    `Raise the firewall's TCP session timeout to two hours for ${what} to ${where}, or have phones send keepalives more often.`,
  'alg-off': () =>
    'Switch off the SIP ALG (SIP helper, SIP inspection) on the firewall or router. Then clear its session table or reboot it, because existing sessions keep using the ALG, and restart the phones.',
  'more-sessions': (what: string, where: string) =>
    `Allow more sessions: raise the firewall's session limit, in total or per host, at least for ${what} to ${where}.`,
  'large-segments': (what: string, where: string) =>
    `Allow large packets of ${what} to and from ${where}: clamp the TCP MSS on the firewall (for example to 1,400 bytes), allow inbound ICMP "fragmentation needed", or remove the size limit.`,
  'short-packets': (what: string, where: string) =>
    `Remove whatever drops packets of ${what} to and from ${where} for their size: a rule about packet length, or a limit of an IPS.`,
  'large-packets': (what: string, where: string) =>
    `Allow large packets of ${what} to and from ${where}: let fragments pass, fix a path MTU below 1,500, or remove the rule about packet length; a rule that opens the port fixes none of these. Or use TCP or TLS.`,
  'forward-inbound': (what: string) =>
    `Forward ${what} to this computer during the test, or run the probe on the host that the port is forwarded to.`,
  'exempt-inbound': (what: string, where: string, reflector: string) =>
    `Exempt ${what} from ${where}, and from ${reflector} during the test, from inspection.`,
  'second-inbound-port': () => 'Name a second open port with --inbound, to see whether the reflector is at fault.',
  'allow-inbound': (what: string, where: string, reflector: string) =>
    `Allow inbound ${what} from ${where}, and from ${reflector} during the test; "probe profiles NAME --rules DIALECT" writes the rules.`,
  'allow-at': (what: string, address: string) =>
    `Allow ${what} at ${address}: from here the same ports pass to another far end. If they are allowed there already, look for a rule about that address on this site's firewall.`,
  'no-redirect': (what: string, where: string) =>
    `Remove the redirect of ${what} to ${where} if there is one: on other ports something answers in its place.`,
  'payload-rewritten': (what: string, where: string) =>
    `Switch off what rewrites packets to ${what} of ${where}: application inspection or an ALG.`,
  'tls-intercepted': (what: string, where: string) => `Exempt ${what} to ${where} from TLS inspection.`,
  'http-intercepted': (what: string, where: string) =>
    `Exempt ${what} to ${where} from the web proxy or captive portal.`,
  'dns-intercepted': (_what: string, where: string) =>
    `Let DNS queries to ${where} pass instead of answering them on the firewall.`,
  'answered-by-other': (what: string, where: string) =>
    `Remove the redirect (destination NAT or proxy) of ${what} to ${where}: another host answers there.`,
  'rate-limited': (what: string, where: string) => `Exempt ${what} to ${where} from flood protection and rate limits.`,
  'payload-filtered': (what: string, where: string) =>
    `Exempt ${what} to ${where} from application inspection and IPS: the port passes, the protocol does not.`,
  'dropped-inbound': (what: string, where: string) => `Allow established return traffic of ${what} from ${where}.`,
  'static-port': (what: string, where: string) => `Preserve the source port of ${what} to ${where} (static-port NAT).`,
  'all-traffic': (what: string, where: string) =>
    `Allow all traffic of ${what} to ${where}, not only SIP: keepalives are not SIP.`,
  'dropped-outbound': (what: string, where: string) => `Allow outbound ${what} to ${where}.`,
  dropped: (what: string, where: string) => `Allow outbound ${what} to ${where} and the return traffic.`,
} as const;

/** Where rules for the service lead, and where they come from. */
export const UNKNOWN_NETWORKS = "the service's networks (ask its provider)";
export const TODAYS_ADDRESS = "today's address: ask the provider for all addresses that it uses";
export const replacePlaceholder = (placeholder: string): string =>
  `replace ${placeholder} with the service's networks; its provider or the PBX's operator knows them`;
export const namesOfService = (names: readonly string[]): string =>
  `names of the service, for firewalls that take names: ${names.join(', ')}`;
export const moreNetworks = (named: readonly string[], more: number): string =>
  `${named.join(', ')} and ${more} more network${more === 1 ? '' : 's'}`;

/** The same for the reflector that was asked in the service's place. */
export const TEST_RULE_COMMENT = 'for this test only, remove it afterwards: the reflector is not the service';
export const testRule = (what: string, where: string): string =>
  `For this test only: the same for the reflector (${what} to ${where}), so that the next run shows the change.`;

/** Beneath rules for the service; in lines, for a comment. */
export const TEST_RULES_HINT = [
  'The reflector is not the service: to see the change with a probe of the reflector, it needs rules',
  'of its own, for that test only; the same command with --test-rules prints them.',
] as const;
