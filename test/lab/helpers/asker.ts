/**
 * Asks the questions that it reads from stdin, as JSON, from inside the branch, and prints what came of them. One
 * question has a source port of its own and is put three times, as a lossless path needs only one.
 */
import { createSocket, type RemoteInfo } from 'node:dgram';
import { connect as connectTcp, type Socket } from 'node:net';
import { text } from 'node:stream/consumers';
import { connect as connectTls } from 'node:tls';
import type { Measure, MeasureFlows } from '../scenario.js';
import { type Asked, bytesOf, MARKER } from './questions.js';

export interface Asking {
  readonly questions: readonly Asked[];
  readonly measures: readonly Measure[];
  readonly flows: readonly MeasureFlows[];
  readonly target: string;
}

export interface Told {
  readonly asked: Asked;
  /** What was sent, base64. */
  readonly sent: string;
  readonly outcome: 'answer' | 'silence' | 'error';
  readonly code: string | null;
  /** The answer is the observer's, over TLS with the observer's own certificate. */
  readonly genuine: boolean;
  /** Of a silent UDP question: other bytes pass to the same port. Null if they were not tried. */
  readonly otherBytesPass: boolean | null;
}

export interface Measured {
  readonly sent: number;
  readonly answered: number;
  readonly duplicates: number;
  readonly reordered: number;
  readonly medianRttMs: number;
}

export interface MeasuredFlows {
  readonly flows: number;
  readonly dead: number;
  readonly firstLost: number;
  readonly medianFirstRttMs: number;
}

export interface Answers {
  readonly told: readonly Told[];
  readonly measured: readonly Measured[];
  readonly flows: readonly MeasuredFlows[];
}

/** Three askings, and time for the last one's answer; a lab's path takes a millisecond, a slow one some hundred. */
const ASK_AT_MS = [0, 250, 500] as const;
const GIVE_UP_MS = 1100;
/** After the last datagram of a measurement, the answers of all but the slowest paths are in. */
const MEASURE_TAIL_MS = 800;
/** So long after it, those of a path whose round trip is to be measured. */
const tailOf = (rttMs: readonly [number, number] | undefined): number =>
  Math.max(MEASURE_TAIL_MS, (rttMs?.[1] ?? 0) * 1.5);

type Outcome = Pick<Told, 'sent' | 'outcome' | 'code' | 'genuine'>;

const openUdp = (asked: Pick<Asked, 'address' | 'port'> & { readonly sourcePort?: number }) => {
  const family = asked.address.includes(':') ? 6 : 4;
  const socket = createSocket({
    type: family === 6 ? 'udp6' : 'udp4',
    lookup: (name, _options, done) => done(null, name, family),
  });
  return new Promise<typeof socket>((resolve, reject) => {
    socket.once('error', reject);
    socket.bind(asked.sourcePort ?? 0, () => {
      socket.connect(asked.port, asked.address, () => {
        socket.removeAllListeners('error');
        resolve(socket);
      });
    });
  });
};

const askUdp = async (asked: Asked): Promise<Outcome> => {
  const socket = await openUdp(asked);
  const bytes = bytesOf(asked, socket.address());
  const sent = bytes.toString('base64');
  return new Promise((resolve) => {
    const timers: NodeJS.Timeout[] = [];
    const done = (outcome: Omit<Outcome, 'sent'>): void => {
      for (const timer of timers) clearTimeout(timer);
      socket.removeAllListeners().on('error', () => undefined);
      socket.close();
      resolve({ sent, ...outcome });
    };
    socket.on('message', (answer: Buffer) => done({ outcome: 'answer', code: null, genuine: answer.includes(MARKER) }));
    socket.on('error', (error: NodeJS.ErrnoException) =>
      done({ outcome: 'error', code: error.code ?? null, genuine: false }),
    );
    for (const at of ASK_AT_MS) {
      timers.push(
        setTimeout(() => {
          // RFC 3948 §2.3: one octet, which nobody answers; what follows it from the same port is what is answered.
          if (asked.probe === 'nat-t-keepalive') socket.send(Buffer.from([0xff]));
          socket.send(bytes, (error) => {
            const code = (error as NodeJS.ErrnoException | null)?.code;
            if (code !== undefined) done({ outcome: 'error', code, genuine: false });
          });
        }, at),
      );
    }
    timers.push(setTimeout(() => done({ outcome: 'silence', code: null, genuine: false }), GIVE_UP_MS));
  });
};

