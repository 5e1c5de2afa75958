/** How a question travels: over UDP flows that are renewed, or over one connection each. */
import type { Probe } from '../../../probes/contract.js';
import type { Check, Family } from '../../model/check.js';
import { failureOf, type SocketError } from '../../net/errno.js';
import type { UdpFlow } from '../../net/udp.js';
import type { Tools } from '../tools.js';
import type { Elsewhere, Transaction, Transactions } from './transactions.js';

interface Line {
  /** Sends the question once; what comes of it is told to the transactions. Rejects with a `SocketError` if no socket opens. */
  send(): Promise<void>;
  /** Sends the next round of a transaction over the flow that it began on. */
  resend(transaction: Transaction): Promise<void>;
  close(): void;
}

type Peer = { readonly address: string; readonly port: number; readonly family: Family; readonly host: string };

/**
 * Packets of each flow in turn, before a fresh source port takes over; the last number repeats. One flow can be dead (stale
 * NAT state, one bad link of a bundle), so four packets of a silent check go out over three; and the first of a flow can be
 * lost where its second is not, so the first flow has two.
 */
const PACKETS_PER_FLOW = [2, 1, 1, 2] as const;
/** Systems send a SYN again after a second (RFC 6298 §2.1). */
export const SYN_AGAIN_MS = 1000;
/** A timer may be early by a little. */
const TIMER_EARLY_MS = 50;
/** Servers keep a connection over which nothing is said for 15 s and longer; what refuses does so at once. */
const TIRED_MS = 10_000;
/** No answer that we understand is longer; a peer that sends more is not waited for. */
const MAX_STREAM_BYTES = 65_536;
/** The longest answer to any of our questions, a SIP response with all its capabilities, takes half of this. */
const MAX_DATAGRAM_BYTES = 8192;

/** An ICMP error that was still pending takes the place of the sending that it is reported to. */
const PENDING_ICMP = new Set(['ECONNREFUSED', 'EHOSTUNREACH']);

/** UDP: earlier flows stay open, because late is not lost. */
export const datagramLine = <V>(
  _check: Check,
  peer: Peer,
  probe: Probe<V>,
  tools: Tools,
  transactions: Transactions<V>,
  sourcePort?: number,
): Line => {
  const { net, totals } = tools;
  const flows: UdpFlow[] = [];
  let flow: UdpFlow | null = null;
  let sends = 0;
  let current: Transaction | null = null;
  const flowOf = new Map<Transaction, UdpFlow>();

  /**
   * A stranger that was silent on its first flow may have answered from elsewhere (a second address, another port), which
   * a connected socket never hears. What the kernel would tell of errors the first flow has been told.
   */
  const hearsStrays = (): boolean => tools.session.keys === null && flows.length > 0 && transactions.errors() === 0;

  const open = async (): Promise<UdpFlow> => {
    const own: Transaction[] = [];
    track = (transaction) => own.push(transaction);
    const opened: UdpFlow = await net.openUdp(
      peer,
      {
        message: (bytes, atMs) => {
          totals.packetsReceived += 1;
          if (bytes.length > MAX_DATAGRAM_BYTES) {
            return transactions.refuse(
              'oversized',
              `it has ${bytes.length} octets, more than any answer that is read over UDP`,
            );
          }
          // Newest first: an answer is most likely to the last question.
          const { reply } = transactions.offer(own.toReversed(), bytes, atMs);
          // Nobody answers a reply, so nobody waits to hear that it could not be sent.
          if (reply) void put(opened, reply).catch(() => undefined);
        },
        error: (error) => transactions.fail(own.at(-1) ?? null, failureOf(error, 'udp'), error),
        ...(hearsStrays() && {
          stray: (bytes: Uint8Array, from: Elsewhere, atMs: number) => {
            if (bytes.length <= MAX_DATAGRAM_BYTES) transactions.stray(own, bytes, from, atMs);
          },
        }),
      },
      {
        // Not connected, a socket does not know the address that it sends from, and SIP writes it into the message.
        address: net.source ?? (hearsStrays() ? flows[0]?.local.address : undefined),
        ...(sourcePort !== undefined && { port: sourcePort }),
      },
    );
    tools.timeline.opened(peer.address);
    flows.push(opened);
    return opened;
  };
  let track: (transaction: Transaction) => void = () => undefined;

  const put = ({ send }: UdpFlow, message: Uint8Array): Promise<number> => {
    totals.packetsSent += 1;
    totals.bytesSent += message.length;
    return send(message);
  };

  const sendOver = async (over: UdpFlow, transaction: Transaction): Promise<void> => {
    transactions.sent(transaction);
    for (const message of transaction.question.messages) {
      await put(over, message).catch(async (error: SocketError) => {
        transactions.fail(transaction, failureOf(error, 'udp'), error);
        if (PENDING_ICMP.has(error.code)) await over.send(message).catch(() => undefined);
      });
    }
  };

  return {
    resend: async (transaction) => {
      const own = flowOf.get(transaction);
      if (own) await sendOver(own, transaction);
    },
    send: async () => {
      // A flow that answers is kept; only silence is asked from elsewhere.
      if (current?.attempt?.outcome === 'answer') sends = 0;
      const enough = PACKETS_PER_FLOW[Math.min(flows.length, PACKETS_PER_FLOW.length) - 1] ?? 0;
      if (!flow || (sourcePort === undefined && sends >= enough)) {
        flow = await open();
        sends = 0;
        current = null;
      }
      sends += 1;
      const unanswered: boolean = current !== null && current.attempt === null;
      if (!current || !probe.retransmits || !unanswered) {
        current = transactions.begin(flow.local, null);
        flowOf.set(current, flow);
        track(current);
      }
      await sendOver(flow, current);
    },
    close: () => {
      for (const opened of flows) opened.close();
    },
  };
};

