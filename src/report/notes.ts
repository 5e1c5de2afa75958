/** What a report has to say besides its verdicts. */
import type { RunOutput } from '../run/run-data.js';
import type { FarEndState } from '../verdict/circumstances.js';
import type { Named } from './build.js';

/** One address that says nothing while another of the same target answers: whoever uses that one gets nowhere. */
export const deadAddresses = (target: Named, farEnd: ReadonlyMap<string, FarEndState>): readonly string[] => {
  const asked = target.addresses.filter((address) => farEnd.has(address));
  const alive = asked.some((address) => farEnd.get(address)?.alive);
  return asked
    .filter((address) => alive && !farEnd.get(address)?.alive)
    .map(
      (address) =>
        `Not one answer came from ${address}, although the target answers at another address: phones that choose this one get nowhere.`,
    );
};

/** Above this the probing thread itself was held up, and round trips include its own waiting. */
const SUSPECT_DELAY_MS = 20;

const CUT_SHORT: Readonly<Record<NonNullable<RunOutput['cutShort']>, string>> = {
  deadline:
    'The time for the run was over before all was asked: what is not told here is not known. Give it a longer --timeout.',
  signal: 'The run was stopped before all was asked: what is not told here is not known.',
};

/** What the run itself has to tell: that it was cut short, a busy host, a refused token. */
export const notesOf = (
  { cutShort, eventLoopDelayMs, identities }: RunOutput,
  durationMs: number,
): readonly string[] => [
  ...(cutShort === null ? [] : [CUT_SHORT[cutShort]]),
  ...(eventLoopDelayMs > SUSPECT_DELAY_MS && durationMs > 0
    ? [
        `This host was busy: the probing thread was delayed by up to ${eventLoopDelayMs} ms, round-trip times may be too long by as much.`,
      ]
    : []),
  ...identities
    .filter(([, { isGone }]) => isGone)
    .map(
      ([address]) =>
        `The reflector at ${address} stopped answering during the run: what it left unanswered says nothing about the path. Ask again once it runs.`,
    ),
  ...(identities.some(([, { tokenRefused }]) => tokenRefused)
    ? ['The target is a reflector that does not know this token: compare the token files of both ends.']
    : []),
  ...(identities.some(([, { versionRefused }]) => versionRefused)
    ? ['The target is a reflector that speaks another version of the protocol: install the same release on both ends.']
    : []),
];
