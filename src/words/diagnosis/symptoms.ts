/** What people notice, one sentence for each rule of diagnosis: for somebody who uses the phone. */
import type { RoleSymptom } from '../../model/profile.js';

export const SYMPTOMS = {
  'signalling-not-private':
    'Calls are not private: something on the path intercepts or blocks encrypted signalling (TLS).',
  'fallback-in-use': 'Calls use a fallback path and sound worse as soon as the line is busy or loses packets.',
  'non-sip-filtered':
    'Incoming calls may stop after some idle time: the signalling port passes SIP only, not the keepalives of phones.',
  'stun-keepalive-filtered':
    'Phones that use STUN keepalives may stop receiving calls after some idle time: the signalling port passes SIP but not STUN.',
  'own-port-only':
    'Some phones cannot register over UDP: only traffic from the SIP port as source port passes; softphones, and several phones behind one NAT, use other source ports.',
  'own-port-silent':
    'Phones that use the SIP port as source port, as many desk phones do, cannot register over UDP; others can.',
  'gateway-name-not-resolved':
    "The gateway's name does not resolve here, so handsets that use this resolver cannot find it. The fault is in DNS; no port is involved.",
  'path-finding-blocked': 'Calls ring, but no picture or sound follows: the two ends find no path to each other.',
  'media-lost-outbound': 'They cannot hear us: our audio never arrives at the far end.',
  'media-lost-inbound': 'We cannot hear them: their audio never arrives here.',
  'media-partly-blocked': 'Some calls are silent, others are fine: part of the media port range is blocked.',
  'media-uneven': 'Audio is choppy: packet loss or jitter is higher than a call tolerates.',
  'media-rate-limited': 'Audio is choppy when several people call: the packet rate is limited.',
  'flows-limited': 'Once several calls are up, further calls are silent: the number of flows is limited.',
  'media-late': 'People talk over each other: audio arrives late.',
  'stream-loss': 'Audio is choppy: a test call lost more packets than a call tolerates.',
  'stream-jitter': 'Voices sound robotic: the jitter of a test call was too high.',
  'inbound-signalling-shut': 'Incoming calls do not arrive: connections from the service to this site are blocked.',
  'inbound-media-shut': 'Callers may not be heard: audio that the service sends first is blocked.',
  'inbound-altered': 'Incoming calls may fail: inbound traffic from the service is changed on the path.',
  'alg-rewrites-contact': 'Incoming calls may be lost: the address that phones register is changed on the path.',
  'alg-rewrites-public-sdp':
    'We may not hear them: the address for audio, already correct when sent, is changed on the path.',
  'invite-dropped': 'Phones register but cannot call: INVITE is dropped, while OPTIONS passes.',
  'register-dropped': 'Phones cannot register: REGISTER is dropped, while OPTIONS passes.',
  'events-dropped':
    'Busy lamps, message waiting and transfers fail: SUBSCRIBE or NOTIFY is dropped, while OPTIONS passes.',
  'alg-rewrites-learnt-address':
    'Incoming calls may be lost: the public address that phones learn from SIP responses is changed on the path.',
  'call-ack-lost': 'Calls end after 32 seconds: the ACK that confirms the answer never reaches the far end.',
  'call-media-lost': 'Calls connect without audio: it does not pass on the ports that both ends agreed on.',
  'call-hold-lost': 'Calls break when they are held or resumed: the re-INVITE does not pass.',
  'call-refresh-lost': 'Long calls drop, for example after 15 minutes: the session refresh does not pass.',
  'call-transfer-lost': 'Transfers fail: REFER or NOTIFY does not pass within a call.',
  'call-bye-lost': 'Calls do not end when one side hangs up: the other side keeps ringing, or hears silence.',
  'call-cut-off': 'Calls go silent before long, although audio passed at first.',
  'call-inbound-lost':
    'Incoming calls are lost although phones send keepalives: what the far end sends unasked does not come in.',
  'long-messages-over-tcp':
    'Phones set to TCP or TLS register but cannot set up calls: long messages are lost on the connection, short ones pass.',
  'long-notifies-over-tcp':
    'Busy lamps, transfers and long incoming messages fail on phones set to TCP or TLS: large inbound packets are lost.',
  'long-notifies-dropped':
    'Busy lamps, transfers and long incoming messages fail over UDP: large inbound packets are lost.',
  'tunnel-carries-nothing': 'Wi-Fi Calling never comes up: IKE negotiates the tunnel, but ESP does not pass.',
  'tunnel-loses-large':
    'The tunnel loses large packets: registration or calls with long SIP messages fail, short ones pass.',
  'sip-binding-short':
    'Incoming calls fail after seconds without traffic: the UDP session times out before the next keepalive. Outgoing calls work.',
  'sip-connection-short':
    'Phones set to TCP or TLS stop receiving calls after a while: the session timeout of the firewall is shorter than their keepalive interval.',
  'nat-t-binding-short':
    'Wi-Fi Calling loses incoming calls: the UDP 4500 session times out before the next keepalive.',
  'symmetric-mapping':
    'Direct connections between two callers fail: the NAT uses a different public port for each destination. Relays (TURN) work.',
  'forwarded-port-changed':
    'The NAT changes the source ports of the PBX: the ports that the provider calls do not match, and incoming calls may be lost.',
  'media-by-another-line':
    'Calls may be silent: signalling and audio use different uplinks, and far ends accept audio from one address only.',
  'lines-take-turns':
    'Registrations may flap and calls may lose audio: the public address of this site changes from flow to flow.',
} as const;