const askStream = (asked: Asked): Promise<Outcome> =>
  new Promise((resolve) => {
    let sent = '';
    let answer = '';
    let certificate: string | null = null;
    const socket: Socket =
      asked.transport === 'tls'
        ? connectTls({ host: asked.address, port: asked.port, rejectUnauthorized: false }, () => opened())
        : connectTcp({ host: asked.address, port: asked.port }, () => opened());
    const answered = (): boolean => answer !== '' || certificate !== null;
    // A server may answer and keep the connection; silence over TLS is the answer of whoever ended the session.
    const timer = setTimeout(() => finish({ outcome: answered() ? 'answer' : 'silence', code: null }), GIVE_UP_MS);
    const finish = ({ outcome, code }: Pick<Outcome, 'outcome' | 'code'>): void => {
      clearTimeout(timer);
      socket.destroy();
      const genuine = answer.includes(MARKER) && (certificate === null || answer.includes(certificate));
      resolve({ sent, outcome, code, genuine });
    };
    const opened = (): void => {
      if ('getPeerX509Certificate' in socket) {
        const peer = socket as ReturnType<typeof connectTls>;
        certificate = peer.getPeerX509Certificate()?.fingerprint256 ?? 'none';
      }
      const bytes = bytesOf(asked, { address: socket.localAddress ?? '', port: socket.localPort ?? 0 });
      sent = bytes.toString('base64');
      socket.write(bytes);
    };
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1');
    });
    socket.on('end', () =>
      finish(answer === '' ? { outcome: 'error', code: 'FIN' } : { outcome: 'answer', code: null }),
    );
    socket.on('error', (error: NodeJS.ErrnoException) => {
      finish(answer === '' ? { outcome: 'error', code: error.code ?? null } : { outcome: 'answer', code: null });
    });
  });

const ask = async (asked: Asked): Promise<Told> => {
  const outcome = await (asked.transport === 'udp' ? askUdp(asked) : askStream(asked));
  if (asked.transport !== 'udp' || outcome.outcome !== 'silence') return { asked, ...outcome, otherBytesPass: null };
  // On IPsec's port bytes of no protocol are ESP to whoever looks; IKE behind its marker is not (RFC 3948 §2.2).
  const isEsp = asked.probe === 'esp-in-udp' || asked.probe === 'nat-t-keepalive';
  const bare = await askUdp({ ...asked, probe: isEsp ? 'ike-sa-init' : 'udp-echo' });
  return { asked, ...outcome, otherBytesPass: bare.outcome === 'answer' && bare.genuine };
};

/** RTP of that length, its number at the end. */
const numbered = (index: number, bytes: number): Buffer => {
  const packet = Buffer.alloc(bytes);
  packet.writeUInt32BE(0x8000_0000, 0);
  packet.writeUInt32BE(index, bytes - 4);
  return packet;
};
/** 172 bytes of RTP as in a call. */
const CALL_BYTES = 172;

