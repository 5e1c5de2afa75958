/** Reads the agent's configuration from its file, the environment over it, and says every mistake with its place. */
import { readFile, stat } from 'node:fs/promises';
import { dirname, isAbsolute, resolve } from 'node:path';
import * as v from 'valibot';
import type { Mistake } from '../../model/mistake.js';
import { isMap } from '../../model/schema-words.js';
import { UserError } from '../../model/user-error.js';
import { readProfile } from '../../plan/profiles.js';
import { mistakeLine, pathText, readText, type TextMistake } from '../../plan/yaml-text.js';
import type { ExporterTypes } from '../exporter-modules.js';
import { overridesOf, withOverrides } from './overrides.js';
import { type Parts, partsOf } from './parts.js';
import { checkConfig, type Facts } from './rules.js';
import type { Config, TargetConfig } from './schema.js';

/** Hundreds of targets fit; /dev/zero ends. */
const MAX_CONFIG_BYTES = 1024 * 1024;

/** What lies outside of the file and is needed to judge it. */
interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  readonly exporters: ExporterTypes;
  readonly statusSchema: () => Promise<v.GenericSchema | null>;
  /** Throws a UserError if the file holds no token. */
  readonly checkToken: (file: string) => void;
  /** Tries what the parts name, without leaving anything behind; not tried if left out. */
  readonly rehearse?: (parts: Parts) => Promise<Rehearsal>;
}

/** What trying a configuration found. */
export interface Rehearsal {
  readonly mistakes: readonly Mistake[];
  readonly warnings: readonly string[];
}

export type ConfigReading =
  | { readonly ok: true; readonly config: Config; readonly warnings: readonly string[] }
  | { readonly ok: false; readonly lines: readonly string[] };

const readable = async (file: string): Promise<string> => {
  const failed = (cause: unknown): UserError =>
    new UserError(
      'usage',
      `--config ${file}: cannot be read (${(cause as { code?: string }).code ?? 'unknown error'})${
        (cause as { code?: string }).code === 'ENOENT' ? '; there is no such file, check the path' : ''
      }`,
      { cause },
    );
  const info = await stat(file).catch((cause: unknown) => {
    throw failed(cause);
  });
  if (!info.isFile() || info.size > MAX_CONFIG_BYTES) {
    throw new UserError(
      'usage',
      `--config ${file}: is not a configuration file of at most ${MAX_CONFIG_BYTES / 1024} KiB`,
    );
  }
  return readFile(file, 'utf8').catch((cause: unknown) => {
    throw failed(cause);
  });
};

const strings = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item): item is string => typeof item === 'string') : [];

/** What a configuration of any shape refers to: read before it is judged, because looking things up takes a while. */
const referencesOf = (content: unknown) => {
  const maps = (value: unknown): readonly Record<string, unknown>[] =>
    Array.isArray(value) ? value.filter(isMap) : [];
  const root = isMap(content) ? content : {};
  const targets = maps(root.targets);
  return {
    profiles: targets.flatMap((target) => [
      ...strings(target.profiles ?? ['business-sip']),
      ...maps(target.schedules).flatMap(({ profiles }) => strings(profiles)),
    ]),
    tokenFiles: targets.flatMap(({ tokenFile }) => strings([tokenFile])),
    exporters: Array.isArray(root.exporters) ? root.exporters : [],
  };
};

/** A path in the configuration is relative to the configuration. */
const besides = (file: string, path: string): string => (isAbsolute(path) ? path : resolve(dirname(file), path));
const isProfileFile = (text: string): boolean => /[./\\]/.test(text);

/** Keys of exporters and of the status page that name a file; all of them call them so. */
const NAMES_A_FILE = /^path$|File$/;

const withPaths = <T extends Readonly<Record<string, unknown>>>(settings: T, file: string): T => {
  const paths = Object.entries(settings).flatMap(([key, value]) =>
    NAMES_A_FILE.test(key) && typeof value === 'string' && value !== '' ? [[key, besides(file, value)] as const] : [],
  );
  return { ...settings, ...Object.fromEntries(paths) };
};

const targetOf = (target: TargetConfig, file: string): TargetConfig => {
  const profile = (name: string): string => (isProfileFile(name) ? besides(file, name) : name);
  return {
    ...target,
    ...(target.tokenFile === undefined ? {} : { tokenFile: besides(file, target.tokenFile) }),
    profiles: target.profiles.map(profile),
    schedules: target.schedules.map((schedule) => ({
      ...schedule,
      ...(schedule.profiles === undefined ? {} : { profiles: schedule.profiles.map(profile) }),
    })),
  };
};

