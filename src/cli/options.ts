/** The options of `probe`, as the user wrote them, checked one by one. Every refusal names the option and the way out. */
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import type { Account } from '../model/account.js';
import { TRANSPORTS, type Transport } from '../model/kinds.js';
import { CODEC_NAMES, MAX_MEDIA_S, USUAL_MEDIA_S } from '../model/media.js';
import { nearest } from '../model/nearest.js';
import type { CallOptions, MediaOptions } from '../model/run.js';
import { UserError } from '../model/user-error.js';
import { readInbound } from '../plan/inbound.js';
import { readFrom } from '../plan/sip-identity.js';
import { forbidden, readAccount } from '../probing/account.js';
import type { ProbePace, ProbeRequest } from '../probing/request.js';
import { OUTPUTS, type Output } from '../report/render.js';
import type { RulesOf } from '../report/rules.js';
import { DIALECT_NAMES } from '../verdict/fixes/dialects.js';

export interface ProbeOptions extends ProbeRequest, ProbePace {
  readonly media: NonNullable<ProbePace['media']>;
  readonly output: Output;
  readonly outFile: string | null;
  /** Prints the rules of the report and nothing else. */
  readonly rules: { readonly dialect: string; readonly of: RulesOf } | null;
  readonly dryRun: boolean;
  readonly verbose: boolean;
  readonly color: boolean | null;
}

const DEFAULT_PROFILE = 'business-sip';
/** As many packets as four calls send: any line that carries calls carries this, and no IPS takes it for a flood. */
const DEFAULT_MAX_PPS = 200;
/** More than this program can send: unpaced, for a lab. No branch line should see it. */
const MAX_PPS = 1_000_000;
/** What a branch of some hundred people has at once. */
const MAX_CALLS = 100;
/** So many packets a second a call sends, and room for what watches the line beside them. */
const packetsPerSecondOf = (calls: number): number => 50 * calls + 50;
const SECONDS_A_STEP = 15;
/** A default run ends far sooner; this catches what hangs. */
const DEFAULT_TIMEOUT_S = 60;
/** The longest lifetime asked for is five minutes; the rest of the run comes before it. */
const DEFAULT_DEEP_TIMEOUT_S = 420;
/** Calls that last 35 seconds, and what is waited for in vain where a step fails. */
const DEFAULT_CALL_TIMEOUT_S = 180;
/** With an account: a server that is slow to register us. */
const REGISTER_S = 16;
/** It may ring for 30 s; silence to the BYE, and to the end of the registration, is waited for 16 s each. */
const AROUND_CALL_S = 62;
/** As long as the longest lifetime that is asked for. */
const MAX_CALL_IDLE_S = 295;
/** Every port of a range, several times over, at a pace that a branch line bears. */
const DEFAULT_EXHAUSTIVE_TIMEOUT_S = 1800;
const MAX_TIMEOUT_S = 3600;

/** What `probe` does besides probing. */
export const PROBE_COMMANDS = [
  'demo',
  'setup',
  'daemon',
  'health',
  'doctor',
  'profiles',
  'explain',
  'schema',
  'completion',
] as const;

const OPTIONS = {
  target: { type: 'string' },
  port: { type: 'string' },
  from: { type: 'string' },
  reflector: { type: 'string', multiple: true },
  profile: { type: 'string', multiple: true },
  'rtp-range': { type: 'string' },
  exhaustive: { type: 'boolean' },
  transport: { type: 'string', multiple: true },
  inbound: { type: 'string', multiple: true },
  call: { type: 'boolean' },
  'call-idle': { type: 'string' },
  account: { type: 'string' },
  'call-to': { type: 'string' },
  deep: { type: 'boolean' },
  'no-nat': { type: 'boolean' },
  hops: { type: 'boolean' },
  'no-hops': { type: 'boolean' },
  quick: { type: 'boolean' },
  media: { type: 'string' },
  codec: { type: 'string' },
  calls: { type: 'string' },
  mcc: { type: 'string' },
  mnc: { type: 'string' },
  carrier: { type: 'string' },
  epdg: { type: 'string' },
  'token-file': { type: 'string' },
  strict: { type: 'boolean' },
  output: { type: 'string', short: 'o' },
  json: { type: 'boolean' },
  out: { type: 'string' },
  rules: { type: 'string' },
  'test-rules': { type: 'boolean' },
  'max-pps': { type: 'string' },
  timeout: { type: 'string' },
  source: { type: 'string' },
  ipv4: { type: 'boolean', short: '4' },
  ipv6: { type: 'boolean', short: '6' },
  'dry-run': { type: 'boolean' },
  verbose: { type: 'boolean', short: 'v' },
  'no-color': { type: 'boolean' },
} as const;

