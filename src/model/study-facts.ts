/** Facts that studies of proven far ends bring home: no opinion, plain data, as it crosses from the probing thread. */

import type { Family } from './check.js';
import type { Transport } from './kinds.js';
import type { LossSample } from './observation.js';

/** One SIP exchange, as both of its ends saw it. */
export interface SipExchange {
  readonly transport: Transport;
  readonly port: number;
  readonly address: string;
  readonly method: string;
  /** Asked on a port that is not SIP's, where an ALG has no reason to look. */
  readonly isControl: boolean;
  /** The source port: SIP's own, or any other. */
  readonly fromSipPort: boolean;
  /** Smallest size asked for, in bytes; null where size is not the question. */
  readonly padded: number | null;
  /** How long the request was, in bytes; left out where it never left. */
  readonly bytes?: number;
  readonly packets: number;
  readonly answers: number;
  /** Errors from sockets or from the path, by their code. */
  readonly errors: readonly string[];
  /** Packets that arrived at the far end; null if it could not be asked. */
  readonly seen: number | null;
  /** Of `seen`, how many the far end says it answered; null or left out if it did not tell. */
  readonly answered?: number | null;
  /** An answer came, and it did not prove itself. */
  readonly unproven: boolean;
  /** The far end received other bytes than were sent, whether or not it could show them. */
  readonly changed: boolean;
  /** The far end received it at another port than it was sent to. */
  readonly misdirected: boolean;
  /** The request as sent, and as it arrived; null where no proven answer came or the far end kept nothing. */
  readonly request: Passage | null;
  /** The response as the far end sent it, and as it arrived here. */
  readonly response: Passage | null;
}

export interface Passage {
  readonly sent: Uint8Array;
  readonly received: Uint8Array;
}

/** Whether something passes: it did, or so many of it stayed silent; neither, and nothing is known. */
export interface Passing {
  readonly passes: boolean;
  readonly silent: number;
  /** Packets that stayed silent while what is known to pass on the port was silent as well; left out where there are none. */
  readonly away?: number;
}

/** What is no SIP request on SIP's own port. */
export interface OtherTraffic {
  readonly transport: Transport;
  readonly port: number;
  readonly address: string;
  readonly stun: Passing;
  readonly bareTag: Passing;
  /** The keepalive of many phones (RFC 5626 §3.5.1). */
  readonly crlf: Passing;
}

/** Media that nobody had asked for at the port that an INVITE's SDP named, while the far end had not answered yet. */
export interface PinholeTest {
  /** The port to which the INVITE went. */
  readonly port: number;
  readonly isControl: boolean;
  /** From where the media came, seen from the address and port to which the INVITE went. */
  readonly from: 'other-port' | 'other-address';
  readonly heard: boolean;
  /** How many packets the far end sent; null if it could not be asked. */
  readonly sent: number | null;
}

/** Bytes that are no SIP on SIP's port, in one datagram of a size, answered with as many. */
export interface SameSize extends Passing {
  readonly port: number;
  readonly bytes: number;
  /** Packets that arrived at the far end; null or left out if it could not be asked. */
  readonly seen?: number | null;
}

/** After some messages SIP's own port passed none any more, or only some of many, whatever they were. */
export interface SipLimit {
  /** `rate`: one asked after a pause passed again. `cut-off`: it did not. */
  readonly kind: 'rate' | 'cut-off';
  /** Of `rate`: all were answered in the end. What became of those sent quickly, and how many sent slowly all passed. */
  readonly some?: LossSample & { readonly slowly: number };
  readonly port: number;
}

/** What one reflector's address was asked about SIP. */
export interface SipFacts {
  /** Left out where nothing of the kind was met. */
  readonly limit?: SipLimit;
  readonly address: string;
  readonly family: Family;
  readonly exchanges: readonly SipExchange[];
  readonly otherTraffic: readonly OtherTraffic[];
  readonly pinholes: readonly PinholeTest[];
  /** Asked in sizes below those of SIP, and where SIP of a size stayed silent. */
  readonly sameSize?: readonly SameSize[];
}

