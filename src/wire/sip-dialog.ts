/**
 * Dialogs (RFC 3261 §12): what both ends remember of a call, and what follows from it for each further request. Plain data
 * and pure functions; who sends what when is decided above.
 */
import type { HeaderToSend, RequestToSend } from './sip-build.js';
import { header, headers, type SipRequest, type SipResponse } from './sip-message.js';
import { cutOutside, readAddress, readAddresses } from './sip-parameters.js';

export interface Dialog {
  readonly callId: string;
  readonly localTag: string;
  readonly remoteTag: string;
  readonly localUri: string;
  readonly remoteUri: string;
  /** Where requests go: the other end's Contact. */
  readonly remoteTarget: string;
  /** Proxies that want to stay on the way, the nearest first; each with its brackets and parameters. */
  readonly routeSet: readonly string[];
  /** The CSeq number of our latest request but ACK and CANCEL; the next one is higher by one. */
  readonly localSequence: number;
  /** The highest of the other end's; null before its first. */
  readonly remoteSequence: number | null;
}

const contactOf = (message: SipRequest | SipResponse): string | null =>
  readAddresses(headers(message, 'contact'))?.[0]?.uri ?? null;

const uriOf = (message: SipRequest | SipResponse, name: 'from' | 'to'): string | null => {
  const value = header(message, name);
  return value === null ? null : (readAddress(value)?.uri ?? null);
};

/** Record-Routes letter for letter, one each; null if they cannot be read. */
const recorded = (message: SipRequest | SipResponse): readonly string[] | null => {
  const values = headers(message, 'record-route');
  if (readAddresses(values) === null) return null;
  return values.flatMap((value) => (cutOutside(value, ',') ?? []).map((part) => part.trim()));
};

/** The caller's side (§12.1.2); null where the answer lacks a tag or a Contact. */
export const dialogOfResponse = (request: SipRequest, response: SipResponse): Dialog | null => {
  const { callId, fromTag, cseq } = request.essentials;
  const { toTag } = response.essentials;
  const [localUri, remoteUri] = [uriOf(request, 'from'), uriOf(request, 'to')];
  const target = contactOf(response);
  const routes = recorded(response);
  if (fromTag === null || toTag === null || !localUri || !remoteUri || target === null || routes === null) return null;
  return {
    ...{ callId, localUri, remoteUri, localTag: fromTag, remoteTag: toTag, remoteTarget: target },
    // The caller meets the last proxy that wrote itself first (§12.1.2).
    routeSet: routes.toReversed(),
    localSequence: cseq.sequence,
    remoteSequence: null,
  };
};

/** The called side (§12.1.1); null where the request lacks a Contact. */
export const dialogOfRequest = (request: SipRequest, localTag: string): Dialog | null => {
  const { callId, fromTag, cseq } = request.essentials;
  const [localUri, remoteUri] = [uriOf(request, 'to'), uriOf(request, 'from')];
  const target = contactOf(request);
  const routes = recorded(request);
  if (!localUri || !remoteUri || target === null || routes === null) return null;
  return {
    // Callers of RFC 2543 have no tag, which is an empty one here (§12.1.1).
    ...{ callId, localUri, remoteUri, localTag, remoteTag: fromTag ?? '', remoteTarget: target },
    routeSet: routes,
    localSequence: 0,
    remoteSequence: cseq.sequence,
  };
};

/** Whether a request of the other end's belongs to this dialog (§12.2.2). */
export const isWithin = (dialog: Dialog, { essentials }: SipRequest): boolean =>
  essentials.callId === dialog.callId &&
  essentials.toTag === dialog.localTag &&
  (essentials.fromTag ?? '') === dialog.remoteTag;

/** Whether it comes in order (§12.2.2): a lower number than what came already is late, and refused. */
export const isInOrder = ({ remoteSequence }: Dialog, { essentials }: SipRequest): boolean =>
  remoteSequence === null || essentials.cseq.sequence > remoteSequence;

/** The dialog after a request of the other end's: its number, and its new target if it may name one (§12.2.2). */
export const afterRequest = (dialog: Dialog, request: SipRequest): Dialog => {
  const { method, sequence } = request.essentials.cseq;
  const target = method === 'INVITE' || method === 'UPDATE' ? contactOf(request) : null;
  return {
    ...dialog,
    remoteSequence: Math.max(sequence, dialog.remoteSequence ?? sequence),
    remoteTarget: target ?? dialog.remoteTarget,
  };
};

/** The dialog after a 2xx to our re-INVITE or UPDATE, which may name a new target (§12.2.1.2). */
export const afterResponse = (dialog: Dialog, response: SipResponse): Dialog => ({
  ...dialog,
  remoteTarget: contactOf(response) ?? dialog.remoteTarget,
});

type DialogFields = Pick<RequestToSend, 'method' | 'requestUri' | 'from' | 'to' | 'callId' | 'cseq'> & {
  readonly routes: readonly HeaderToSend[];
};

/** A loose router says so in its URI (§12.2.1.1); others are of RFC 2543, and want to be the Request-URI themselves. */
const isLoose = (route: string): boolean => /;lr(?:[;=?>]|$)/i.test(route);

/** What a request within the dialog carries, and the dialog that remembers it. ACK and CANCEL keep the number of their INVITE. */
export const nextRequest = (
  dialog: Dialog,
  method: string,
  ofInvite: number | null = null,
): { readonly fields: DialogFields; readonly dialog: Dialog } => {
  const sequence = ofInvite ?? dialog.localSequence + 1;
  const [first] = dialog.routeSet;
  const isStrict = first !== undefined && !isLoose(first);
  const requestUri = isStrict ? (readAddress(first)?.uri ?? dialog.remoteTarget) : dialog.remoteTarget;
  const routes = isStrict ? [...dialog.routeSet.slice(1), `<${dialog.remoteTarget}>`] : dialog.routeSet;
  return {
    fields: {
      ...{ method, requestUri, callId: dialog.callId, cseq: sequence },
      from: { uri: dialog.localUri, tag: dialog.localTag },
      to: { uri: dialog.remoteUri, ...(dialog.remoteTag !== '' && { tag: dialog.remoteTag }) },
      routes: routes.length === 0 ? [] : [{ name: 'Route', value: routes.join(', ') }],
    },
    dialog: ofInvite === null ? { ...dialog, localSequence: sequence } : dialog,
  };
};
