/** Why something does not pass, one sentence for each cause of the rules; `ports` is what it is about: `UDP 5060, 16384-32767`. */

export const CAUSES = {
  'non-sip-filter': (ports: string) => `Inspection drops everything but SIP on ${ports}.`,
  'stun-filter': (ports: string) => `Inspection drops STUN on ${ports}; SIP and other data pass.`,
  'source-port-rule': (ports: string) => `A firewall rule permits ${ports} from the same source port only.`,
  'source-port-held': (ports: string) =>
    `The firewall holds stale state for ${ports} as a source port, serves one device at a time there, or has a rule against it.`,
  'overloaded-line': () => 'The access line is overloaded or faulty.',
  'local-network': () => "This site's network loses packets: Wi-Fi, cabling, or a router that gives voice no priority.",
  'session-limit': (ports: string) =>
    `The session table of this site's firewall is full or limited: flows on ${ports} are lost.`,
  'port-quota': () => "The provider's NAT limits the number of ports per customer (RFC 6888 REQ-3).",
  'flow-quota': (ports: string) =>
    `Something limits each UDP flow to ${ports}: flood protection, traffic shaping, or an inspection that gives up after a while.`,
  'provider-policer/flow': (ports: string) => `The provider limits each UDP flow to ${ports}.`,
  'inbound-far-filter': (ports: string) => `A firewall at the reflector blocks what it sends to ${ports}.`,
  'inbound-filter': (ports: string) =>
    `This site's firewall, or this computer's own, blocks inbound ${ports} from the reflector. If it admits only the service's networks, that is correct.`,
  'inbound-refused': (ports: string) =>
    `This site's firewall, or this computer's own, rejects inbound ${ports}, although the probe listens there.`,
  'inbound-inspection': (ports: string) =>
    `Inbound connections to ${ports} open, but their data does not arrive: inspection on the path.`,
  'inbound-answered-by-other': (ports: string) =>
    `Something in front of this computer answers inbound ${ports} in its place.`,
  'inbound-tls-opened': (ports: string) =>
    `Something on the path intercepts inbound TLS on ${ports}: what the reflector sent arrives in a different TLS session.`,
  'inbound-rewritten': (ports: string) => `Something on the path rewrites inbound traffic to ${ports}.`,
  'inbound-kept-out': (ports: string) =>
    `This site's firewall, or this computer's own, blocks inbound ${ports} from the reflector; a firewall at the reflector looks the same from here.`,
  'inbound-not-forwarded': (ports: string) =>
    `The NAT does not forward ${ports} to this computer, or a filter drops it; from here the two look the same.`,
  'inbound-port-in-use': (ports: string) =>
    `The probe cannot listen on ${ports} of this computer: another program uses it, or the probe lacks the permission.`,
  'path-mtu/connection': (ports: string) =>
    `Full-size packets of ${ports} are lost and no ICMP tells of it: a tunnel or PPPoE has a smaller MTU and ICMP is filtered, or there is a size limit. Clamping the TCP MSS on the firewall (for example to 1,400 bytes) fixes the first.`,
  'fragments-dropped': (ports: string) => `The firewall drops fragments of ${ports}: what fits one packet passes.`,
  'fragments-dropped-upstream': (ports: string) => `The provider drops fragments of ${ports}.`,
  'path-mtu/datagram': (ports: string) =>
    `Packets of ${ports} that fit Ethernet are lost and no ICMP tells of it: a tunnel or PPPoE has a smaller MTU and ICMP is filtered, or there is a size limit.`,
  'idle-timeout': (ports: string) =>
    `This site's firewall or router has a session timeout for ${ports} that is shorter than the phones' keepalive interval.`,
  'idle-timeout-upstream': (ports: string) =>
    `The provider's NAT has a session timeout for ${ports} that is shorter than the phones' keepalive interval.`,
  'lines-take-turns': () => 'This site has several uplinks and balances flows across them.',
  'address-pool': () => "The provider's NAT picks a new address from a pool for each flow (against RFC 4787 REQ-2).",
  'symmetric-nat': () =>
    'This site has a symmetric NAT, which maps by destination; direct connections need endpoint-independent mapping ("full cone").',
  'symmetric-nat-upstream': () => 'The provider has a symmetric NAT, which maps by destination.',
  'no-port-preservation': (ports: string) =>
    `The NAT changes the source port of the PBX (${ports}); it needs a static port.`,
  'double-nat': () => 'There are two NATs in a row, and the outer one may break IPsec.',
  'host-firewall': (ports: string) => `This computer's own firewall refuses to send ${ports}: nothing leaves it.`,
  'host-exhausted': () => 'This computer ran out of file descriptors, buffers or ports.',
  'host-address': () => 'This computer cannot use the requested source address or port.',
  'nothing-passes': () =>
    'Nothing answers: the far end is down, the address is wrong, or a firewall blocks everything to it.',
  'wrong-token': () =>
    'A callpath reflector answers there and rejects this token: the token files of the two ends differ, or another reflector answers in its place.',
  unproven: () =>
    'The target does not prove that it knows the token: the token is wrong, no reflector runs there, or something answers in its place.',
  'nothing-listens': (ports: string) =>
    `Refused on ${ports} at the far end: nothing listens there, or a firewall rejects it.`,
  'cut-off/everything': () =>
    'Something on the path may have begun to drop all traffic of this host during the run: port-scan or SIP flood protection, which this run may have triggered. What passed before that did pass.',
  outage: () => 'The line or the far end went down during the run. What passed before that did pass.',
  'comes-and-goes': () =>
    'Again and again nothing passes for about the same time, and then everything again: flood or scan protection that blocks this host for a while, or a line that goes away. If it ends with a lower --max-pps, it is the former.',
  'cut-off/ports': (ports: string) =>
    `${ports} passed at first and was blocked for this host later in the run: by flood or scan protection, which this run may have triggered, or by a rule that changed meanwhile. Run again at a lower rate (--max-pps).`,
  'answer-from-elsewhere': (ports: string) =>
    `Requests on ${ports} are answered from a different address or port: a server with several addresses answers from the wrong one. Firewalls and NATs drop such answers.`,
  'not-listening': (ports: string) =>
    `The reflector says that it does not listen on ${ports}: start it with this profile (--profile) or these ports; ports below 1024 need permission to bind (CAP_NET_BIND_SERVICE).`,
  'transport-not-offered': (ports: string) =>
    `The DNS records of the target offer other SIP transports than ${ports} (RFC 3263): use one of those, or name the host with its port.`,
  'silent-server': (ports: string) =>
    `The connection on ${ports} opens, but the request is not answered: the path is open as far as that shows, and the server does not answer unknown clients.`,
  'silent-stranger': (ports: string) =>
    `The far end does not answer unknown clients on ${ports}, or something on the path drops it; a test against a reflector shows which.`,
  'silent-reflector': (ports: string) =>
    `The reflector does not answer on ${ports}, and this run does not show why: packet loss is too high, or its list of ports is incomplete. Run again.`,
  'gateway-abroad': () =>
    "Gateways of many carriers ignore addresses of other countries: if this line is not in the carrier's country, silence is normal.",
  'far-side-filter/passes-elsewhere': (ports: string) =>
    `${ports} passes to another far end, so no rule about the port at this site blocks it; check the firewall in front of this far end.`,
  'address-filter': (ports: string) => `A rule on this site's firewall blocks ${ports} to this address.`,
  'provider-filter/address': (ports: string) => `The access provider blocks ${ports} on the path to this far end only.`,
  'interception-takes-more': (ports: string) =>
    `Something answers in the far end's place on other ports and intercepts ${ports} as well: a redirect, proxy or captive portal on this site's firewall.`,
  'port-filter': (ports: string) => `This site's firewall or router blocks ${ports}.`,
  'provider-filter': (ports: string) => `The access provider blocks ${ports}; from here the two look the same.`,
  'far-side-filter': (ports: string) =>
    `A firewall in front of the far end blocks ${ports}; a test against a second reflector elsewhere shows that.`,
  'host-inbound-filter': (ports: string) => `This computer's own firewall drops return traffic from ${ports}.`,
  'flood-guard': (ports: string) =>
    `Flood protection or a rate limit on this site's firewall drops part of the packets on ${ports}.`,
  'provider-policer': (ports: string) => `The access provider rate-limits ${ports}.`,
  'long-way': () => 'High latency: a long path or congestion. Repeat at a quiet hour, and against a closer far end.',
  inspection: (ports: string) =>
    `Inspection or an IPS on this site's firewall drops this protocol on ${ports}; other data passes.`,
  'inspection-upstream': (ports: string) => `The provider, or its modem, inspects ${ports} and drops this protocol.`,
  'size-limit/short': (ports: string) =>
    `The firewall drops packets of ${ports} for their size, whatever they carry: shorter ones pass.`,
  'size-limit': (ports: string) =>
    `Large packets of ${ports} are dropped: fragments, a size limit, or a path MTU below 1,500 bytes.`,
  'sip-alg/rewrites': (ports: string) =>
    `A SIP ALG (SIP helper, SIP inspection) on this site's firewall or router rewrites SIP on ${ports}.`,
  'sip-alg-upstream/rewrites': (ports: string) =>
    `A SIP ALG in the provider's modem or network rewrites SIP on ${ports}.`,
  'sip-alg/drops': (ports: string) =>
    `A SIP ALG, SIP inspection or IPS on this site's firewall or router drops some SIP requests on ${ports}; others pass.`,
  'sip-alg-upstream/drops': (ports: string) =>
    `A SIP ALG in the provider's modem or network drops some SIP requests on ${ports}.`,
  rewriting: (ports: string) => `Inspection or an ALG on this site's firewall changes what is sent on ${ports}.`,
  'rewriting-upstream': (ports: string) => `Something in the provider's network changes what is sent on ${ports}.`,
  interception: (ports: string) =>
    `A proxy, captive portal or inspection on this site's firewall answers ${ports} in the far end's place.`,
  'interception-upstream': (ports: string) => `The provider redirects ${ports} to a host of its own.`,
  'sip-size-inspection': (ports: string, bytes: readonly string[]) =>
    `A SIP ALG or SIP inspection drops SIP messages of ${bytes.join(' and ')} bytes on ${ports}; other packets of the same size pass.`,
  'size-gap/some': (ports: string) =>
    `The firewall drops packets of some sizes on ${ports}, whatever they carry, and passes shorter and longer ones: a rule about packet length.`,
  /** `whole`: what passes again fits one packet. */
  'size-gap': (ports: string, bytes: readonly string[], whole: boolean) =>
    `The firewall drops datagrams of ${bytes.join(' and ')} bytes on ${ports}, whatever they carry, and passes ${
      whole
        ? 'shorter and longer ones: a rule about packet length.'
        : 'longer ones in fragments: a size limit that sees only whole packets.'
    }`,
  /** `detail`: nothing, or what is known of it behind a colon. */
  'hung-up': (ports: string, detail: string) => `The far end listens on ${ports}, but ends the connection${detail}.`,
  'unreadable-answer': (ports: string, detail: string) =>
    `The answer of the far end on ${ports} cannot be parsed${detail}.`,
  /** `where`: nothing, or ` at ADDRESS`. */
  'answers-held-back': (ports: string, where: string) =>
    `The reflector${where} received the requests on ${ports} and reports that it held back answers to protect itself; run again at a lower rate (--max-pps).`,
  'answers-too-large': (ports: string, where: string) =>
    `Something on the path, such as a SIP ALG, shortens packets on ${ports}: the reflector${where} received them and could not answer, because no answer may be larger than its request.`,
  'port-filter/outbound': (ports: string) => `This site's firewall or router blocks ${ports} outbound.`,
  'port-filter/return': (ports: string) => `This site's firewall or router blocks return traffic from ${ports}.`,
  'call-inspection': (ports: string, what: string) =>
    `This site's firewall or router, or its SIP ALG, ${what} (${ports}).`,
  'call-inspection-upstream': (ports: string, what: string) =>
    `The provider, or its modem, ${what} (${ports}); from here that looks the same.`,
} as const;
