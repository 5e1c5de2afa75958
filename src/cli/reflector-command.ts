/** `reflector`: from options to a running far end, until a signal ends it. */
import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import { homedir, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pino, { type Logger } from 'pino';
import { CONTROL_PORT } from '../model/control-port.js';
import { UserError } from '../model/user-error.js';
import { isOwnAddress, ownAddresses } from '../net/local.js';
import { loadProfile } from '../plan/profiles.js';
import { exposure, findTokens, makeTokenFile } from '../probing/token.js';
import { packageVersion } from '../probing/who.js';
import type { Listener } from '../reflector/alternates.js';
import { keptCredentials, makeCredentials, readCredentials } from '../reflector/certificate.js';
import { serveMetrics } from '../reflector/metrics.js';
import { parsePortList, planPorts } from '../reflector/ports.js';
import { startReflector } from '../reflector/server.js';
import { MAX_PROCESSES } from '../reflector/shares.js';
import { EXIT } from './main.js';
import { parseMistake, usage, wholeNumber } from './options.js';
import { logDestination } from './readable-log.js';
import { reloadOnChange } from './reflector-reload.js';

const DEFAULT_PROFILES = ['business-sip', 'wifi-calling-t-mobile', 'facetime'];
/** A word of the command line is shown up to this length. */
const MAX_SHOWN = 60;
/** Ports below it need a capability on most systems. */
const FIRST_FREE_PORT = 1024;

const OPTIONS = {
  listen: { type: 'string', multiple: true },
  public: { type: 'string', multiple: true },
  processes: { type: 'string' },
  'token-file': { type: 'string' },
  strict: { type: 'boolean' },
  profile: { type: 'string', multiple: true },
  udp: { type: 'string' },
  tcp: { type: 'string' },
  tls: { type: 'string' },
  'control-port': { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  inbound: { type: 'boolean' },
  'no-calls': { type: 'boolean' },
  metrics: { type: 'string' },
  config: { type: 'string' },
} as const;
const REPEATABLE: ReadonlySet<string> = new Set(['listen', 'public', 'profile']);
const FLAGS: ReadonlySet<string> = new Set(['strict', 'inbound', 'no-calls']);

const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: false, strict: true }).values;
  } catch (error) {
    throw parseMistake(error, OPTIONS);
  }
};

type Values = ReturnType<typeof parse>;

/** What a configuration file says; the command line outweighs it. */
const fromConfig = async (file: string): Promise<Values> => {
  const { readReflectorConfig } = await import('./reflector-config.js');
  const names = Object.keys(OPTIONS).filter((name) => name !== 'config');
  return (await readReflectorConfig(file, names, REPEATABLE, FLAGS)) as Values;
};

/** Reads `127.0.0.1:9100` or `[::1]:9100`. @throws UserError */
const readListener = (text: string): { readonly address: string; readonly port: number } => {
  const match = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(text);
  const address = match?.[1] ?? match?.[2] ?? '';
  const port = Number(match?.[3]);
  if (isIP(address) === 0 || !(port >= 1 && port <= 65_535)) {
    throw usage(`--metrics: "${text}" is not ADDRESS:PORT; write for example 127.0.0.1:9464`);
  }
  return { address, port };
};

/** Each `--public` belongs to the `--listen` at the same place. @throws UserError */
const readListeners = (listen: readonly string[], publicAddresses: readonly string[]): readonly Listener[] => {
  const strange = publicAddresses.find((address) => isIP(address) === 0);
  if (strange !== undefined) throw usage(`--public: "${strange}" is not an address`);
  if (publicAddresses.length > 0 && publicAddresses.length !== listen.length) {
    throw usage(`--public: give one for each --listen, in the same order; there are ${listen.length} of these`);
  }
  return listen.map((address, index) => ({ address, publicAddress: publicAddresses[index] ?? address }));
};

/** Where a token is kept if nobody says otherwise (XDG Base Directory Specification). */
const defaultTokenFile = (env: NodeJS.ProcessEnv): string =>
  join(env.XDG_STATE_HOME || join(homedir(), '.local', 'state'), 'callpath', 'token');

const isGlobal = (address: string): boolean => !/^(127\.|169\.254\.|::1$|fe80:)/i.test(address);

/** A socket on all addresses answers from the one that the route prefers, which need not be the one that was asked. */
const hasSeveralAddresses = (): boolean => {
  const own = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return (['IPv4', 'IPv6'] as const).some(
    (family) => own.filter((one) => one.family === family && !one.internal && isGlobal(one.address)).length > 1,
  );
};

/** The address that stands for all: `::` takes IPv4 as well, where this host has IPv6 at all. */
const everyAddress = (): Promise<string> =>
  new Promise((resolve) => {
    const socket = createSocket('udp6');
    const settle = (address: string): void => {
      socket.close();
      resolve(address);
    };
    socket.on('error', () => settle('0.0.0.0'));
    socket.bind({ port: 0, address: '::' }, () => settle('::'));
  });

/** What is missing without the control port, and the two ways out. */
const withoutControl = (port: number): string => {
  const first =
    port < FIRST_FREE_PORT
      ? 'give this process the capability to bind it (CAP_NET_BIND_SERVICE; AmbientCapabilities= of systemd)'
      : 'stop the program that uses it';
  return `the control port ${port} could not be bound, so agents reach the reflector over the other ports only:  ${first}, or choose another port, for example --control-port 8443`;
};

/** Said once: every single port would say so. @throws UserError for an address that this host does not have */
const demandOwn = async (listen: readonly string[]): Promise<void> => {
  for (const address of listen) {
    if (!(await isOwnAddress(address)))
      throw usage(`--listen: ${address} is not an address of this host; it has ${ownAddresses()}`);
  }
};