const measure = async (
  { port, sourcePort, bytes = CALL_BYTES, packets, packetsPerSecond, medianRttMs }: Measure,
  target: string,
): Promise<Measured> => {
  const socket = await openUdp({ address: target, port, ...(sourcePort !== undefined && { sourcePort }) });
  const sentAt: number[] = [];
  const rtts: number[] = [];
  const seen = new Set<number>();
  let duplicates = 0;
  let reordered = 0;
  let highest = -1;
  socket.on('error', () => undefined);
  socket.on('message', (answer: Buffer, _from: RemoteInfo) => {
    const index = answer.readUInt32BE(answer.length - 4);
    if (seen.has(index)) {
      duplicates += 1;
      return;
    }
    seen.add(index);
    rtts.push(performance.now() - (sentAt[index] ?? 0));
    if (index < highest) reordered += 1;
    highest = Math.max(highest, index);
  });
  const begun = performance.now();
  await new Promise<void>((resolve) => {
    const tick = setInterval(() => {
      const due = Math.min(packets, Math.floor(((performance.now() - begun) / 1000) * packetsPerSecond));
      while (sentAt.length < due) {
        const packet = numbered(sentAt.length, bytes);
        sentAt.push(performance.now());
        socket.send(packet, () => undefined);
      }
      if (sentAt.length < packets) return;
      clearInterval(tick);
      setTimeout(resolve, tailOf(medianRttMs));
    }, 1);
  });
  socket.close();
  const sorted = rtts.sort((a, b) => a - b);
  return { sent: packets, answered: seen.size, duplicates, reordered, medianRttMs: sorted[sorted.length >> 1] ?? 0 };
};

const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
/** Of a flow that `MeasureFlows` opens, and how far they are apart: what holds the first back holds it no longer. */
const PACKETS_OF_FLOW = 3;
const SPACING_MS = 100;

/** Round trips by number; what is missing was not answered. */
type FlowRtts = ReadonlyMap<number, number>;

const oneUdpFlow = async (port: number, target: string, tailMs: number): Promise<FlowRtts> => {
  const socket = await openUdp({ address: target, port });
  const sentAt: number[] = [];
  const rtts = new Map<number, number>();
  socket.on('error', () => undefined);
  socket.on('message', (answer: Buffer) => {
    const index = answer.readUInt32BE(answer.length - 4);
    if (!rtts.has(index)) rtts.set(index, performance.now() - (sentAt[index] ?? 0));
  });
  for (let index = 0; index < PACKETS_OF_FLOW; index += 1) {
    sentAt.push(performance.now());
    socket.send(numbered(index, CALL_BYTES), () => undefined);
    await pause(SPACING_MS);
  }
  await pause(tailMs);
  socket.close();
  return rtts;
};

/** A connection is its own first packet. */
const oneTcpFlow = (port: number, target: string, tailMs: number): Promise<FlowRtts> =>
  new Promise((resolve) => {
    const begun = performance.now();
    const socket = connectTcp({ host: target, port });
    const done = (rtts: FlowRtts): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(rtts);
    };
    const timer = setTimeout(() => done(new Map()), tailMs);
    socket.once('connect', () => done(new Map([[0, performance.now() - begun]])));
    socket.once('error', () => done(new Map()));
  });

const measureFlows = async (
  { port, transport, flows, flowsPerSecond, firstRttMs }: MeasureFlows,
  target: string,
): Promise<MeasuredFlows> => {
  const running: Promise<FlowRtts>[] = [];
  for (let index = 0; index < flows; index += 1) {
    const open = transport === 'udp' ? oneUdpFlow : oneTcpFlow;
    running.push(open(port, target, tailOf(firstRttMs)));
    await pause(1000 / flowsPerSecond);
  }
  const all = await Promise.all(running);
  const first = all.flatMap((rtts) => rtts.get(0) ?? []).sort((a, b) => a - b);
  return {
    flows,
    dead: all.filter(({ size }) => size === 0).length,
    firstLost: all.filter((rtts) => rtts.size > 0 && !rtts.has(0)).length,
    medianFirstRttMs: first[first.length >> 1] ?? 0,
  };
};

const { questions, measures, flows, target } = JSON.parse(await text(process.stdin)) as Asking;
const told = await Promise.all(questions.map(ask));
const measured: Measured[] = [];
for (const one of measures) measured.push(await measure(one, target));
const measuredFlows: MeasuredFlows[] = [];
for (const one of flows) measuredFlows.push(await measureFlows(one, target));
console.log(JSON.stringify({ told, measured, flows: measuredFlows } satisfies Answers));
