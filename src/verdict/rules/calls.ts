/** What breaks calls that stand: steps of rehearsed calls, each with what people notice, why, and what to change. */
import { CALL_BREAKS, SYMPTOMS } from '../../words/diagnosis/symptoms.js';
import { isSpared } from '../spared-call.js';
import { callBreaks } from './meddling.js';
import type { Ground, Rule, RuleInput } from './rule.js';
import { fix, stageChecks } from './rule.js';

type Call = NonNullable<RuleInput['facts']['calls']>[number];
type Step = Call['steps'][number];
type StepName = Step['step'];

/** The call's line, where one of these steps is blocked in a call that `of` chooses. */
const broken =
  (steps: readonly StepName[], of: (call: Call) => boolean = ({ idle }) => idle === null) =>
  (evidence: RuleInput): readonly Ground[] => {
    const found = (evidence.facts.calls ?? []).flatMap((call) =>
      of(call)
        ? call.steps
            .filter((one) => one.verdict === 'blocked' && steps.includes(one.step))
            .map((one) => ({ call, one }))
        : [],
    );
    const lines = anyCheck(evidence);
    return found.flatMap(({ call, one }): readonly Ground[] =>
      lines
        .filter(
          ({ transport, from, address }) =>
            transport === call.transport && from === call.port && address === call.address,
        )
        .map((line) => ({ ...line, finding: { verdict: 'blocked', reason: one.reason } as Ground['finding'] })),
    );
  };

/** Its line is there whatever the worst of its steps came to. */
const anyCheck = (evidence: RuleInput): readonly Ground[] => {
  const lines = stageChecks(evidence, 'call');
  return lines.filter((one) => !isSpared(one, lines));
};

const without =
  (
    rule: (evidence: RuleInput) => readonly Ground[],
    ...others: readonly ((evidence: RuleInput) => readonly Ground[])[]
  ) =>
  (evidence: RuleInput): readonly Ground[] =>
    others.some((other) => other(evidence).length > 0) ? [] : rule(evidence);

const noAck = broken(['ack']);
const noCall = broken(['register', 'invite']);
/** That a NAT forgets what is silent is what keepalives are for: only where they went out is it anybody's fault. */
const keptAlive = broken(['inbound-after-idle'], ({ idle }) => idle?.keepalives === true);

export const CALL_RULES: readonly Rule[] = [
  {
    // The far end sends its 200 for 32 seconds (RFC 3261 §13.3.1.4), and then hangs up.
    id: 'call-ack-lost',
    when: noAck,
    symptom: { id: 'calls-drop', text: SYMPTOMS['call-ack-lost'] },
    causes: callBreaks(CALL_BREAKS['call-ack-lost']),
    fixes: fix('alg-off'),
  },
  {
    id: 'call-media-lost',
    when: without(broken(['media-outbound', 'media-inbound']), noCall),
    symptom: { id: 'no-audio', text: SYMPTOMS['call-media-lost'] },
    causes: callBreaks(CALL_BREAKS['call-media-lost']),
    fixes: fix('alg-off'),
  },
  {
    // Requests within a call that no longer find their way.
    id: 'call-hold-lost',
    when: without(broken(['hold', 'resume', 'remote-hold']), noCall),
    symptom: { id: 'calls-drop', text: SYMPTOMS['call-hold-lost'] },
    causes: callBreaks(CALL_BREAKS['call-hold-lost']),
    fixes: fix('alg-off'),
  },
  {
    id: 'call-refresh-lost',
    when: without(broken(['refresh']), noCall),
    symptom: { id: 'calls-drop', text: SYMPTOMS['call-refresh-lost'] },
    causes: callBreaks(CALL_BREAKS['call-refresh-lost']),
    fixes: fix('alg-off'),
  },
  {
    id: 'call-transfer-lost',
    when: without(broken(['transfer', 'attended-transfer']), noCall),
    symptom: { id: 'transfers-fail', text: SYMPTOMS['call-transfer-lost'] },
    causes: callBreaks(CALL_BREAKS['call-transfer-lost']),
    fixes: fix('alg-off'),
  },
  {
    id: 'call-bye-lost',
    when: without(broken(['bye', 'remote-bye', 'cancel']), noCall, broken(['long'])),
    symptom: { id: 'calls-drop', text: SYMPTOMS['call-bye-lost'] },
    causes: callBreaks(CALL_BREAKS['call-bye-lost']),
    fixes: fix('alg-off'),
  },
  {
    id: 'call-cut-off',
    when: without(broken(['long']), broken(['media-outbound', 'media-inbound'])),
    symptom: { id: 'calls-drop', text: SYMPTOMS['call-cut-off'] },
    causes: callBreaks(CALL_BREAKS['call-cut-off']),
    fixes: fix('udp-timeout'),
  },
  {
    // Keepalives went out, and the way in was shut all the same.
    id: 'call-inbound-lost',
    when: without(keptAlive, noCall),
    symptom: { id: 'lost-inbound-calls', text: SYMPTOMS['call-inbound-lost'] },
    causes: callBreaks(CALL_BREAKS['call-inbound-lost']),
    fixes: fix('udp-timeout'),
  },
];