/** Finally: a provisional answer is followed by another. */
const isAnswered = ({ attempt }: Transaction): boolean => attempt?.outcome === 'answer';

/** TCP and TLS: each question has a connection of its own; those that hang are left open until the end. */
export const streamLine = <V>(
  check: Check,
  peer: Peer,
  probe: Probe<V>,
  tools: Tools,
  transactions: Transactions<V>,
): Line => {
  const { net, totals } = tools;
  const closers: (() => void)[] = [];
  const secure = check.transport === 'tls';

  const send = (): void => {
    const startedAtMs = net.now();
    const unopened = transactions.beginUnopened();
    let transaction: Transaction | null = null;
    let buffered: Uint8Array = new Uint8Array(0);
    let openingMs = 0;
    let write: (bytes: Uint8Array) => void = () => undefined;
    let connectMs: number | null = null;
    totals.packetsSent += 1;
    tools.timeline.opened(peer.address);
    const close = net.openStream(
      peer,
      secure,
      {
        connected: () => {
          // Should TLS now stay silent, it is the handshake that is dropped and not the port.
          connectMs = Math.round((net.now() - startedAtMs) * 1000) / 1000;
          transactions.stands();
          const usualMs = tools.path.longestRttMs('udp');
          if (connectMs >= usualMs + SYN_AGAIN_MS - TIMER_EARLY_MS)
            tools.timeline.openedLate(peer.address, startedAtMs);
          unopened.opened = { connectMs };
        },
        open: (stream, atMs) => {
          openingMs = atMs - startedAtMs;
          transactions.stands();
          write = stream.write;
          const detail = { ...(connectMs !== null && { connectMs }), ...(stream.tls && { tls: stream.tls }) };
          transaction = transactions.opened(unopened, stream.local, stream.binding, detail);
          for (const message of transaction.question.messages) {
            totals.bytesSent += message.length;
            stream.write(message);
          }
          if (!transaction.question.answeredByOpening) return;
          transactions.answeredByOpening(transaction, openingMs);
          close();
        },
        data: (bytes, atMs) => {
          if (!transaction || isAnswered(transaction)) return;
          totals.packetsReceived += 1;
          buffered = Buffer.concat([buffered, bytes]);
          if (buffered.length > MAX_STREAM_BYTES) {
            transactions.refuse('oversized');
            transactions.fail(transaction, 'closed-early', { code: 'OVERSIZED', syscall: 'read' });
            close();
            return;
          }
          const rttMs = probe.timed === 'opening' ? openingMs : undefined;
          const { reply } = transactions.offer([transaction], buffered, atMs, rttMs);
          if (reply) {
            totals.bytesSent += reply.length;
            write(reply);
          }
          if (isAnswered(transaction)) close();
        },
        end: (error, tcpOpen, shown) => {
          const subject = transaction ?? unopened;
          if (isAnswered(subject)) return;
          // The certificate came before the handshake failed.
          if (shown && subject.opened && !subject.opened.tls) subject.opened = { ...subject.opened, tls: shown };
          // Nobody who refuses waits so long: it has heard nothing, and got tired of waiting for it.
          if (connectMs !== null && net.now() - startedAtMs - connectMs >= TIRED_MS && buffered.length === 0) return;
          if (error === null) transactions.fail(subject, 'closed-early', { code: 'FIN', syscall: 'read' });
          else if (secure && tcpOpen && !transaction) transactions.fail(subject, 'tls-failed', error);
          else transactions.fail(subject, failureOf(error, 'stream'), error);
        },
      },
      net.source ?? undefined,
    );
    closers.push(close);
  };

  return {
    send: async () => send(),
    // No protocol of ours asks for another round over a connection.
    resend: async () => undefined,
    close: () => {
      for (const close of closers) close();
    },
  };
};
