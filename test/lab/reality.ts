/** From what a network really does to what an honest probe says of it: pure, and the same for all scenarios. */
import { isReflectorOnly, type ProbeKind } from '../../src/model/kinds.js';
import type { FindingText, NamedScenario, OneOrMore } from './scenario.js';
import { lookUp, type Place } from './where.js';

/** What happens to the packets of a check. */
export const REALITIES = [
  'open',
  'dropped-outbound',
  'dropped-inbound',
  'rejected', // an ICMP error or a RST comes back from the path
  'filtered', // this protocol is dropped on a port where other bytes pass
  'size-filtered', // what is large is dropped
  'lossy', // some are lost, whatever they are
  'policed', // some are lost when there are many
  'slow', // late enough to hurt a call
  'rewritten', // the far end sees it all, and not as it was sent
  'sip-alg', // rewritten by something that reads SIP
  'intercepted', // answered in the target's place
  'flows-die', // some flows of a port lose everything, by their ports alone; from another source port it passes
  'first-lost', // the first packet of each flow is lost or held, no later one
  'away', // the line was away for a while; before and after it the check passes
  'cut-off', // it passes until something begins to drop this host
  'unproven', // somebody answers and nobody proves to know the token
  'closed', // the path is open, nothing listens there, the target's host says so
  'dead', // nothing at all of this target passes, or nobody is there
] as const;
export type Reality = (typeof REALITIES)[number];

/** The classes of the confusion table: what is, against what was said. */
export const TRUTHS = ['open', 'blocked', 'altered', 'degraded', 'unknown'] as const;
export type Truth = (typeof TRUTHS)[number];

const TRUTH_OF: Readonly<Record<Reality, Truth>> = {
  open: 'open',
  'dropped-outbound': 'blocked',
  'dropped-inbound': 'blocked',
  rejected: 'blocked',
  filtered: 'blocked',
  'size-filtered': 'blocked',
  lossy: 'degraded',
  policed: 'degraded',
  slow: 'degraded',
  'flows-die': 'degraded',
  // The port is open in all three: to call it blocked would be wrong.
  'first-lost': 'open',
  away: 'open',
  'cut-off': 'open',
  unproven: 'unknown',
  rewritten: 'altered',
  'sip-alg': 'altered',
  intercepted: 'altered',
  closed: 'unknown',
  dead: 'unknown',
};

const intercepted = ({ probe, transport }: Place): FindingText => {
  if (transport === 'tls') return 'altered/tls-intercepted';
  if (probe === 'http') return 'altered/http-intercepted';
  return probe === 'dns' ? 'altered/dns-intercepted' : 'altered/answered-by-other';
};

/** An application never sees the half-open connection that a dropped SYN-ACK leaves: no receipt tells its direction. */
const directed = ({ probe, transport }: Place, reality: Reality): FindingText => {
  // What the far end begins has one direction.
  if (probe === 'inbound') return 'blocked/not-let-in';
  return transport === 'udp' ? `blocked/${reality}` : 'blocked/dropped';
};

/** A connection's lost segments come again a second later: what is lost below shows as time above. */
const lossy = ({ transport }: Place): readonly FindingText[] =>
  transport === 'udp' ? ['pass/answered', 'degraded/loss'] : ['pass/answered', 'degraded/loss', 'degraded/latency'];

/** To have no finding is honest, whatever the reason. */
const UNKNOWN = 'unknown/*';

type Derived = OneOrMore<FindingText> | ((place: Place, reality: Reality) => OneOrMore<FindingText>);

