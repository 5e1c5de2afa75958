/**
 * One POST, as exporters need it: its own connections with its own authorities, a bounded answer, no redirect to
 * another host, and the answer's status read as what becomes of the records.
 */
import { Agent as HttpAgent, type IncomingMessage, request as requestHttp } from 'node:http';
import { Agent as HttpsAgent, request as requestHttps } from 'node:https';
import { printable } from '../../wire/printable.js';
import type { Delivery } from './contract.js';
import type { HttpDeadlines } from './deps.js';
import type { TlsMaterial } from './settings.js';

/** An answer is an acknowledgement; what is longer is cut and the connection closed. */
const MAX_ANSWER_BYTES = 64 * 1024;
/** Between http and https, or to another path, of the same host. */
const MAX_REDIRECTS = 3;
/** A receiver stores a batch in seconds. One that says nothing for so long, or is not done by then, has hung up without saying so. */
const LIMITS: HttpDeadlines = { idleMs: 20_000, overallMs: 60_000 };
/** What a log line shows of a receiver's words. */
const MAX_WORDS = 120;
/** Those that keep method and body (RFC 9110 §15.4). */
const REDIRECTS = new Set([307, 308]);
/**
 * The receiver has read this record and will never take it: RFC 9110 §15.5.1, .14, .16, .21. All other 4xx speak of the address,
 * the secret or the moment, which an operator mends without losing a record.
 */
const REFUSED = new Set([400, 413, 415, 422]);

interface Answer {
  readonly status: number;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

type Posted =
  | { readonly ok: true; readonly answer: Answer }
  | { readonly ok: false; readonly delivery: Exclude<Delivery, { outcome: 'delivered' }> };

export interface Poster {
  /** Resolves with a 2xx answer, or with what became of the records instead. Never rejects. */
  post(body: Buffer, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Posted>;
  close(): void;
}

/**
 * RFC 9110 §10.2.3: seconds, or a date.
 * @returns milliseconds from now, more than 0; null if it is neither, or over already: that asks for nothing
 */
const retryAfterMs = (value: string | undefined, now: number): number | null => {
  if (value === undefined) return null;
  const date = /^[A-Za-z0-9,: -]{1,40}$/.test(value) ? Date.parse(value) : Number.NaN;
  const afterMs = /^\s*\d{1,9}\s*$/.test(value) ? Number(value) * 1000 : date - now;
  return afterMs > 0 ? afterMs : null;
};

const retry = (why: string, afterMs: number | null = null) => ({ outcome: 'retry', why, afterMs }) as const;

/** Where a redirect leads, if it stays with the host and does not give up encryption; else why not. */
const redirectTarget = (from: URL, location: string | undefined): URL | string => {
  if (location === undefined || !URL.canParse(location, from.href)) return 'redirects to nowhere';
  const to = new URL(location, from.href);
  if (to.hostname !== from.hostname)
    return `redirects to another host (${printable(to.hostname, MAX_WORDS)}), which is refused`;
  if (to.protocol !== from.protocol && !(from.protocol === 'http:' && to.protocol === 'https:'))
    return 'redirects away from https, which is refused';
  // Another port of the host may be another's service, except when plain HTTP leads to HTTPS where each has its own.
  if (to.protocol === from.protocol && to.port !== from.port) return 'redirects to another port, which is refused';
  return to;
};

const reading = (response: IncomingMessage): Promise<string> =>
  new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const done = (): void => resolve(Buffer.concat(chunks).subarray(0, MAX_ANSWER_BYTES).toString('utf8'));
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= MAX_ANSWER_BYTES) return;
      done();
      response.destroy();
    });
    response.on('end', done);
    response.on('error', reject);
    response.on('close', () => reject(new Error('the answer breaks off')));
  });

/** What an error of the connection says, without addresses that the operator knows. */
const words = (error: unknown, signal: AbortSignal): string => {
  const reason: unknown = signal.aborted ? signal.reason : error;
  const { code, message } = reason as { code?: unknown; message?: unknown };
  return printable(typeof code === 'string' ? code : typeof message === 'string' ? message : 'failed', MAX_WORDS);
};

/** What a status that is no success means for the records. */
const deliveryOf = ({ status, headers, body }: Answer, now: number): Exclude<Delivery, { outcome: 'delivered' }> => {
  const said = body.trim() === '' ? '' : `: ${printable(body.trim(), MAX_WORDS)}`;
  const why = `the receiver answers ${status}${said}`;
  return REFUSED.has(status) ? { outcome: 'refused', why } : retry(why, retryAfterMs(headers['retry-after'], now));
};

/** A client for one URL. One connection at a time, kept open between batches. */
export const createPoster = (
  target: URL,
  tls: TlsMaterial,
  now: () => number,
  limits: HttpDeadlines = LIMITS,
): Poster => {
  const agents = {
    'http:': new HttpAgent({ keepAlive: true, maxSockets: 1 }),
    'https:': new HttpsAgent({ keepAlive: true, maxSockets: 1, minVersion: 'TLSv1.2', ...tls }),
  };

  const once = (
    url: URL,
    body: Buffer,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Answer> =>
    new Promise((resolve, reject) => {
      const options = { method: 'POST', headers: { ...headers, 'content-length': body.length }, signal };
      const answered = (response: IncomingMessage): void => {
        reading(response).then(
          (text) => resolve({ status: response.statusCode ?? 0, headers: response.headers, body: text }),
          reject,
        );
      };
      const request =
        url.protocol === 'https:'
          ? requestHttps(url, { ...options, agent: agents['https:'] }, answered)
          : requestHttp(url, { ...options, agent: agents['http:'] }, answered);
      // The socket's silence, before the answer and in the middle of it.
      request.setTimeout(limits.idleMs, () =>
        request.destroy(new Error(`the receiver has been silent for ${limits.idleMs / 1000} s`)),
      );
      request.on('error', reject);
      request.end(body);
    });

  const postTo = async (
    first: URL,
    body: Buffer,
    headers: Readonly<Record<string, string>>,
    signal: AbortSignal,
  ): Promise<Posted> => {
    let url = first;
    for (let redirects = 0; redirects <= MAX_REDIRECTS; redirects += 1) {
      let answer: Answer;
      try {
        answer = await once(url, body, headers, signal);
      } catch (error) {
        return { ok: false, delivery: retry(`no answer: ${words(error, signal)}`) };
      }
      if (answer.status >= 200 && answer.status < 300) return { ok: true, answer };
      if (!REDIRECTS.has(answer.status)) return { ok: false, delivery: deliveryOf(answer, now()) };
      const next = redirectTarget(url, answer.headers.location);
      if (typeof next === 'string') return { ok: false, delivery: retry(`the receiver ${next}`) };
      url = next;
    }
    return { ok: false, delivery: retry('the receiver redirects in a circle') };
  };

  return {
    post: async (body, headers, ended) => {
      // An answer that drips is never silent.
      const late = new AbortController();
      const timer = setTimeout(
        () => late.abort(new Error(`there is no whole answer after ${limits.overallMs / 1000} s`)),
        limits.overallMs,
      );
      const signal = AbortSignal.any([ended, late.signal]);
      try {
        return await postTo(target, body, headers, signal);
      } finally {
        clearTimeout(timer);
      }
    },
    close: () => {
      agents['http:'].destroy();
      agents['https:'].destroy();
    },
  };
};
