/**
 * Every code that a report may carry, in words. A code without a text is a type error. Texts are plain sentences for
 * a person who has the report in one hand and the firewall in the other; none depends on the run at hand.
 */
import type { ProbeKind } from '../model/kinds.js';
import type { NotRun } from '../model/observation.js';
import type { Reason, ServiceVerdict, SymptomId, Verdict } from '../model/verdict.js';

/** Some codes are two things at once, e.g. `blocked` is a verdict and a service verdict; one text covers both. */
export type ExplainedCode = Verdict | Reason | ServiceVerdict | SymptomId | ProbeKind | NotRun;

export interface ExplanationText {
  readonly title: string;
  /** What the code says. */
  readonly meaning: string;
  /** What must have been observed for it to be said. */
  readonly evidence: string;
  /** What a reader might conclude and must not. */
  readonly doesNotProve: string;
  readonly fix: string;
}

const NOTHING_TO_FIX = 'Nothing to do.';

const VERDICT_TEXTS = {
  pass: {
    title: 'It passes',
    meaning: 'The message reached the target and its answer came back.',
    evidence:
      'From a reflector with a token: an authenticated answer that says what arrived, and it is what was sent. From ' +
      'anybody else: a well-formed answer of the protocol to this very request.',
    doesNotProve:
      'That a call over it succeeds. Accounts, codecs and the other ports of the service are separate questions.',
    fix: NOTHING_TO_FIX,
  },
  degraded: {
    title: 'It passes, but calls suffer',
    meaning:
      'Of a check: answers come back, but too many are lost or they are too late for a call. Of a service: everything ' +
      'required passes, and something required is degraded, or one of several alternatives is blocked or altered.',
    evidence: 'Measurements past the thresholds of the profile; the reason names which one.',
    doesNotProve: 'Where on the path the fault is: it may be the access line, the provider or anything between.',
    fix: 'Read the reason. Repeat the run at a quiet hour; if it is clean then, the line is overloaded and voice needs priority.',
  },
  altered: {
    title: 'Something on the path changes or answers it',
    meaning:
      'The path is open, and a device on it rewrote the message, rewrote the answer, or answered in place of the target.',
    evidence:
      'The reflector and the agent compare what was sent with what arrived, in both directions, under a key that the ' +
      'device in between does not have.',
    doesNotProve: 'That the device is malicious: most are "helpers" that are switched on by default.',
    fix: 'Read the reason for what was changed, and switch off the inspection of that protocol, or exempt voice from it.',
  },
  blocked: {
    title: 'It does not pass',
    meaning:
      'Of a check: the target is known to be alive and to listen there, and the message or its answer does not get ' +
      'through. Of a service: its signalling does not pass, so it does not work at all.',
    evidence:
      'Something else to the same address passes, and the check was repeated until the measured loss of the path could ' +
      'no longer explain the silence; or the path answered with a refusal.',
    doesNotProve:
      "Which device blocks it: the site's firewall, the access router and the provider look the same from here.",
    fix: 'Permit the port in the direction that the reason names. "--rules DIALECT" prints the rule for common firewalls.',
  },
  unknown: {
    title: 'It could not be measured',
    meaning:
      'Of a check: there is no result, good or bad. Of a service: a required check is unknown and nothing required is blocked.',
    evidence: 'The reason says why: nothing could be sent, or the silence has more than one explanation.',
    doesNotProve: 'That the port is blocked, nor that it is open.',
    fix: 'Run your own reflector on the far side and name it with --reflector: it answers everything, with proof.',
  },
} as const satisfies Record<Verdict, ExplanationText>;

