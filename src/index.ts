/** `import { probe, reflector } from 'callpath'`: a run, and a far end, as functions. What the commands do, without a terminal. */
import { CONTROL_PORT } from './model/control-port.js';
import { USUAL_MEDIA_S } from './model/media.js';
import type { Report } from './model/report.js';
import { UserError } from './model/user-error.js';
import { isOwnAddress, ownAddresses } from './net/local.js';
import { loadProfile } from './plan/profiles.js';
import { demandProbeOptions, demandReflectorOptions } from './probing/library-options.js';
import { prepare } from './probing/prepare.js';
import { probe as run } from './probing/probe.js';
import { findTokens } from './probing/token.js';
import { packageVersion } from './probing/who.js';
import { makeCredentials } from './reflector/certificate.js';
import { parsePortList, planPorts } from './reflector/ports.js';
import { startReflector } from './reflector/server.js';

export type { Report };
/** What the caller can mend: a name that does not resolve, a file that cannot be read. Its message is one line. */
export { UserError };

export interface ProbeOptions {
  /** A name, an address, `host:port`, or a SIP URI; left out where a profile names its host. */
  readonly target?: string;
  readonly reflectors?: readonly string[];
  /** Names of bundled profiles, or files. Default `business-sip`. */
  readonly profiles?: readonly string[];
  /** The reflector's token, at least 16 bytes; or `tokenFile`. */
  readonly token?: string;
  readonly tokenFile?: string;
  readonly rtpRange?: readonly [from: number, to: number];
  /** Every port of every range instead of a sample. Default false. */
  readonly exhaustive?: boolean;
  /** Adds what takes minutes: how long idle connections last. Default false. */
  readonly deep?: boolean;
  /** Whether it is asked how the NAT maps and filters: 2 s. Default true. */
  readonly nat?: boolean;
  /** How long audio is sent as a call sends it, in seconds, 0–600; 0 for none. Default 6. */
  readonly mediaSeconds?: number;
  readonly transports?: readonly ('udp' | 'tcp' | 'tls')[];
  readonly families?: readonly (4 | 6)[];
  /** Local address to send from. */
  readonly source?: string;
  /** Packets per second, 1–1,000,000. Default 200. */
  readonly maxPps?: number;
  /** The whole run, in milliseconds, 1–3,600,000. Default 60,000; deep 420,000; exhaustive 1,800,000. */
  readonly timeoutMs?: number;
  /** Ends the run: the report then holds what is known, and the rest is `unknown: not-run`. */
  readonly signal?: AbortSignal;
  /** Told after each check how many are done; `marks` are ports of ranges, and whether they pass. */
  readonly onProgress?: (done: number, marks?: readonly (readonly [port: number, passes: boolean])[]) => void;
}

const DEFAULT_PROFILE = 'business-sip';
const DEFAULT_MAX_PPS = 200;
const DEFAULT_MEDIA = { seconds: USUAL_MEDIA_S, codec: 'g711', calls: 1 } as const;
const TIMEOUT_MS = { usual: 60_000, deep: 420_000, exhaustive: 1_800_000 } as const;

/** @throws UserError for an address that this host does not have */
const demandOwn = async (option: string, address: string): Promise<void> => {
  if (await isOwnAddress(address)) return;
  throw new UserError('usage', `${option} ${address} is no address of this host; it has ${ownAddresses()}`);
};

/** Probes once. @throws UserError for what the caller can mend; a network that fails is in the report */
export const probe = async (options: ProbeOptions): Promise<Report> => {
  demandProbeOptions(options);
  if (options.source !== undefined) await demandOwn('probe: source', options.source);
  const { deep = false, exhaustive = false, token, signal = new AbortController().signal } = options;
  const usual = exhaustive ? TIMEOUT_MS.exhaustive : deep ? TIMEOUT_MS.deep : TIMEOUT_MS.usual;
  const prepared = await prepare(
    {
      target: options.target ?? null,
      port: null,
      from: null,
      reflectors: options.reflectors ?? [],
      profiles: options.profiles ?? [DEFAULT_PROFILE],
      rtpRange: options.rtpRange ?? null,
      exhaustive,
      transports: options.transports ?? null,
      plmn: { mcc: null, mnc: null, carrier: null, form: null },
      tokenFile: options.tokenFile ?? null,
      families: options.families ?? [4, 6],
    },
    // The caller's environment is the caller's business.
    token === undefined ? {} : { CALLPATH_TOKEN: token },
    signal,
  );
  const pace = {
    ...{ deep, source: options.source ?? null },
    nat: options.nat ?? true,
    media: { ...DEFAULT_MEDIA, seconds: options.mediaSeconds ?? DEFAULT_MEDIA.seconds },
    maxPps: options.maxPps ?? DEFAULT_MAX_PPS,
    timeoutMs: options.timeoutMs ?? usual,
  };
  return run(prepared, pace, signal, { onProgress: options.onProgress ?? null });
};

export interface ReflectorOptions {
  /** At least 16 bytes; or `tokenFile`. */
  readonly token?: string;
  readonly tokenFile?: string;
  /** Addresses to bind. Default `127.0.0.1`. */
  readonly listen?: readonly string[];
  /** The ports of these profiles; or exact lists. Default `business-sip`. */
  readonly profiles?: readonly string[];
  /** Exact ports instead, e.g. `5060,16384-32767`; `tcp` speaks TLS as well. */
  readonly udp?: string;
  readonly tcp?: string;
  /** HTTPS for receipts. Default 443. */
  readonly controlPort?: number;
  /** Told of each port that cannot be bound. */
  readonly onWarning?: (message: string) => void;
}

export interface Reflector {
  /** The ports that could be bound. */
  readonly udp: readonly number[];
  readonly tcp: readonly number[];
  close(): Promise<void>;
}

/** Answers probes until it is closed. @throws UserError for what the caller can mend */
export const reflector = async (options: ReflectorOptions): Promise<Reflector> => {
  demandReflectorOptions(options);
  const { token, tokenFile = null, listen = ['127.0.0.1'], udp, tcp, onWarning = () => undefined } = options;
  for (const address of listen) await demandOwn('reflector: listen', address);
  const tokens = findTokens(tokenFile, token === undefined ? {} : { CALLPATH_TOKEN: token });
  if (tokens.length === 0) throw new UserError('token-invalid', 'reflector: give token or tokenFile');
  const profiles = await Promise.all((options.profiles ?? [DEFAULT_PROFILE]).map(loadProfile));
  const started = await startReflector({
    listeners: listen.map((address) => ({ address, publicAddress: address })),
    ports: planPorts({
      profiles,
      udp: udp === undefined ? null : parsePortList(udp, 'reflector: udp'),
      tcp: tcp === undefined ? null : parsePortList(tcp, 'reflector: tcp'),
      tls: null,
      controlPort: options.controlPort ?? CONTROL_PORT,
    }),
    tokens,
    credentials: await makeCredentials(),
    version: packageVersion(),
    processes: 1,
    warn: onWarning,
  });
  if (started.udp.length + started.tcp.length === 0) {
    await started.close();
    throw new UserError('nothing-bound', 'reflector: not a single port could be bound; onWarning is told why');
  }
  return { udp: started.udp, tcp: started.tcp, close: started.close };
};