const resolved = (config: Config, file: string): Config => ({
  ...config,
  ...(config.status === undefined ? {} : { status: withPaths(config.status, file) }),
  exporters: config.exporters.map((exporter) => withPaths(exporter, file)),
  targets: config.targets.map((target) => targetOf(target, file)),
});

/** The parts that can be tried: those with which nothing is wrong as far as their own keys tell. */
const triable = (parts: Parts, facts: Facts, file: string): Parts => {
  const { statusSchema } = facts;
  const exporters = parts.exporters.map((exporter, index) =>
    exporter !== null && facts.exporterTypes.includes(exporter.type) && facts.exporter(index).length === 0
      ? withPaths(exporter, file)
      : null,
  );
  const isStatus = parts.status !== null && statusSchema !== null && v.safeParse(statusSchema, parts.status).success;
  return { ...parts, exporters, status: isStatus && parts.status !== null ? withPaths(parts.status, file) : null };
};

const withoutPrefix = (error: unknown, prefix: string): string => {
  if (!(error instanceof UserError)) throw error;
  return error.message.startsWith(prefix) ? error.message.slice(prefix.length) : error.message;
};

/** Each of `keys` with what `look` finds wrong with it. */
const lookUp = async (keys: readonly string[], look: (key: string) => Promise<string | null>) =>
  new Map(await Promise.all([...new Set(keys)].map(async (key) => [key, await look(key)] as const)));

/** A token that everybody on the host can read is no secret. */
const OTHERS_MAY_READ = 0o004;

/** Reads and judges a configuration. @throws UserError if the file itself cannot be read */
export const readConfig = async (file: string, around: Surroundings): Promise<ConfigReading> => {
  const text = await readable(file);
  const overrides = overridesOf(around.env);
  const kind = { noun: 'configuration', begins: 'targets:', levels: 'six' };

  const first = readText(text, kind, (value) => ({ ok: true, value: withOverrides(value, overrides) }));
  if (!first.ok) return { ok: false, lines: first.mistakes.map((mistake) => mistakeLine(file, mistake)) };
  const references = referencesOf(first.value);
  const warnings: string[] = [];
  const profiles = await lookUp(references.profiles, (name) =>
    readProfile(isProfileFile(name) ? besides(file, name) : name).then(
      (loaded) => {
        warnings.push(...loaded.warnings);
        return null;
      },
      (error: unknown) => `names a profile that cannot be used: ${withoutPrefix(error, '')}`,
    ),
  );
  const tokens = await lookUp(references.tokenFiles, async (name) => {
    const path = besides(file, name);
    try {
      around.checkToken(path);
    } catch (error) {
      return `names a file that holds no token: ${withoutPrefix(error, '--token-file ')}`;
    }
    const { mode } = await stat(path);
    if (process.platform !== 'win32' && (mode & OTHERS_MAY_READ) !== 0) {
      warnings.push(`${path} can be read by everybody on this host; chmod 640 it`);
    }
    return null;
  });
  const exporterIssues = await Promise.all(
    references.exporters.map(async (exporter: unknown) => {
      if (!isMap(exporter)) return [];
      const { type, name: _name, ...own } = exporter;
      if (typeof type !== 'string' || !around.exporters.names.includes(type)) return [];
      const checked = await around.exporters.check(type, own);
      return checked.ok ? [] : checked.issues;
    }),
  );
  const facts: Facts = {
    profile: (name) => profiles.get(name) ?? null,
    tokenFile: (name) => tokens.get(name) ?? null,
    exporter: (index) => exporterIssues[index] ?? [],
    exporterTypes: around.exporters.names,
    statusSchema: await around.statusSchema(),
  };
  const parts = partsOf(first.value);
  const tried = await around.rehearse?.(triable(parts, facts, file));
  warnings.push(...(tried?.warnings ?? []));
  const judged = checkConfig(first.value, parts, facts);
  const mistakes = [...(judged.ok ? [] : judged.mistakes), ...(tried?.mistakes ?? [])];
  const reading = readText(text, kind, () => (judged.ok && mistakes.length === 0 ? judged : { ok: false, mistakes }));
  if (reading.ok) return { ok: true, config: resolved(reading.value, file), warnings };
  const variableOf = new Map(overrides.map(({ path, variable }) => [pathText(path), variable]));
  const line = (mistake: TextMistake): string => {
    const variable = variableOf.get(mistake.path);
    return variable === undefined ? mistakeLine(file, mistake) : `environment ${variable}: ${mistake.message}`;
  };
  return { ok: false, lines: reading.mistakes.map(line) };
};