/** A mistake in how an option was written. */
export const usage = (message: string, cause?: unknown): UserError => new UserError('usage', message, { cause });

/** Reads a whole number between bounds. @throws UserError that names the option */
export const wholeNumber = (option: string, text: string, min: number, max: number): number => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < min || value > max) {
    throw usage(`${option}: "${text}" is not a whole number from ${min} to ${max}`);
  }
  return value;
};

const SECONDS_IN = { ms: 0.001, s: 1, m: 60, h: 3600 } as const;

/** Reads `10`, `10s`, `500ms` or `2m` as seconds, more than 0. @throws UserError that names the option */
const secondsOf = (option: string, text: string, max: number): number => {
  const [, number = '', unit = 's'] = /^(\d+(?:\.\d+)?)(ms|s|m|h)?$/.exec(text) ?? [];
  const seconds = Number(number) * SECONDS_IN[unit as keyof typeof SECONDS_IN];
  if (number === '' || seconds <= 0 || seconds > max) {
    throw usage(`${option}: "${text}" is not a time from 0 to ${max} seconds; write for example 90, 90s or 2m`);
  }
  return seconds;
};

const portRange = (text: string): readonly [number, number] => {
  const match = /^(\d{1,5})-(\d{1,5})$/.exec(text);
  const from = Number(match?.[1]);
  const to = Number(match?.[2]);
  if (!match || from < 1 || to > 65_535 || from > to) {
    throw usage(`--rtp-range: "${text}" is not a range of ports; write for example 16384-32767`);
  }
  return [from, to];
};

const isTransport = (text: string): text is Transport => (TRANSPORTS as readonly string[]).includes(text);
const isCodec = (text: string): text is MediaOptions['codec'] => (CODEC_NAMES as readonly string[]).includes(text);
const isOutput = (text: string): text is Output => (OUTPUTS as readonly string[]).includes(text);

/**
 * Node's own message, cut to its first line and sentence: what follows is advice for programmers.
 * @param known the options there are, for the one that a mistyped one stands for
 */
export const parseMistake = (error: unknown, known: Readonly<Record<string, unknown>>): UserError => {
  const message = error instanceof Error ? error.message : String(error);
  const [, dashed] = /^Option '(?:-\w, )?(--[\w-]+)[^']*' argument is ambiguous/.exec(message) ?? [];
  if (dashed !== undefined) {
    return usage(`${dashed}: the value begins with a dash; give it a value, or write ${dashed}=VALUE`, error);
  }
  const [first = message] = message.split(/\n|\. (?=[A-Z])/);
  const [, bare] = /^Option '(?:-\w, )?(--[\w-]+)[^']*' argument missing/.exec(message) ?? [];
  if (bare !== undefined) return usage(`${bare}: needs a value; see --help`, error);
  const [, mistyped] = /^Unknown option '--([^'=]+)/.exec(first) ?? [];
  const meant = mistyped === undefined ? null : nearest(mistyped, Object.keys(known));
  return usage(`${first.replace(/\.$/, '')}; ${meant === null ? 'see --help' : `did you mean --${meant}?`}`, error);
};

/** A number below zero is a value to refuse by its option's rule, and no option; -4 and -6 are. */
const withNegatives = (argv: readonly string[]): string[] => {
  const takesNumber = (word: string | undefined): boolean =>
    word?.startsWith('--') === true && OPTIONS[word.slice(2) as keyof typeof OPTIONS]?.type === 'string';
  const isNegative = (word: string | undefined): boolean => /^-\d/.test(word ?? '') && !/^-[46]$/.test(word ?? '');
  return argv.flatMap((word, index) => {
    const next = argv[index + 1];
    if (takesNumber(word) && isNegative(next)) return [`${word}=${next}`];
    return isNegative(word) && takesNumber(argv[index - 1]) ? [] : [word];
  });
};

const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({ args: withNegatives(argv), options: OPTIONS, allowPositionals: true, strict: true });
  } catch (error) {
    throw parseMistake(error, OPTIONS);
  }
};

