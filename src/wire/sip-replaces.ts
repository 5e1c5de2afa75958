/** Attended transfer: the header field that names the call to be replaced (RFC 3891), and the Refer-To that carries it (RFC 3515). */
import type { Dialog } from './sip-dialog.js';
import { CALL_ID } from './sip-grammar.js';
import { readAddress, readReplaces, replacesText } from './sip-parameters.js';

/** A value is a Call-ID and two tags; longer ones are nobody's. */
const MAX_VALUE = 512;

/** A call as its other end is to recognise it: "to" is what that end calls its own tag (RFC 3891 §3). */
export const replacingText = ({ callId, localTag, remoteTag }: Dialog): string =>
  replacesText({ callId, toTag: localTag, fromTag: remoteTag });

/** The value of Refer-To: call this, in place of that call. */
export const referToWith = (uri: string, replaces: string): string =>
  `<${uri}?Replaces=${encodeURIComponent(replaces)}>`;

/** The Replaces that a Refer-To carries; null where it carries none that can be read. */
export const readReferredReplaces = (referTo: string | null): string | null => {
  const uri = referTo === null ? null : readAddress(referTo)?.uri;
  const [, text] = /[?&]Replaces=([^&]+)/i.exec(uri ?? '') ?? [];
  if (text === undefined) return null;
  try {
    const value = decodeURIComponent(text);
    // It becomes a header field: one line, and no longer than a line may be.
    return value.length <= MAX_VALUE && CALL_ID.test(value) ? value : null;
  } catch {
    return null;
  }
};

/** Whether the value names this dialog. */
export const isReplaced = (dialog: Dialog, value: string): boolean => {
  const named = readReplaces(value);
  return named?.callId === dialog.callId && named.toTag === dialog.localTag && named.fromTag === dialog.remoteTag;
};