/** Long SIP messages of some sizes are lost: `bytes` says which, and whether an INVITE is among them. */
export const messagesLost = (bytes: string, invites: boolean): string =>
  `Some calls cannot be set up, or end, over UDP: messages of ${bytes} bytes, as ${invites ? 'an INVITE' : 'an ACK, a BYE or a short answer'} has, are lost; shorter and longer ones pass.`;

export const LONG_MESSAGES_LOST =
  'Some calls cannot be set up over UDP: long messages (video, many codecs, encryption keys) are lost, short ones pass.';

/** Audio that is cut during a call; `after` where both streams showed it. */
export const audioCut = (
  direction: 'outbound' | 'inbound',
  after: { readonly packets: number; readonly seconds: number } | null,
): string => {
  const who = direction === 'inbound' ? 'we no longer hear them' : 'they no longer hear us';
  return after
    ? `In mid-call ${who}: audio is cut after ${after.packets} packets (${Math.round(after.seconds)} s).`
    : `In mid-call ${who}.`;
};

/** When all that one role of a service needs does not pass, by the symptom that its profile names. */
export const ROLE_SYMPTOMS: Readonly<Record<RoleSymptom, string>> = {
  'cannot-register': 'Phones cannot register: no calls in or out.',
  'wifi-calling-unavailable': 'Wi-Fi Calling does not come up: no calls in or out over this network.',
  'facetime-cannot-connect': 'FaceTime does not connect: no calls in or out.',
  'cannot-sign-in': 'The app cannot sign in or set up calls: no calls or meetings with it.',
  'trunk-down': 'The trunk does not come up: no calls to or from the provider.',
  'messages-fail': 'Messages are neither sent nor received over this network.',
  'no-audio': 'Calls connect without audio: no media passes.',
  'push-delayed': 'Incoming calls ring late or not at all: the push connection is blocked.',
  'lost-inbound-calls': 'Incoming calls stop after some idle time: keepalives do not reach the far end.',
  'provisioning-fails': 'New or reset phones do not get their configuration; phones already set up keep working.',
  'activation-fails': 'Handsets may not offer the service at all: they cannot reach the carrier to activate it.',
  'wrong-time': 'Phones show the wrong time and may reject certificates because of it.',
  'app-limited': 'Parts of the service that use the web do not work.',
  'cannot-find-service': 'The host names of the service do not resolve: its phones and apps may not find it.',
};

/** What drops a request or audio within a call, by rule: `The provider …`. */
export const CALL_BREAKS = {
  'call-ack-lost': 'drops the ACK that confirms a call',
  'call-media-lost': "blocks a call's audio on the ports that both ends agreed on",
  'call-hold-lost': 'drops the re-INVITE within a call',
  'call-refresh-lost': 'drops the session refresh within a call (UPDATE)',
  'call-transfer-lost': 'drops REFER or NOTIFY within a call',
  'call-bye-lost': 'drops the request that ends a call',
  'call-cut-off': 'cuts the audio off during a call',
  'call-inbound-lost': 'does not let a new call in on the path that a registration opened',
} as const;
