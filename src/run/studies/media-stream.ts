/**
 * Audio as a call sends it: a packet every 20 ms over one flow to a media port that passed, both ways. Where it is cut or throttled from
 * some packet on, a second one twice as fast tells what is counted. And, if asked, how many at once pass.
 */
import type { Check, PlannedCheck } from '../../model/check.js';
import { CODECS, type MediaFacts, type MediaStep, type MediaStream, RTP_BYTES, SPACING_MS } from '../../model/media.js';
import type { MediaOptions } from '../../model/run.js';
import type { SocketError } from '../../net/errno.js';
import { cutOf } from '../../verdict/media/cut.js';
import { isSpotless } from '../../verdict/media/spotless.js';
import { hasRoom, portsOf } from '../media/ports.js';
import { factsOf, receiptsOf, type SentStreams, sendStreams } from '../media/send.js';
import { askWhoIsThere } from '../phases/identify.js';
import type { Tools } from '../tools.js';
import { HEADER_BYTES, type StudiedFarEnd, type Study } from './study.js';

/** Half the usual distance: a quota comes in half the time then, and a timer does not. */
const REPEAT_SPACING_MS = SPACING_MS / 2;
/** The second stream goes on for so long after the moment at which the first was cut. */
const REPEAT_BEYOND_MS = 2000;
/** A dead flow says nothing of the port: so many fresh ones are tried. */
const MAX_FLOWS = 3;
/** Each number of calls is held for so long. */
const STEP_SECONDS = 10;
/** Of several ways to ask the far end how it fares. */
const MAX_WAYS = 3;
/** What leaves so much later than it was due makes another stream than a phone's, in milliseconds. */
const LATE_MS = SPACING_MS;
/** RTCP says nothing of a line on which so few packets a second pass. */
const isTooSlow = ({ limit }: StudiedFarEnd): boolean =>
  limit?.kind === 'rate' && limit.packetsPerSecond < (2 * 1000) / SPACING_MS;

const packetsIn = (seconds: number, spacingMs: number): number => Math.max(1, Math.round((seconds * 1000) / spacingMs));

/** 1, 2, 4 … and what was asked for. */
const stepsUpTo = (calls: number): readonly number[] => {
  const steps: number[] = [];
  for (let step = 1; step < calls; step *= 2) steps.push(step);
  return [...steps, calls];
};

/** One stream; over another flow where one brings nothing. Null where no socket opens. */
const sendOne = async (
  check: Check,
  { codec }: MediaOptions,
  { count, spacingMs }: { readonly count: number; readonly spacingMs: number },
  ways: readonly Check[],
  tools: Tools,
): Promise<MediaStream> => {
  let sending: SentStreams;
  let tries = 0;
  do {
    sending = await sendStreams([check], { codec, spacingMs, count, reports: true }, tools);
    tries += 1;
  } while (sending.ended === 'silent' && tries < MAX_FLOWS && !tools.signal.aborted);
  const [stream] = sending.streams;
  if (!stream) throw new Error('one check makes one stream');
  return factsOf(sending, stream, await receiptsOf(sending, ways, tools), spacingMs);
};

/** The stream that was begun beside everything else, if nothing at all is wrong with it. */
const spotless = async (
  { audio }: StudiedFarEnd,
  ways: readonly Check[],
  tools: Tools,
): Promise<MediaStream | null> => {
  const sending = (await audio) ?? null;
  const [stream] = sending?.streams ?? [];
  if (!sending || !stream || sending.ended !== 'complete') return null;
  const facts = factsOf(sending, stream, await receiptsOf(sending, ways, tools), SPACING_MS);
  return isSpotless(facts) ? facts : null;
};

/** So many calls at once. */
const tryCalls = async (
  ports: readonly Check[],
  calls: number,
  { codec }: MediaOptions,
  ways: readonly Check[],
  tools: Tools,
): Promise<MediaStep> => {
  const checks = Array.from({ length: calls }, (_, index) => ports[index % ports.length]).flatMap((one) => one ?? []);
  const count = packetsIn(STEP_SECONDS, SPACING_MS);
  const sending = await sendStreams(checks, { codec, spacingMs: SPACING_MS, count, stopsAtLoss: true }, tools);
  const { told } = await receiptsOf(sending, ways, tools);
  const sent = sending.streams.flatMap((one) => one.sent);
  const late = sent.filter(({ sentAtMs, dueAtMs }) => sentAtMs - dueAtMs > LATE_MS).length;
  return {
    ...{ calls, ended: sending.ended === 'silent' ? 'loss' : sending.ended },
    seconds: ((sent.at(-1)?.sentAtMs ?? sending.beganAtMs) - sending.beganAtMs) / 1000,
    lateRatio: late / Math.max(1, sent.length),
    streams: sending.streams.map((stream) => {
      const receipts = stream.sent.map(({ sequence }) => told.get(sequence));
      const isTold = receipts.every((one) => one !== undefined && one.answered !== null);
      const count = (of: (one: { arrived: number; answered: number | null }) => boolean): number | null =>
        isTold ? receipts.filter((one) => one !== undefined && of(one)).length : null;
      return {
        sent: stream.sent.length,
        arrived: count(({ arrived }) => arrived > 0),
        answered: count(({ answered }) => (answered ?? 0) > 0),
        heard: stream.sent.filter(({ heard }) => heard > 0).length,
      };
    }),
  };
};

