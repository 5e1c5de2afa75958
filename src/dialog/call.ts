/** One call that stands: requests within its dialog from this side, and those of the other side. */
import { type BodyToSend, buildRequest, type HeaderToSend } from '../wire/sip-build.js';
import { afterResponse, type Dialog, dialogOfResponse, nextRequest } from '../wire/sip-dialog.js';
import type { SipRequest, SipResponse } from '../wire/sip-message.js';
import type { Asking, Exchange, Line, Respond } from './line.js';
import type { Server } from './transactions.js';

/** A request of the other side's within the call. */
export interface Request {
  readonly request: SipRequest;
  readonly respond: Respond;
  /** Of a re-INVITE: whether its ACK came. */
  readonly acknowledged: Promise<boolean>;
}

export interface Call {
  dialog(): Dialog;
  moved(next: (dialog: Dialog) => Dialog): void;
  /** Whether the ACK of the INVITE that began it came; of who called: true. */
  readonly acknowledged: Promise<boolean>;
  /** How often the 200 went out that it answers; 0 of who called. */
  answers(): number;
  /** Any request within the call. A BYE ends it. */
  ask(method: string, asking?: Asking): Promise<Exchange>;
  /** A re-INVITE, with its ACK (RFC 3261 §14.1). */
  reinvite(body: BodyToSend, asking?: Asking): Promise<Exchange>;
  /** Sends the ACK of the INVITE with this number; each 2xx gets one. */
  acknowledge(sequence: number): void;
  /** ACKs that went out. */
  acks(): number;
  /** Takes in a request of the other side's. */
  hear(request: SipRequest, server: Server, respond: Respond): void;
  /** Who answers the other side's requests; until then they wait for no one and are refused. */
  onAsked(answer: (asked: Request) => void): void;
  isOver(): boolean;
}

const cameOf = (server: Server | null): Promise<boolean> =>
  new Promise((resolve) => (server ? server.onAcknowledged(resolve) : resolve(true)));

const fieldsOf = (self: Line['self'], branch: string) => ({
  via: { transport: self.transport, host: self.host, port: self.port, branch },
});

/** @param server the INVITE that it answers; null where this side called */
export const createCall = (line: Line, first: Dialog, server: Server | null): Call => {
  const { self, newBranch, send, exchange, forget } = line;
  let dialog = first;
  let isOver = false;
  let acks = 0;
  let answer: (asked: Request) => void = ({ respond }) => respond(501, 'Not Implemented');
  const acknowledged = cameOf(server);

  const build = (method: string, { headers = [], body }: Asking, ofInvite: number | null = null): Uint8Array => {
    const next = nextRequest(dialog, method, ofInvite);
    dialog = next.dialog;
    const { routes, ...fields } = next.fields;
    const withContact = method === 'INVITE' || method === 'UPDATE' || method === 'REFER' || method === 'NOTIFY';
    const extraHeaders: readonly HeaderToSend[] = [...routes, ...headers];
    return buildRequest({
      ...fields,
      ...fieldsOf(self, newBranch()),
      ...(withContact && { contact: self.contact }),
      extraHeaders,
      ...(body && { body }),
    });
  };
  const end = (call: Call): void => {
    isOver = true;
    forget(call);
  };
  const call: Call = {
    dialog: () => dialog,
    moved: (next) => {
      dialog = next(dialog);
    },
    acknowledged,
    answers: () => server?.answers ?? 0,
    acks: () => acks,
    acknowledge: (sequence) => {
      acks += 1;
      send(build('ACK', {}, sequence));
    },
    ask: async (method, asking = {}) => {
      const done = await exchange(build(method, asking), asking);
      if (done.response && done.response.status < 300 && method === 'UPDATE')
        dialog = afterResponse(dialog, done.response);
      if (method === 'BYE') end(call);
      return done;
    },
    reinvite: (body, asking = {}) => {
      const bytes = build('INVITE', { ...asking, body });
      const sequence = dialog.localSequence;
      return exchange(bytes, asking, (response) => {
        if (response.status < 200 || response.status >= 300) return;
        dialog = afterResponse(dialog, response);
        call.acknowledge(sequence);
      });
    },
    hear: (request, ofRequest, respond) => {
      if (request.method === 'BYE') {
        respond(200, 'OK');
        end(call);
      }
      answer({
        request,
        respond: request.method === 'BYE' ? () => undefined : respond,
        acknowledged: request.method === 'INVITE' ? cameOf(ofRequest) : Promise.resolve(true),
      });
    },
    onAsked: (next) => {
      answer = next;
    },
    isOver: () => isOver,
  };
  return call;
};

/** The caller's side, from the answer to its INVITE; null where the answer names no way back. */
export const callOfResponse = (line: Line, request: SipRequest, response: SipResponse): Call | null => {
  const dialog = dialogOfResponse(request, response);
  return dialog && createCall(line, dialog, null);
};