const REASON_TEXTS = {
  answered: {
    title: 'Answered',
    meaning: 'The answer came back, in time and unchanged as far as it can be seen.',
    evidence: 'See "pass". The field "authentic" in the evidence tells whether the answer carried a proof.',
    doesNotProve: 'Without a proof, that the target itself answered: a device in between could have answered for it.',
    fix: NOTHING_TO_FIX,
  },
  loss: {
    title: 'Packets are lost',
    meaning: 'More packets are lost than a call tolerates; people hear gaps.',
    evidence:
      'So few of the messages sent were answered that the loss exceeds the threshold of the profile (1 % in the bundled ' +
      'ones) even when chance is allowed for. Late answers were counted as answers. Or nothing at all came from the far end ' +
      'again and again, for 5 % of the time or more.',
    doesNotProve: 'The direction, unless the far end counted what arrived; and not the place.',
    fix: 'Look for an overloaded uplink, bad Wi-Fi or a duplex mismatch; give voice priority; then show the report to the provider.',
  },
  latency: {
    title: 'Latency is too high',
    meaning: 'The round trip is so long that people talk over each other.',
    evidence:
      'Even the shortest round trip exceeds the threshold of the profile (300 ms in the bundled ones) and what this host adds itself; where other answers were quicker, the check was asked again.',
    doesNotProve:
      'A fault: 100 ms is a target for a server on the same continent, and light in fibre adds 1 ms of round trip per 100 km.',
    fix: 'Measure against a reflector near the provider. If the distance explains the time, raise rttMs in a profile of your own.',
  },
  jitter: {
    title: 'Jitter is too high',
    meaning: 'The spacing of packets varies more than a jitter buffer hides; voices sound robotic.',
    evidence:
      'The interarrival jitter (RFC 3550 section 6.4.1) exceeds the threshold of the profile (30 ms in the bundled ones).',
    doesNotProve: 'Loss. A larger jitter buffer can hide jitter, at the price of delay.',
    fix: 'Give voice priority on the uplink and shape it a little below its line rate, so that the queue stays in your router.',
  },
  reordered: {
    title: 'Packets arrive out of order',
    meaning: 'Packets arrive in a different order than they were sent; a phone discards those that come too late.',
    evidence:
      'More sequence numbers went backwards than the threshold of the profile allows (0.05 % in the bundled ones).',
    doesNotProve: 'Loss, and not a fault of the firewall: links that are balanced per packet do this.',
    fix: 'Balance links per flow instead of per packet, and pin voice to one link.',
  },
  'rate-limited': {
    title: 'The packet rate is limited',
    meaning: 'Packets pass up to a certain rate or number; the rest is dropped.',
    evidence: 'Loss begins at a rate or a count and not at random, while the same port passes at a lower rate.',
    doesNotProve: 'That the port is closed, nor that one call suffers: many calls at once, or a busy PBX, do.',
    fix: 'Exempt voice from the flood or DoS protection of the firewall, or raise its limit for UDP.',
  },
  'flow-loss': {
    title: 'Some flows are lost, others pass',
    meaning:
      'Loss depends on the pair of ports and not on the port alone: one flow fails and the next one works, so some calls are silent and others fine.',
    evidence:
      'The same port was asked from several source ports: from some, every packet was answered; from others, none.',
    doesNotProve: 'That a port is blocked: each of them passes from another source port. Nor which device drops them.',
    fix: 'Ask whoever manages the uplinks to look for a failed member of a link bundle (LAG, ECMP), or for one of several uplinks that drops traffic; no firewall rule fixes it.',
  },
  'sip-alg': {
    title: 'SIP ALG: a gateway that interferes with SIP',
    meaning:
      'An application layer gateway in a router or firewall rewrites SIP messages or drops some of their methods. ' +
      'Typical consequences are one-way audio, lost inbound calls and calls that end after 32 seconds. The probe of ' +
      'this name compares SIP on port 5060 with SIP on a control port.',
    evidence:
      'The reflector received a different message than the one sent, or the agent a different answer than the one given. Each ' +
      'changed field is shown with both values.',
    doesNotProve:
      'That every change hurts: an added Via is what a proxy does, and changed letter case means nothing. Nor do ' +
      'clean messages prove that there is none: some gateways rewrite nothing and only open ports.',
    fix: 'Switch off the SIP ALG (SIP helper, SIP inspection) and test again after each firmware update, or use SIP over TLS.',
  },
  'payload-rewritten': {
    title: 'The content was rewritten',
    meaning: 'A device in between changed bytes inside the message, not only its addresses.',
    evidence: 'The reflector attests other bytes than those that were sent, and its attestation is authentic.',
    doesNotProve: 'Which device it was. Address translation outside the payload is normal and not counted.',
    fix: 'Switch off the inspection of this protocol on the firewall.',
  },
  'tls-intercepted': {
    title: 'TLS is intercepted',
    meaning: 'A device on the path terminates the TLS connection, reads it, and opens another one to the target.',
    evidence:
      "The certificate shown is not the reflector's own, or the proof that is bound to the TLS session (RFC 5705) does " +
      'not match, which holds even if the certificate is publicly trusted.',
    doesNotProve: 'An attack: company firewalls do this on purpose. Phones, though, do not trust their certificate.',
    fix: 'Exempt the addresses of the provider and its ports (5061, 443) from TLS or SSL inspection.',
  },
  'http-intercepted': {
    title: 'HTTP is intercepted',
    meaning: 'A proxy or a login page answers HTTP in place of the target.',
    evidence: "The answer lacks the reflector's proof, although the reflector is known to give one.",
    doesNotProve: 'That other ports are touched as well.',
    fix: 'Log in to the network if it has a login page; otherwise exempt the target from the transparent proxy.',
  },
  'dns-intercepted': {
    title: 'DNS is intercepted',
    meaning: 'Queries sent to the target on port 53 are answered by another server.',
    evidence: "The answer lacks the reflector's proof, although the reflector is known to give one.",
    doesNotProve: 'That the answers are wrong. Redirecting port 53 to a local resolver is common.',
    fix: 'Harmless if names of the provider resolve correctly inside; otherwise stop the redirection or correct the local resolver.',
  },
  'answered-by-other': {
    title: 'Something else answered',
    meaning:
      'An answer came, and the target did not give it; or the message was redirected to another port of the target.',
    evidence:
      'The answer carries no valid proof where a reflector gives one, or the reflector attests another port of arrival.',
    doesNotProve: 'Who answered. It was not the server that phones would have to reach.',
    fix: 'Look for a port forwarding, a redirection rule or a local PBX that claims this port.',
  },
  'dropped-outbound': {
    title: 'Lost outbound',
    meaning: 'The message leaves this host and never reaches the far end.',
    evidence:
      'The far end is alive and listens there; its receipts show nothing from this check; the loss of the path cannot explain that.',
    doesNotProve: 'Which device drops it, only that it stands between this host and the far end.',
    fix: "Permit this port outbound on the site's firewall. If it is permitted there, ask the access provider.",
  },
  'dropped-inbound': {
    title: 'Return traffic is lost',
    meaning: 'The message arrives and is answered, and the answer never comes back.',
    evidence: 'The far end has receipts for what arrived and says that it answered; the agent received nothing.',
    doesNotProve: 'That inbound connections must be opened: an answer belongs to a flow that began inside.',
    fix: 'Make the rule stateful, so that return traffic passes, or permit the return direction explicitly.',
  },
  dropped: {
    title: 'Dropped silently',
    meaning: 'No answer and no rejection: something on the path drops it silently.',
    evidence:
      'The far end is alive and listens there; the check was repeated, spread over time, until the loss of the path could ' +
      'no longer explain the silence.',
    doesNotProve: 'The direction: without receipts from the far end, outbound and return traffic look the same.',
    fix: 'Permit the port outbound with a stateful rule. With a token on both sides, the next run may also tell the direction.',
  },
  rejected: {
    title: 'Rejected on the path',
    meaning: 'The answer was a refusal: a TCP reset or an ICMP "unreachable" or "prohibited".',
    evidence: 'The refusal arrived as a socket error, while the far end itself says that it listens on this port.',
    doesNotProve:
      'Which device refused, unless the check names the address that sent the ICMP error (on Linux). It does prove that one did on purpose, since the far end would have answered.',
    fix: "Look for a reject rule for this port on the site's firewall: rules that reject answer within a millisecond or two.",
  },
  'payload-filtered': {
    title: 'The protocol is filtered, not the port',
    meaning: 'On this port other data passes, but this protocol does not: a device inspects the packets.',
    evidence:
      'A control message to the same port of the same far end was answered, and messages of this protocol were not.',
    doesNotProve: 'That opening the port helps: it is open.',
    fix: 'Look for application control, an IPS signature or protocol inspection, and exempt voice from it.',
  },
  'size-filtered': {
    title: 'Large messages are lost',
    meaning:
      'Short messages pass, longer ones of any kind are lost: a rule about packet length, dropped fragments, or a path MTU smaller than assumed.',
    evidence:
      'Short packets pass on this port, and packets as long as this message stay silent whatever they carry (of "esp-in-udp": 1,400 octets).',
    doesNotProve: 'That the port is blocked. TCP usually passes, as it keeps to the segment size of the path.',
    fix: 'Remove a rule about packet length, let fragments and ICMP type 3 pass, and clamp the TCP MSS; or use SIP over TCP or TLS, as RFC 3261 section 18.1.1 asks above 1300 bytes.',
  },
  'no-answer': {
    title: 'No answer, cause unknown',
    meaning: 'Nothing came back, and that has more than one explanation.',
    evidence:
      'The target is not a reflector and may simply not answer unknown clients; or the path loses so much that this silence ' +
      'proves nothing; or the far end did not say whether it listens there, or ended during the run.',
    doesNotProve: 'That the port is blocked.',
    fix: 'Test the same port against a reflector of your own on the far side, with a token on both ends.',
  },
  closed: {
    title: 'Refused, by the target or by a firewall',
    meaning:
      'The target refused, because nothing listens on this port, or a firewall in front of it refused in its place.',
    evidence: 'A TCP reset or an ICMP unreachable came back from a target that is not known to listen there.',
    doesNotProve: 'That the port is blocked, nor that the path is open: both refusals look the same from here.',
    fix: "Check the port and the transport with the provider, and look for a reject rule on the site's firewall. To test the path alone, use a reflector.",
  },
  'tls-refused': {
    title: 'The port is open, but the far end ends the connection',
    meaning:
      'The connection opens, but the far end refuses the TLS handshake or closes it: it requires a client certificate, offers another TLS version, does not know the name, or closes after the request.',
    evidence: 'TCP opened; then a TLS alert came, or the connection was closed or reset before an answer.',
    doesNotProve:
      "That phones are refused as well: they may have the required certificate. Nor who closed the connection: an inspecting firewall can do it in the target's place.",
    fix: 'Give phones the certificate or the TLS version that the provider asks for; the report says what was refused.',
  },
  unreadable: {
    title: 'The answer cannot be parsed',
    meaning: 'The path is open in both directions. What comes back is not a valid answer of the protocol.',
    evidence: 'Packets came from the address and port that were asked; the report says what is wrong with them.',
    doesNotProve: 'That phones cannot use it: many accept more than the standard allows.',
    fix: 'Show this detail to whoever runs the server. To test the path alone, use a reflector.',
  },
  unproven: {
    title: 'The target did not prove that it knows the token',
    meaning:
      'A token was given, but the target did not prove that it knows it: the token is wrong, no reflector runs there, or something on the path answers in its place.',
    evidence: 'Answers came, or nothing did, and no answer carried a proof made with the token.',
    doesNotProve: 'That the path is open: whatever answered may be on the path. Nor that it is blocked.',
    fix: 'Check that both ends use the same token and that the reflector runs at the target. Leave the token out to judge the target as a third party.',
  },
  outage: {
    title: 'The line was down',
    meaning: "Nothing passed to or from this address during this check, so the silence is not the port's fault.",
    evidence:
      'Other checks of the same address, which were answered before or after, were silent at the same moments. The report lists these times under "outages".',
    doesNotProve: 'That the port is blocked, nor that it is open.',
    fix: 'Run again. If outages return, look for a line that fails over, a router that restarts, or Wi-Fi that roams, at the times shown.',
  },
  'cut-off': {
    title: 'It passed until something blocked this host',
    meaning:
      'Requests were answered up to a certain number or moment and not after it: port-scan or flood protection most likely blocks this host. This run may have triggered it.',
    evidence:
      'What had been answered before stopped answering, for good or again and again for the same time. The notes tell when, and after how many flows; where it was again and again, a line that goes away may be the cause as well.',
    doesNotProve:
      'That the port is blocked: it passed before. Phones send far less than a probe and may never meet this.',
    fix: 'Exempt this host from the scan and flood protection of the firewall, or lower the rate with --max-pps.',
  },
  'target-unreachable': {
    title: 'Nothing at this address answers',
    meaning: 'No message of this run was answered, so no single port is at fault.',
    evidence:
      'Several different requests went to this address on several ports, and none was answered; or the network said that there is no such host.',
    doesNotProve: 'That each port is blocked: the target may be down, its address wrong, or everything to it blocked.',
    fix: 'Check that the target runs and that its name and address are right; then try another network, such as a phone hotspot.',
  },
  limited: {
    title: 'The reflector held back answers',
    meaning:
      'The reflector received the requests and left them unanswered, refused connections or lost packets in a flood on its own host, and that explains everything that is missing here.',
    evidence:
      'The reflector says of each packet whether it arrived, whether it answered it, and if not why: the answer would have been larger than the request, the session asks too much, the request looked like a replay, or it was busy.',
    doesNotProve: 'Any loss on the path.',
    fix: 'Run again later or with a lower --max-pps, and check that both sides use the same token: authenticated agents are limited less. Where answers were too large, something on the path shortens the requests: look at SIP ALG.',
  },
  'dns-failure': {
    title: 'The name does not resolve',
    meaning:
      'The name of the target has no address here, or its SRV records cannot be followed, so nothing could be sent. The address of the domain itself is no stand-in for a record that cannot be followed (RFC 3263 section 4.2).',
    evidence:
      'The resolver of this host answered that there is no such name or record, failed, or did not answer; the notes name the record and the resolver.',
    doesNotProve: 'That the name is wrong: a blocked or split DNS looks the same.',
    fix: 'Ask another resolver for the same name and compare; report records that cannot be followed to whoever manages the domain. To test one host alone, name it with its port, as in host:5060.',
  },
  'no-network': {
    title: 'This host has no route',
    meaning: 'This host has no route to the address, or no address of its family (IPv4 or IPv6).',
    evidence: 'The operating system refused to send: no route, or no address to send from.',
    doesNotProve: 'Anything about the firewall: nothing was sent.',
    fix: 'Connect the network, check the default route, or choose the other family with -4 or -6.',
  },
  'local-error': {
    title: 'This host failed',
    meaning: 'The request could not leave this host: its own firewall, a busy port or a lack of resources stopped it.',
    evidence: 'The socket error is in the evidence.',
    doesNotProve: 'Anything about the path.',
    fix: 'Check the firewall of this host and the option --source; raise the limit of open files if it ran out.',
  },
  'not-run': {
    title: 'Not tested',
    meaning: 'The check belongs to the profile and was not done in this run.',
    evidence:
      'The evidence says why: "needs-reflector", "not-offered", "not-listening", or "interrupted"; each has a text of its own.',
    doesNotProve: 'Anything about the path.',
    fix: 'Use a reflector, and let the run finish.',
  },
  'not-let-in': {
    title: 'Inbound traffic is blocked',
    meaning:
      'The reflector connected or sent to this port of this host, which listened there, and nothing arrived. No NAT is on the path, and on another port inbound traffic from the reflector arrived: something blocks inbound traffic on this port.',
    evidence:
      'The far end reports what became of each attempt, over a connection that stayed up; this host saw none of them, more often than packet loss explains.',
    doesNotProve:
      "That the service's own servers are dropped: a firewall that admits only the service's networks drops a reflector elsewhere as well. Nor that the firewall is here: one at the reflector may let it connect to some ports only.",
    fix: 'Allow the port inbound from the service\'s networks; "probe profiles NAME --rules DIALECT" writes the rules. To test such a rule, allow the reflector\'s address during the test.',
  },
  'not-forwarded': {
    title: 'Nothing arrived through the NAT',
    meaning:
      'The far end tried this port at the public address, and nothing reached this host: the NAT forwards the port nowhere or to another host, or a filter drops it. From here these look the same.',
    evidence:
      'The far end sees this host under a different address than its own; what it met there is in the evidence: silence, a refusal, or an answer from something else.',
    doesNotProve:
      'That the port is blocked for the intended host: a port can be forwarded to one host only, and that may be the PBX or border controller and not this one.',
    fix: 'Forward the port to this host during the test, or run the probe on the host that it is forwarded to, with the service there stopped.',
  },
  'no-way-in': {
    title: 'No inbound traffic arrives on any port',
    meaning:
      'The reflector connected or sent to this port of this host, which listened there; it met silence or a refusal, and nothing arrived on any port. No NAT is on the path. A firewall here blocks it, or one at the reflector blocks its outbound traffic: from here these look the same.',
    evidence:
      'The far end reports what became of each attempt. That its traffic gets out at all shows only where something arrives on another port of this host.',
    doesNotProve: 'That a firewall of this site is at fault.',
    fix: "Name with --inbound a second port that is open inbound, so that the two can be told apart. Then allow the port inbound from the service's networks, and from the reflector's address during the test.",
  },
} as const satisfies Record<Reason, ExplanationText>;

