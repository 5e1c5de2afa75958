/**
 * When each address was alive: it answered what was sent to it at that moment. Silence counts as evidence only between two
 * such moments that lie close together; a line that is away for seconds swallows whatever is asked meanwhile, and says
 * nothing about any port.
 */
import { countWithin, EDGE_MS, type ShutFor, type Silence, type Span } from '../model/far-end.js';
import type { Transport } from '../model/kinds.js';
import type { Sighting } from './address-changes.js';
import { gapsOf } from './gaps.js';

/**
 * `over`: UDP can be away while connections live. An answer over UDP vouches for everything, one over a connection not for
 * UDP, as soon as anything was heard over UDP; and before the first answer over any connection nothing vouches for those.
 */
export interface Timeline {
  /** An answer came to what was sent to this address at that time. */
  answered(address: string, sentAtMs: number, over: Transport): void;
  /** The answer to what was sent at that time told as whom the far end saw us. */
  seenAs(address: string, sentAtMs: number, ownAddress: string): void;
  /** All of that. */
  sightings(address: string): readonly Sighting[];
  /** It was asked where it had answered before: its silence there is no port's. */
  expected(address: string, over: Transport, port?: number): void;
  /** It was asked over a connection, whether or not anything had come over one before. */
  askedOverConnection(address: string): void;
  /** A new flow was opened to this address: what guards against scans counts these. */
  opened(address: string): void;
  /** From here on studies ask: what they are the first to hear over UDP says nothing of what was asked before them. */
  beginStudies(): void;
  /** A connection stood so late after it was asked for at that time that its first SYN was lost, and sent again by the system. */
  openedLate(address: string, askedAtMs: number): void;
  /** How many of these sendings went out while the address was alive, and their UDP port not shut by itself. */
  witnessed(address: string, sentAtMs: readonly number[], over: Transport, port?: number): number;
  /** How many did not; none as long as nothing was heard of it, because then nothing vouches for any. */
  unwitnessed(address: string, sentAtMs: readonly number[], over: Transport, port?: number): number;
  /** It has answered, and just now it does not, where it should: to ask anything else now is to learn nothing. */
  isSilent(address: string, over: Transport): boolean;
  /** Nothing has come for so long that it is not worth waiting for. */
  isDeaf(address: string, over: Transport): boolean;
  /**
   * Looks for moments at which it was away too shortly for its canaries: from here on nothing vouches for what went out then.
   * @param lostAtMs when those went out over UDP that stayed unanswered, of questions that were answered at another time
   */
  findGaps(address: string, lostAtMs: readonly number[]): void;
  /** These UDP ports passed nothing for a time, and pass now: what went there until then is neither loss nor evidence. */
  shut(address: string, ports: readonly ShutFor[]): void;
  shutFor(address: string): readonly ShutFor[];
  /** How many questions over UDP that went out within this time were answered, both ends included. */
  answeredOverUdp(address: string, within: Span): number;
  /** When answers came over connections, the first one first. */
  answersOverConnections(address: string): readonly number[];
  /** When connections were asked for whose first SYN was lost. */
  lateOpenings(address: string): readonly number[];
  /** Stretches in which it was alive, in order. */
  spans(address: string, over: Transport): readonly Span[];
  /**
   * Stretches between those, long enough to be told, and what was asked there in vain; the last may have no end yet. What
   * went out within the last `lateMs` may still be answered. Not those that answers which take `longestRttMs`, or the lateness
   * of this host, explain.
   */
  silences(address: string, lateMs: number, longestRttMs?: number): readonly Silence[];
  /** The same over UDP that ended, from three canaries on. */
  pauses(address: string, longestRttMs: number): readonly Silence[];
}

/**
 * Two answered questions no further apart than this vouch for what was sent between them. Longer than three canaries, so
 * that a lossy line is not taken for one that is away; shorter than two attempts of a check, so that an outage that is not
 * seen takes one of them at most.
 */
const MOMENT_MS = 650;
/** So long after the last answer, and after so many questions in vain, the line is taken to be away. */
const SILENT_MS = 800;
const SILENT_QUESTIONS = 3;
/** A line that is away for longer than a change of providers takes is not waited for. */
const DEAF_MS = 10_000;
/** At a loss of one half, so many answers that do not come are chance once in four thousand times. */
const DEAF_QUESTIONS = 12;
/** Connections are asked again at least so often while they fail. */
const UNWATCHED_MS = 4000;
/** A shorter silence is a burst of loss. */
const NOTABLE_SILENCE_MS = 1000;
/** Canaries go out so often at least; a longer time without one is this host's own lateness. */
const CANARY_LATE_MS = 350;
/** Fewer canaries in vain are a loss of packets and no pause. */
const PAUSE_QUESTIONS = 2;