/** Those that were given, or its own, which are kept beside the token. */
const credentialsOf = (
  given: { readonly cert: string; readonly key: string } | null,
  tokenFile: string | null,
): ReturnType<typeof makeCredentials> => {
  if (given) return readCredentials(given.cert, given.key);
  return tokenFile === null ? makeCredentials() : keptCredentials(tokenFile);
};

/** What was written, checked; nothing is touched yet. @throws UserError */
const readSettings = async (values: Values) => {
  const listen = values.listen ?? [await everyAddress()];
  const stray = listen.find((address) => isIP(address) === 0);
  if (stray !== undefined) throw usage(`--listen: "${stray.slice(0, MAX_SHOWN)}" is not an address`);
  const listeners = readListeners(listen, values.public ?? []);
  const processes =
    values.processes === undefined ? null : wholeNumber('--processes', values.processes, 1, MAX_PROCESSES);
  if ((values.cert === undefined) !== (values.key === undefined))
    throw usage('--cert and --key belong together: give both');
  const controlPort = wholeNumber('--control-port', values['control-port'] ?? String(CONTROL_PORT), 1, 65_535);
  const spans = (option: 'udp' | 'tcp' | 'tls') => {
    const text = values[option];
    return text === undefined ? null : parsePortList(text, `--${option}`);
  };
  const metricsAt = values.metrics === undefined ? null : readListener(values.metrics);
  const exact = { udp: spans('udp'), tcp: spans('tcp'), tls: spans('tls') };
  const profiles = await Promise.all((values.profile ?? DEFAULT_PROFILES).map(loadProfile));
  return {
    ports: planPorts({ profiles, ...exact, controlPort }),
    ...{ listen, listeners, processes, controlPort, metricsAt },
  };
};

/** Whose tokens count, and from where; makes a token at the first start. @throws UserError */
const readSecrets = async (values: Values, env: NodeJS.ProcessEnv, log: Logger) => {
  const fromEnvironment = values['token-file'] === undefined && Boolean(env.CALLPATH_TOKEN_FILE || env.CALLPATH_TOKEN);
  const tokenFile = fromEnvironment ? null : (values['token-file'] ?? defaultTokenFile(env));
  if (tokenFile !== null && (await makeTokenFile(tokenFile)))
    log.info({ tokenFile }, 'made a token; copy the file to the agents');
  const tokenSource = tokenFile ?? env.CALLPATH_TOKEN_FILE;
  const exposed = exposure(tokenSource, values.strict ?? false);
  const tokens = findTokens(tokenFile, env);
  if (tokens.length === 0) throw new UserError('token-invalid', 'no token: give --token-file FILE');
  return { tokenFile, tokenSource, exposed, tokens };
};

/** Runs until SIGINT or SIGTERM. @throws UserError for what the user can mend */
export const reflectorCommand = async (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> => {
  const typed = parse(argv);
  const values = typed.config === undefined ? typed : { ...(await fromConfig(typed.config)), ...typed };
  const log = pino({ name: 'reflector', base: null }, logDestination(process.stderr));
  const { listen, listeners, processes, controlPort, metricsAt, ports } = await readSettings(values);

  await demandOwn(listen);
  const { tokenFile, tokenSource, exposed, tokens } = await readSecrets(values, env, log);
  const { cert, key } = values;
  const given = cert !== undefined && key !== undefined ? { cert, key } : null;
  const credentials = await credentialsOf(given, tokenFile);

  if (exposed !== null) log.warn(exposed);
  if (values.listen === undefined && hasSeveralAddresses()) {
    log.warn('this host has several addresses: name one with --listen, or answers may leave from a different address');
  }
  const reflector = await startReflector({
    listeners,
    ports,
    tokens,
    credentials,
    version: packageVersion(),
    processes,
    inbound: values.inbound ?? false,
    calls: !(values['no-calls'] ?? false),
    warn: (message) => log.warn(message),
    failed: (error) => {
      log.error(`${error.message}: its ports are closed, so this ends; whoever supervises it starts it anew`);
      process.exit(EXIT.trouble);
    },
  });
  if (reflector.udp.length + reflector.tcp.length === 0) {
    throw new UserError('nothing-bound', '--listen: not a single port could be bound; see the warnings above');
  }
  if (!reflector.tcp.includes(controlPort)) log.warn(withoutControl(controlPort));
  const metrics =
    metricsAt &&
    (await serveMetrics(metricsAt.address, metricsAt.port, reflector.counters).catch((cause: unknown) => {
      throw usage(`--metrics ${values.metrics}: cannot be bound (${(cause as { code?: string }).code})`, cause);
    }));
  // Listened for before anybody is told that this is ready, because who is told may end it at once.
  const told = new Promise<NodeJS.Signals>((resolve) => {
    process.once('SIGINT', resolve);
    process.once('SIGTERM', resolve);
  });
  const reloading = reloadOnChange(
    [...(tokenSource ? [tokenSource] : []), ...(given ? [given.cert, given.key] : [])],
    async () => {
      const next = {
        tokens: findTokens(tokenFile, env),
        credentials: given && (await readCredentials(given.cert, given.key)),
      };
      reflector.setTokens(next.tokens);
      if (next.credentials) reflector.setCredentials(next.credentials);
      return { tokens: next.tokens.map(({ name }) => name), certificateSha256: next.credentials?.sha256 };
    },
    log,
  );
  const { udp, tcp } = reflector;
  log.info(
    { udp: udp.length, tcp: tcp.length, listen, tokens: tokens.length, processes: reflector.processes },
    'reflector ready',
  );
  const signal = await told;
  log.info({ signal }, 'reflector stops');
  reloading.close();
  metrics?.close();
  metrics?.closeAllConnections();
  await reflector.close();
  return EXIT.ok;
};