/** With a reflector that proves its answers, and tells what it saw. */
const PROVABLE: Readonly<Record<Reality, Derived>> = {
  open: 'pass/answered',
  'dropped-outbound': directed,
  'dropped-inbound': directed,
  rejected: 'blocked/rejected',
  filtered: 'blocked/payload-filtered',
  'size-filtered': 'blocked/size-filtered',
  lossy,
  policed: ['pass/answered', 'degraded/loss', 'degraded/rate-limited'],
  // Whether something is rewritten, or too large, is no matter of time.
  slow: ({ probe }) => (probe === 'sip-alg' || probe === 'size-sweep' ? 'pass/answered' : 'degraded/latency'),
  // A check asks from a few source ports only, and all of them may have lived.
  'flows-die': ['degraded/flow-loss', 'pass/answered', UNKNOWN],
  'first-lost': ['pass/answered', UNKNOWN],
  away: ['pass/answered', UNKNOWN],
  'cut-off': ['pass/answered', 'degraded/rate-limited', UNKNOWN],
  unproven: 'unknown/unproven',
  rewritten: ['altered/payload-rewritten', 'altered/answered-by-other', UNKNOWN],
  'sip-alg': 'altered/sip-alg',
  intercepted,
  closed: 'unknown/closed',
  dead: 'unknown/target-unreachable',
};

/** With a third party: its silence and its refusals are its own business. */
const THIRD_PARTY: typeof PROVABLE = {
  ...PROVABLE,
  'dropped-outbound': 'unknown/no-answer',
  'dropped-inbound': 'unknown/no-answer',
  rejected: 'unknown/closed',
  filtered: 'unknown/no-answer',
  'size-filtered': 'unknown/no-answer',
  'sip-alg': 'pass/answered',
  intercepted: 'pass/answered',
  // Its server may be slow, and the way short.
  slow: () => ['pass/answered', 'degraded/latency'],
};

const needsReflector = (probe: string): boolean => isReflectorOnly(probe as ProbeKind);

export const realityOf = (scenario: NamedScenario, place: Place): Reality => lookUp(scenario.really, place) ?? 'open';

/** What is, for the confusion table. */
export const truthOf = (scenario: NamedScenario, place: Place): Truth => {
  if (scenario.token === false && needsReflector(place.probe)) return 'unknown';
  return TRUTH_OF[realityOf(scenario, place)];
};

const list = <T>(value: OneOrMore<T>): readonly T[] => (Array.isArray(value) ? value : [value as T]);

/** Whether a finding is among those that are right, of which one may be `verdict/*`. */
export const isAmong = (expected: readonly FindingText[], got: FindingText): boolean =>
  expected.some((one) => one === got || (one.endsWith('/*') && got.startsWith(one.slice(0, -1))));

/**
 * A stream of audio of which this machine, busy with other scenarios, sent too much too late says so; and what loses packets may be away
 * for a second.
 */
const ofStreams = ({ probe }: Place, reality: Reality): readonly FindingText[] => {
  if (probe !== 'media-stream') return [];
  return reality === 'open' ? ['unknown/local-error'] : ['unknown/local-error', 'unknown/outage'];
};

/** The findings that are right for this place, as `verdict/reason`. */
export const expectedOf = (scenario: NamedScenario, place: Place): readonly FindingText[] => [
  ...rightOf(scenario, place),
  ...ofStreams(place, realityOf(scenario, place)),
];

const rightOf = (scenario: NamedScenario, place: Place): readonly FindingText[] => {
  const written = lookUp(scenario.expect, place);
  if (written !== undefined) return list(written);
  if (scenario.token === false && needsReflector(place.probe)) return ['unknown/not-run'];
  const reality = realityOf(scenario, place);
  const derived = (scenario.token === false ? THIRD_PARTY : PROVABLE)[reality];
  return list(typeof derived === 'function' ? derived(place, reality) : derived);
};

interface LaterFinding {
  readonly issue: string;
  readonly findings: readonly FindingText[];
}

/** What would be more exact than `expectedOf` and needs what today's product does not have. */
export const laterOf = (scenario: NamedScenario, place: Place): readonly LaterFinding[] => {
  const written = (scenario.expectLater ?? []).flatMap(({ issue, expect }): LaterFinding[] => {
    const findings = lookUp(expect, place);
    return findings === undefined ? [] : [{ issue, findings: list(findings) }];
  });
  return written;
};
