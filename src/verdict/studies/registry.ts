/**
 * Every study by its kind, and who judges it. A study of another kind is a line here, its judge beside this file, and the
 * file of the same name in run/studies/ that asks.
 */
import type { LossSample } from '../../model/observation.js';
import type { Thresholds } from '../../model/profile.js';
import { judge as calls } from './calls.js';
import { judge as hops } from './hops.js';
import { judge as inbound } from './inbound.js';
import { judge as lifetimes } from './lifetimes.js';
import { judge as mediaStream } from './media-stream.js';
import { judge as nat } from './nat.js';
import { judge as persistentFlow } from './persistent-flow.js';
import { judge as sip } from './sip.js';
import { judge as sourcePorts } from './source-ports.js';
import type { Judge, Judged } from './study-check.js';

const JUDGES = {
  nat,
  sip,
  'source-ports': sourcePorts,
  'persistent-flow': persistentFlow,
  lifetimes,
  inbound,
  'media-stream': mediaStream,
  calls,
  hops,
} as const;

export type StudyKind = keyof typeof JUDGES;
export const STUDY_KINDS = Object.keys(JUDGES) as readonly StudyKind[];

/** What a study of this kind brings home of each far end. */
export type FactOf<K extends StudyKind> = Parameters<(typeof JUDGES)[K]>[0][number];
export type StudyFacts = { readonly [K in StudyKind]: readonly FactOf<K>[] };

/** Of a run without studies. */
export const NO_FACTS = Object.fromEntries(STUDY_KINDS.map((kind) => [kind, []])) as unknown as StudyFacts;

const judgeOne = <K extends StudyKind>(kind: K, facts: StudyFacts, loss: LossSample, thresholds: Thresholds): Judged =>
  // Each kind's facts are those that its judge takes; the compiler cannot see it through the index.
  (JUDGES[kind] as Judge<FactOf<K>>)(facts[kind], loss, thresholds);

/** One that saw a change saw it, whatever another did not see. */
const detectedOf = (all: readonly Judged[]): boolean | null => {
  const said = all.flatMap(({ sipAlg }) => sipAlg?.detected ?? []);
  return said.includes(true) ? true : (said[0] ?? null);
};

/** All that the studies of a run come to. */
export const judgeStudies = (facts: StudyFacts, loss: LossSample, thresholds: Thresholds): Required<Judged> => {
  const all = STUDY_KINDS.map((kind) => judgeOne(kind, facts, loss, thresholds));
  return {
    checks: all.flatMap(({ checks = [] }) => checks),
    sipAlg: {
      detected: detectedOf(all),
      findings: all.flatMap(({ sipAlg }) => sipAlg?.findings ?? []),
    },
    nat: Object.assign({}, ...all.map((one) => one.nat ?? {})) as Required<Judged>['nat'],
    cosmetic: new Set(all.flatMap(({ cosmetic = [] }) => [...cosmetic])),
    calls: all.flatMap(({ calls: rehearsed = [] }) => [...rehearsed]),
    hops: all.flatMap(({ hops: climbed = [] }) => [...climbed]),
    quality: all.flatMap(({ quality = [] }) => quality),
    capacity: all.flatMap(({ capacity }) => capacity ?? [])[0] ?? null,
    notes: all.flatMap(({ notes = [] }) => notes),
  };
};