interface Life {
  readonly spans: [number, number][];
  lastAtMs: number;
  expected: number;
  /** When canaries went out, and to which port of UDP. */
  readonly asked: { readonly atMs: number; readonly port: number | null }[];
}

/** So long before a silence its new flows may be the cause of it. */
const RECENT_MS = 4000;

/** Takes a moment into the spans; nearly all of them come at the end. */
const merge = (spans: [number, number][], atMs: number): void => {
  let index = spans.length - 1;
  while (index >= 0 && (spans[index]?.[0] ?? 0) - MOMENT_MS > atMs) index -= 1;
  const span = spans[index];
  if (!span || atMs > span[1] + MOMENT_MS) {
    spans.splice(index + 1, 0, [atMs, atMs]);
    return;
  }
  span[0] = Math.min(span[0], atMs);
  span[1] = Math.max(span[1], atMs);
  const before = spans[index - 1];
  if (before && span[0] - before[1] <= MOMENT_MS) {
    before[1] = span[1];
    spans.splice(index, 1);
  }
};

/**
 * Stretches in which connections were asked in vain that were answered later, until something came over one again, while UDP
 * lived. @param lostAtMs when that was
 */
export const connectionsAway = (
  timeline: Pick<Timeline, 'answersOverConnections' | 'lateOpenings' | 'witnessed'>,
  address: string,
  lostAtMs: readonly number[],
): readonly Silence[] => {
  const answers = [...timeline.answersOverConnections(address)].sort((a, b) => a - b);
  /** By the answer that ended them. */
  const stretches = new Map<number, number[]>();
  for (const atMs of [...lostAtMs, ...timeline.lateOpenings(address)].sort((a, b) => a - b)) {
    const toMs = answers.find((answer) => answer > atMs);
    if (toMs !== undefined) stretches.set(toMs, [...(stretches.get(toMs) ?? []), atMs]);
  }
  return [...stretches].flatMap(([toMs, inVain]): readonly Silence[] => {
    const fromMs = Math.min(...inVain);
    // So long after the last that was asked in vain, nobody knows when it ended.
    if (toMs - Math.max(...inVain) > UNWATCHED_MS) return [];
    const asked = timeline.witnessed(address, inVain, 'udp');
    if (toMs - fromMs < NOTABLE_SILENCE_MS || asked === 0) return [];
    return [{ fromMs, toMs, what: 'tcp', asked, flows: 0, recentFlows: 0 }];
  });
};

/**
 * The stretch before the first answer over UDP in which it was asked in vain that answers later: a line, or UDP alone, that was
 * not there yet. @param lostAtMs when that was
 */
export const awayBeforeUdp = (
  timeline: Pick<Timeline, 'answersOverConnections' | 'spans'>,
  address: string,
  lostAtMs: readonly number[],
): readonly Silence[] => {
  const [first] = timeline.spans(address, 'udp');
  if (!first) return [];
  const [toMs] = first;
  const inVain = lostAtMs.filter((atMs) => atMs < toMs);
  const fromMs = Math.min(...inVain);
  if (inVain.length === 0 || toMs - fromMs < NOTABLE_SILENCE_MS) return [];
  const what = timeline.answersOverConnections(address).some((atMs) => atMs > fromMs && atMs < toMs)
    ? 'udp'
    : 'everything';
  return [{ fromMs, toMs, what, asked: inVain.length, flows: 0, recentFlows: 0 }];
};

/** Both ends of a gap were answered, and vouch for themselves alone. */
const withoutGaps = (spans: readonly Span[], gaps: readonly Span[]): readonly Span[] =>
  gaps.reduce<readonly Span[]>(
    (left, [gapFrom, gapTo]) =>
      left.flatMap(([from, to]): readonly Span[] =>
        gapTo <= from || gapFrom >= to
          ? [[from, to]]
          : [...(gapFrom >= from ? [[from, gapFrom] as const] : []), ...(gapTo <= to ? [[gapTo, to] as const] : [])],
      ),
    spans,
  );

