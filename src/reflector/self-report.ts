/** What the reflector says of itself under its proof: where it listens, and what it lately did not do for whoever asks. */
import type { ReflectorInfo } from '../model/far-end.js';
import { encodeInfo, spansOf } from '../wire/info.js';
import type { Host } from './exchange.js';
import type { Lately } from './worker-messages.js';

/** A process that cannot tell what it saw in this time is not waited for: its work is as late as that, and what it alone saw is not known. */
export const TELLS_WITHIN_MS = 1000;
/** Less is NTP, which nobody has to be told of. */
const CLOCK_SET_MS = 1000;

interface SelfReportOptions {
  readonly version: string;
  /** Wall-clock milliseconds of the start, by a clock that may be set after it, as on a host that wakes up in another year. */
  readonly startedAtMs: () => number;
  /** What this process and the others lately did to what they were sent. */
  readonly lately: () => readonly Lately[];
  /** Which packets from this address arrived changed. */
  readonly unreadableAt: (asker: string) => NonNullable<ReflectorInfo['unreadable']>;
}

interface SelfReport {
  readonly info: Host['info'];
  /** Where the reflector listens, once all is bound. */
  set(next: ReflectorInfo): void;
}

/** Says the version alone until it is told more. */
export const createSelfReport = ({ version, startedAtMs, lately, unreadableAt }: SelfReportOptions): SelfReport => {
  let info: ReflectorInfo = { version, udp: [], tcp: [], certificateSha256: null };
  let plain = encodeInfo(info);

  const dated = (told: ReflectorInfo): ReflectorInfo => {
    const now = startedAtMs();
    return Math.abs(now - (told.startedAtMs ?? 0)) < CLOCK_SET_MS ? told : { ...told, startedAtMs: now };
  };
  const set = (next: ReflectorInfo): void => {
    info = next;
    plain = encodeInfo(next);
  };

  return {
    set: (next) => set(dated(next)),
    info: (asker, room, isPartlyBlind) => {
      const now = dated(info);
      if (now !== info) set(now);
      const all = lately();
      const dropped = all.flatMap(({ overruns }) => overruns);
      const lateMs = Math.max(isPartlyBlind ? TELLS_WITHIN_MS : 0, ...all.map((one) => one.lateMs));
      const changed = unreadableAt(asker);
      const isWell = dropped.length === 0 && lateMs === 0 && changed.length === 0;
      if (isWell && plain.length <= room) return plain;
      const told = {
        ...info,
        ...(dropped.length > 0 && { overruns: spansOf(dropped) }),
        ...(changed.length > 0 && { unreadable: changed }),
        ...(lateMs > 0 && { lateMs }),
      };
      return encodeInfo(told, room);
    },
  };
};
