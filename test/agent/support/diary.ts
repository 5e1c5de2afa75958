/** A diary of faults for the simulated fortnight: when each began and ended, what it does to a look, and what is to be told. */
import type { Report, ReportCheck } from '../../../src/model/report.js';
import { fine, reportOf, type World } from './sim.js';

const MINUTE = 60_000;
const HOST = 'reflector.example';
const SIP = 'sip-options/udp/5060';
const MEDIA = 'rtp-echo/udp/16384-32767';
const CHECKS = Object.keys(fine().checks);

const FAULTS = [
  ...['firewall', 'alg', 'loss', 'route', 'dns', 'moved', 'reflector', 'token', 'uplink', 'hole', 'policer'],
] as const;
type FaultKind =
  | 'firewall'
  | 'alg'
  | 'loss'
  | 'route'
  | 'dns'
  | 'moved'
  | 'reflector'
  | 'token'
  | 'uplink'
  | 'hole'
  | 'policer';

/** One entry: wall-clock milliseconds. */
export interface Fault {
  readonly kind: FaultKind;
  readonly from: number;
  readonly to: number;
  /** Which check, where it is of one. */
  readonly check: string;
}

/** What has to be told of an edge of a fault: once, from `at` on. */
export interface Expected {
  readonly fault: Fault;
  readonly edge: 'begins' | 'ends';
  readonly at: number;
  readonly subject: string;
  readonly direction: 'worse' | 'better' | 'different';
}

const subjectOf = ({ kind, check }: Fault): string => {
  switch (kind) {
    case 'firewall':
    case 'policer':
      return `check ${check}`;
    case 'alg':
      return `check ${SIP}`;
    case 'loss':
      return 'path loss';
    case 'route':
      return 'path round-trip';
    case 'moved':
      return `fact addresses ${HOST}`;
    case 'uplink':
      return 'fact network.address';
    case 'hole':
      return `range ${MEDIA}`;
    default:
      return `host ${HOST}`;
  }
};

export const expectedOf = (fault: Fault): readonly Expected[] => {
  const subject = subjectOf(fault);
  const isMove = fault.kind === 'moved';
  return [
    { fault, edge: 'begins', at: fault.from, subject, direction: isMove ? 'different' : 'worse' },
    { fault, edge: 'ends', at: fault.to, subject, direction: isMove ? 'different' : 'better' },
  ];
};

/** Draws a diary: one fault after the other, none within a quarter of an hour of the next, of each kind in turn. */
export const drawDiary = (from: number, to: number, random: () => number): readonly Fault[] => {
  const faults: Fault[] = [];
  let at = from + 30 * MINUTE;
  for (let round = Math.floor(random() * FAULTS.length); ; round += 1) {
    const kind = FAULTS[round % FAULTS.length] as FaultKind;
    // A hole is found by the next sweep, which may be an hour away and takes minutes.
    const least = kind === 'hole' ? 90 : 4;
    const begins = at + Math.floor(random() * 40 * MINUTE);
    const ends = begins + least * MINUTE + Math.floor(random() * 50 * MINUTE);
    if (ends + 15 * MINUTE > to) return faults;
    faults.push({ kind, from: begins, to: ends, check: CHECKS[Math.floor(random() * CHECKS.length)] ?? SIP });
    // What flaps four times within an hour is told as a flap; the same kind comes again hours later.
    at = ends + 15 * MINUTE;
  }
};

/** Whether calls fail while it is there; null where nothing is known then. */
export const isBad = ({ kind }: Fault): boolean | null =>
  kind === 'firewall' || kind === 'hole'
    ? true
    : kind === 'dns' || kind === 'reflector' || kind === 'token'
      ? null
      : false;

interface Shown {
  readonly world: World;
  readonly mend?: (report: Report) => Report;
}

const all = (text: string): World => ({
  checks: Object.fromEntries(CHECKS.map((id) => [id, text])),
  ranges: { [MEDIA]: text },
  service: 'unknown',
  proves: false,
});

const shown = (fault: Fault | null, seesHole: boolean): Shown => {
  switch (fault?.kind) {
    case 'firewall':
      return { world: fine({ [fault.check]: 'blocked/dropped-outbound' }, 'impaired') };
    case 'policer':
      return { world: fine({ [fault.check]: 'degraded/rate-limited' }, 'degraded') };
    case 'alg':
      return {
        world: fine({ [SIP]: 'altered/sip-alg' }, 'degraded'),
        mend: (report) => ({ ...report, sipAlg: { ...report.sipAlg, detected: true } }),
      };
    case 'loss':
      return {
        world: { ...fine(Object.fromEntries(CHECKS.map((id) => [id, 'degraded/loss'])), 'degraded') },
        mend: (report) => ({ ...report, network: { ...report.network, lossUpperBound: 0.12 } }),
      };
    case 'dns':
      return {
        world: all('unknown/dns-failure'),
        mend: (report) => ({
          ...report,
          target: { ...report.target, addresses: [] },
          checks: report.checks.map((one): ReportCheck => ({ ...one, address: null, family: null })),
        }),
      };
    case 'reflector':
      return { world: all('unknown/target-unreachable') };
    case 'token':
      return { world: { ...all('unknown/unproven'), ranges: { [MEDIA]: 'unknown/no-answer' } } };
    case 'moved':
      return {
        world: fine(),
        mend: (report) => ({
          ...report,
          target: { ...report.target, addresses: ['198.51.100.77'] },
          reflectors: report.reflectors.map((one) => ({ ...one, addresses: ['198.51.100.77'] })),
          checks: report.checks.map((one) => ({ ...one, address: '198.51.100.77' })),
        }),
      };
    case 'hole':
      return seesHole
        ? {
            world: {
              ...fine({}, 'impaired'),
              ranges: { [MEDIA]: 'pass blocked/dropped-inbound pass' },
            },
          }
        : { world: fine() };
    default:
      return { world: fine() };
  }
};

/** What a look finds that meets this fault, or none. */
export const lookAt = (fault: Fault | null, at: number, seesHole: boolean): Report => {
  const { world, mend } = shown(fault, seesHole);
  const isFar = fault?.kind === 'route' || fault?.kind === 'uplink';
  const report = reportOf({ rttMs: isFar ? 80 : 20, ...world }, at);
  const answered = world.proves !== false;
  const symptoms =
    world.service === 'impaired'
      ? [{ id: 'no-audio', text: '', because: fault?.kind === 'hole' ? [MEDIA] : [fault?.check ?? SIP] }]
      : [];
  const base: Report = {
    ...report,
    network: {
      ...report.network,
      mappedAddresses: answered ? [fault?.kind === 'uplink' ? '203.0.113.9' : '203.0.113.5'] : [],
      lossUpperBound: answered ? 0.012 : null,
    },
    sipAlg: { ...report.sipAlg, detected: answered ? false : null },
    services: report.services.map((one) => ({ ...one, symptoms })),
  };
  return mend?.(base) ?? base;
};

/** A run in which the reflector comes or goes: some of it met it, and the rest says what the engine says of that. */
export const halfway = (at: number, random: () => number): Report => {
  const what = ['pass', 'blocked/rejected', 'unknown/outage', 'unknown/cut-off', 'degraded/loss'];
  const checks = Object.fromEntries(CHECKS.map((id) => [id, what[Math.floor(random() * what.length)] ?? 'pass']));
  return reportOf({ ...fine(checks, 'impaired'), ranges: { [MEDIA]: 'unknown/cut-off' } }, at);
};
