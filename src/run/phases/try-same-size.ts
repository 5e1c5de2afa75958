/**
 * Adds the checks whose silence is about their size: short messages of other bytes pass on their port, and such of a length
 * that the check needs do not. After the phase that asks other bytes; what passes there in every length is inspection.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check, Key } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import { clientHelloBytes } from '../../net/stream.js';
import { doubtOfSilence } from '../../verdict/silence.js';
import { echoBody } from '../../wire/echo.js';
import { NOTHING } from '../../wire/octets.js';
import { expectProof, makeTag } from '../../wire/proof.js';
import { ANSWER_TAG_BYTES, MAX_TAG_BYTES, REQUEST_TAG_BYTES } from '../../wire/tag.js';
import { askCheck } from '../ask/ask.js';
import { lengthOf, messagesOf } from '../ask/length.js';
import type { FarEnd } from '../far-ends.js';
import { isSilent, passed, witnessedPackets } from '../observations.js';
import type { RunState } from '../state.js';
import { DISCRIMINATOR } from './try-other-bytes.js';

/**
 * Sizes between the short question and the length of a check: its answer is shorter than what asks for it, and may be what is
 * dropped. Over TLS also longer ones: a server shows its certificate in a flight of 700 to 1,400 bytes (RFC 8446 §2), and once
 * TLS stands it puts its session tickets (§4.6.1) and its first answer into one segment.
 */
const BETWEEN = [1400, 1300, 1200, 1100, 1000, 900, 800, 700, 600, 500, 400, 300, 200] as const;

/** Longer than what vanished: one that passes shows a gap. What fits a frame of Ethernet, so that no fragment plays a part. */
const LONGER = [1000, 1200, 1400] as const;

/** A tag of that length, answered with as many bytes. */
const sizedEcho = (bytes: number, echo: Probe): Probe => ({
  ...echo,
  ask: (asking) => {
    const message = makeTag(asking, 'echoRequest', echoBody(bytes - REQUEST_TAG_BYTES)) ?? NOTHING;
    return { messages: [message], proof: expectProof(asking, message), answeredByOpening: false };
  },
});

/** It opened, and its TLS never came about. */
const isHandshake = ({ check, attempts }: Observation): boolean =>
  check.transport === 'tls' &&
  attempts.every((one) => one.outcome === 'answer' || one.opened === null || one.opened.tls === undefined);

/** What is asked first is as long as what stayed silent. */
const sizesOf = (one: Observation, run: RunState): readonly number[] => {
  const { check } = one;
  const { probeOf, session } = run.tools;
  const isSecret = isHandshake(one);
  const own = isSecret ? clientHelloBytes(check.host) : lengthOf(messagesOf(probeOf(check.probe), check, session));
  const most = Math.min(MAX_TAG_BYTES, own);
  const others = check.isOfRange ? [] : BETWEEN.filter((bytes) => check.transport === 'tls' || bytes < most);
  // Of what is hardly longer than the short question no limit of size can be shown.
  return [...new Set([most, ...others])].filter((bytes) => bytes > ANSWER_TAG_BYTES);
};

/** Inside TLS nothing shows more than beside it, and where its handshake is what fails there is no inside. */
const plainly = (check: Check): Check => ({
  ...check,
  probe: 'udp-echo',
  transport: check.transport === 'tls' ? 'tcp' : check.transport,
});

/** Nothing of it came through, beyond what is lost. */
const vanishes = (one: Observation, { tools }: RunState, doubt: number): boolean =>
  isSilent(one) && doubtOfSilence(witnessedPackets(one, tools), tools.path.upperBound()) <= doubt;

/** A check whose silence is about its size, and the least longer message that passes; null where none does. */
interface TooLong {
  readonly key: Key;
  readonly passesAgainAtBytes: number | null;
}

/** What short ones show that pass, before and after longer ones that do not: what limits how often is asked, limits both. */
const onlyShortPasses = async (one: Observation, run: RunState): Promise<readonly TooLong[]> => {
  const { tools } = run;
  const { key } = one.check;
  const plain = plainly(one.check);
  const echo = tools.probeOf('udp-echo');
  const shortPasses = async (): Promise<boolean> => passed(await askCheck(plain, echo, DISCRIMINATOR, tools));
  const doubt = run.doubtOf(one.check);
  const askSized = (bytes: number): Promise<Observation> =>
    askCheck(plain, sizedEcho(bytes, echo), { samples: 1, doubt }, tools);
  if (!(await shortPasses())) return [];
  // In turn, so that nothing is asked faster than a phone asks.
  for (const bytes of sizesOf(one, run)) {
    if (run.signal.aborted) return [];
    if (!vanishes(await askSized(bytes), run, doubt)) continue;
    const longer = LONGER.filter((other) => other > bytes);
    const heard = await Promise.all(longer.map(async (other) => passed(await askSized(other))));
    const passesAgainAtBytes = longer.find((_, index) => heard[index]) ?? null;
    // Where longer ones pass the port may have been away for a moment.
    if (passesAgainAtBytes !== null && !vanishes(await askSized(bytes), run, doubt)) return [];
    return (await shortPasses()) ? [{ key, passesAgainAtBytes }] : [];
  }
  return [];
};

const isOpenToOthers = ({ check, attempts }: Observation, { facts }: FarEnd): boolean =>
  check.transport === 'udp'
    ? facts.otherBytesPorts.includes(check.port)
    : attempts.some((attempt) => attempt.outcome === 'silence' && attempt.opened !== null);

/** Ports of a sweep of one kind, all of them together: their questions are equally long. */
const ofSweep = async (silent: readonly Observation[], run: RunState): Promise<readonly TooLong[]> => {
  const [first] = silent;
  const bytes = first && sizesOf(first, run)[0];
  if (bytes === undefined) return [];
  const { sweeps, tools } = run;
  const echo = tools.probeOf('udp-echo');
  const checks = silent.map(({ check }) => plainly(check));
  const long = await sweeps.by(sizedEcho(bytes, echo), checks);
  const vanished = long.filter((one) => vanishes(one, run, run.doubtOf(one.check)));
  if (vanished.length === 0) return [];
  const short = await sweeps.echo(vanished.map(({ check }) => check));
  return short.filter(passed).map(({ check }) => ({ key: check.key, passesAgainAtBytes: null }));
};

const sizesAt = async (run: RunState, farEnd: FarEnd): Promise<void> => {
  const silent = run.observations
    .at(farEnd.address)
    .filter((one) => isSilent(one) && one.check.probe !== 'udp-echo' && isOpenToOthers(one, farEnd));
  const isSwept = ({ check }: Observation): boolean => run.sweeps.sweeps(check);
  const swept = silent.filter(isSwept);
  const kinds = [...new Set(swept.map(({ check }) => check.probe))];
  const found = await Promise.all([
    ...silent.filter((one) => !isSwept(one) && sizesOf(one, run).length > 0).map((one) => onlyShortPasses(one, run)),
    ...kinds.map((kind) =>
      ofSweep(
        swept.filter(({ check }) => check.probe === kind),
        run,
      ),
    ),
  ]);
  const tooLong = found.flat();
  run.farEnds.learn(farEnd.address, {
    onlyShortPasses: tooLong.map(({ key }) => key),
    passesAgain: tooLong.flatMap(({ key, passesAgainAtBytes: bytes }) => (bytes === null ? [] : { key, bytes })),
  });
};

export const trySameSize = async (run: RunState): Promise<void> => {
  await Promise.all(run.proven().map((farEnd) => sizesAt(run, farEnd)));
};