const NOT_RUN_TEXTS = {
  'needs-reflector': {
    title: 'Only a reflector can answer this',
    meaning: 'Servers of carriers do not echo media, and ignore keepalives as they must (RFC 3948 section 2.3).',
    evidence: 'The target gave no proof that it is a reflector.',
    doesNotProve: 'Anything about the path; the service lists such checks as untested.',
    fix: 'Run a reflector on the far side and name it with --reflector, with the same token on both ends.',
  },
  'not-offered': {
    title: 'The target does not offer this transport',
    meaning: 'The DNS records of the target name other transports (RFC 3263), so this one was not tested.',
    evidence: 'The NAPTR or SRV records of the target name at least one transport, and not this one.',
    doesNotProve: 'That the firewall blocks it.',
    fix: 'Set the phones to a transport that the provider offers.',
  },
  'not-listening': {
    title: 'The reflector does not listen there',
    meaning: 'The reflector says that it does not listen on this port, so its silence would mean nothing.',
    evidence: 'The list of ports that the reflector gave.',
    doesNotProve: 'Anything about the path.',
    fix: 'Start the reflector with the same profile, and look into its log for ports that it could not bind.',
  },
  'inbound-not-offered': {
    title: 'The reflector does not test inbound ports',
    meaning:
      'Inbound traffic was to be tested, but the reflector does not connect to agents: this is off unless its operator allows it.',
    evidence: 'What the reflector says of itself, or its answer to the request.',
    doesNotProve: 'Anything about the path; the service lists inbound traffic as untested.',
    fix: 'Start the reflector with --inbound; an older one has to be upgraded first.',
  },
  'needs-connection': {
    title: 'There is no connection to the reflector',
    meaning:
      'The reflector connects back only to agents that ask over TCP or TLS, and none of its TCP or TLS ports passes.',
    evidence: 'No check over TCP or TLS brought a proof from the reflector.',
    doesNotProve: 'Anything about inbound traffic.',
    fix: 'Let the control port of the reflector pass (TCP 443), or ask for a profile that has a port over TCP or TLS.',
  },
  interrupted: {
    title: 'The run ended first',
    meaning: 'The run was interrupted, or its time was up, before this check was done.',
    evidence: 'An interrupt from the keyboard, or the option --timeout.',
    doesNotProve: 'Anything about the path.',
    fix: 'Run again with more time.',
  },
} as const satisfies Record<Exclude<NotRun, Reason>, ExplanationText>;