/** A word of the command line is shown up to this length. */
const SHOWN_LENGTH = 60;

const strayWord = (word: string): UserError => {
  const shown = word.slice(0, SHOWN_LENGTH);
  const meant = nearest(word, [...PROBE_COMMANDS, 'reflector']);
  const whole = meant === 'reflector' ? 'callpath reflector' : `probe ${meant}`;
  const wayOut = meant === null ? `name the target with --target ${shown}` : `did you mean "${whole}"?`;
  return usage(`"${shown}" is neither a command nor an option; ${wayOut}`);
};

const rulesOf = (values: ReturnType<typeof parse>['values']): ProbeOptions['rules'] => {
  const { rules: dialect, 'test-rules': isTest = false } = values;
  if (dialect === undefined) {
    if (isTest) throw usage(`--test-rules: add --rules and one of ${DIALECT_NAMES.join(', ')}`);
    return null;
  }
  if (!DIALECT_NAMES.includes(dialect)) {
    throw usage(`--rules: "${dialect.slice(0, SHOWN_LENGTH)}" is not one of ${DIALECT_NAMES.join(', ')}`);
  }
  const other = values.json ? '--json' : values.output === undefined ? null : `-o ${values.output}`;
  if (other !== null) throw usage(`--rules and ${other} cannot be combined; choose one`);
  return { dialect, of: isTest ? 'test' : 'service' };
};

/** The streams that `--media`, `--codec` and `--calls` ask for, and the pace that they need. */
const mediaOf = (values: ReturnType<typeof parse>['values']): Pick<ProbeOptions, 'media' | 'maxPps'> => {
  const { media: text = String(USUAL_MEDIA_S), codec = 'g711' } = values;
  const seconds = /^0+(?:\.0+)?(?:ms|s|m|h)?$/.test(text) ? 0 : secondsOf('--media', text, MAX_MEDIA_S);
  if (!isCodec(codec)) {
    throw usage(`--codec: "${codec.slice(0, SHOWN_LENGTH)}" is none of ${CODEC_NAMES.join(', ')}`);
  }
  const calls = wholeNumber('--calls', values.calls ?? '1', 1, MAX_CALLS);
  if (seconds === 0 && values.calls !== undefined) throw usage('--calls sends audio: leave out --media 0');
  const needed = calls > 1 ? packetsPerSecondOf(calls) : 0;
  const maxPps = wholeNumber('--max-pps', values['max-pps'] ?? String(Math.max(DEFAULT_MAX_PPS, needed)), 1, MAX_PPS);
  if (maxPps < needed) {
    throw usage(`--calls: ${calls} calls send more than --max-pps allows; give at least ${needed}, or fewer calls`);
  }
  return { media: { seconds, codec, calls }, maxPps };
};

