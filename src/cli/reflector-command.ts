/** `reflector`: from options to a running far end, until a signal ends it. */
import { createSocket } from 'node:dgram';
import { isIP } from 'node:net';
import { homedir, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import pino from 'pino';
import { loadProfile } from '../engine/profiles.js';
import { UserError } from '../model/user-error.js';
import { keptCredentials, makeCredentials, readCredentials } from '../reflector/certificate.js';
import { serveMetrics } from '../reflector/metrics.js';
import { parsePortList, planPorts } from '../reflector/ports.js';
import { startReflector } from '../reflector/server.js';
import { EXIT, packageVersion } from './main.js';
import { parseMistake, usage, wholeNumber } from './options.js';
import { findToken, makeTokenFile } from './token.js';

const DEFAULT_PROFILES = ['business-sip', 'wifi-calling-t-mobile', 'facetime'];
const DEFAULT_CONTROL_PORT = 443;

const OPTIONS = {
  listen: { type: 'string', multiple: true },
  'token-file': { type: 'string' },
  profile: { type: 'string', multiple: true },
  udp: { type: 'string' },
  tcp: { type: 'string' },
  tls: { type: 'string' },
  'control-port': { type: 'string' },
  cert: { type: 'string' },
  key: { type: 'string' },
  metrics: { type: 'string' },
  config: { type: 'string' },
} as const;
const REPEATABLE: ReadonlySet<string> = new Set(['listen', 'profile']);

const parse = (argv: readonly string[]) => {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: false, strict: true }).values;
  } catch (error) {
    throw parseMistake(error);
  }
};

type Values = ReturnType<typeof parse>;

/** What a configuration file says; the command line outweighs it. */
const fromConfig = async (file: string): Promise<Values> => {
  const { readReflectorConfig } = await import('./reflector-config.js');
  const names = Object.keys(OPTIONS).filter((name) => name !== 'config');
  return (await readReflectorConfig(file, names, REPEATABLE)) as Values;
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

/** Runs until SIGINT or SIGTERM. @throws UserError for what the user can mend */
export const reflectorCommand = async (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> => {
  const given = parse(argv);
  const values = given.config === undefined ? given : { ...(await fromConfig(given.config)), ...given };
  const log = pino({ name: 'reflector', base: null }, pino.destination({ dest: 2, sync: true }));
  const listen = values.listen ?? [await everyAddress()];
  const stray = listen.find((address) => isIP(address) === 0);
  if (stray !== undefined) throw usage(`--listen: "${stray}" is not an address`);
  if ((values.cert === undefined) !== (values.key === undefined))
    throw usage('--cert and --key belong together: give both');
  const controlPort = wholeNumber('--control-port', values['control-port'] ?? String(DEFAULT_CONTROL_PORT), 1, 65_535);
  const spans = (option: 'udp' | 'tcp' | 'tls') => {
    const text = values[option];
    return text === undefined ? null : parsePortList(text, `--${option}`);
  };
  const metricsAt = values.metrics === undefined ? null : readListener(values.metrics);
  const exact = { udp: spans('udp'), tcp: spans('tcp'), tls: spans('tls') };
  const profiles = await Promise.all((values.profile ?? DEFAULT_PROFILES).map(loadProfile));

  const fromEnvironment = values['token-file'] === undefined && Boolean(env.CALLPATH_TOKEN_FILE || env.CALLPATH_TOKEN);
  const tokenFile = fromEnvironment ? null : (values['token-file'] ?? defaultTokenFile(env));
  if (tokenFile !== null && (await makeTokenFile(tokenFile)))
    log.info({ tokenFile }, 'made a token; copy the file to the agents');
  const token = findToken(tokenFile, env);
  if (token === null) throw new UserError('token-invalid', 'no token: give --token-file FILE');
  const credentials =
    values.cert !== undefined && values.key !== undefined
      ? await readCredentials(values.cert, values.key)
      : tokenFile === null
        ? await makeCredentials()
        : await keptCredentials(tokenFile);

  if (values.listen === undefined && hasSeveralAddresses()) {
    log.warn(
      'this host has several addresses: name one with --listen, or answers may leave from another than was asked',
    );
  }
  const reflector = await startReflector({
    listen,
    ports: planPorts({ profiles, ...exact, controlPort }),
    token,
    credentials,
    version: packageVersion(),
    warn: (message) => log.warn(message),
  });
  if (reflector.udp.length + reflector.tcp.length === 0) {
    throw new UserError('nothing-bound', '--listen: not a single port could be bound; see the warnings above');
  }
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
  log.info({ udp: reflector.udp.length, tcp: reflector.tcp.length, listen }, 'reflector ready');
  const signal = await told;
  log.info({ signal }, 'reflector stops');
  metrics?.close();
  metrics?.closeAllConnections();
  await reflector.close();
  return EXIT.ok;
};