export interface Place {
  readonly address: string;
  readonly port: number;
}

/** Which of a far end's sockets was asked, seen from its first address and port; or one of a port that NATs treat apart. */
const STUN_PLACES = ['first', 'other-port', 'other-address', 'other-both', 'peculiar'] as const;
export type StunPlace = (typeof STUN_PLACES)[number];

/** From which socket of ours which place was asked, and what it saw of us; null if it never answered. */
export interface Mapping {
  readonly localPort: number;
  readonly place: StunPlace;
  readonly to: Place;
  readonly mapped: Place | null;
}

/** A fresh socket asked the first place to be answered from another. */
export interface FilterTest {
  readonly from: 'other-port' | 'other-both';
  readonly answered: boolean;
  /** Requests that arrived there, each of which was answered; null if it could not be asked. */
  readonly seen: number | null;
}

/** What one reflector's address shows of the NATs and filters before us. */
export interface NatFacts {
  readonly address: string;
  readonly localAddress: string;
  /** A second address was asked, its own or another reflector's, so that behaviour by address can be known. */
  readonly hasOther: boolean;
  /** Filters were tested by answers to another port of ours (RFC 5780 §7.5), because nobody had two addresses. */
  readonly byResponsePort: boolean;
  readonly mappings: readonly Mapping[];
  /** From a socket of its own: the first place, and the ports that NATs treat apart. */
  readonly beside: readonly Mapping[];
  readonly filtering: readonly FilterTest[];
}

/** One question from a source port of our choice. */
export interface SourcePortFacts {
  readonly address: string;
  readonly port: number;
  /** The same as `port` where it is the protocol's own; another one where an agent keeps it from run to run. */
  readonly sourcePort: number;
  readonly packets: number;
  readonly answers: number;
  /** From where the far end saw it come; null without an answer. */
  readonly seenPort: number | null;
  /** The code with which this host refused the port; null if it gave it. */
  readonly notBound: string | null;
  /** Errors from the path, by their code. */
  readonly errors: readonly string[];
  /** Nothing came back: how as many packets and more fared over a flow to the same place from another port. */
  readonly control?: { readonly packets: number; readonly answers: number };
}

/** RFC 3948 §4: how often IPsec behind a NAT sends its keepalive, unless it is told otherwise. */
export const NAT_T_KEEPALIVE_SECONDS = 20;

/** One flow that stayed idle until its answer was due. */
export interface Idle {
  readonly transport: Transport;
  readonly port: number;
  readonly address: string;
  readonly family: Family;
  /** Packets had gone both ways before it fell idle, after which many firewalls are more patient. */
  readonly bidirectional: boolean;
  /** Not quite idle: a keepalive of IPsec went out meanwhile (RFC 3948 §2.3). */
  readonly kept: boolean;
  readonly afterMs: number;
  readonly answered: boolean;
  /** Requests that arrived, each of which was answered after `afterMs`; null if it could not be asked. */
  readonly seen: number | null;
}

/** What lifetimes were asked of one far end. */
export interface LifetimeFacts {
  readonly idle: readonly Idle[];
  /** Questions over the flows that fell idle afterwards, and how many were answered: what this path loses. */
  readonly talk: LossSample;
}

/** What became of one attempt of the far end to reach a port of ours, as both ends saw it. */
export interface InboundTry {
  /** It came here, with its proof. */
  readonly arrived: boolean;
  /** Connections to the port from the far end's address that brought no proof while it was tried. */
  readonly opened: number;
  /** Its bytes came here, and its proof does not hold: over TLS, because they were sent in another session. */
  readonly altered: boolean;
  /** The far end's word; null where it could not be had, so that nothing is known of this attempt. */
  readonly said: 'sent' | 'connected' | 'refused' | 'silent' | 'unreachable' | 'tls-failed' | null;
}

