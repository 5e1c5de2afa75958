/**
 * `probe demo`: a reflector on loopback inside this process, probed with all three default profiles unless others are named.
 * Ports that an ordinary user may not bind, or that are taken, are replaced by free ones, and the result says which.
 */

import { randomBytes } from 'node:crypto';
import { createSocket } from 'node:dgram';
import { createServer } from 'node:net';
import { parseArgs } from 'node:util';
import { CONTROL_PORT } from '../model/control-port.js';
import { alternativesOf, type Profile } from '../model/profile.js';
import { descriptorLimit, SPARE_DESCRIPTORS } from '../net/limits.js';
import { plan, withRtpRange } from '../plan/plan.js';
import { loadProfile } from '../plan/profiles.js';
import { newSession } from '../probing/prepare.js';
import { packageVersion } from '../probing/who.js';
import { makeCredentials } from '../reflector/certificate.js';
import { expand, planPorts } from '../reflector/ports.js';
import { startReflector } from '../reflector/server.js';
import { DEMO_ONLY, portReplaced, rangeCut, reflectorSays } from '../words/demo.js';
import { EXIT } from './main.js';
import { parseProbeOptions, usage } from './options.js';
import { probeVisibly, publish } from './run-command.js';

const PROFILES = ['business-sip', 'wifi-calling-t-mobile', 'facetime'];
const HOST = '127.0.0.1';
/** Loopback has no router to spare. */
const LOOPBACK_PPS = 5000;
/** Short enough for any limit of open files that a desktop has, long enough to look like a range. */
const SMALL_RANGE = [16384, 16583] as const;
/** The three profiles name fewer single ports and short ranges than this. */
const OTHER_SOCKETS = 256;

const canBind = (port: number): Promise<boolean> =>
  new Promise((resolve) => {
    const udp = createSocket('udp4');
    udp.on('error', () => {
      udp.close();
      resolve(false);
    });
    udp.bind({ port, address: HOST, exclusive: true }, () => {
      udp.close();
      const tcp = createServer();
      tcp.on('error', () => resolve(false));
      tcp.listen({ port, host: HOST, exclusive: true }, () => tcp.close(() => resolve(true)));
    });
  });

const freePort = async (taken: ReadonlySet<number>): Promise<number> => {
  const port = await new Promise<number>((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen({ port: 0, host: HOST }, () => {
      const address = server.address();
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0));
    });
  });
  return !taken.has(port) && (await canBind(port)) ? port : freePort(taken);
};

const singlePorts = (profiles: readonly Profile[]): readonly number[] => [
  ...new Set(
    profiles
      .flatMap(({ requirements }) => requirements)
      .flatMap(alternativesOf)
      .flatMap((spec) => ('port' in spec ? [spec.port] : [])),
  ),
];

const withPorts = (profiles: readonly Profile[], map: ReadonlyMap<number, number>): readonly Profile[] =>
  profiles.map(
    (profile) =>
      JSON.parse(JSON.stringify(profile), (key, value: unknown) =>
        key === 'port' && typeof value === 'number' ? (map.get(value) ?? value) : value,
      ) as Profile,
  );

/** Replaces what cannot be bound. */
const replacements = async (profiles: readonly Profile[]): Promise<ReadonlyMap<number, number>> => {
  const map = new Map<number, number>();
  const used = new Set(
    expand(
      profiles
        .flatMap(({ requirements }) => requirements)
        .flatMap(alternativesOf)
        .map((spec) => ('port' in spec ? [spec.port, spec.port] : [spec.from, spec.to])),
    ),
  );
  for (const port of new Set([...singlePorts(profiles), CONTROL_PORT])) {
    if (await canBind(port)) continue;
    const free = await freePort(used);
    used.add(free);
    map.set(port, free);
  }
  return map;
};

/** Runs the demo; takes the output options of `probe`. */
export const demoCommand = async (argv: readonly string[], env: NodeJS.ProcessEnv): Promise<number> => {
  const given = parseArgs({ args: [...argv], strict: false });
  if (given.values.target !== undefined || given.values.reflector !== undefined) {
    throw usage('demo: probes its own reflector; leave out --target and --reflector');
  }
  const parsed = parseProbeOptions(argv, env);
  const options = {
    ...parsed,
    ...(given.values['max-pps'] === undefined && { maxPps: LOOPBACK_PPS }),
  };
  const names = given.values.profile === undefined ? PROFILES : options.profiles;
  const profiles = await Promise.all(names.map(loadProfile));
  const limit = descriptorLimit();
  const whole = limit === null || limit >= 16_384 + OTHER_SOCKETS + SPARE_DESCRIPTORS;
  const rtpRange = options.rtpRange ?? (whole ? null : SMALL_RANGE);
  const portMap = await replacements(profiles);
  const token = randomBytes(32);
  const notes = [
    DEMO_ONLY,
    ...[...portMap].map(([wanted, free]) => portReplaced(wanted, free, HOST)),
    ...(rtpRange && !options.rtpRange ? [rangeCut(limit ?? 0, rtpRange.join('-'))] : []),
  ];
  const warnings: string[] = [];
  const moved = withPorts(profiles, portMap);
  const ranged = rtpRange ? moved.map((profile) => withRtpRange(profile, rtpRange)) : moved;
  const reflector = await startReflector({
    listeners: [{ address: HOST, publicAddress: HOST }],
    ports: planPorts({
      profiles: ranged,
      udp: null,
      tcp: null,
      tls: null,
      controlPort: portMap.get(CONTROL_PORT) ?? CONTROL_PORT,
    }),
    tokens: [{ name: 'demo', token }],
    credentials: await makeCredentials(),
    version: packageVersion(),
    warn: (message) => warnings.push(reflectorSays(message)),
  });
  const controller = new AbortController();
  const interrupt = (): void => (controller.signal.aborted ? process.exit(EXIT.interrupted) : controller.abort());
  process.on('SIGINT', interrupt);
  try {
    const endpoint = { host: HOST, address: HOST, family: 4 as const };
    const route = { offered: true, endpoints: [{ ...endpoint, port: null }] };
    const target = { host: HOST, endpoints: [endpoint], sip: { udp: route, tcp: route, tls: route } };
    const { sessionId, random } = newSession();
    const report = await probeVisibly(
      {
        target,
        reflectors: [],
        profiles,
        token,
        sessionId,
        notes: [...notes, ...warnings],
        plan: plan({
          profiles,
          target,
          reflectors: [],
          hasToken: true,
          rtpRange,
          transports: options.transports,
          exhaustive: options.exhaustive,
          random,
          portMap,
        }),
      },
      options,
      controller.signal,
    );
    const code = await publish(report, options);
    return controller.signal.aborted ? EXIT.interrupted : code;
  } finally {
    process.off('SIGINT', interrupt);
    await reflector.close();
  }
};
