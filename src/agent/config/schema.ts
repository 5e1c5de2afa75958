/** The shape of the agent's configuration. What a value means beyond its shape is in rules.ts. */
import * as v from 'valibot';
import { TRANSPORTS } from '../../model/kinds.js';
import { isMap, list, map, oneOf, quoted, use } from '../../model/schema-words.js';

/** `light`: a small sample of the ranges · `sweep`: every port of every range · `deep`: also what takes minutes. */
const RUN_KINDS = ['light', 'sweep', 'deep'] as const;
export type RunKind = (typeof RUN_KINDS)[number];

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

const UNITS: Readonly<Record<string, number>> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const A_DURATION = 'a duration such as 30s, 5m, 1h or 7d';

/** A duration in milliseconds from `30s`, `5m`, `1h`, `7d`, between two bounds that are written the same way. */
const duration = (least: string, most: string) => {
  const read = (text: string): number => {
    const match = /^(\d{1,6})(s|m|h|d)$/.exec(text);
    return match ? Number(match[1]) * (UNITS[match[2] ?? ''] ?? Number.NaN) : Number.NaN;
  };
  return v.pipe(
    v.string(use(A_DURATION)),
    v.check((text) => !Number.isNaN(read(text)), use(A_DURATION)),
    v.check(
      (text) => read(text) >= read(least) && read(text) <= read(most),
      (issue) => `is ${quoted(issue.input)}; use one from ${least} to ${most}`,
    ),
    v.transform(read),
  );
};

const whole = (least: number, most: number) => {
  const fix = use(`a whole number from ${least} to ${most}`);
  return v.pipe(v.number(fix), v.integer(fix), v.minValue(least, fix), v.maxValue(most, fix));
};

/** One line without control characters: it goes into logs, labels and file names. */
const A_LINE = 'one line of text';
export const Line = v.pipe(
  v.string(use(A_LINE)),
  v.nonEmpty(use(A_LINE)),
  v.maxLength(255, use(A_LINE)),
  v.regex(/^\P{Cc}*$/u, use(A_LINE)),
);

const A_NAME = 'letters, digits, dots, hyphens and underscores, 64 at most';
const NameSchema = v.pipe(v.string(use(A_NAME)), v.regex(/^[A-Za-z0-9][\w.-]{0,63}$/, use(A_NAME)));

const A_PORT_RANGE = 'a range of ports such as 16384-32767';
const PortRange = v.pipe(
  v.string(use(A_PORT_RANGE)),
  v.regex(/^\d{1,5}-\d{1,5}$/, use(A_PORT_RANGE)),
  v.transform((text): readonly [number, number] => {
    const [from, to] = text.split('-');
    return [Number(from), Number(to)];
  }),
  v.check(([from, to]) => from >= 1 && to <= 65_535 && from <= to, use(A_PORT_RANGE)),
);

/** Secrets lie in files whose mode protects them; a configuration is copied, mailed and committed. */
const NoSecret = (instead: string) =>
  v.exactOptional(v.never(`holds a secret; put it into a file and name the file with ${instead}`));

const ScheduleSchema = map({
  kind: oneOf(RUN_KINDS),
  every: v.exactOptional(duration('10s', '7d')),
  cron: v.exactOptional(Line),
  /** IANA name for `cron`; the host's own if it is left out. */
  timezone: v.exactOptional(Line),
  /** How far agents spread; for `every` the whole interval if it is left out, for `cron` ten minutes. */
  jitter: v.exactOptional(duration('0s', '1d')),
  profiles: v.exactOptional(
    v.pipe(list(Line), v.minLength(1, 'is an empty list; leave it out for those of the target')),
  ),
  timeout: v.exactOptional(duration('1s', '1h')),
  packetsPerSecond: v.exactOptional(whole(1, 20_000)),
  /** How long audio is sent as a call sends it; none for 0s. */
  media: v.exactOptional(duration('0s', '10m')),
});

export const TargetSchema = map({
  name: v.exactOptional(NameSchema),
  host: Line,
  reflectors: v.optional(list(Line), []),
  tokenFile: v.exactOptional(Line),
  token: NoSecret('tokenFile'),
  profiles: v.optional(v.pipe(list(Line), v.minLength(1, 'is an empty list; name a profile')), ['business-sip']),
  transports: v.exactOptional(v.pipe(list(oneOf(TRANSPORTS)), v.minLength(1, 'is an empty list; name a transport'))),
  rtpRange: v.exactOptional(PortRange),
  source: v.exactOptional(v.pipe(Line, v.ip(use("an address of this host's own")))),
  families: v.optional(
    v.pipe(list(v.picklist([4, 6], use('4 or 6'))), v.minLength(1, use('a list of 4 and 6'))),
    [4, 6],
  ),
  schedules: v.optional(v.pipe(list(ScheduleSchema), v.minLength(1, 'is an empty list; add a schedule')), [
    { kind: 'light', every: '1m' },
  ]),
});

/** What every exporter has; its own keys are checked by the schema in its own file. */
export const ExporterSchema = v.pipe(
  v.custom<Record<string, unknown>>(isMap, use('a map with the key type')),
  v.looseObject({ type: Line, name: v.exactOptional(NameSchema) }, () => 'is missing; add it'),
);

export const AgentSchema = v.optional(
  map({
    name: v.exactOptional(Line),
    /** The branch office, for whoever watches many. */
    site: v.exactOptional(Line),
    stateDirectory: v.exactOptional(Line),
    logLevel: v.optional(oneOf(LOG_LEVELS), 'info'),
    maxMemoryMegabytes: v.optional(whole(64, 65_536), 256),
  }),
  {},
);

export const ConfirmationSchema = v.optional(
  map({
    needed: v.optional(whole(1, 10), 2),
    of: v.optional(whole(1, 20), 3),
    secondLookAfter: v.optional(duration('1s', '1h'), '5s'),
    flapAfter: v.optional(whole(2, 100), 4),
    flapWithin: v.optional(duration('1m', '7d'), '1h'),
  }),
  {},
);

export const ConfigSchema = map({
  agent: AgentSchema,
  budget: v.optional(
    map({
      packetsPerSecond: v.optional(whole(10, 20_000), 200),
      packetsPerDay: v.exactOptional(whole(1000, 1_000_000_000)),
    }),
    {},
  ),
  confirmation: ConfirmationSchema,
  spool: v.optional(
    map({
      maxMegabytes: v.optional(whole(2, 100_000), 256),
      maxAge: v.optional(duration('1h', '400d'), '30d'),
    }),
    {},
  ),
  targets: v.pipe(list(TargetSchema), v.minLength(1, 'is an empty list; add a target')),
  exporters: v.optional(list(ExporterSchema), []),
  /** Checked by the status page's own schema. */
  status: v.exactOptional(v.custom<Record<string, unknown>>(isMap, use('a map'))),
});

export type Config = v.InferOutput<typeof ConfigSchema>;
export type TargetConfig = Config['targets'][number];
export type ScheduleConfig = TargetConfig['schedules'][number];
