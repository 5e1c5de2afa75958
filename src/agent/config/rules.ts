/** What a well-formed configuration must also satisfy to make sense. Facts from outside the file are passed in. */

import * as v from 'valibot';
import { type Mistake, type PathKey, shapeMistakes } from '../../model/mistake.js';
import { quoted } from '../../model/schema-words.js';
import { parseTarget } from '../../net/target.js';
import type { Checked } from '../../plan/yaml-text.js';
import type { ExporterIssue } from '../exporter-modules.js';
import { cronMistake } from '../schedule/due.js';
import type { Parts } from './parts.js';
import { type Config, ConfigSchema, type TargetConfig } from './schema.js';

/** What only a look at the disk or into an exporter's file can say. Each holds what is wrong, or null. */
export interface Facts {
  readonly profile: (nameOrFile: string) => string | null;
  readonly tokenFile: (file: string) => string | null;
  /** What is wrong with the own keys of the exporter at this place in the list; nothing if its type is not known. */
  readonly exporter: (index: number) => readonly ExporterIssue[];
  readonly exporterTypes: readonly string[];
  readonly statusSchema: v.GenericSchema | null;
}

const at = (path: readonly PathKey[], message: string, atKey = false): Mistake => ({ path, atKey, message });

/** An index of a list is a number, also where it was told as text. */
const pathKey = (key: string): PathKey => (/^\d{1,4}$/.test(key) ? Number(key) : key);

/** Names that are used twice; the second is at fault. */
const twice = (list: string, names: readonly (string | undefined)[], key: string): readonly Mistake[] =>
  names.flatMap((name, index) => {
    const first = names.indexOf(name);
    return name === undefined || first === index
      ? []
      : [at([list, index, key], `is ${quoted(name)}, as in ${list}[${first}]; give each its own name`)];
  });

/** What a target is called in logs and records: its name, or else its host. */
export const nameOfTarget = (target: Pick<TargetConfig, 'name' | 'host'>): string => target.name ?? target.host;

/** What an exporter is called: its name, or else its type. */
export const nameOfExporter = (exporter: Config['exporters'][number]): string => exporter.name ?? exporter.type;

const hostMistake = (host: string): string | null => {
  const parsed = parseTarget(host);
  return parsed.ok
    ? null
    : `is ${quoted(host)}, which is not a host (${parsed.refusal}); give a name or an address alone`;
};

const scheduleMistakes = (target: TargetConfig, path: readonly PathKey[], facts: Facts): readonly Mistake[] =>
  target.schedules.flatMap((schedule, index): readonly Mistake[] => {
    const here = [...path, 'schedules', index];
    const { every, cron, timezone } = schedule;
    const found: Mistake[] = [];
    if (every === undefined && cron === undefined) found.push(at(here, 'has neither every nor cron; add one of them'));
    if (every !== undefined && cron !== undefined) {
      found.push(at([...here, 'cron'], 'stands beside every; keep one of the two', true));
    }
    if (cron !== undefined) {
      const why = cronMistake(cron, timezone);
      if (why !== null) {
        found.push(
          at([...here, 'cron'], `is ${quoted(cron)}, which cannot be used (${why}); write for example "0 3 * * *"`),
        );
      }
    } else if (timezone !== undefined) {
      found.push(at([...here, 'timezone'], 'means nothing without cron; remove it', true));
    }
    const same = target.schedules.findIndex((other) => other.kind === schedule.kind);
    if (same !== index) {
      found.push(
        at([...here, 'kind'], `is ${quoted(schedule.kind)}, as in schedules[${same}]; a target has one of each kind`),
      );
    }
    for (const [at_, profile] of (schedule.profiles ?? []).entries()) {
      const why = facts.profile(profile);
      if (why !== null) found.push(at([...here, 'profiles', at_], why));
    }
    return found;
  });

const targetMistakes = (target: TargetConfig, index: number, facts: Facts): readonly Mistake[] => {
  const path = ['targets', index];
  const found: Mistake[] = [];
  const host = hostMistake(target.host);
  if (host !== null) found.push(at([...path, 'host'], host));
  for (const [place, reflector] of target.reflectors.entries()) {
    const why = hostMistake(reflector);
    if (why !== null) found.push(at([...path, 'reflectors', place], why));
  }
  if (target.reflectors.length > 0 && target.tokenFile === undefined) {
    found.push(at([...path, 'reflectors'], "need the reflector's token; add tokenFile", true));
  }
  if (target.tokenFile !== undefined) {
    const why = facts.tokenFile(target.tokenFile);
    if (why !== null) found.push(at([...path, 'tokenFile'], why));
  }
  for (const [place, profile] of target.profiles.entries()) {
    const why = facts.profile(profile);
    if (why !== null) found.push(at([...path, 'profiles', place], why));
  }
  return [...found, ...scheduleMistakes(target, path, facts)];
};

const exporterMistakes = (exporters: Parts['exporters'], facts: Facts): readonly Mistake[] =>
  exporters.flatMap((exporter, index): readonly Mistake[] => {
    const path = ['exporters', index];
    if (exporter !== null && !facts.exporterTypes.includes(exporter.type)) {
      const known =
        facts.exporterTypes.length > 0 ? `use one of ${facts.exporterTypes.join(', ')}` : 'this build has none';
      return [at([...path, 'type'], `is ${quoted(exporter.type)}; ${known}`)];
    }
    return facts.exporter(index).map((issue) => at([...path, ...issue.path.map(pathKey)], issue.message, true));
  });

/** What is wrong with the keys of `status`. */
const statusMistakes = ({ status }: Parts, { statusSchema }: Facts): readonly Mistake[] => {
  if (status === null || statusSchema === null) return [];
  const parsed = v.safeParse(statusSchema, status);
  return parsed.success ? [] : shapeMistakes(parsed.issues).map((one) => ({ ...one, path: ['status', ...one.path] }));
};

const confirmationMistakes = ({ needed, of }: Config['confirmation']): readonly Mistake[] => {
  const path = ['confirmation', 'needed'];
  if (needed > of) return [at(path, `is ${needed}, more than "of" (${of}); lower it, or raise "of"`)];
  // A majority: otherwise two states could be confirmed by the same looks.
  const majority = Math.floor(of / 2) + 1;
  return needed < majority ? [at(path, `is ${needed} of ${of}, which is no majority; raise it to ${majority}`)] : [];
};

/** Checks a value of unknown origin. A part that is wrong in shape is judged no further, and hides no other part. */
export const checkConfig = (value: unknown, parts: Parts, facts: Facts): Checked<Config> => {
  const parsed = v.safeParse(ConfigSchema, value);
  const { confirmation, targets, exporters } = parts;
  const mistakes = [
    ...(parsed.success ? [] : shapeMistakes(parsed.issues)),
    ...(confirmation === null ? [] : confirmationMistakes(confirmation)),
    ...twice(
      'targets',
      targets.map((target) => (target === null ? undefined : nameOfTarget(target))),
      'name',
    ),
    ...targets.flatMap((target, index) => (target === null ? [] : targetMistakes(target, index, facts))),
    ...twice(
      'exporters',
      exporters.map((exporter) => (exporter === null ? undefined : nameOfExporter(exporter))),
      'name',
    ),
    ...exporterMistakes(exporters, facts),
    ...statusMistakes(parts, facts),
  ];
  return parsed.success && mistakes.length === 0 ? { ok: true, value: parsed.output } : { ok: false, mistakes };
};
