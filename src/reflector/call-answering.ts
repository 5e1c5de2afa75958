/** What the far end of a line answers: a call, and requests within one. */
import type { Call, Request } from '../dialog/call.js';
import type { Called } from '../dialog/incoming.js';
import type { Exchange } from '../dialog/line.js';
import { readRelay } from '../wire/dtmf.js';
import { answeredDirection } from '../wire/sdp.js';
import { header } from '../wire/sip.js';
import type { HeaderToSend } from '../wire/sip-build.js';
import { fragmentOf, readSessionExpires, sessionExpiresText } from '../wire/sip-parameters.js';
import { readReferredReplaces } from '../wire/sip-replaces.js';
import type { LineSound, Spoken } from './call-sound.js';

/** How a call is taken: answered, left ringing, or answered after sound came before it. */
export type Manner = 'answer' | 'ring' | 'early';

interface AnsweringRules {
  readonly sound: LineSound;
  readonly contact: () => string;
  readonly manner: () => Manner;
  readonly later: (ms: number, run: () => void) => void;
  /** Calls what registered on this line, and nobody else, whomever a Refer-To names; null where nobody did. */
  readonly callBack: (headers: readonly HeaderToSend[]) => { readonly over: Promise<Exchange> } | null;
  readonly counted: (what: 'calls' | 'cancelled' | 'refers') => void;
  /** Told of a defect that came to light later. */
  readonly failed: (error: unknown) => void;
}

export interface Answering {
  called(incoming: Called): void;
  /** A call stands: what is asked within it is answered from now on. */
  stand(one: Spoken, call: Call): void;
}

/** Of the keys that a call relays (INFO). */
const MAX_RELAYED = 32;
/** Somebody takes up the receiver. */
const ANSWER_AFTER_MS = 300;
/** Sound before the answer: as long as a short announcement. */
const EARLY_PACKETS = 25;
const EARLY_MS = 800;

/** What a phone that is transferred tells of the call that it makes (RFC 3515 §2.4.4). */
const tell = async (call: Call | null, status: number, reason: string, state: string): Promise<void> => {
  await call?.ask('NOTIFY', {
    headers: [
      { name: 'Event', value: 'refer' },
      { name: 'Subscription-State', value: state },
    ],
    body: { contentType: 'message/sipfrag;version=2.0', content: fragmentOf(status, reason) },
  });
};
const TRYING = [100, 'Trying', 'active;expires=60'] as const;
const OVER = 'terminated;reason=noresource';

/** The session timer of a request, granted as asked (RFC 4028 §9); nothing where it asks for none. */
const refreshed = (value: string | null, refresher: 'uac' | null): readonly HeaderToSend[] => {
  const session = readSessionExpires(value);
  if (!session) return [];
  const granted = { ...session, refresher: refresher ?? session.refresher ?? 'uac' };
  return [
    { name: 'Require', value: 'timer' },
    { name: 'Session-Expires', value: sessionExpiresText(granted) },
  ];
};

const noteAck = (one: Spoken, acknowledged: Promise<boolean>): void =>
  void acknowledged.then((came) => {
    one.acknowledged = came;
  });

export const createAnswering = (rules: AnsweringRules): Answering => {
  const { sound, contact, manner, later, callBack, counted, failed } = rules;
  const describedAnew = (one: Spoken, { request, respond, acknowledged }: Request): void => {
    const agreed = sound.agree(one, request.body);
    if (!agreed) return void respond(488, 'Not Acceptable Here');
    one.version += 1;
    one.acknowledged = null;
    noteAck(one, acknowledged);
    respond(200, 'OK', {
      headers: [{ name: 'Contact', value: `<${contact()}>` }, ...refreshed(header(request, 'session-expires'), null)],
      body: sound.describe(one, answeredDirection(agreed.direction), agreed.formats),
    });
  };
  const within = (one: Spoken, asked: Request): void => {
    const { request, respond } = asked;
    const ours = { name: 'Contact', value: `<${contact()}>` };
    switch (request.method) {
      case 'INVITE':
        return void describedAnew(one, asked);
      case 'UPDATE':
        return void respond(200, 'OK', {
          headers: [ours, ...refreshed(header(request, 'session-expires'), null)],
        });
      case 'INFO':
        one.relayed = `${one.relayed}${readRelay(request.body) ?? ''}`.slice(0, MAX_RELAYED);
        return void respond(200, 'OK');
      case 'REFER':
        counted('refers');
        respond(202, 'Accepted', { headers: [ours] });
        return void later(0, () => {
          transferred(one.call, readReferredReplaces(header(request, 'refer-to'))).catch(failed);
        });
      case 'BYE':
        return;
      default:
        return void respond(405, 'Method Not Allowed', {
          headers: [{ name: 'Allow', value: 'INVITE, ACK, CANCEL, BYE, INFO, UPDATE, REFER' }],
        });
    }
  };
  /** A blind transfer leads back to itself, so that there is nothing to do; an attended one is a call that replaces this one. */
  const transferred = async (call: Call | null, replaces: string | null): Promise<void> => {
    await tell(call, ...TRYING);
    if (replaces === null) return tell(call, 200, 'OK', OVER);
    const over = await callBack([{ name: 'Replaces', value: replaces }])?.over;
    const { status, reason } = over?.response ?? { status: 503, reason: 'Service Unavailable' };
    await tell(call, status, reason, OVER);
  };
  const stand: Answering['stand'] = (one, call) => {
    one.call = call;
    call.onAsked((asked) => within(one, asked));
    noteAck(one, call.acknowledged);
  };
  return {
    stand,
    called: (incoming) => {
      counted('calls');
      const one = sound.fresh(false);
      const agreed = sound.agree(one, incoming.request.body);
      if (!agreed) return void incoming.refuse(488, 'Not Acceptable Here');
      const { formats } = agreed;
      sound.begin(one);
      incoming.onCancelled(() => counted('cancelled'));
      const answer = (): void => {
        const extra = refreshed(header(incoming.request, 'session-expires'), 'uac');
        const call = incoming.accept(sound.describe(one, 'sendrecv', formats), extra);
        if (call) stand(one, call);
      };
      if (manner() === 'early') {
        incoming.ring(183, sound.describe(one, 'sendrecv', formats));
        sound.talk(one, EARLY_PACKETS);
        return void later(EARLY_MS, answer);
      }
      incoming.ring(180);
      if (manner() === 'answer') later(ANSWER_AFTER_MS, answer);
    },
  };
};
