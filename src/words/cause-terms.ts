/** The ids of causes, which monitoring keeps: what each means, whatever the run at hand. */

interface Term {
  readonly title: string;
  readonly meaning: string;
}

const cause = (title: string, meaning: string): Term => ({ title, meaning });

export const CAUSE_TERMS: Readonly<Record<string, Term>> = {
  'call-inspection': cause(
    "This site's SIP ALG or inspection",
    "This site's firewall, or its SIP ALG, drops or changes messages inside a call.",
  ),
  'call-inspection-upstream': cause(
    "The access provider's SIP ALG or inspection",
    'The access provider, or its modem, drops or changes messages inside a call.',
  ),
  'flow-quota': cause(
    'A limit of each UDP flow',
    'Flood protection, traffic shaping, or an inspection that gives up cuts a flow after some packets, octets or seconds.',
  ),
  'port-filter': cause(
    "A rule of this site's firewall",
    "This site's firewall or router blocks the ports, outbound or the return traffic.",
  ),
  'provider-filter': cause(
    'A filter of the access provider',
    "The access provider blocks the ports; from one end this looks like the site's firewall.",
  ),
  'rejected-by': cause(
    'A device rejects it, and its address is known',
    'The ICMP error names the address that sent it; the sentence says what that address is.',
  ),
  'dropped-after-hop': cause(
    'The hops show how far it comes',
    'Packets of the port get to one router for certain and never to the next; the sentence names both.',
  ),
  'far-side-filter': cause(
    'A firewall in front of the far end',
    'The far end, or a firewall in front of it, does not let the ports in.',
  ),
  'address-filter': cause(
    'A rule about this address',
    "A rule on this site's firewall blocks the ports to this far end only.",
  ),
  'host-inbound-filter': cause("This computer's own firewall", "This computer's firewall drops the return traffic."),
  'host-firewall': cause("This computer's own firewall", 'It refuses to send, so nothing leaves this computer.'),
  'host-exhausted': cause('This computer is out of resources', 'It has no file descriptors, buffers or ports left.'),
  'host-address': cause(
    'The source address is not available',
    'This computer cannot use the requested source address or port.',
  ),
  'interception-takes-more': cause(
    'An interception that covers more ports',
    "Something answers in the far end's place on other ports, and most likely intercepts these as well.",
  ),
  interception: cause(
    "A device answers in the far end's place",
    "A proxy, captive portal or inspection on this site's firewall answers.",
  ),
  'interception-upstream': cause(
    'The provider redirects the traffic',
    "The access provider sends it to a host of its own, which answers in the far end's place.",
  ),
  inspection: cause(
    'Protocol inspection',
    "Inspection or an IPS on this site's firewall drops this protocol; other data passes on the same port.",
  ),
  'inspection-upstream': cause(
    'Protocol inspection by the provider',
    'The provider, or its modem, drops this protocol.',
  ),
  'size-limit': cause(
    'Large packets are dropped',
    'Fragments are dropped, there is a size limit, or the path MTU is below 1,500 bytes.',
  ),
  'size-gap': cause(
    'A range of sizes is dropped',
    'The firewall drops packets of certain sizes and passes shorter and longer ones: a rule about packet length, or a size limit that sees no fragments.',
  ),
  'sip-size-inspection': cause(
    'SIP messages of a certain size are dropped',
    'A SIP ALG or SIP inspection drops them; other packets of the same size pass.',
  ),
  'fragments-dropped': cause(
    "This site's firewall drops fragments",
    'Messages that fit one packet pass; longer ones are lost.',
  ),
  'fragments-dropped-upstream': cause(
    'The provider drops fragments',
    'Messages that fit one packet pass; longer ones are lost.',
  ),
  'path-mtu': cause(
    'The path MTU is too small',
    'A tunnel or PPPoE has a smaller MTU and ICMP is filtered, or there is a size limit.',
  ),
  'sip-alg-upstream': cause(
    "A SIP ALG in the provider's network",
    "A SIP ALG in the provider's modem or network rewrites or drops SIP.",
  ),
  rewriting: cause(
    "This site's firewall changes the content",
    'Inspection or an ALG changes what is sent on these ports.',
  ),
  'rewriting-upstream': cause(
    "The provider's network changes the content",
    'Something there changes what is sent on these ports.',
  ),
  'comes-and-goes': cause(
    'Nothing passes again and again for a while',
    'Flood or scan protection blocks this host for a time, or the line goes away.',
  ),
  'flood-guard': cause('Flood protection or a rate limit', "This site's firewall drops packets above a certain rate."),
  'provider-policer': cause('A rate limit of the provider', 'The access provider drops packets above a certain rate.'),
  'overloaded-line': cause('The access line is overloaded or faulty', 'It loses or delays packets.'),
  'local-network': cause(
    "This site's network loses packets",
    'Wi-Fi, cabling, or a router that gives voice no priority.',
  ),
  'long-way': cause('High latency', 'The path is long or congested.'),
  'session-limit': cause('The session table is full or limited', "This site's firewall opens no more flows."),
  'port-quota': cause(
    'A limit of ports per customer',
    "The provider's NAT gives each customer a limited number of ports (RFC 6888 REQ-3).",
  ),
  'idle-timeout': cause(
    'The session timeout is too short',
    "This site's firewall or router ends idle sessions before phones send the next keepalive.",
  ),
  'idle-timeout-upstream': cause(
    "The provider's session timeout is too short",
    "The provider's NAT ends idle sessions before phones send the next keepalive.",
  ),
  'lines-take-turns': cause(
    'Several uplinks take turns',
    'This site balances flows across several uplinks, so its public address changes from flow to flow.',
  ),
  'address-pool': cause(
    'An address pool without pairing',
    "The provider's NAT picks a new address for each flow (against RFC 4787 REQ-2).",
  ),
  'symmetric-nat': cause(
    'A symmetric NAT at this site',
    'It uses a different public port for each destination, so direct connections fail.',
  ),
  'symmetric-nat-upstream': cause(
    'A symmetric NAT of the provider',
    'It uses a different public port for each destination, so direct connections fail.',
  ),
  'no-port-preservation': cause('The NAT changes source ports', 'A PBX that the provider calls needs a static port.'),
  'double-nat': cause('Two NATs in a row', 'The outer one may break IPsec.'),
  'non-sip-filter': cause(
    'Only SIP passes on the signalling port',
    'Inspection drops everything else, such as the keepalives of phones.',
  ),
  'stun-filter': cause(
    'STUN is dropped on the signalling port',
    'Inspection drops STUN, which some phones use as a keepalive.',
  ),
  'source-port-rule': cause('A rule by source port', 'The firewall permits the port from the same source port only.'),
  'source-port-held': cause(
    'The source port is held',
    'The firewall has stale state for it, serves one device at a time, or has a rule against it.',
  ),
  'name-not-resolved': cause('The name does not resolve', 'The DNS of this network has no address for it.'),
  'nothing-passes': cause(
    'Nothing answers',
    'The far end is down, its address is wrong, or everything to it is blocked.',
  ),
  'wrong-token': cause('The token is wrong', 'A callpath reflector answers and rejects the token.'),
  'nothing-listens': cause('Refused', 'Nothing listens there at the far end, or a firewall rejects it.'),
  'hung-up': cause(
    'The far end ends the connection',
    'It listens, and refuses the TLS handshake or closes the connection.',
  ),
  'unreadable-answer': cause('The answer cannot be parsed', 'The path is open, but the answer is not valid.'),
  'answer-from-elsewhere': cause(
    'The answer comes from a different address or port',
    'A server with several addresses answers from the wrong one.',
  ),
  'transport-not-offered': cause(
    'The target does not offer this transport',
    'Its DNS records name other SIP transports (RFC 3263).',
  ),
  'silent-server': cause(
    'The server accepts and does not answer',
    'The connection opens, but the server does not answer unknown clients.',
  ),
  'silent-stranger': cause(
    'No answer to an unknown client',
    'The far end does not answer strangers, or something on the path drops it.',
  ),
  'silent-reflector': cause(
    'The reflector does not answer there',
    'Packet loss is too high, or its list of ports is incomplete.',
  ),
  'gateway-abroad': cause(
    'The gateway ignores other countries',
    'Many carriers answer Wi-Fi Calling only from their own country.',
  ),
  'answers-held-back': cause('The reflector held back answers', 'It protects itself from too many requests.'),
  'answers-too-large': cause(
    'Requests arrive shortened',
    'The reflector may not send an answer that is larger than what arrived.',
  ),
  'inbound-filter': cause('Inbound traffic is blocked', "This site's firewall, or this computer's own, drops it."),
  'inbound-refused': cause('Inbound traffic is rejected', "This site's firewall, or this computer's own, rejects it."),
  'inbound-far-filter': cause(
    'A firewall at the reflector',
    'It blocks what the reflector sends, so nothing can arrive here.',
  ),
  'inbound-inspection': cause('Inbound connections are inspected', 'They open, but their data does not arrive.'),
  'inbound-answered-by-other': cause(
    'Something in front of this computer answers',
    'The port is forwarded to another host, or a device answers itself.',
  ),
  'inbound-kept-out': cause(
    'Inbound traffic is blocked here or at the reflector',
    'Nothing arrived on any port, so the two cannot be told apart.',
  ),
  'inbound-tls-opened': cause(
    'Inbound TLS is intercepted',
    'The data of the reflector arrives in a different TLS session.',
  ),
  'inbound-rewritten': cause('Inbound traffic is rewritten', 'Something on the path changes it.'),
  'inbound-not-forwarded': cause(
    'The port is not forwarded',
    'The NAT does not forward it to this computer, or a filter drops it.',
  ),
  'inbound-port-in-use': cause(
    'The probe cannot listen on the port',
    'Another program uses it, or the probe lacks the permission.',
  ),
};
