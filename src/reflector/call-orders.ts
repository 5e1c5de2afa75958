/** What the far end of a line does because its agent tells it to: calls, speaks, holds, refreshes, hangs up. */
import type { Call } from '../dialog/call.js';
import type { Exchange } from '../dialog/line.js';
import type { Phone } from '../dialog/phone.js';
import type { CallOrder } from '../wire/call.js';
import type { HeaderToSend } from '../wire/sip-build.js';
import { sessionExpiresText } from '../wire/sip-parameters.js';
import type { Answering } from './call-answering.js';
import type { LineSound, Spoken } from './call-sound.js';

/** What an order came to. */
interface Done {
  readonly number: number;
  readonly order: CallOrder;
  readonly sent: number;
  readonly status: number | null;
}

interface OrderRules {
  readonly phone: () => Phone;
  readonly sound: LineSound;
  readonly answering: Answering;
  /** Whom it calls; null where nobody registered. */
  readonly contact: () => string | null;
  /** Told of a defect that came to light later. */
  readonly failed: (error: unknown) => void;
}

interface Orders {
  readonly done: readonly Done[];
  /** As many calls stand, or are being asked for, as a line may have. */
  isBusy(): boolean;
  /** Calls what registered; null where nobody did, and while the line is busy. */
  call(headers?: readonly HeaderToSend[]): { readonly over: Promise<Exchange> } | null;
  perform(order: Exclude<CallOrder, 'manner'>, number: number, argument: number): void;
}

/** An order's exchange is remembered; of more the oldest goes first. */
const MAX_DONE = 32;
/** RFC 4028 §4.2 recommends it. */
const SESSION_S = 1800;

/** Asked for at the same time, from INVITE to answer. */
const MAX_ASKED = 8;

const isAccepted = ({ response }: Exchange): boolean => response !== null && response.status < 300;

export const createOrders = ({ phone, sound, answering, contact, failed }: OrderRules): Orders => {
  const done: Done[] = [];
  let asking = 0;
  const isBusy = (): boolean => asking >= MAX_ASKED || phone().isBusy();
  const finish = (number: number, order: CallOrder, { sentAtMs, response }: Exchange): void => {
    done.push({ number, order, sent: sentAtMs.length, status: response?.status ?? null });
    if (done.length > MAX_DONE) done.shift();
  };
  const call: Orders['call'] = (headers = []) => {
    const uri = contact();
    if (uri === null || isBusy()) return null;
    const one = sound.fresh(true);
    const before = sound.current();
    sound.begin(one);
    const asked = phone().invite(uri, { headers, body: sound.describe(one, 'sendrecv') });
    asking += 1;
    asked.over
      .finally(() => {
        asking -= 1;
      })
      .then((exchange) => {
        if (exchange.response && isAccepted(exchange)) sound.agree(one, exchange.response.body);
      })
      .catch(failed);
    asked.call
      .then((stands) => {
        if (stands) answering.stand(one, stands);
        // A call that is refused does not take over the line.
        else if (before && sound.current() === one) sound.begin(before);
      })
      .catch(failed);
    return asked;
  };
  const describeAnew = async (one: Spoken, standing: Call, order: 'hold' | 'resume'): Promise<Exchange> => {
    one.version += 1;
    const exchange = await standing.reinvite(sound.describe(one, order === 'hold' ? 'sendonly' : 'sendrecv'));
    if (exchange.response && isAccepted(exchange)) sound.agree(one, exchange.response.body);
    return exchange;
  };
  const refresh = (standing: Call): Promise<Exchange> =>
    standing.ask('UPDATE', {
      headers: [
        { name: 'Session-Expires', value: sessionExpiresText({ seconds: SESSION_S, refresher: 'uac' }) },
        { name: 'Supported', value: 'timer' },
      ],
    });
  return {
    done,
    isBusy,
    call,
    perform: (order, number, argument) => {
      if (order === 'call')
        return void call()
          ?.over.then((what) => finish(number, order, what))
          .catch(failed);
      const one = sound.current();
      if (!one) return;
      if (order === 'talk') return void sound.talk(one, argument);
      if (order === 'key') return void sound.press(one, String.fromCharCode(argument));
      const standing = one.call;
      if (!standing || standing.isOver()) return;
      const exchange =
        order === 'bye'
          ? standing.ask('BYE')
          : order === 'refresh'
            ? refresh(standing)
            : describeAnew(one, standing, order);
      exchange.then((what) => finish(number, order, what)).catch(failed);
    },
  };
};
