/** What breaks calls that stand: steps of rehearsed calls, each with what people notice, why, and what to change. */
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
const anyCheck = (evidence: RuleInput): readonly Ground[] => stageChecks(evidence, 'call');

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
    symptom: {
      id: 'calls-drop',
      text: 'Calls end after 32 seconds: the far end never hears that its answer arrived (ACK).',
    },
    causes: callBreaks('drops the ACK that confirms a call'),
    fixes: fix('alg-off'),
  },
  {
    id: 'call-media-lost',
    when: without(broken(['media-outbound', 'media-inbound']), noCall),
    symptom: {
      id: 'no-audio',
      text: 'Calls stand and sound is missing: on the ports that both ends agreed on it does not pass.',
    },
    causes: callBreaks("does not let a call's sound pass on the ports that were agreed on"),
    fixes: fix('alg-off'),
  },
  {
    // Requests within a call that no longer find their way.
    id: 'call-hold-lost',
    when: without(broken(['hold', 'resume', 'remote-hold']), noCall),
    symptom: { id: 'calls-drop', text: 'Calls break when they are held or resumed: the re-INVITE does not pass.' },
    causes: callBreaks('drops the re-INVITE of a call that stands'),
    fixes: fix('alg-off'),
  },
  {
    id: 'call-refresh-lost',
    when: without(broken(['refresh']), noCall),
    symptom: {
      id: 'calls-drop',
      text: 'Long calls end, after 15 minutes for instance: what refreshes their session does not pass.',
    },
    causes: callBreaks("drops what refreshes a call's session (UPDATE)"),
    fixes: fix('alg-off'),
  },
  {
    id: 'call-transfer-lost',
    when: without(broken(['transfer']), noCall),
    symptom: { id: 'transfers-fail', text: 'Transfers fail: REFER or NOTIFY does not pass within a call.' },
    causes: callBreaks('drops REFER or NOTIFY within a call'),
    fixes: fix('alg-off'),
  },
  {
    id: 'call-bye-lost',
    when: without(broken(['bye', 'remote-bye', 'cancel']), noCall, broken(['long'])),
    symptom: {
      id: 'calls-drop',
      text: 'Calls do not end when one side hangs up: the other side goes on ringing, or hears silence.',
    },
    causes: callBreaks('drops the request that ends a call'),
    fixes: fix('alg-off'),
  },
  {
    id: 'call-cut-off',
    when: without(broken(['long']), broken(['media-outbound', 'media-inbound'])),
    symptom: { id: 'calls-drop', text: 'Calls fall silent within 35 seconds, although their sound passed at first.' },
    causes: callBreaks("cuts a call's sound off while it goes on"),
    fixes: fix('udp-timeout'),
  },
  {
    // Keepalives went out, and the way in was shut all the same.
    id: 'call-inbound-lost',
    when: without(keptAlive, noCall),
    symptom: {
      id: 'lost-inbound-calls',
      text: 'Incoming calls are lost although phones send keepalives: what the far end sends first does not come in.',
    },
    causes: callBreaks('does not let the far end begin a call over the way that a registration opened'),
    fixes: fix('udp-timeout'),
  },
];
