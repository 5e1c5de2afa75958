/** One call with the user's own account, over the safest way of SIP that the target answers; none where no account was given. */
import type { Observation } from '../../model/observation.js';
import type { CallFacts } from '../../model/study-facts.js';
import type { RunState } from '../state.js';
import { callWith } from '../studies/call-account.js';

/** Over TLS nobody on the way reads the digest, from which a weak password can be guessed. */
const SAFEST_FIRST = ['tls', 'tcp', 'udp'] as const;

/** Of a reflector no account is known, and its answers prove themselves. */
const isAnsweredByServer = ({ attempts }: Observation): boolean =>
  attempts.some((attempt) => attempt.outcome === 'answer' && attempt.authentic !== true);

export const callWithAccount = async (run: RunState): Promise<readonly CallFacts[]> => {
  const { account } = run.input;
  if (!account || run.signal.aborted) return [];
  const asked = run.observations.inOrder().filter(({ check }) => check.probe === 'sip-options');
  const answered = asked.filter(isAnsweredByServer);
  const [way] = SAFEST_FIRST.flatMap((transport) => answered.find(({ check }) => check.transport === transport) ?? []);
  if (way) return [await callWith(account, way.check, run.tools)];
  const [first] = asked;
  if (!first) return [];
  const { address, family, transport, port } = first.check;
  const place = { address: address ?? '', family: family ?? 4, transport, port };
  const none = { direction: 'outbound', idle: null, steps: [], changed: [], passesStill: null } as const;
  return [{ ...place, ...none, notTried: 'no-sip', isThirdParty: true }];
};