const SERVICE_VERDICT_TEXTS = {
  works: {
    title: 'The service works from here',
    meaning: 'Every requirement of the profile passes.',
    evidence: 'One check or range for each requirement, or one of its alternatives; all are in the report.',
    doesNotProve:
      'What is listed as untested, and what no profile can hold: accounts, the configuration of the phones, the state of the provider.',
    fix: NOTHING_TO_FIX,
  },
  impaired: {
    title: 'Calls are set up, but something in them fails',
    meaning: 'The signalling passes and something else that is required is blocked, most often the audio.',
    evidence: 'A required check or range other than the signalling is blocked; the symptoms name it.',
    doesNotProve: 'That every call fails: a range that is partly open makes some calls silent and others fine.',
    fix: 'Open what the symptoms name; the fixes of the report hold the rules.',
  },
} as const satisfies Record<Exclude<ServiceVerdict, Verdict>, ExplanationText>;

const SYMPTOM_TEXTS = {
  'cannot-register': {
    title: 'Phones do not register',
    meaning: 'Phones show "no service": no call in, no call out.',
    evidence:
      'None of the signalling transports that the profile names passes, for SIP mostly UDP 5060, TCP 5060 and TLS 5061.',
    doesNotProve: 'That the account or the password is right.',
    fix: 'Permit the transport that the provider uses, outbound and stateful, to the addresses of the provider.',
  },
  'no-audio': {
    title: 'Calls connect without audio',
    meaning: 'Calls ring and are answered, and nobody hears anything.',
    evidence: 'Signalling passes, and no port of the media range echoes.',
    doesNotProve: 'That the provider uses this range: compare --rtp-range with its documents.',
    fix: 'Open the media range of the provider for UDP, outbound and stateful.',
  },
  'one-way-audio-outbound': {
    title: 'They cannot hear us',
    meaning: 'Audio from this site is lost, audio towards it arrives.',
    evidence: 'The far end counted no media from here, while signalling passes.',
    doesNotProve: 'That a SIP ALG is innocent: a wrong address in the SDP has the same effect.',
    fix: 'Permit UDP to the media range outbound; check for a SIP ALG.',
  },
  'one-way-audio-inbound': {
    title: 'We cannot hear them',
    meaning: 'Audio towards this site is lost, audio from it arrives.',
    evidence:
      'The far end counted our media and answered, and nothing came back; or a private address stands in the SDP that arrives.',
    doesNotProve: 'That ports must be forwarded: return traffic needs only a stateful rule.',
    fix: 'Allow return traffic of outbound UDP; switch off the SIP ALG.',
  },
  'some-calls-silent': {
    title: 'Some calls are silent',
    meaning: 'Each call uses a different media port, and some of the ports are blocked.',
    evidence: 'Part of the media range echoes and contiguous parts of it do not; the ranges in the report name them.',
    doesNotProve: 'A fault of single phones, however much it looks like one.',
    fix: 'Open the whole range, and not only its beginning.',
  },
  'lost-inbound-calls': {
    title: 'Incoming calls are lost',
    meaning: 'Outgoing calls work; incoming calls fail after some idle minutes, or always.',
    evidence:
      "The UDP session timeout of the NAT is shorter than the phones' keepalive interval, or a SIP ALG rewrites the Contact of the registration.",
    doesNotProve: 'That the provider does not send the call.',
    fix: 'Set the UDP session timeout to 300 s or more, or let phones send a keepalive every 24 to 29 s (RFC 5626); switch off the SIP ALG.',
  },
  'calls-drop': {
    title: 'Calls drop',
    meaning: 'Calls end after about 32 seconds or after about 15 minutes.',
    evidence:
      'At 32 s, an ACK that never arrives because an address in the SIP headers was rewritten; at 15 min, a lost session refresh.',
    doesNotProve: 'A fault of the line: a bad line makes calls choppy and rarely ends them on the minute.',
    fix: 'Switch off the SIP ALG, correct the external address in the PBX, and raise the UDP session timeout.',
  },
  'long-invites-fail': {
    title: 'Calls with long SIP messages cannot be set up',
    meaning: 'Short SIP messages pass; long ones, such as an INVITE with many codecs, are lost.',
    evidence: 'Messages over UDP pass up to a size near the MTU and are silent above it.',
    doesNotProve: 'That the port is blocked.',
    fix: 'Use SIP over TCP or TLS, reduce the list of codecs, or let UDP fragments pass.',
  },
  'choppy-audio': {
    title: 'Audio is choppy',
    meaning: 'Words are cut, voices sound robotic, or people talk over each other.',
    evidence: 'Loss, jitter, reordering or round-trip time past the thresholds of the profile.',
    doesNotProve: 'A fault of the firewall: an overloaded line does the same.',
    fix: 'Give voice priority (QoS) on the uplink; if a wired test at a quiet hour shows the same, show it to the provider.',
  },
  'transfers-fail': {
    title: 'Transfers and hold fail',
    meaning: 'Calls are set up, and fail when they are transferred, held or picked up.',
    evidence: 'Requests within a call, or the media from another address after them, are lost or rewritten.',
    doesNotProve: 'A fault of the PBX.',
    fix: 'Switch off the SIP ALG, and permit media from all addresses of the provider.',
  },
  'wifi-calling-unavailable': {
    title: 'Wi-Fi Calling does not activate',
    meaning: 'Handsets on this Wi-Fi do not show Wi-Fi Calling, or lose it.',
    evidence:
      'IKE_SA_INIT on UDP 500 or, after the non-ESP marker, on UDP 4500 gets no answer from a far end that gives one; or IKE ' +
      'passes and ESP does not; or the name of the gateway does not resolve ("dns-failure"), which no port is to blame for.',
    doesNotProve: 'Anything about ports 5060 or 5004: handsets use SIP and RTP inside the IPsec tunnel.',
    fix: 'Permit UDP 500 and 4500 outbound to the gateways (ePDG) of the carrier, and let their names resolve.',
  },
  'facetime-cannot-connect': {
    title: 'FaceTime does not connect',
    meaning: 'Calls do not ring, or end at "connecting".',
    evidence: 'TCP 443, or the UDP ports for STUN and media, do not pass.',
    doesNotProve: 'A fault on this side only: the other party needs the same ports.',
    fix: 'Permit TCP 80, 443 and 5223 and UDP 3478-3497, 16384-16387 and 16393-16402 outbound.',
  },
  'push-delayed': {
    title: 'Devices ring late or not at all',
    meaning: 'Push notifications do not arrive at once, so a sleeping device does not learn about the call.',
    evidence:
      'TCP 5223, the port of Apple push notifications, does not pass, and neither does TCP 443, which serves in its place.',
    doesNotProve: 'That calls out fail.',
    fix: 'Permit TCP 5223 outbound, and exempt it from TLS inspection.',
  },
  'peer-to-peer-fails': {
    title: 'Direct connections fail, relayed ones work',
    meaning: 'Two devices cannot exchange media directly and need a relay (TURN), or the call fails.',
    evidence: 'The NAT maps the same socket to another port for each destination (RFC 4787 section 4.1).',
    doesNotProve: 'That anything is blocked.',
    fix: 'Set the NAT to endpoint-independent mapping ("consistent NAT", "static port"), or provide a TURN server.',
  },
  'cannot-call': {
    title: 'Phones register but cannot call',
    meaning: 'The phone shows that it is connected, and every call ends in a timeout.',
    evidence:
      'On the same port and over the same transport other SIP messages are answered, and INVITE is dropped more often than chance explains, ' +
      'while it passes on another port.',
    doesNotProve: 'Which device drops it; that the account may call at all is not tested.',
    fix: 'Switch off the SIP ALG or the SIP inspection of the firewall, or use TLS, which it cannot read.',
  },
  'delayed-audio': {
    title: 'People talk over each other',
    meaning: 'The audio is complete but late, so people interrupt each other.',
    evidence: 'The round trip of the media ports exceeds the threshold of the profile.',
    doesNotProve: 'A fault of the network: the far end may simply be far away.',
    fix: 'Measure against a reflector near the provider, and again at a quiet hour; give voice priority on the uplink.',
  },
  'registration-flaps': {
    title: 'Phones may lose and regain their registration',
    meaning:
      'The public address of this site changes from flow to flow. Registrations then flap, and the audio of a call ' +
      'may come from another address than its signalling.',
    evidence: 'In one run, far ends reported different public addresses for the media ports of one service.',
    doesNotProve: 'That a given phone changes its address: each one keeps to a flow as long as it lasts.',
    fix: 'Pin voice to one uplink, or ask the provider for address pooling of the kind "paired" (RFC 4787 REQ-2).',
  },
  'cannot-sign-in': {
    title: 'The app cannot sign in or set up calls',
    meaning: 'It stays at "connecting" or shows that it is offline: no calls or meetings with it.',
    evidence: "What the profile names as the service's signalling, as a rule TLS on TCP 443, does not pass.",
    doesNotProve: 'That the account is right, or that the service is up.',
    fix: 'Permit the port outbound to the networks and names of the service, and exempt it from proxies and TLS inspection.',
  },
  'trunk-down': {
    title: 'The trunk does not come up',
    meaning: 'The PBX or session border controller and the provider do not reach each other: all external calls fail.',
    evidence: 'None of the signalling transports that the profile names passes.',
    doesNotProve:
      'That certificates, accounts and addresses at both ends are right; that the provider reaches this site.',
    fix: 'Permit the signalling of the provider in the directions that the profile names.',
  },
  'messages-fail': {
    title: 'Messages are neither sent nor received',
    meaning: 'Messages stay unsent on this network, and arrive once the device uses another one.',
    evidence: 'The ports over which the service signs in and delivers do not pass.',
    doesNotProve: 'That the service is up.',
    fix: 'Permit the ports of the profile outbound, and exempt them from TLS inspection.',
  },
  'provisioning-fails': {
    title: 'New phones do not get their configuration',
    meaning:
      'Phones already set up keep working; new or reset phones, and changes from the portal, do not get their configuration.',
    evidence: 'The ports from which phones load their configuration do not pass.',
    doesNotProve: 'That the phone asks the right server.',
    fix: 'Permit the ports outbound; providers as a rule ask for it to anywhere, not only to their SIP servers.',
  },
  'activation-fails': {
    title: 'Handsets may not offer the service',
    meaning:
      'The switch for Wi-Fi Calling does not appear or does not stay on, because the handset cannot reach the carrier to activate it.',
    evidence: "HTTPS to the carrier's servers beside its gateway does not pass.",
    doesNotProve: 'That the tunnel itself does not pass: handsets that are activated may well work.',
    fix: 'Permit TCP 443 to the names that the profile gives.',
  },
  'wrong-time': {
    title: 'Phones show the wrong time',
    meaning: 'The clock is wrong, and certificates may be refused because of it.',
    evidence: 'NTP on UDP 123 does not pass.',
    doesNotProve: 'That phones use an external time server: an internal one may serve them.',
    fix: 'Permit UDP 123 outbound, or give phones a time server inside.',
  },
  'app-limited': {
    title: 'Parts of the service do not work',
    meaning: 'Calls may work, but features that use the web do not.',
    evidence: 'A web port of the profile does not pass.',
    doesNotProve: 'Which part; vendors seldom say what a port is for.',
    fix: 'Permit the port outbound.',
  },
  'cannot-find-service': {
    title: 'Names of the service do not resolve',
    meaning: 'Phones and apps may not find the servers of the service.',
    evidence: 'DNS on port 53 does not pass to the far end.',
    doesNotProve: 'That phones use an external resolver: they use the one that the network gives them.',
    fix: 'Let phones use a resolver that works, inside or outside.',
  },
  'over-fallback': {
    title: 'Calls use a fallback path and sound worse',
    meaning:
      "The usual ports do not pass, and the vendor's fallback ports are used instead. Audio over TCP waits for every packet " +
      'that was lost, so that it stutters on a line where UDP would not.',
    evidence: 'A required row does not pass, and the row that the profile names as its fallback does.',
    doesNotProve: 'That calls sound bad now.',
    fix: 'Permit the usual ports outbound.',
  },
  'calls-not-private': {
    title: 'The signalling can be read on the path',
    meaning:
      'TLS is intercepted, so whoever runs that device sees who calls whom, and the keys of SRTP if they are in the SDP.',
    evidence: 'TLS interception was proven; see "tls-intercepted".',
    doesNotProve: 'That anybody listens.',
    fix: 'Exempt the provider from TLS inspection.',
  },
} as const satisfies Record<SymptomId, ExplanationText>;

