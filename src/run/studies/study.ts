/**
 * A study: a question of many packets, put to far ends that have proven themselves once the checks are done. One file
 * each, of the name of its kind, with a `study` that asks; src/verdict/studies/ judges what it brings home.
 */
import type { Check, PlannedCheck } from '../../model/check.js';
import type { ConnectionFacts, FlowFacts, Identity } from '../../model/far-end.js';
import type { Observation, PathLimit } from '../../model/observation.js';
import type { StudyOptions } from '../../model/run.js';
import type { FactOf, StudyKind } from '../../verdict/studies/registry.js';
import type { SentStreams } from '../media/send.js';
import type { Tools } from '../tools.js';

/** A far end as its studies find it. */
export interface StudiedFarEnd {
  readonly address: string;
  /** Checks that passed there. */
  readonly passing: readonly Check[];
  /** What was observed of all its checks. */
  readonly observations: readonly Observation[];
  /** SIP that passed there and that no profile asks of it, because another server answers it. */
  readonly signalling: readonly Observation[];
  /** Over which it can be asked what arrived, the best first. */
  readonly ways: readonly Check[];
  readonly identity: Identity | null;
  /** What became of flows to known ports; null where nothing gave reason to look. */
  readonly flows: FlowFacts | null;
  readonly connections: ConnectionFacts | null;
  /** What limits the path there over UDP, where something does; left out where nothing does. */
  readonly limit?: PathLimit | null;
  /** The stream of audio that was begun beside everything else; left out where none was. */
  readonly audio?: Promise<SentStreams | null> | undefined;
}

/** What is put on the wire: packets, and bytes with their IP and UDP headers. */
export interface Amount {
  readonly packets: number;
  readonly bytes: number;
}

export interface Study<K extends StudyKind> {
  readonly kind: K;
  /** Begins when these have ended: both need the same source port, or one would disturb what the other measures. */
  readonly after?: readonly StudyKind[];
  wanted(options: StudyOptions): boolean;
  /** What it sends to one far end if all of these checks pass and nothing is lost, for `--dry-run`. */
  cost(checks: readonly PlannedCheck[], options: StudyOptions): Amount;
  /** Asks. What the run's end cuts off is left out. */
  ask(farEnds: readonly StudiedFarEnd[], tools: Tools, options: StudyOptions): Promise<readonly FactOf<K>[]>;
}

/** IP and UDP headers (RFC 791, RFC 8200, RFC 768): what a datagram costs on the wire besides its payload. */
export const HEADER_BYTES = { 4: 28, 6: 48 } as const;

export const sumOf = (amounts: readonly Amount[]): Amount => ({
  packets: amounts.reduce((total, { packets }) => total + packets, 0),
  bytes: amounts.reduce((total, { bytes }) => total + bytes, 0),
});

/** The study of a kind; loaded when a run wants it. */
export const loadStudy = async <K extends StudyKind>(kind: K): Promise<Study<K>> => {
  const loaded = (await import(`./${kind}.js`)) as { readonly study: Study<K> };
  return loaded.study;
};
