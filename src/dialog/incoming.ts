/** What comes to a phone: somebody calls, asks within a call, takes a call back, or asks something outside of calls. */
import { type BodyToSend, buildResponse, type HeaderToSend } from '../wire/sip-build.js';
import { afterRequest, type Dialog, dialogOfRequest, isInOrder, isWithin } from '../wire/sip-dialog.js';
import { headers, type SipRequest, toTag } from '../wire/sip-message.js';
import { isKeepable } from './bounds.js';
import { type Call, createCall } from './call.js';
import { ALLOW, type Line, type Respond, TAG_BYTES } from './line.js';
import type { Server } from './transactions.js';

/** Somebody calls. */
export interface Called {
  readonly request: SipRequest;
  ring(status: 180 | 183, body?: BodyToSend): void;
  /** Null where the call was cancelled meanwhile, or the caller names no way back. */
  accept(body: BodyToSend, extra?: readonly HeaderToSend[]): Call | null;
  refuse(status: number, reason: string): void;
  /** Called when the caller takes it back. */
  onCancelled(told: () => void): void;
}

interface IncomingRules {
  readonly line: Line;
  readonly calls: ReadonlySet<Call>;
  /** The peer's address, for the Via of answers (RFC 3581 §4). */
  readonly peer: () => { readonly address: string; readonly port: number } | null;
  called(called: Called): void;
  /** Any other request outside of calls; 405 if left out. */
  asked?: ((request: SipRequest, respond: Respond) => void) | undefined;
}

const respondTo =
  (request: SipRequest, server: Server, { line, peer }: IncomingRules, tag = line.hex(TAG_BYTES)): Respond =>
  (status, reason, more = {}) => {
    const from = peer();
    const bytes = buildResponse(request, {
      ...{ status, reason, toTag: toTag(request) === null ? tag : null },
      ...(from && { received: from }),
      extraHeaders: more.headers ?? [],
      ...(more.body && { body: more.body }),
    });
    server.answer(bytes, status);
  };

/** Calls that ring, by their INVITE's branch, which their CANCEL has as well (RFC 3261 §9.1). */
type Ringing = Map<string, { readonly cancel: () => void }>;

/** Calls of a phone, those that ring included: a consultation has two, and some whose BYE was lost on the way are left. */
export const MAX_CALLS = 8;

const ring = (request: SipRequest, server: Server, ringing: Ringing, rules: IncomingRules): void => {
  const { line, calls } = rules;
  const tag = line.hex(TAG_BYTES);
  const respond = respondTo(request, server, rules, tag);
  const dialog = dialogOfRequest(request, tag);
  if (!dialog) return void respond(400, 'Bad Request');
  if (calls.size + ringing.size >= MAX_CALLS) return void respond(486, 'Busy Here');
  let isCancelled = false;
  let told: () => void = () => undefined;
  const key = request.essentials.via.branch ?? '';
  const settle = (): boolean => ringing.delete(key) && !isCancelled;
  ringing.set(key, {
    cancel: () => {
      if (!settle()) return;
      isCancelled = true;
      respond(487, 'Request Terminated');
      told();
    },
  });
  const routes = headers(request, 'record-route');
  const ofDialog: readonly HeaderToSend[] = [
    { name: 'Contact', value: `<${line.self.contact}>` },
    ...(routes.length === 0 ? [] : [{ name: 'Record-Route', value: routes.join(', ') }]),
  ];
  rules.called({
    request,
    ring: (status, body) =>
      respond(status, status === 180 ? 'Ringing' : 'Session Progress', {
        headers: ofDialog,
        ...(body && { body }),
      }),
    accept: (body, extra = []) => {
      if (!settle()) return null;
      const call = createCall(line, dialog, server);
      line.keep(call);
      respond(200, 'OK', { headers: [...ofDialog, { name: 'Allow', value: ALLOW }, ...extra], body });
      return call;
    },
    refuse: (status, reason) => {
      if (settle()) respond(status, reason);
    },
    onCancelled: (tell) => {
      told = tell;
    },
  });
};

/** Takes each new request that is no ACK. */
export const createIncoming = (rules: IncomingRules): ((request: SipRequest, server: Server) => void) => {
  const ringing: Ringing = new Map();
  const within = (request: SipRequest, server: Server): void => {
    const respond = respondTo(request, server, rules);
    const call = [...rules.calls].find((one) => isWithin(one.dialog(), request));
    if (!call) return void respond(481, 'Call/Transaction Does Not Exist');
    if (!isInOrder(call.dialog(), request)) return void respond(500, 'Server Internal Error');
    call.moved((dialog: Dialog) => afterRequest(dialog, request));
    call.hear(request, server, respond);
  };
  const cancel = (request: SipRequest, server: Server): void => {
    const waiting = ringing.get(request.essentials.via.branch ?? '');
    const respond = respondTo(request, server, rules);
    if (!waiting) return void respond(481, 'Call/Transaction Does Not Exist');
    respond(200, 'OK');
    waiting.cancel();
  };
  return (request, server) => {
    if (!isKeepable(request)) return void respondTo(request, server, rules)(513, 'Message Too Large');
    if (request.method === 'CANCEL') return void cancel(request, server);
    if (toTag(request) !== null) return void within(request, server);
    if (request.method === 'INVITE') return void ring(request, server, ringing, rules);
    const respond = respondTo(request, server, rules);
    if (rules.asked) return void rules.asked(request, respond);
    respond(405, 'Method Not Allowed', { headers: [{ name: 'Allow', value: ALLOW }] });
  };
};
