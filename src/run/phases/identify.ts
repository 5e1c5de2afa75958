/**
 * Adds who is at the other end: asks an address for its reflector's info over every way that might pass, at once; the
 * first authentic answer ends the search. Beside the checks, because they take as long. Where it gives its word, the loss
 * of the way there is bounded as well.
 */
import type { Probe } from '../../../probes/contract.js';
import type { Check } from '../../model/check.js';
import { CONTROL_PORT } from '../../model/control-port.js';
import type { FarEndFacts, Identity, ReflectorInfo } from '../../model/far-end.js';
import type { Observation } from '../../model/observation.js';
import { INFO_REQUEST_BYTES, parseInfo, SMALL_INFO_REQUEST_BYTES } from '../../wire/info.js';
import { REFUSED_BECAUSE, REQUEST_TAG_BYTES } from '../../wire/tag.js';
import { askFor } from '../ask/ask.js';
import { wordProbe } from '../ask/word.js';
import { either } from '../either.js';
import type { FarEnd } from '../far-ends.js';
import { passed } from '../observations.js';
import type { RunState } from '../state.js';
import type { Tools } from '../tools.js';
import { boundLoss } from './bound-loss.js';

/** Ways to ask at once: enough to find an open one in a closed firewall, few enough to stay a guest. */
const MAX_WAYS = { udp: 8, stream: 4 } as const;
/** With RETRY_AFTER_MS this keeps asking for four seconds. */
const ATTEMPTS = 5;

type Word =
  | { readonly says: 'info'; readonly info: ReflectorInfo }
  | { readonly says: 'refusal'; readonly because: number };

/** Asks for the reflector's info, padded so that the answer is never larger than the request; in turn with a short one. */
const infoProbe = (): Probe<Word> =>
  wordProbe<Word>({
    request: 'infoRequest',
    body: (turn) =>
      new Uint8Array((turn % 2 === 1 ? INFO_REQUEST_BYTES : SMALL_INFO_REQUEST_BYTES) - REQUEST_TAG_BYTES),
    value: ({ tag }) => {
      const info = parseInfo(tag.body);
      return info.ok ? { says: 'info', info: info.value } : null;
    },
    refusal: (because) => ({ says: 'refusal', because }),
  });

/** The ways to ask: one question for each different transport and port among the checks. */
export const waysOf = (checks: readonly Check[]): readonly Check[] => {
  const [any] = checks;
  const control: readonly Check[] = any
    ? [{ ...any, probe: 'tls-handshake', transport: 'tls', port: CONTROL_PORT, natT: false }]
    : [];
  const ways = new Map([...control, ...checks].map((check) => [`${check.transport}/${check.port}`, check]));
  const all = [...ways.values()];
  return [
    ...all.filter(({ transport }) => transport === 'udp').slice(0, MAX_WAYS.udp),
    ...all.filter(({ transport }) => transport !== 'udp').slice(0, MAX_WAYS.stream),
  ];
};

interface Asked {
  readonly facts: Pick<FarEndFacts, 'identity' | 'tokenRefused' | 'versionRefused' | 'clockRefused'>;
  /** Over every way that was asked something said no. */
  readonly isRefusing: boolean;
}

const isRefused = ({ attempts }: Observation): boolean =>
  attempts.some((one) => one.outcome === 'error' && (one.failure === 'refused' || one.failure === 'reset'));

/** Asks the checks' address over the ways that these checks use. Resolves when one answers, or all have given up. */
export const askWhoIsThere = async (checks: readonly Check[], tools: Tools): Promise<Asked> => {
  const found = new AbortController();
  const signal = either(tools.signal, found.signal);
  const words = await Promise.all(
    waysOf(checks).map(async (way) => {
      const options = { samples: 1, doubt: 0, atMost: ATTEMPTS, signal };
      const { values, observation } = await askFor(way, infoProbe(), options, tools);
      const identities = values.flatMap((word): Identity[] =>
        word.says === 'info' ? [{ info: word.info, control: way }] : [],
      );
      // The other ways need not be asked any more.
      if (identities.length > 0) found.abort(new Error('identified'));
      const wasRefused = isRefused(observation);
      return {
        identities,
        wasRefused,
        refusals: values.flatMap((word) => (word.says === 'refusal' ? word.because : [])),
      };
    }),
  );
  const refusals = words.flatMap((one) => one.refusals);
  const identity = words.flatMap(({ identities }) => identities)[0] ?? null;
  const facts = {
    identity,
    tokenRefused: refusals.includes(REFUSED_BECAUSE.unknownKey),
    versionRefused: refusals.includes(REFUSED_BECAUSE.version),
    // Over TLS it gives its word whatever our clock says, and then it answers everywhere else, too.
    clockRefused: identity === null && refusals.includes(REFUSED_BECAUSE.clock),
  };
  return { facts, isRefusing: words.length > 0 && words.every(({ wasRefused }) => wasRefused) };
};

/** Asks every address that may be a reflector's over the ways of its checks. */
export const identify = async (run: RunState): Promise<void> => {
  const { input, farEnds, tools } = run;
  const asked = input.questions.filter(({ skip }) => skip === null);
  await Promise.all(
    farEnds.all().map(async ({ address }) => {
      const ways = asked.filter((check) => check.address === address);
      const { facts } = await askWhoIsThere(ways, tools);
      farEnds.learn(address, facts);
      if (facts.identity) await boundLoss(run, facts.identity.control);
    }),
  );
};

/** Checks that passed, the one through which the reflector told who it is first, then UDP, which costs one packet. */
const waysThrough = (observations: readonly Observation[], control: Check | null): readonly Check[] => {
  const passing = observations.filter(passed).map(({ check }) => check);
  const rank = ({ transport }: Check): number => (transport === 'udp' ? 0 : 1);
  return [...(control ? [control] : []), ...passing.sort((a, b) => rank(a) - rank(b))];
};

const identifyOnceMore = async (run: RunState, { address, facts }: FarEnd): Promise<void> => {
  const observations = run.observations.at(address);
  const again = facts.identity ? null : await askWhoIsThere(waysThrough(observations, null), run.tools);
  if (again) run.farEnds.learn(address, again.facts);
  const { identity } = again?.facts ?? facts;
  run.farEnds.setWays(address, waysThrough(observations, identity?.control ?? null));
};

/**
 * The same where the checks found a way: a far end's word may have been lost on those first tried. Adds the ways over which
 * it can be asked from here on.
 */
export const identifyAgain = async (run: RunState): Promise<void> => {
  await Promise.all(run.proven().map((farEnd) => identifyOnceMore(run, farEnd)));
};