/** The account with which one call is made, as its file has it; null where none was given. */
const accountOf = (values: ReturnType<typeof parse>['values']): Account | null => {
  const { account } = values;
  const callTo = values['call-to'] ?? null;
  if (account === undefined) {
    if (callTo !== null) throw usage('--call-to calls with an account: add --account FILE');
    return null;
  }
  if (callTo !== null && !/^[A-Za-z0-9*#_.+-]{1,32}$/.test(callTo)) {
    throw usage(`--call-to: "${callTo.slice(0, SHOWN_LENGTH)}" is no number or name at the account's domain`);
  }
  const why = callTo === null ? null : forbidden(callTo);
  if (why !== null) throw usage(`--call-to: ${callTo} ${why}, and is never called; name an echo or test number`);
  return readAccount(account, callTo);
};

/** How calls are rehearsed; null where none are asked for. */
const callsOf = ({ call = false, 'call-idle': idle }: ReturnType<typeof parse>['values']): CallOptions | null => {
  if (!call && idle !== undefined) throw usage('--call-idle is about calls: add --call');
  if (!call) return null;
  return idle === undefined ? {} : { idleMs: 1000 * secondsOf('--call-idle', idle, MAX_CALL_IDLE_S) };
};

/** By how much a run with these streams is longer, in seconds: each number of calls is held for ten, and its answers waited for. */
const mediaSeconds = ({ seconds, calls }: ProbeOptions['media']): number =>
  seconds + (calls > 1 ? SECONDS_A_STEP * Math.ceil(Math.log2(calls) + 1) : 0);

/** By how much a run that uses an account is longer, in seconds. */
const accountSeconds = (account: Account | null): number => {
  if (account === null) return 0;
  return REGISTER_S + (account.callTo === null ? 0 : AROUND_CALL_S + account.maxCallSeconds);
};

/** Reads the options of a run. @throws UserError in one line */
export const parseProbeOptions = (argv: readonly string[], env: NodeJS.ProcessEnv): ProbeOptions => {
  const [first] = argv;
  // Said before its options, which are none of a run.
  if (first !== undefined && !first.startsWith('-')) throw strayWord(first);
  const { values, positionals } = parse(argv);
  const [stray] = positionals;
  if (stray !== undefined) throw strayWord(stray);
  const transports = values.transport?.map((text) => {
    if (!isTransport(text)) throw usage(`--transport: "${text}" is not one of ${TRANSPORTS.join(', ')}`);
    return text;
  });
  const output = values.json ? 'json' : (values.output ?? 'table');
  if (!isOutput(output)) throw usage(`-o: "${output}" is not one of ${OUTPUTS.join(', ')}`);
  if (values.json && values.output && values.output !== 'json') {
    throw usage(`--json and -o ${values.output} cannot be combined; choose one`);
  }
  const { deep = false, exhaustive = false } = values;
  const calls = callsOf(values);
  const account = accountOf(values);
  const { quick = false } = values;
  const slow = (['deep', 'exhaustive', 'call', 'account', 'calls', 'media', 'inbound', 'hops'] as const).find(
    (name) => values[name] !== undefined,
  );
  if (quick && slow !== undefined) throw usage(`--quick and --${slow} cannot be combined; choose one`);
  if (deep && values['no-nat']) throw usage('--deep is about the NAT: leave out --no-nat');
  if (values.hops && values['no-hops']) throw usage('--hops and --no-hops cannot be combined; choose one');
  const { media, maxPps } = mediaOf(values);
  const shortest = calls ? DEFAULT_CALL_TIMEOUT_S + (calls.idleMs ?? 0) / 1000 : DEFAULT_TIMEOUT_S;
  const usual = deep ? DEFAULT_DEEP_TIMEOUT_S + (calls ? DEFAULT_CALL_TIMEOUT_S : 0) : shortest;
  const timeout =
    values.timeout === undefined
      ? exhaustive
        ? DEFAULT_EXHAUSTIVE_TIMEOUT_S
        : usual + Math.max(0, mediaSeconds(media) - USUAL_MEDIA_S) + accountSeconds(account)
      : secondsOf('--timeout', values.timeout, MAX_TIMEOUT_S);
  if (values.ipv4 && values.ipv6) throw usage('-4 and -6 cannot be combined; without them both families are tested');
  if (values.source !== undefined && isIP(values.source) === 0) {
    throw usage(`--source: "${values.source}" is not an address; give one of this host's own`);
  }
  return {
    target: values.target ?? null,
    port: values.port === undefined ? null : wholeNumber('--port', values.port, 1, 65_535),
    from: values.from === undefined ? null : readFrom(values.from),
    reflectors: values.reflector ?? [],
    profiles: values.profile ?? [DEFAULT_PROFILE],
    rtpRange: values['rtp-range'] === undefined ? null : portRange(values['rtp-range']),
    exhaustive,
    transports: transports ?? null,
    inbound: (values.inbound ?? []).map(readInbound),
    deep,
    ...(calls && { calls }),
    ...(account && { account }),
    nat: !values['no-nat'],
    ...(values.hops && { hops: true as const }),
    quick,
    plmn: {
      mcc: values.mcc ?? null,
      mnc: values.mnc ?? null,
      carrier: values.carrier ?? null,
      form: values.epdg ?? null,
    },
    tokenFile: values['token-file'] ?? null,
    strict: values.strict ?? false,
    output,
    outFile: values.out ?? null,
    rules: rulesOf(values),
    ...{ media, maxPps },
    timeoutMs: timeout * 1000,
    source: values.source ?? null,
    families: values.ipv4 ? [4] : values.ipv6 ? [6] : [4, 6],
    dryRun: values['dry-run'] ?? false,
    verbose: values.verbose ?? false,
    color: values['no-color'] || (env.NO_COLOR ?? '') !== '' ? false : null,
  };
};