const rampUp = async (
  ports: readonly Check[],
  options: MediaOptions,
  ways: readonly Check[],
  tools: Tools,
): Promise<readonly MediaStep[]> => {
  const steps: MediaStep[] = [];
  for (const calls of stepsUpTo(options.calls)) {
    if (tools.signal.aborted) break;
    const step = await tryCalls(ports, calls, options, ways, tools);
    steps.push(step);
    if (step.ended !== 'complete') break;
  }
  return steps;
};

const askOne = async (farEnd: StudiedFarEnd, options: MediaOptions, tools: Tools): Promise<MediaFacts | null> => {
  const ports = portsOf(farEnd.passing);
  const [check] = ports;
  if (!check || check.family === null) return null;
  const { address } = farEnd;
  const { family, port } = check;
  const { codec, calls, seconds } = options;
  const nothing: MediaFacts = {
    ...{ address, family, port, codec, notSent: null, stream: null, repeat: null, steps: [], farEndLateMs: 0 },
    asked: calls > 1 ? calls : 0,
  };
  if (!hasRoom(options)) return { ...nothing, notSent: 'pace' };
  if (isTooSlow(farEnd)) return { ...nothing, notSent: 'rate-limited' };
  const { ways } = farEnd;
  try {
    const count = packetsIn(seconds, SPACING_MS);
    const stream =
      (await spotless(farEnd, ways, tools)) ??
      (await sendOne(check, options, { count, spacingMs: SPACING_MS }, ways, tools));
    const cut = cutOf(stream);
    const repeatMs = cut && cut.atMs + REPEAT_BEYOND_MS;
    const mayRepeat = hasRoom(options, REPEAT_SPACING_MS) && !tools.signal.aborted;
    const again = { count: packetsIn((repeatMs ?? 0) / 1000, REPEAT_SPACING_MS), spacingMs: REPEAT_SPACING_MS };
    const repeat = cut && mayRepeat ? await sendOne(check, options, again, ways, tools) : null;
    const steps = calls > 1 && stream.ended === 'complete' ? await rampUp(ports, options, ways, tools) : [];
    const { facts } = await askWhoIsThere(ways.slice(0, MAX_WAYS), tools);
    return { ...nothing, stream, repeat, steps, farEndLateMs: facts.identity?.info.lateMs ?? 0 };
  } catch (error) {
    if (error instanceof Error) throw error;
    const { code } = error as SocketError;
    return code === undefined ? null : { ...nothing, notSent: 'local-error' };
  }
};

const bytesOf = (check: PlannedCheck, { codec }: MediaOptions): number =>
  CODECS[codec].payloadBytes + RTP_BYTES + HEADER_BYTES[check.family ?? 4];

export const study = {
  kind: 'media-stream',
  // Any port may be given to its socket.
  after: ['inbound'],
  wanted: ({ media }) => media !== undefined && media.seconds > 0,
  cost: (checks, { media }) => {
    const [check] = portsOf(checks);
    if (!check || !media) return { packets: 0, bytes: 0 };
    const steps = media.calls > 1 ? stepsUpTo(media.calls) : [];
    const packets =
      packetsIn(media.seconds, SPACING_MS) +
      steps.reduce((sum, calls) => sum + calls * packetsIn(STEP_SECONDS, SPACING_MS), 0);
    return { packets, bytes: packets * bytesOf(check, media) };
  },
  // One way out is what calls share; a second far end would load it once more.
  ask: async (farEnds, tools, { media }) => {
    const first = farEnds.find(({ passing }) => portsOf(passing).length > 0);
    const facts = first && media ? await askOne(first, media, tools) : null;
    return facts ? [facts] : [];
  },
} as const satisfies Study<'media-stream'>;
