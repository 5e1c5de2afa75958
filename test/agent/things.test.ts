/** Changes that one look confirms are told as the things that they are, in sentences. */
import t from 'tap';
import type { Change } from '../../src/agent/memory/change.js';
import type { State } from '../../src/agent/memory/state.js';
import { thingsOf } from '../../src/agent/memory/things.js';
import { thingInWords } from '../../src/words/changes.js';

const AT = Date.UTC(2026, 10, 21, 2, 41);

const state = (verdict: string, reason: string | null = null, figure?: number): State => ({
  ...{ key: verdict, verdict, reason },
  ...(figure !== undefined && { figure }),
});

const change = (
  [kind, id, direction]: readonly [Change['subject']['kind'], string, Change['direction']],
  before: State,
  after: State,
  host: string | null = null,
): Change => ({
  ...{ subject: { kind, id }, host, what: 'changed', direction, before, beforeSince: null, after, firstSeen: AT },
  ...{ runKind: 'light', reports: [], evidence: {} },
});

const told = (changes: readonly Change[]): readonly string[] =>
  thingsOf(changes).map(({ lead, members, direction }) => `${direction}: ${thingInWords(lead, members, AT)}`);

const blocked = (id: string, host: string): Change =>
  change(['check', id, 'worse'], state('pass', 'answered'), state('blocked', 'dropped-outbound'), host);
const impaired = change(['service', 'business-sip', 'worse'], state('works'), state('impaired'));

t.test('a rule in a firewall is one thing', async (t) => {
  const rule = [impaired, blocked('sip-options/udp/5060', 'hq'), blocked('stun-binding/udp/3478', 'hq')];
  t.same(told(rule), [
    'worse: since 2026-11-21 02:41 UTC sip-options/udp/5060 is blocked (dropped-outbound); it passed. Related: stun-binding/udp/3478 is blocked (dropped-outbound); it passed; business-sip is impaired; it worked',
  ]);
  const many = Array.from({ length: 40 }, (_, index) => blocked(`udp-echo/udp/${9000 + index}`, 'hq'));
  t.match(told(many), [/Related: .*; .*; .*; 36 more$/]);
});

t.test('what got better beside it is another, and so is what another host does', async (t) => {
  const mended = change(['check', 'a/udp/1', 'better'], state('blocked', 'dropped'), state('pass', 'answered'), 'hq');
  t.equal(told([blocked('b/udp/2', 'hq'), mended]).length, 2);
  const gone = change(['host', 'carrier', 'worse'], state('answers'), state('silent', 'no-answer'), 'carrier');
  const two = told([gone, blocked('b/udp/2', 'hq'), impaired]);
  t.equal(two.length, 2);
  t.match(two, [/carrier does not answer at all/, /b\/udp\/2 is blocked/]);
});

t.test('another line leads what is measured over it', async (t) => {
  const address = change(['fact', 'network.address', 'different'], state('203.0.113.5'), state('203.0.113.9'));
  const way = change(['path', 'round-trip', 'worse'], state('pass', null, 18.2), state('pass', null, 72.4));
  t.same(told([way, address]), [
    'worse: since 2026-11-21 02:41 UTC the public address is 203.0.113.9, before: 203.0.113.5. Related: latency is higher: round trip 72.4 ms, 18.2 ms before',
  ]);
  const moved = change(['fact', 'addresses pbx.example', 'different'], state('192.0.2.1'), state('192.0.2.2'));
  t.same(told([moved]), [
    'different: since 2026-11-21 02:41 UTC the name pbx.example resolves to 192.0.2.2, before: 192.0.2.1',
  ]);
});

t.test('a host that answers again says why, where its reflector says when it started', async (t) => {
  const from = Date.UTC(2026, 10, 21, 2, 30);
  const again = (before: State, startedAt: string | null): string => {
    const change_ = change(['host', 'hq', 'better'], before, state('proves'), 'hq');
    return told([{ ...change_, beforeSince: from, evidence: { startedAt } }]).join();
  };
  const silent = state('silent', 'target-unreachable');
  t.match(
    again(silent, '2026-11-21T02:40:30.000Z'),
    /hq answers and is authenticated: its reflector started at 2026-11-21 02:40 UTC$/,
  );
  t.match(
    again(silent, '2026-11-20T09:00:00.000Z'),
    /authenticated: its reflector has run since 2026-11-20 09:00 UTC, and the path to it was down$/,
  );
  t.match(again(silent, null), /hq answers and is authenticated$/);
  t.match(again(state('unproven', 'wrong-token'), '2026-11-20T09:00:00.000Z'), /hq answers and is authenticated$/);
  t.match(again(state('silent', 'dns-failure'), '2026-11-20T09:00:00.000Z'), /hq answers and is authenticated$/);
});

t.test('a token, a flap, and what was found', async (t) => {
  const token = change(['host', 'hq', 'worse'], state('proves'), state('unproven', 'wrong-token'), 'hq');
  t.same(told([token]), [
    'worse: since 2026-11-21 02:41 UTC hq rejects this token: the token files of the two ends differ',
  ]);
  const lossy = change(
    ['path', 'loss', 'worse'],
    { ...state('pass', null, 0.012), key: 'clean' },
    { ...state('degraded', 'loss', 0.121), key: 'lossy' },
  );
  t.match(told([lossy]), [
    /^worse: since 2026-11-21 02:41 UTC the path loses packets: at most 12(\.1)? %, at most 1(\.2)? % before/,
  ]);
  t.match(told([{ ...impaired, what: 'flapping' }]), [
    /^worse: since 2026-11-21 \d\d:\d\d UTC flapping, now: business-sip is impaired/,
  ]);
  t.match(told([{ ...impaired, what: 'found' }]), [/it worked \(first seen now, may be older\)/]);
});
