/** What programs that import callpath may pass, checked one by one. Every refusal names the option and the way out. */
import { isIP } from 'node:net';
import * as v from 'valibot';
import { TRANSPORTS } from '../model/kinds.js';
import { MAX_MEDIA_S } from '../model/media.js';
import { shapeMistakes } from '../model/mistake.js';
import { list, map, oneOf, use } from '../model/schema-words.js';
import { UserError } from '../model/user-error.js';
import { MIN_TOKEN_BYTES } from '../wire/keys.js';

/** More than this program can send: unpaced, for a lab. */
const MAX_PPS = 1_000_000;
const MAX_TIMEOUT_MS = 3_600_000;
const MAX_PORT = 65_535;

const text = (what: string) => v.pipe(v.string(use(what)), v.nonEmpty(use(what)));
const some = <const Item extends v.GenericSchema>(item: Item) =>
  v.pipe(list(item), v.minLength(1, 'is an empty list; name one at least, or leave it out'));
const whole = (least: number, most: number) => {
  const fix = use(`a whole number from ${least} to ${most}`);
  return v.pipe(v.number(fix), v.integer(fix), v.minValue(least, fix), v.maxValue(most, fix));
};
const Flag = v.boolean(use('true or false'));
const Address = v.pipe(
  v.string(use('an IPv4 or IPv6 address')),
  v.check((address) => isIP(address) !== 0, use('an IPv4 or IPv6 address')),
);
const A_CALLBACK = v.custom<(...args: never[]) => unknown>((value) => typeof value === 'function', use('a function'));

/** A message quotes no token. */
const A_TOKEN = `is no token; use a text of ${MIN_TOKEN_BYTES} bytes at least, without blanks around it`;
const Token = v.pipe(
  v.string(A_TOKEN),
  v.check((token) => token.trim() === token && Buffer.byteLength(token) >= MIN_TOKEN_BYTES, A_TOKEN),
);

const A_RANGE = 'two ports such as [16384, 32767], the lower one first';
const PortRange = v.pipe(
  v.custom<readonly [number, number]>(
    (value) => Array.isArray(value) && value.length === 2 && value.every((port) => Number.isInteger(port)),
    use(A_RANGE),
  ),
  v.check(([from, to]) => from >= 1 && from <= to && to <= MAX_PORT, `is no range of ports; use ${A_RANGE}`),
);

const SHARED = {
  profiles: v.optional(some(text('the name of a bundled profile, or a file'))),
  token: v.optional(Token),
  tokenFile: v.optional(text('the name of a file')),
};

const SOME_SECONDS = use(`a number from 0 to ${MAX_MEDIA_S}`);

const ProbeSchema = map({
  ...SHARED,
  target: v.optional(text('a name, an address, host:port or a SIP URI')),
  reflectors: v.optional(list(text('a name or an address'))),
  rtpRange: v.optional(PortRange),
  exhaustive: v.optional(Flag),
  deep: v.optional(Flag),
  nat: v.optional(Flag),
  mediaSeconds: v.optional(
    v.pipe(v.number(SOME_SECONDS), v.minValue(0, SOME_SECONDS), v.maxValue(MAX_MEDIA_S, SOME_SECONDS)),
  ),
  transports: v.optional(some(oneOf(TRANSPORTS))),
  families: v.optional(some(v.picklist([4, 6], use('4 or 6')))),
  source: v.optional(Address),
  maxPps: v.optional(whole(1, MAX_PPS)),
  timeoutMs: v.optional(whole(1, MAX_TIMEOUT_MS)),
  signal: v.optional(v.custom<AbortSignal>((value) => value instanceof AbortSignal, use('an AbortSignal'))),
  onProgress: v.optional(A_CALLBACK),
});

const PORTS = 'ports and ranges such as "5060,16384-32767"';
const ReflectorSchema = map({
  ...SHARED,
  listen: v.optional(some(Address)),
  udp: v.optional(text(PORTS)),
  tcp: v.optional(text(PORTS)),
  controlPort: v.optional(whole(1, MAX_PORT)),
  onWarning: v.optional(A_CALLBACK),
});

const demand = (who: string, schema: v.GenericSchema, options: unknown): void => {
  const { success, issues = [] } = v.safeParse(schema, options);
  const [first] = shapeMistakes(issues);
  if (!success && first) {
    const [name = 'the argument', ...inside] = first.path;
    throw new UserError('usage', `${who}: ${name}${inside.map((key) => `[${key}]`).join('')} ${first.message}`);
  }
  const { token, tokenFile } = options as { readonly token?: unknown; readonly tokenFile?: unknown };
  if (token !== undefined && tokenFile !== undefined)
    throw new UserError('usage', `${who}: token and tokenFile exclude each other; give one of them`);
};

/** @throws UserError naming the first option that cannot be used */
export const demandProbeOptions = (options: unknown): void => demand('probe', ProbeSchema, options);

/** @throws UserError naming the first option that cannot be used */
export const demandReflectorOptions = (options: unknown): void => demand('reflector', ReflectorSchema, options);
