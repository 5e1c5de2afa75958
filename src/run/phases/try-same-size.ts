/**
 * Adds the checks whose silence is about their size: short messages of other bytes pass on their port, and such of the same
 * length do not. After the phase that asks other bytes; what passes there in any length is inspection.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Key } from '../../model/check.js';
import type { Observation } from '../../model/observation.js';
import { doubtOfSilence } from '../../verdict/silence.js';
import { echoBody } from '../../wire/echo.js';
import { NOTHING } from '../../wire/octets.js';
import { expectProof, makeTag } from '../../wire/proof.js';
import { MAX_TAG_BYTES, REQUEST_TAG_BYTES } from '../../wire/tag.js';
import { askCheck } from '../ask/ask.js';
import { lengthOf, messagesOf } from '../ask/length.js';
import type { FarEnd } from '../far-ends.js';
import { isSilent, passed, witnessedPackets } from '../observations.js';
import type { RunState } from '../state.js';
import { DISCRIMINATOR } from './try-other-bytes.js';

/** Of what is hardly longer than the short question no limit of size can be shown. */
const MIN_BYTES = 300;
/** The flight in which a TLS server shows its certificate has so many at least (RFC 8446 §2). */
const HANDSHAKE_BYTES = 1100;

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

const bytesOf = (one: Observation, run: RunState): number => {
  const { probeOf, session } = run.tools;
  const own = lengthOf(messagesOf(probeOf(one.check.probe), one.check, session));
  return Math.min(MAX_TAG_BYTES, isHandshake(one) ? Math.max(own, HANDSHAKE_BYTES) : own);
};

/** Whether short ones pass there and long ones do not, beyond what is lost. */
const onlyShortPasses = async (one: Observation, { facts }: FarEnd, run: RunState): Promise<boolean> => {
  const { tools } = run;
  const { transport, port } = one.check;
  // Inside TLS nothing shows more than beside it, and where its handshake is what fails there is no inside.
  const plain = { ...one.check, probe: 'udp-echo', transport: transport === 'tls' ? 'tcp' : transport } as const;
  const echo = tools.probeOf('udp-echo');
  const isShortKnown = transport === 'udp' && facts.otherBytesPorts.includes(port);
  const shortPasses = isShortKnown || passed(await askCheck(plain, echo, DISCRIMINATOR, tools));
  if (!shortPasses) return false;
  const doubt = run.doubtOf(one.check);
  const long = await askCheck(plain, sizedEcho(bytesOf(one, run), echo), { samples: 1, doubt }, tools);
  return isSilent(long) && doubtOfSilence(witnessedPackets(long, tools), tools.path.upperBound()) <= doubt;
};

const sizesAt = async (run: RunState, farEnd: FarEnd): Promise<void> => {
  const { facts, address } = farEnd;
  const silent = run.observations.at(address).filter((one) => {
    if (!isSilent(one) || one.check.isOfRange || one.check.probe === 'udp-echo') return false;
    const isOpen =
      one.check.transport === 'udp'
        ? facts.otherBytesPorts.includes(one.check.port)
        : one.attempts.some((attempt) => attempt.outcome === 'silence' && attempt.opened !== null);
    return isOpen && bytesOf(one, run) >= MIN_BYTES;
  });
  const keys = await Promise.all(
    silent.map(
      async (one): Promise<readonly Key[]> => ((await onlyShortPasses(one, farEnd, run)) ? [one.check.key] : []),
    ),
  );
  run.farEnds.learn(address, { onlyShortPasses: keys.flat() });
};

export const trySameSize = async (run: RunState): Promise<void> => {
  await Promise.all(run.proven().map((farEnd) => sizesAt(run, farEnd)));
};