/** Nothing was heard yet. @param now the run's clock, in milliseconds */
export const createTimeline = (now: () => number): Timeline => {
  const lives = new Map<string, Life>();
  const livesOverUdp = new Map<string, Life>();
  const overConnections = new Map<string, number[]>();
  const flows = new Map<string, number[]>();
  const lateOpenings = new Map<string, number[]>();
  const askedOverConnections = new Map<string, number[]>();
  const answeredOverUdp = new Map<string, number[]>();
  const sightings = new Map<string, Sighting[]>();
  const gaps = new Map<string, readonly Span[]>();
  const shutPorts = new Map<string, ReadonlyMap<number, ShutFor>>();
  /** Where nothing had come over UDP when the studies began. */
  const mute = new Set<string>();
  const add = (all: Map<string, number[]>, address: string, atMs: number): void => {
    const known = all.get(address);
    if (known) known.push(atMs);
    else all.set(address, [atMs]);
  };
  /** Of UDP by itself only where it is watched: one answer long ago says nothing of later. */
  const lifeOf = (address: string, over: Transport): Life | undefined => {
    const udp = over === 'udp' && !mute.has(address) ? livesOverUdp.get(address) : undefined;
    return udp && udp.asked.length > 0 ? udp : lives.get(address);
  };
  const take = (all: Map<string, Life>, address: string, sentAtMs: number): void => {
    const life = all.get(address) ?? { spans: [], lastAtMs: 0, expected: 0, asked: [] };
    all.set(address, life);
    life.lastAtMs = now();
    life.expected = 0;
    merge(life.spans, sentAtMs);
  };
  const expect = (life: Life | undefined, port: number | null): void => {
    if (!life) return;
    life.expected += 1;
    life.asked.push({ atMs: now(), port });
  };
  const askedIn = ({ asked }: Life, fromMs: number, toMs: number): Life['asked'] =>
    asked.filter(({ atMs }) => atMs > fromMs && atMs < toMs);
  const inVain = (life: Life, fromMs: number, toMs: number): number => askedIn(life, fromMs, toMs).length;
  const spansOf = (life: Life | undefined, address: string): readonly Span[] =>
    (life?.spans ?? []).map(([from, to], index, { length }): Span => {
      // As long as nothing was asked after the last answer in vain, what followed it at once belongs to it as well.
      const isOpen = index === length - 1 && life !== undefined && inVain(life, to, to + EDGE_MS) === 0;
      // What had been asked for longer in vain was not beside the first answer: nothing passed until then.
      const wasAway = (flows.get(address) ?? []).some((atMs) => atMs < from - EDGE_MS);
      return [index === 0 && !wasAway ? from - EDGE_MS : from, isOpen ? to + EDGE_MS : to];
    });
  const spans: Timeline['spans'] = (address, over) => {
    const all = withoutGaps(spansOf(lifeOf(address, over), address), gaps.get(address) ?? []);
    const first = over === 'udp' ? undefined : overConnections.get(address)?.[0];
    if (first === undefined) return all;
    const from = first - EDGE_MS;
    return all.flatMap((span): readonly Span[] => (span[1] < from ? [] : [[Math.max(from, span[0]), span[1]]]));
  };
  const witnessed: Timeline['witnessed'] = (address, sentAtMs, over, port) => {
    const shut = over === 'udp' && port !== undefined ? shutPorts.get(address)?.get(port) : undefined;
    const counted = shut ? sentAtMs.filter((atMs) => atMs > shut.toMs) : sentAtMs;
    return countWithin(spans(address, over), counted);
  };
  const silentFor = (life: Life | undefined, ms: number, questions: number): boolean =>
    life !== undefined && now() - life.lastAtMs > ms && life.expected >= questions;
  /** What of a stretch that ended neither late answers explain nor a time in which this host was too late to ask. */
  const unexplainedMs = (life: Life, { fromMs, toMs }: Silence, longestRttMs: number): number => {
    if (toMs === null) return Number.POSITIVE_INFINITY;
    const asked = [...askedIn(life, fromMs, toMs).map(({ atMs }) => atMs), toMs];
    const idleMs = Math.max(...asked.map((atMs, index) => atMs - (asked[index - 1] ?? fromMs)));
    return toMs - fromMs - longestRttMs - Math.max(0, idleMs - CANARY_LATE_MS);
  };
  const silencesOf = (
    life: Life | undefined,
    address: string,
    lateMs: number,
    longestRttMs = 0,
    leastMs = NOTABLE_SILENCE_MS,
  ): readonly Silence[] => {
    if (!life) return [];
    const between = life.spans.map(([, fromMs], index): Silence => {
      const toMs = life.spans[index + 1]?.[0] ?? null;
      const before = (flows.get(address) ?? []).filter((atMs) => atMs <= fromMs + EDGE_MS);
      const places = new Set(askedIn(life, fromMs, toMs ?? now()).flatMap(({ port }) => port ?? []));
      return {
        ...{ fromMs, toMs },
        what: 'everything',
        // What went out just now may still be answered.
        asked: inVain(life, fromMs, Math.min(toMs ?? now(), now() - lateMs)),
        flows: before.length,
        recentFlows: before.filter((atMs) => atMs >= fromMs - RECENT_MS).length,
        ...(places.size > 0 && { places: places.size }),
      };
    });
    return between.filter(
      (one) =>
        one.asked > 0 &&
        (one.toMs ?? now() - lateMs) - one.fromMs >= leastMs &&
        unexplainedMs(life, one, longestRttMs) >= MOMENT_MS,
    );
  };
  // Answers came meanwhile over connections, or nothing was asked over any: then all that is known is that UDP was away.
  const ofWhat =
    (address: string) =>
    (one: Silence): Silence => {
      const isWithin = (atMs: number): boolean =>
        atMs > one.fromMs + MOMENT_MS && atMs < (one.toMs ?? now()) - MOMENT_MS;
      const asked = askedOverConnections.get(address) ?? [];
      const isUdpAlone = (overConnections.get(address) ?? []).some(isWithin) || !asked.some(isWithin);
      return isUdpAlone ? { ...one, what: 'udp' } : one;
    };
  return {
    answered: (address, sentAtMs, over) => {
      take(lives, address, sentAtMs);
      if (over === 'udp') {
        take(livesOverUdp, address, sentAtMs);
        add(answeredOverUdp, address, sentAtMs);
      } else add(overConnections, address, sentAtMs);
    },
    seenAs: (address, atMs, ownAddress) => {
      const known = sightings.get(address);
      if (known) known.push({ atMs, address: ownAddress });
      else sightings.set(address, [{ atMs, address: ownAddress }]);
    },
    sightings: (address) => sightings.get(address) ?? [],
    beginStudies: () => {
      for (const address of lives.keys()) if (!livesOverUdp.has(address)) mute.add(address);
    },
    askedOverConnection: (address) => add(askedOverConnections, address, now()),
    opened: (address) => add(flows, address, now()),
    openedLate: (address, askedAtMs) => add(lateOpenings, address, askedAtMs),
    expected: (address, over, port) => {
      const ofUdp = over === 'udp' ? (port ?? null) : null;
      expect(lives.get(address), ofUdp);
      if (over === 'udp') expect(livesOverUdp.get(address), ofUdp);
    },
    witnessed,
    unwitnessed: (address, sentAtMs, over, port) =>
      lifeOf(address, over) ? sentAtMs.length - witnessed(address, sentAtMs, over, port) : 0,
    isSilent: (address, over) => silentFor(lifeOf(address, over), SILENT_MS, SILENT_QUESTIONS),
    isDeaf: (address, over) => silentFor(lifeOf(address, over), DEAF_MS, DEAF_QUESTIONS),
    findGaps: (address, lostAtMs) => {
      gaps.set(address, gapsOf(answeredOverUdp.get(address) ?? [], lostAtMs));
    },
    shut: (address, ports) => {
      const known = new Map(shutPorts.get(address) ?? []);
      for (const one of ports) {
        const before = known.get(one.port) ?? one;
        const [fromMs, toMs] = [Math.min(before.fromMs, one.fromMs), Math.max(before.toMs, one.toMs)];
        known.set(one.port, { ...one, fromMs, toMs });
      }
      shutPorts.set(address, known);
    },
    shutFor: (address) => [...(shutPorts.get(address)?.values() ?? [])],
    answeredOverUdp: (address, within) => countWithin([within], answeredOverUdp.get(address) ?? []),
    answersOverConnections: (address) => overConnections.get(address) ?? [],
    lateOpenings: (address) => lateOpenings.get(address) ?? [],
    spans,
    silences: (address, lateMs, longestRttMs) =>
      silencesOf(lifeOf(address, 'udp'), address, lateMs, longestRttMs).map(ofWhat(address)),
    pauses: (address, longestRttMs) =>
      silencesOf(livesOverUdp.get(address), address, 0, longestRttMs, MOMENT_MS)
        .filter(({ toMs, asked }) => toMs !== null && asked >= PAUSE_QUESTIONS)
        .map(ofWhat(address)),
  };
};
