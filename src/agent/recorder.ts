/** Turns what happens into records of the spool: reports, changes, events, each under its id. */
import type { Report } from '../model/report.js';
import { derivedId, newId } from '../model/uuid.js';
import { changeInWords, thingInWords } from '../words/changes.js';
import { eventInWords } from '../words/events.js';
import type { RunKind } from './config/schema.js';
import type { Change } from './memory/change.js';
import type { Thing } from './memory/things.js';
import type { Clock } from './schedule/clock.js';
import type { Spool } from './spool/spool.js';

/** What the agent says of itself and its host. More types may come. */
const EVENT_TYPES = [
  'agent-started',
  'agent-stopped',
  'network-changed', // the host's own: an address, a default route, a tunnel
  'baseline', // enough is known to compare later runs with
  'runs-missed',
  'run-failed', // a defect of ours, or a target that cannot be asked
  'clock-set',
  'suspended',
  'results-dropped',
  'drops-ended', // none was dropped for an hour, and the agent is well again in that respect
  'disk-failing', // results do not reach the disk, or do again
  'memory-ceiling',
] as const;
type EventType = (typeof EVENT_TYPES)[number];

/** Who speaks; part of every change and event. */
export interface Speaker {
  readonly id: string;
  readonly name: string;
  readonly site?: string;
  readonly version: string;
  readonly hostname: string;
}

export interface Recorder {
  report(target: string, report: Report, kind: RunKind): Promise<void>;
  change(target: string, thing: Thing): Promise<void>;
  /** `target` is empty for what concerns the agent as a whole. */
  event(type: EventType, target: string, details: Readonly<Record<string, unknown>>): Promise<void>;
}

const iso = (wallMs: number): string => new Date(wallMs).toISOString();

/** A host with all profiles has some hundred checks; a record has to fit into what receivers take. */
const MAX_MEMBERS = 100;

const stateOf = ({ key: _key, ...state }: Change['after']): Omit<Change['after'], 'key'> => state;

/** A change as receivers get it: times as text, and without the keys that only the memory needs. */
const told = ({ before, after, beforeSince, firstSeen, host: _host, ...rest }: Change) => ({
  ...rest,
  before: before && stateOf(before),
  after: stateOf(after),
  beforeSince: beforeSince === null ? null : iso(beforeSince),
  firstSeen: iso(firstSeen),
});

/** Changes and events repeat the agent, because receivers keep them apart from reports. */
export const createRecorder = (
  spool: Pick<Spool, 'append'>,
  clock: Pick<Clock, 'wall'>,
  agent: Speaker,
  tell: (what: 'change' | 'event', body: Readonly<Record<string, unknown>>) => void,
  onReport: (target: string, lane: 'light' | 'full', report: Report) => void = () => undefined,
): Recorder => ({
  report: async (target, report, kind) => {
    // A report is JSON by its schema; the type is wider than what it can hold.
    const body: Readonly<Record<string, unknown>> = { ...report };
    const lane = kind === 'light' ? 'light' : 'full';
    await spool.append({ id: report.id, kind: 'report', at: report.startedAt, target, run: kind, body }, lane);
    onReport(target, lane, report);
  },
  change: async (target, { lead, members, direction }) => {
    const { subject, what, after, firstSeen } = lead;
    const id = derivedId(firstSeen, agent.id, target, subject.kind, subject.id, what, after.key);
    const at = iso(clock.wall());
    const text = thingInWords(lead, members, firstSeen);
    const body = {
      ...{ schema: 'callpath.change/1', id, at, agent, target, text },
      ...told(lead),
      direction,
      members: members.slice(0, MAX_MEMBERS).map((one) => ({ ...told(one), text: changeInWords(one) })),
      ...(members.length > MAX_MEMBERS && { membersLeftOut: members.length - MAX_MEMBERS }),
    };
    tell('change', body);
    await spool.append({ id, kind: 'change', at, target, body }, 'change');
  },
  event: async (type, target, details) => {
    const now = clock.wall();
    const id = newId(now);
    const at = iso(now);
    const text = eventInWords(type, details);
    const body = { schema: 'callpath.event/1', id, at, agent, target, type, text, ...details };
    tell('event', body);
    await spool.append({ id, kind: 'event', at, target, body }, 'event');
  },
});