const PROBE_TEXTS = {
  'sip-options': {
    title: 'SIP OPTIONS',
    meaning:
      'Asks a SIP server for its capabilities (RFC 3261 section 11), as phones and PBXs do to see whether it is alive.',
    evidence:
      'A SIP response with the same branch, Call-ID and CSeq; any status counts, since it proves the path in both directions.',
    doesNotProve: 'That REGISTER and INVITE pass: some firewalls drop by method. Many servers do not answer strangers.',
    fix: 'If it is blocked, permit this transport and port; if it is altered, switch off the SIP ALG.',
  },
  'stun-binding': {
    title: 'STUN Binding',
    meaning:
      'Asks a STUN server from which address and port the request arrives (RFC 8489), as phones and browsers do.',
    evidence: 'A Binding response with our transaction id.',
    doesNotProve: 'That media passes: it uses other ports.',
    fix: 'If it is blocked, permit UDP to this port outbound.',
  },
  'nat-behavior': {
    title: 'Behaviour of the NAT',
    meaning:
      'Finds out how the NAT maps and filters, by asking two addresses and two ports (RFC 5780). As a check of port 4500, with --deep: whether a tunnel can be reached just before its next keepalive is due (RFC 3948 section 4).',
    evidence:
      'The mapped addresses that different destinations see of one and the same socket; packets that the reflector sent after a silence.',
    doesNotProve: 'How the NAT maps, with one address at the far end only: the result is "unknown" then.',
    fix: 'Set the NAT to endpoint-independent mapping and port preservation for voice, and its UDP timeout to 120 s or more, better 300 s.',
  },
  'rtp-echo': {
    title: 'RTP echo',
    meaning: 'Sends an RTP packet with audio payload (RFC 3550) and expects it back from the reflector.',
    evidence: 'The reflector attests what it received, from where, and on which port.',
    doesNotProve: 'The quality of a long call: single packets test the path, not the load.',
    fix: 'If it is blocked, open the media range of the provider for UDP, outbound and stateful.',
  },
  'rtcp-echo': {
    title: 'RTCP echo',
    meaning: 'Sends an RTCP compound packet (RFC 3550 section 6) and expects it back from the reflector.',
    evidence: 'The reflector attests what it received, from where, and on which port.',
    doesNotProve: 'That audio fails: without RTCP audio still flows, and quality reports are missing.',
    fix: 'Open the odd ports of the media range as well.',
  },
  'udp-echo': {
    title: 'UDP echo',
    meaning:
      'Sends data of no known protocol and expects it back from the reflector: the control that tells a blocked port from a filtered protocol.',
    evidence: 'The reflector attests what it received.',
    doesNotProve: 'That a voice protocol passes on the same port.',
    fix: 'If it passes where a protocol does not, look for inspection; if neither passes, open the port.',
  },
  'size-sweep': {
    title: 'Growing sizes',
    meaning: 'Sends the same message padded to growing sizes, to find where fragments or a small MTU stop it.',
    evidence: 'The largest size that passes and the smallest that does not.',
    doesNotProve: 'Anything about TCP, which keeps to the segment size of the path.',
    fix: 'Let fragments and ICMP type 3 pass; use SIP over TCP or TLS.',
  },
  'ike-sa-init': {
    title: 'IKE_SA_INIT',
    meaning:
      'Opens an IKEv2 exchange (RFC 7296 section 1.2), as a handset does for Wi-Fi Calling; on the NAT-T port after the ' +
      'non-ESP marker (RFC 3948 section 2.2).',
    evidence:
      'An IKEv2 response with our SPI; a refusal counts as well, since it proves the path. Demands for a cookie or another ' +
      'group are met ("rounds"), and the NAT detection of the answer is judged ("natBeforeUs", "natBeforeThem").',
    doesNotProve: 'That the carrier accepts the SIM card, nor that encrypted traffic (ESP in UDP) follows.',
    fix: 'Permit UDP 500 and 4500 outbound to the gateways of the carrier.',
  },
  'nat-t-keepalive': {
    title: 'NAT-T keepalive',
    meaning:
      'Sends the single octet 0xFF that holds a NAT mapping open (RFC 3948 section 2.3), and asks the reflector whether it arrived.',
    evidence: 'The reflector counts the keepalives from this very source before the request that follows them.',
    doesNotProve: 'How long the mapping lives between two keepalives.',
    fix: 'If keepalives are filtered, exempt UDP 4500 from inspection, because some devices drop one-byte packets.',
  },
  'esp-in-udp': {
    title: 'ESP in UDP',
    meaning:
      'Sends a packet of the form of encrypted IPsec traffic on UDP 4500 (RFC 3948 section 2.1), 1,400 octets long, and has ' +
      'the reflector answer with as many.',
    evidence:
      'The reflector attests what it received. If it stays silent, small ESP is tried: "size-filtered" if that passes, ' +
      '"payload-filtered" if only IKE or other bytes pass on the port.',
    doesNotProve: 'That IKE passes on the same port; "ike-sa-init" asks that.',
    fix: 'Permit IPsec passthrough, and exempt UDP 4500 from inspection.',
  },
  'tcp-connect': {
    title: 'TCP connect',
    meaning: 'Opens a TCP connection and sends only what a reflector needs for its proof.',
    evidence: 'The connection opened; of a reflector, its proof as well.',
    doesNotProve: 'That the service behind the port works, nor, without a proof, that the target itself accepted it.',
    fix: 'If it is blocked, permit TCP to this port outbound.',
  },
  'tls-handshake': {
    title: 'TLS handshake',
    meaning: 'Opens a TLS connection, as phones and devices do, and looks at who ends it.',
    evidence: 'The handshake completed; of a reflector, a proof bound to this TLS session.',
    doesNotProve: 'Without a reflector, that nobody intercepts: a trusted certificate can belong to a company proxy.',
    fix: 'If it is blocked, permit TCP to this port; if it is intercepted, exempt it from TLS inspection.',
  },
  http: {
    title: 'HTTP',
    meaning: 'Sends an HTTP request and looks at who answers.',
    evidence: 'An HTTP response; of a reflector, with its proof.',
    doesNotProve: 'That HTTPS passes.',
    fix: 'If it is intercepted, log in to the network or exempt the target from the proxy.',
  },
  dns: {
    title: 'DNS query',
    meaning: 'Sends a DNS query to the target itself, and not to the resolver of this host.',
    evidence: 'A DNS response with our id and question; of a reflector, with its proof.',
    doesNotProve: 'That names resolve here: this host asks its own resolver for that.',
    fix: 'A closed port 53 is harmless if a resolver inside answers.',
  },
  inbound: {
    title: 'The way in',
    meaning:
      "Listens on a port of this host that --inbound names, and has the reflector connect or send to it at this host's public address, as services do that open connections themselves, such as Microsoft Teams Direct Routing.",
    evidence:
      "What arrived at the port, under the reflector's proof; and the reflector's report of what became of each attempt.",
    doesNotProve:
      "That the service's own servers get in: a firewall may admit other networks than the reflector's. Nor that the PBX or border controller answers: the probe listened in its place.",
    fix: 'Allow the port inbound from the service\'s networks, and forward it if there is a NAT; "probe profiles NAME --rules DIALECT" writes the rules.',
  },
  call: {
    title: 'A call',
    meaning:
      'Registers, calls and is called, as phones do, with the reflector as the other end: the answer, its ACK, sound in both directions, keys, hold, transfer, refresh and hanging up from each side, and a call from outside after 35 seconds of silence (or --call-idle).',
    evidence:
      "What each end sent and received of each message, the reflector's under its proof, and whether it arrived as it was sent.",
    doesNotProve:
      "That the carrier's own servers do the same: they may sit behind other addresses, and speak first from them.",
    fix: 'See the step that does not pass: docs/calls.md has each with its usual cause.',
  },
  'media-stream': {
    title: 'Media stream',
    meaning: 'Sends RTP for some seconds with a packet every 20 ms, as a call does, and measures both directions.',
    evidence:
      'What was sent, what the reflector counted, and what came back: loss, jitter and order, and the R-factor (ITU-T G.107) from them. It is degraded only by what so many packets prove past the thresholds of the profile; "packetsNeeded" says how many would prove more. What this host sent too late is "local-error".',
    doesNotProve:
      'The quality at another hour. Six seconds do not tell loss of one in a hundred that comes in bursts; "--media 60" does.',
    fix: 'See "loss", "jitter" and "latency".',
  },
} as const satisfies Record<Exclude<ProbeKind, Reason>, ExplanationText>;

export const EXPLANATIONS: Readonly<Record<ExplainedCode, ExplanationText>> = {
  ...VERDICT_TEXTS,
  ...REASON_TEXTS,
  ...NOT_RUN_TEXTS,
  ...SERVICE_VERDICT_TEXTS,
  ...SYMPTOM_TEXTS,
  ...PROBE_TEXTS,
};
