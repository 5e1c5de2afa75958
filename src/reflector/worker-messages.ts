/** What the processes of one reflector say to each other. Structured clones, so that bytes stay bytes. */
import type { ReflectorInfo } from '../model/far-end.js';
import type { NamedToken } from '../model/token.js';
import type { Listener, Place } from './alternates.js';
import type { Credentials } from './certificate.js';
import type { Counters } from './metrics.js';
import type { SharedRecord } from './record-batch.js';
import type { Source } from './udp.js';

/** What one process, or several, lately did to what they were sent. */
export interface Lately {
  /** The worst wait for their own work, in milliseconds. */
  readonly lateMs: number;
  /** UDP ports at which datagrams were dropped before they were read. */
  readonly overruns: readonly number[];
}

/** The sockets of one process. */
export interface Share {
  readonly udp: readonly Place[];
  readonly tcp: readonly Place[];
}

/** From the process that was started by the user to one that it started. */
export type ToWorker =
  | {
      readonly say: 'start';
      readonly listeners: readonly Listener[];
      readonly tokens: readonly NamedToken[];
      readonly credentials: Credentials;
      readonly version: string;
      readonly hashSeed: number;
      readonly inbound: boolean;
      readonly share: Share;
    }
  | { readonly say: 'all-bound'; readonly info: ReflectorInfo; readonly bound: readonly Place[] }
  | { readonly say: 'info'; readonly info: ReflectorInfo }
  | { readonly say: 'tokens'; readonly tokens: readonly NamedToken[] }
  | { readonly say: 'credentials'; readonly credentials: Credentials }
  | { readonly say: 'records'; readonly records: readonly SharedRecord[] }
  /** Tell what has not been told yet, then confirm. */
  | { readonly say: 'flush'; readonly id: number }
  | { readonly say: 'consulted'; readonly id: number; readonly haveAllTold: boolean; readonly lately: Lately }
  | { readonly say: 'send'; readonly place: Place; readonly bytes: Uint8Array; readonly to: Source };

export type FromWorker =
  | { readonly say: 'bound'; readonly udp: readonly Place[]; readonly tcp: readonly number[] }
  | { readonly say: 'warn'; readonly message: string }
  | {
      readonly say: 'records';
      readonly records: readonly SharedRecord[];
      readonly counters: Counters;
      readonly lately: Lately;
    }
  | { readonly say: 'flushed'; readonly id: number }
  | { readonly say: 'consult'; readonly id: number }
  | { readonly say: 'send'; readonly place: Place; readonly bytes: Uint8Array; readonly to: Source };