/** A port of ours that the far end tried, or why it was not tried. */
export interface InboundFacts {
  /** The far end's. */
  readonly address: string;
  readonly family: Family;
  readonly transport: Transport;
  readonly port: number;
  /** Why it was not tried: of this host the code of its refusal to listen, of the far end what it says. */
  readonly notTried:
    | { readonly by: 'this-host'; readonly code: string }
    | { readonly by: 'far-end'; readonly why: InboundRefusal }
    | null;
  readonly tries: readonly InboundTry[];
  /** Our address as this host knows it and as the far end sees it; null where no connection told. */
  readonly local: string | null;
  readonly seen: string | null;
  /** The way is so slow that what the far end calls silent may have been on its way. */
  readonly isSlow: boolean;
}

/** What both ends know of one thing that was sent within a call. */
export interface CallLeg {
  readonly from: 'agent' | 'far-end';
  /** A request is answered; sound, and the ACK, are not. */
  readonly kind: 'request' | 'one-way';
  readonly sent: number;
  /** Of `sent`, those that went out while the far end was known to be alive. */
  readonly witnessed: number;
  /** How many came to the other end; null if the far end could not be asked. */
  readonly arrived: number | null;
  /** How many answers the other end sent, and how many of them came back. */
  readonly answered: number | null;
  readonly received: number | null;
  /** Over a connection `witnessed` counts what TCP sends again by itself, of the request as of its answer; false if left out. */
  readonly overConnection?: boolean;
}

/** Why a step was not tried. */
export const CALL_UNTESTED = [
  ...([
    'no-call',
    'not-registered',
    'nowhere-to-send',
    'no-word',
    'no-connection',
    'third-party',
    'interrupted',
  ] as const),
] as const;
type CallUntested = (typeof CALL_UNTESTED)[number];

export interface CallStepFacts {
  readonly step: CallStep;
  readonly untested: CallUntested | null;
  /** The final answer's; null without one. */
  readonly status: number | null;
  readonly ms: number | null;
  readonly legs: readonly CallLeg[];
}

/** Steps of calls, in the order in which a reader meets them. */
export const CALL_STEPS = [
  ...(['register', 'invite', 'ack', 'media-outbound', 'media-inbound', 'dtmf', 'hold', 'resume'] as const),
  ...(['remote-hold', 'transfer', 'attended-transfer', 'refresh', 'inbound-after-idle', 'cancel'] as const),
  ...(['bye', 'remote-bye', 'long'] as const),
] as const;
export type CallStep = (typeof CALL_STEPS)[number];

/** One call with the far end, or several of one purpose. */
export interface CallFacts {
  readonly address: string;
  readonly family: Family;
  readonly transport: Transport;
  readonly port: number;
  /** Who calls. */
  readonly direction: 'outbound' | 'inbound';
  /** Of a call after silence: how long it was, and whether keepalives went out meanwhile; null for others. */
  readonly idle: { readonly ms: number; readonly keepalives: boolean } | null;
  readonly steps: readonly CallStepFacts[];
  /** Messages that arrived in another form than they were sent, seen from the agent. */
  readonly changed: readonly (Passage & { readonly direction: 'outbound' | 'inbound'; readonly name: string })[];
  /** Why there was no call at all; null where there was. */
  readonly notTried: CallRefusal | null;
  /** After all of it SIP still passed there; null where it was not asked. */
  readonly passesStill: boolean | null;
  /** The other end is somebody's server, which tells nothing of what it saw: its answers are all that is known. */
  readonly isThirdParty?: boolean;
}

export const CALL_REFUSALS = [
  ...(['not-offered', 'needs-connection', 'held-back', 'no-answer', 'flows-die', 'no-sip'] as const),
] as const;
export type CallRefusal = (typeof CALL_REFUSALS)[number];

type InboundRefusal = 'not-offered' | 'needs-connection' | 'held-back' | 'failed';
