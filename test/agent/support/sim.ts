/** A world for the agent in which time passes only when the test says so. */

import type { HostNetwork } from '../../../src/agent/memory/network.js';
import type { Clock } from '../../../src/agent/schedule/clock.js';
import type { Report, ReportCheck } from '../../../src/model/report.js';
import { newId } from '../../../src/model/uuid.js';

/** Turns of the event loop without file operations after which nothing is under way that does not wait for the clock. */
const QUIET_TURNS = 3;

/** Resolves when all that could happen without time passing has happened. */
export const untilIdle = async (): Promise<void> => {
  for (let quiet = 0; quiet < QUIET_TURNS; ) {
    await new Promise((resolve) => setImmediate(resolve));
    quiet = process.getActiveResourcesInfo().some((name) => /^(FSReq|CloseReq)/.test(name)) ? 0 : quiet + 1;
  }
};

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

export interface SimClock extends Clock {
  /** Lets time pass, firing what falls due and letting its consequences happen in between. */
  advance(ms: number): Promise<void>;
  /** Somebody sets the time of day. */
  set(byMs: number): void;
  /** The host sleeps: timers stand still. */
  suspend(ms: number): void;
  timers(): number;
}

export const simClock = (startWall = Date.UTC(2026, 10, 21, 8, 0, 0)): SimClock => {
  let monotonic = 1000;
  let wallOffset = startWall - monotonic;
  let slept = 0;
  const timers = new Set<Timer>();
  return {
    wall: () => monotonic + wallOffset,
    monotonic: () => monotonic,
    sinceBoot: () => monotonic + slept,
    after: (ms, callback) => {
      const timer = { at: monotonic + Math.max(1, ms), callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    advance: async (ms) => {
      const until = monotonic + ms;
      await untilIdle();
      for (;;) {
        let next: Timer | null = null;
        for (const timer of timers) if (timer.at <= until && (next === null || timer.at < next.at)) next = timer;
        if (next === null) break;
        timers.delete(next);
        monotonic = Math.max(monotonic, next.at);
        next.callback();
        await untilIdle();
      }
      monotonic = until;
    },
    set: (byMs) => {
      wallOffset += byMs;
    },
    suspend: (ms) => {
      slept += ms;
      wallOffset += ms;
    },
    timers: () => timers.size,
  };
};

export const NETWORK: HostNetwork = {
  defaultRoutes: ['eth0 via 192.0.2.1'],
  addresses: ['eth0 192.0.2.7'],
  tunnels: [],
};

/** Verdicts by check id, `blocked/dropped-outbound` or `pass`; `service` is the one service's. */
export interface World {
  readonly checks: Readonly<Record<string, string>>;
  readonly ranges?: Readonly<Record<string, string>>;
  readonly service: string;
  /** The median round trip of what passes; not measured if it is left out. */
  readonly rttMs?: number;
  /** Of three messages. Default 3. */
  readonly received?: number;
  /** False: the reflector does not prove itself. Default true. */
  readonly proves?: boolean;
}

const HOST = 'reflector.example';
const ADDRESS = '198.51.100.10';

const finding = (text: string): readonly [string, string] => {
  const [verdict = '', reason = 'answered'] = text.split('/');
  return [verdict, reason];
};

/** A report of this world, with as much in it as the memory reads. */
export const reportOf = (world: World, at: number): Report => {
  const checks = Object.entries(world.checks).map(([id, text]) => {
    const [verdict, reason] = finding(text);
    const [probe, transport, port] = id.split('/');
    const received = verdict === 'pass' || verdict === 'degraded' ? (world.received ?? 3) : 0;
    const { rttMs: median } = world;
    const rttMs = median === undefined || received === 0 ? null : { min: median * 0.9, median, max: median * 1.4 };
    return {
      ...{ id, probe, transport, port: Number(port), address: ADDRESS, family: 4, requiredBy: ['business-sip'] },
      ...{ verdict, reason, confidence: 0.9999, sent: 3, seen: received, received, rttMs, evidence: {} },
    } as unknown as ReportCheck;
  });
  const ranges = Object.entries(world.ranges ?? {}).flatMap(([id, text]) =>
    text.split(' ').map((part, index) => {
      const [verdict, reason] = finding(part);
      const from = 16_384 + index * 1000;
      return {
        id,
        probe: 'rtp-echo',
        transport: 'udp',
        address: ADDRESS,
        from,
        to: from + 998,
        step: 2,
        verdict,
        reason,
        tested: 9,
        confidence: 0.9999,
      };
    }),
  );
  const proves = world.proves ?? true;
  return {
    schema: 'callpath.report/1',
    id: newId(at),
    startedAt: new Date(at).toISOString(),
    durationMs: 900,
    agent: { id: 'a', version: '0', hostname: 'h', platform: 'p', eventLoopDelayMs: 0 },
    target: { host: HOST, addresses: [ADDRESS], role: proves ? 'reflector' : 'third-party' },
    reflectors: proves ? [{ host: HOST, addresses: [ADDRESS], version: '1', reachable: true, control: 'tls/443' }] : [],
    network: { localAddress: '192.0.2.7', mappedAddresses: [], natted: null, lossUpperBound: null },
    checks,
    ranges: ranges as Report['ranges'],
    nat: { mapping: 'unknown', filtering: 'unknown', portPreservation: null, layers: null, bindingLifetime: [] },
    sipAlg: { detected: null, findings: [] },
    quality: [],
    services: [
      {
        profile: 'business-sip',
        title: 'Business SIP',
        verdict: world.service as never,
        untested: [],
        symptoms: [],
        fixes: [],
      },
    ],
    notes: [],
    totals: { checks: checks.length, packetsSent: 150, bytesSent: 30_000, packetsReceived: 150 },
  };
};

const CHECKS = ['sip-options/udp/5060', 'sip-options/tcp/5060', 'stun-binding/udp/3478', 'ike-sa-init/udp/500'];

/** Everything passes, save what is said otherwise. */
export const fine = (others: Readonly<Record<string, string>> = {}, service = 'works'): World => ({
  checks: { ...Object.fromEntries(CHECKS.map((id) => [id, 'pass'])), ...others },
  ranges: { 'rtp-echo/udp/16384-32767': 'pass' },
  service,
});

/** The reflector is gone: nothing answers, and nothing is known. */
export const dead: World = {
  checks: Object.fromEntries(CHECKS.map((id) => [id, 'unknown/target-unreachable'])),
  ranges: { 'rtp-echo/udp/16384-32767': 'unknown/target-unreachable' },
  service: 'unknown',
  proves: false,
};
