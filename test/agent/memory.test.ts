/** What is a change and what is not: the memory against sequences of looks, as an operator would judge them. */
import fc from 'fast-check';
import t from 'tap';
import type { RunKind } from '../../src/agent/config/schema.js';
import type { Change } from '../../src/agent/memory/change.js';
import { look, type Policy, type Subject, UNSEEN } from '../../src/agent/memory/confirm.js';
import { hostNetwork, networkChanges } from '../../src/agent/memory/network.js';
import { freshBaseline, NO_MEMORY, type TargetMemory, track } from '../../src/agent/memory/tracker.js';
import type { Report } from '../../src/model/report.js';
import { dead, fine, reportOf, type World } from './support/sim.js';

const POLICY: Policy = { needed: 2, of: 3, flapAfter: 4, flapWithinMs: 3_600_000 };
const MINUTE = 60_000;
const START = Date.UTC(2026, 10, 21, 8);

interface Told {
  readonly memory: TargetMemory;
  readonly changes: readonly Change[];
  readonly suspects: number;
  readonly baselines: number;
}

/** Runs a sequence of worlds, one a minute, as the agent would without second looks. */
const live = (
  worlds: readonly World[],
  memory: TargetMemory = NO_MEMORY,
  kind: RunKind = 'light',
  from = START,
): Told => {
  let current = memory;
  const changes: Change[] = [];
  let suspects = 0;
  let baselines = 0;
  for (const [index, world] of worlds.entries()) {
    const at = from + index * MINUTE;
    const tracked = track(current, reportOf(world, at), kind, at, POLICY);
    current = tracked.memory;
    changes.push(...tracked.changes);
    suspects += tracked.suspects.length;
    baselines += tracked.baseline ? 1 : 0;
  }
  return { memory: current, changes, suspects, baselines };
};

const words = (changes: readonly Change[]): readonly string[] =>
  changes.map(
    ({ subject, what, direction, before, after }) =>
      `${subject.kind} ${subject.id} ${what} ${direction}: ${before?.key ?? '-'} -> ${after.key}`,
  );

const times = (count: number, world: World): readonly World[] => new Array<World>(count).fill(world);
const SIP = 'sip-options/udp/5060';
const noSip = fine({ [SIP]: 'blocked/dropped-outbound' }, 'degraded');
const holed: World = {
  ...fine({}, 'impaired'),
  ranges: { 'rtp-echo/udp/16384-32767': 'pass blocked/dropped-inbound pass' },
};

t.test('a baseline is no change', async (t) => {
  const told = live(times(5, fine()));
  t.same(told.changes, []);
  t.equal(told.baselines, 1);
  t.same(live(times(5, noSip)).changes, [], 'nor is one that is bad from the start');
});

t.test('a block is suspected at the first look and told at the second', async (t) => {
  const before = live(times(4, fine())).memory;
  const first = live([noSip], before);
  t.same(first.changes, []);
  t.equal(first.suspects, 2, 'the check and its service: worth a second look at once');
  const second = live([noSip], first.memory, 'light', START + 5000);
  t.same(words(second.changes), [
    `check ${SIP} changed worse: pass -> blocked`,
    'service business-sip changed worse: works -> degraded',
  ]);
  const [change] = second.changes;
  t.equal(change?.after.reason, 'dropped-outbound');
  t.equal(change?.firstSeen, START, 'seen first with the look before');
  t.equal(change?.reports.length, 2, 'both reports are the evidence');
  t.equal(change?.beforeSince, START, 'and it had passed since the baseline');
  t.same(live(times(5, noSip), second.memory).changes, [], 'told once');
  t.same(words(live([fine(), fine()], second.memory).changes), [
    `check ${SIP} changed better: blocked -> pass`,
    'service business-sip changed better: degraded -> works',
  ]);
});

t.test('a service that was blocked works again although the path is lossy meanwhile', async (t) => {
  const shut = live(times(4, fine({ [SIP]: 'blocked/dropped-outbound' }, 'blocked'))).memory;
  const lossy = live(times(3, fine({ [SIP]: 'degraded/loss' }, 'degraded')), shut);
  t.ok(
    words(lossy.changes).includes('service business-sip changed better: blocked -> works'),
    'the loss is that of the path',
  );
  const before = live(times(4, fine())).memory;
  const poor = live(times(3, fine({ [SIP]: 'degraded/loss' }, 'degraded')), before);
  t.notOk(
    words(poor.changes).some((one) => one.startsWith('service')),
    'and no service is told of it',
  );
});

t.test('one bad look is nothing', async (t) => {
  const before = live(times(4, fine())).memory;
  t.same(live([noSip, ...times(5, fine())], before).changes, []);
  t.same(
    live([noSip, fine(), fine(), noSip, fine(), fine(), noSip, fine()], before).changes,
    [],
    'however often, if rare',
  );
});

t.test('another reason for the same verdict is no change; another alteration is', async (t) => {
  const blocked = live(times(4, noSip)).memory;
  t.same(live(times(3, fine({ [SIP]: 'blocked/dropped' }, 'degraded')), blocked).changes, []);
  const altered = live(times(4, fine({ [SIP]: 'altered/sip-alg' }))).memory;
  t.same(words(live(times(3, fine({ [SIP]: 'altered/answered-by-other' })), altered).changes), [
    `check ${SIP} changed different: altered/sip-alg -> altered/answered-by-other`,
  ]);
});

t.test('a reflector that restarts is nothing, one that dies is one event', async (t) => {
  const before = live(times(4, fine())).memory;
  const restart = live([dead, dead, ...times(4, fine())], before);
  t.same(restart.changes, [], 'a run and its second look may both meet a restart');
  const died = live(times(10, dead), before);
  t.same(words(died.changes), ['host reflector.example changed worse: proves -> silent']);
  t.equal(died.changes[0]?.after.reason, 'target-unreachable');
  t.same(died.changes[0]?.evidence.affects, ['business-sip'], 'with what it leaves unknown');
  t.same(words(live(times(6, fine()), died.memory).changes), [
    'host reflector.example changed better: silent -> proves',
  ]);
  const refused = { ...dead, checks: Object.fromEntries(Object.keys(dead.checks).map((id) => [id, 'unknown/closed'])) };
  t.same(
    words(live(times(10, refused), before).changes),
    ['host reflector.example changed worse: proves -> refuses'],
    'its process died, and its host refuses',
  );
  const back = live([dead, dead, dead, noSip, noSip, noSip, noSip], before);
  t.same(
    words(back.changes).filter((line) => line.startsWith('check')),
    [`check ${SIP} changed worse: pass -> blocked`],
    'a rule that came meanwhile is told against what was believed before',
  );
});

t.test('a third party that falls silent on one port is told', async (t) => {
  const before = live(times(4, fine())).memory;
  t.same(words(live(times(3, fine({ [SIP]: 'unknown/no-answer' })), before).changes), [
    `check ${SIP} changed worse: pass -> unknown`,
  ]);
  t.same(live(times(3, fine({ [SIP]: 'unknown/limited' })), before).changes, [], 'the far end held back: says nothing');
  const cutShort = fine({ [SIP]: 'unknown/not-run' }, 'unknown');
  t.same(
    live(times(3, cutShort), before).changes,
    [],
    'a run that was cut short: says nothing, not of the service either',
  );
});

t.test('a flap is told as a flap, and settles', async (t) => {
  const before = live(times(4, fine())).memory;
  const swings = [noSip, noSip, fine(), fine()];
  const flapping = live([...swings, ...swings, ...swings, ...swings], before);
  const sip = words(flapping.changes).filter((line) => line.startsWith('check'));
  t.equal(sip.filter((line) => line.includes(' changed ')).length, 3);
  t.equal(sip.filter((line) => line.includes(' flapping ')).length, 1);
  t.equal(sip.length, 4, 'and then it is quiet');
  const settled = live(times(70, fine()), flapping.memory, 'light', START + 20 * MINUTE);
  t.same(
    words(settled.changes).filter((line) => line.startsWith('check')),
    [`check ${SIP} settled different: pass -> pass`],
  );
});

/** More holes than light runs watch. */
const pitted: World = {
  ...fine({}, 'impaired'),
  ranges: { 'rtp-echo/udp/16384-32767': `${'pass blocked/dropped-inbound '.repeat(9)}pass` },
};

t.test('holes that only sweeps meet are not outvoted by light runs', async (t) => {
  let memory = live(times(4, fine())).memory;
  memory = live(times(4, fine()), memory, 'sweep').memory;
  const found: Change[] = [];
  for (let hour = 0; hour < 3; hour += 1) {
    const swept = live([pitted], memory, 'sweep', START + hour * 60 * MINUTE);
    const light = live(times(20, fine()), swept.memory, 'light', START + hour * 60 * MINUTE + MINUTE);
    found.push(...swept.changes, ...light.changes);
    memory = light.memory;
  }
  t.same(words(found), [
    'range rtp-echo/udp/16384-32767 changed worse: pass -> partly blocked',
    'service business-sip changed worse: works -> impaired',
  ]);
  const mended = live(times(3, fine()), memory, 'sweep', START + 300 * MINUTE);
  t.same(words(mended.changes), [
    'range rtp-echo/udp/16384-32767 changed better: partly blocked -> pass',
    'service business-sip changed better: impaired -> works',
  ]);
});

t.test('a mended hole is told by the light looks that ask it, and the service with it', async (t) => {
  const because = [{ id: 'some-calls-silent', text: '', because: ['rtp-echo/udp/16384-32767'] }];
  const withSymptom = (world: World, at: number): Report => {
    const report = reportOf(world, at);
    const symptoms = world.service === 'works' ? [] : because;
    return { ...report, services: report.services.map((one) => ({ ...one, symptoms })) };
  };
  let memory = live(times(3, fine()), live(times(4, fine())).memory, 'sweep').memory;
  const told: string[] = [];
  const see = (world: World, kind: RunKind, minutes: number): void => {
    const at = START + minutes * MINUTE;
    const tracked = track(memory, withSymptom(world, at), kind, at, POLICY);
    memory = tracked.memory;
    told.push(...words(tracked.changes).map((line) => `${minutes} ${line}`));
  };
  see(holed, 'sweep', 60);
  t.same(told, [], 'a sweep has light looks ask again');
  for (const minute of [61, 62, 63, 64]) see(holed, 'light', minute);
  see(fine(), 'light', 65);
  t.same(told.splice(0), [
    '62 range rtp-echo/udp/16384-32767 changed worse: pass -> partly blocked',
    '62 service business-sip changed worse: works -> impaired',
  ]);
  see(fine(), 'light', 66);
  t.same(told.splice(0), [
    '66 range rtp-echo/udp/16384-32767 changed better: partly blocked -> pass',
    '66 service business-sip changed better: impaired -> works',
  ]);
  see(fine(), 'sweep', 120);
  see(fine(), 'sweep', 121);
  t.same(told, [], 'the sweep that follows has nothing to add');
});

t.test('better is never told of what was never told worse', async (t) => {
  const base = live(times(4, fine())).memory;
  const swept = live(times(2, pitted), base, 'sweep', START + 10 * MINUTE);
  t.same(
    words(swept.changes),
    [
      'range rtp-echo/udp/16384-32767 found worse: pass -> partly blocked',
      'service business-sip found worse: works -> impaired',
    ],
    'what the first sweeps find is told, and not as a change',
  );
  const bad = track(live([noSip]).memory, reportOf(noSip, START + MINUTE), 'light', START + MINUTE, POLICY);
  t.match(
    bad.baseline?.troubles,
    [
      { kind: 'check', id: SIP, verdict: 'blocked', reason: 'dropped-outbound' },
      { kind: 'service', id: 'business-sip', verdict: 'degraded' },
    ],
    'a baseline says what is wrong in it',
  );
});

t.test('`before` is what was told, whatever single looks said since', async (t) => {
  const told = live(times(2, noSip), live(times(4, fine())).memory, 'light', START + 10 * MINUTE);
  const straddled = live([fine({ [SIP]: 'blocked/rejected' }, 'degraded')], told.memory, 'light', START + 12 * MINUTE);
  const mended = live(times(3, fine()), straddled.memory, 'light', START + 13 * MINUTE);
  t.match(mended.changes[0]?.before, { verdict: 'blocked', reason: 'dropped-outbound' });
});

t.test('a reflector with another token is one finding with its cause', async (t) => {
  const before = live(times(4, fine())).memory;
  const stranger = (at: number): Report => {
    const checks = Object.fromEntries(Object.keys(fine().checks).map((id) => [id, 'unknown/unproven']));
    const ranges = { 'rtp-echo/udp/16384-32767': 'unknown/no-answer' };
    const report = reportOf({ checks, ranges, service: 'unknown', proves: false }, at);
    const cause = {
      id: 'wrong-token',
      text: '',
      device: 'reflector',
      likelihood: 'likely',
      because: [] as string[],
    } as const;
    return { ...report, services: report.services.map((one) => ({ ...one, causes: [cause] })) };
  };
  let memory = before;
  const changes: Change[] = [];
  for (let minute = 10; minute < 20; minute += 1) {
    const at = START + minute * MINUTE;
    const tracked = track(memory, stranger(at), 'light', at, POLICY);
    memory = tracked.memory;
    changes.push(...tracked.changes);
  }
  t.same(words(changes), ['host reflector.example changed worse: proves -> unproven']);
  t.equal(changes[0]?.after.reason, 'wrong-token');
  t.equal(changes[0]?.firstSeen, START + 10 * MINUTE, 'since when');
  t.same(words(live(times(5, fine()), memory, 'light', START + 20 * MINUTE).changes), [
    'host reflector.example changed better: unproven -> proves',
  ]);
});

t.test('a run in which the reflector starts or ends blames nobody for it', async (t) => {
  const before = live(times(4, fine())).memory;
  const halfway = fine(
    {
      [SIP]: 'blocked/rejected',
      'sip-options/tcp/5060': 'blocked/rejected',
      'stun-binding/udp/3478': 'unknown/outage',
    },
    'impaired',
  );
  const restarts = [halfway, ...times(3, fine()), dead, halfway, ...times(4, fine())];
  t.same(live(restarts, before, 'light', START + 10 * MINUTE).changes, []);
  const away = live(times(4, dead), before, 'light', START + 30 * MINUTE);
  const back = live([halfway, ...times(5, fine())], away.memory, 'light', START + 40 * MINUTE);
  t.same(words(back.changes), ['host reflector.example changed better: silent -> proves']);
});

t.test('what is worse than a flap, or lasts longer, is told through it', async (t) => {
  const degraded = fine({ [SIP]: 'degraded/rate-limited' });
  const before = live(times(4, fine())).memory;
  const swing = [degraded, degraded, fine(), fine()];
  const flapping = live([...swing, ...swing, ...swing], before, 'light', START + 10 * MINUTE);
  t.equal(words(flapping.changes).filter((line) => line.includes('flapping')).length, 1);
  const at = START + 22 * MINUTE;
  const blocked = live(times(2, fine({ [SIP]: 'blocked/dropped' })), flapping.memory, 'light', at);
  t.same(words(blocked.changes), [`check ${SIP} changed worse: pass -> blocked`], 'worse: at once');
  const quiet = live([...swing.slice(0, 2)], blocked.memory, 'light', at + 2 * MINUTE);
  t.same(quiet.changes, [], 'as bad as before: not at once');
  const lasting = live(times(12, degraded), quiet.memory, 'light', at + 4 * MINUTE);
  t.same(words(lasting.changes), [`check ${SIP} changed better: blocked -> degraded`], 'once it has lasted');
});

t.test('loss has figures and hysteresis; twenty checks are one thing', async (t) => {
  const lossy =
    (upper: number, isDegraded: boolean) =>
    (at: number): Report => {
      const all = Object.fromEntries(
        Object.keys(fine().checks).map((id) => [id, isDegraded ? 'degraded/loss' : 'pass']),
      );
      const report = reportOf({ ...fine(all), service: isDegraded ? 'degraded' : 'works' }, at);
      return { ...report, network: { ...report.network, lossUpperBound: upper } };
    };
  let [memory, minute] = [NO_MEMORY, 0];
  const see = (count: number, of: (at: number) => Report): readonly Change[] =>
    Array.from({ length: count }, () => {
      minute += 1;
      const at = START + minute * MINUTE;
      const tracked = track(memory, of(at), 'light', at, POLICY);
      memory = tracked.memory;
      return tracked.changes;
    }).flat();
  t.same(see(5, lossy(0.01, false)), []);
  const told = see(5, lossy(0.12, true));
  t.same(words(told), ['path loss changed worse: clean -> lossy']);
  t.match(told[0], { before: { figure: 0.01 }, after: { figure: 0.12 }, evidence: { affects: ['business-sip'] } });
  const between = Array.from({ length: 30 }, (_, index) => see(1, lossy(0.045, index % 3 === 0))).flat();
  t.same(between, [], 'between the two bounds what was told stands');
  t.same(words(see(4, lossy(0.012, false))), ['path loss changed better: lossy -> clean']);
  t.same(words(see(5, lossy(0.045, true))), [], 'nor is it told again below the upper one');
});

t.test('a longer way, another outer address, a name that leads elsewhere', async (t) => {
  const seen =
    (rttMs: number, outer: string, address = '198.51.100.10') =>
    (at: number): Report => {
      const report = reportOf({ ...fine(), rttMs }, at);
      return {
        ...report,
        target: { ...report.target, addresses: [address] },
        reflectors: report.reflectors.map((one) => ({ ...one, addresses: [address] })),
        checks: report.checks.map((one) => ({ ...one, address })),
        network: { ...report.network, mappedAddresses: [outer] },
      };
    };
  let [memory, minute] = [NO_MEMORY, 0];
  const see = (count: number, of: (at: number) => Report): readonly string[] =>
    Array.from({ length: count }, () => {
      minute += 1;
      const at = START + minute * MINUTE;
      const tracked = track(memory, of(at), 'light', at, POLICY);
      memory = tracked.memory;
      return words(tracked.changes);
    }).flat();
  t.same(see(5, seen(20, '203.0.113.5')), []);
  t.same([...see(2, seen(25, '203.0.113.5')), ...see(2, seen(16, '203.0.113.5'))], [], 'a little more or less');
  t.same(see(3, seen(80, '203.0.113.5')), ['path round-trip changed worse: 18 ms -> 72 ms']);
  t.same(see(3, seen(60, '203.0.113.5')), []);
  t.same(see(3, seen(20, '203.0.113.9')), [
    'path round-trip changed better: 72 ms -> 18 ms',
    'fact network.address changed different: 203.0.113.5 -> 203.0.113.9',
  ]);
  t.same(see(3, seen(20, '203.0.113.9', '198.51.100.77')), [
    'fact addresses reflector.example changed different: 198.51.100.10 -> 198.51.100.77',
  ]);
});

t.test(
  'a way of the same length in another network is no difference, nor a name whose addresses take turns',
  async (t) => {
    const seen = (rttMs: number, addresses: readonly string[]): Report => {
      const report = reportOf({ ...fine(), rttMs }, START);
      const reflectors = report.reflectors.map((one) => ({ ...one, addresses: [...addresses] }));
      return { ...report, reflectors, target: { ...report.target, addresses: [...addresses] } };
    };
    const settle = (before: TargetMemory, report: Report, from: number) => {
      let memory = before;
      const differences: string[] = [];
      for (const minute of [1, 2, 3, 4]) {
        const tracked = track(memory, report, 'light', from + minute * MINUTE, POLICY);
        memory = tracked.memory;
        differences.push(...words(tracked.changes), ...(tracked.baseline?.differences ?? []).map(({ id }) => id));
      }
      return { memory, differences };
    };
    const home = settle(NO_MEMORY, seen(3, ['198.51.100.10', '198.51.100.11']), START).memory;
    const same = settle(freshBaseline(home), seen(5, ['198.51.100.11', '198.51.100.12']), START + 10 * MINUTE);
    t.same(same.differences, []);
    const other = settle(freshBaseline(same.memory), seen(80, ['198.51.100.77']), START + 20 * MINUTE);
    t.same(other.differences.toSorted(), ['addresses reflector.example', 'round-trip']);
  },
);

t.test('what a busy host adds to its round trips is no other way', async (t) => {
  const seen = (rttMs: number, usualDelayMs: number): Report => {
    const report = reportOf({ ...fine(), rttMs }, START);
    return { ...report, agent: { ...report.agent, usualDelayMs } };
  };
  let [memory, at] = [NO_MEMORY, START];
  const see = (count: number, report: Report): readonly string[] =>
    Array.from({ length: count }, () => {
      at += MINUTE;
      const tracked = track(memory, { ...report, startedAt: new Date(at).toISOString() }, 'light', at, POLICY);
      memory = tracked.memory;
      return words(tracked.changes);
    }).flat();
  t.same(see(4, seen(60, 180)), [], 'a host that is busy from the start');
  t.same(see(4, seen(5, 6)), [], 'has measured no way that became shorter');
  t.same(see(4, seen(38, 180)), [], 'nor is it longer where turns of 180 ms are usual');
  t.same(see(4, seen(5, 6)), []);
  t.same(see(3, seen(80, 30)), ['path round-trip changed worse: 5 ms -> 72 ms'], 'what it cannot have added is told');
});

t.test('a sweep that began before a change takes nothing back that light looks have seen since', async (t) => {
  const before = live(times(4, fine())).memory;
  const blocked = live(times(2, noSip), before, 'light', START + 10 * MINUTE);
  t.equal(blocked.changes.length, 2);
  const stale = track(blocked.memory, reportOf(fine(), START + 8 * MINUTE), 'sweep', START + 8 * MINUTE, POLICY);
  t.same([stale.changes, stale.suspects], [[], []]);
  const after = live([noSip], stale.memory, 'light', START + 12 * MINUTE);
  t.same([after.changes, after.suspects], [[], 0], 'nor does it weigh among later looks');
});

t.test('another network begins anew, and says what is different in it', async (t) => {
  const before = freshBaseline(live(times(4, fine())).memory);
  const at = START + 10 * MINUTE;
  const report = (offset: number) => reportOf(noSip, at + offset);
  const first = track(before, report(0), 'light', at, POLICY);
  t.same(first.changes, []);
  const second = track(first.memory, report(MINUTE), 'light', at + MINUTE, POLICY);
  t.same(second.changes, [], 'no alarm for what the network explains');
  t.same(
    second.baseline?.differences.map(({ kind, id, before, after }) => `${kind} ${id} ${before.key} -> ${after.key}`),
    [`check ${SIP} pass -> blocked`, 'service business-sip works -> degraded'],
  );
});

t.test('a stale state that nothing was known of when the baseline was told is found', async (t) => {
  const withStale = (at: number, staleState: boolean | null): Report => {
    const report = reportOf(fine(), at);
    return { ...report, nat: { ...report.nat, staleState } };
  };
  const told = (looks: readonly (boolean | null)[]): readonly string[] => {
    let memory = NO_MEMORY;
    return looks.flatMap((stale, index) => {
      const at = START + index * MINUTE;
      const tracked = track(memory, withStale(at, stale), 'light', at, POLICY);
      memory = tracked.memory;
      return words(tracked.changes);
    });
  };
  t.same(told([null, null, null, true, true]), ['fact nat.staleState found worse: - -> true']);
  t.same(told([null, null, null, false, false, true, true]), ['fact nat.staleState changed different: false -> true']);
});

t.test('a fault that begins just after a change of networks is told, each subject as it settles', async (t) => {
  const before = freshBaseline(live(times(4, fine())).memory);
  const at = START + 10 * MINUTE;
  // One clean look, then SIP is blocked: the others settle with the second look, SIP with the third.
  const after = live([fine(), ...times(3, noSip)], before, 'light', at);
  t.same(words(after.changes), [
    `check ${SIP} changed worse: pass -> blocked`,
    'service business-sip changed worse: works -> degraded',
  ]);
  const mended = live(times(3, fine()), after.memory, 'light', at + 20 * MINUTE);
  t.same(words(mended.changes), [
    `check ${SIP} changed better: blocked -> pass`,
    'service business-sip changed better: degraded -> works',
  ]);
  const twice = live([fine(), ...times(3, noSip)], freshBaseline(freshBaseline(before)), 'light', at);
  t.equal(twice.changes.length, 2, 'however often the network changes before anything settles');
});

t.test('a hole that only a sweep finds, the first one after a change of networks', async (t) => {
  const known = live(times(3, fine()), live(times(4, fine())).memory, 'sweep', START + 5 * MINUTE).memory;
  const light = live(times(4, fine()), freshBaseline(known), 'light', START + 10 * MINUTE);
  const swept = live(times(2, pitted), light.memory, 'sweep', START + 20 * MINUTE);
  t.match(words([...light.changes, ...swept.changes]), [
    'range rtp-echo/udp/16384-32767 changed worse: pass -> partly blocked',
    'service business-sip changed worse: works -> impaired',
  ]);
});

t.test('memory does not grow with addresses that come and go', async (t) => {
  let memory = NO_MEMORY;
  for (let day = 0; day < 200; day += 1) {
    const world = fine({ [`sip-options/udp/5060#198.51.100.${day}`]: 'pass' });
    memory = live(times(3, world), memory, 'light', START + day * 86_400_000).memory;
  }
  t.ok(Object.keys(memory.subjects).length < 30, `${Object.keys(memory.subjects).length} subjects`);
  t.ok(Object.keys(memory.told).length < 30, `${Object.keys(memory.told).length} told`);
});

t.test('whatever is seen, nothing is told that too few looks agree on, nor the same twice', async (t) => {
  const claim = fc.property(
    fc.array(fc.constantFrom('pass', 'blocked', 'degraded'), { maxLength: 60 }),
    fc.integer({ min: 2, max: 4 }),
    fc.integer({ min: 0, max: 2 }),
    (seen, needed, extra) => {
      const policy: Policy = {
        needed,
        of: Math.min(needed + extra, 2 * needed - 1),
        flapAfter: 1000,
        flapWithinMs: 1,
      };
      let subject: Subject = UNSEEN;
      let believed: string | null = null;
      for (const [index, key] of seen.entries()) {
        const [next, outcome] = look(
          subject,
          { key, verdict: key, reason: null, at: index, report: String(index) },
          policy,
        );
        subject = next;
        const agreeing = seen.slice(Math.max(0, index + 1 - policy.of), index + 1).filter((one) => one === key).length;
        if (outcome.kind === 'changed' || outcome.kind === 'baseline') {
          if (agreeing < needed || key === believed) return false;
          believed = key;
        } else if (agreeing >= needed && key !== believed) return false;
      }
      return subject.stable === null ? believed === null : subject.stable.key === believed;
    },
  );
  t.equal(fc.check(claim).failed, false);
});

t.test("the host's own network", async (t) => {
  const route = (gateway: string) =>
    `Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\neth0\t00000000\t${gateway}\t0003\t0\t0\t0\t00000000\n`;
  const v6 = (address: string) => ({
    address,
    netmask: '',
    family: 'IPv6' as const,
    mac: '',
    internal: false,
    cidr: null,
    scopeid: 0,
  });
  const v4 = (address: string, internal = false) => ({
    address,
    netmask: '',
    family: 'IPv4' as const,
    mac: '',
    internal,
    cidr: null,
  });
  const network = (interfaces: Record<string, ReturnType<typeof v4 | typeof v6>[]>, gateway = '010200C0') =>
    hostNetwork({ interfaces: () => interfaces, read: (file) => (file === '/proc/net/route' ? route(gateway) : null) });
  const office = network({ lo: [v4('127.0.0.1', true)], eth0: [v4('192.0.2.7'), v6('2001:db8:1:2:aaaa::1')] });
  t.same(office, {
    defaultRoutes: ['eth0 via 192.0.2.1'],
    addresses: ['eth0 192.0.2.7', 'eth0 2001:db8:1:2::/64'],
    tunnels: [],
  });
  const same = network({
    eth0: [v6('fe80::1'), v6('2001:db8:1:2:bbbb::2'), v4('192.0.2.7')],
    docker0: [v4('172.17.0.1')],
    'br-0123456789ab': [v4('172.18.0.1')],
    ...Object.fromEntries(
      ['podman0', 'lxcbr0', 'lxdbr0', 'incusbr0', 'cni0', 'virbr0', 'veth12ab'].map((name) => [
        name,
        [v4('10.88.0.1')],
      ]),
    ),
  });
  t.same(networkChanges(office, same), [], 'privacy addresses, order and container bridges are the same network');
  t.same(networkChanges(office, network({ eth0: [v4('192.0.2.7'), v6('2001:db8:1:2::1')], wg0: [v4('10.9.0.2')] })), [
    'address wg0 10.9.0.2 is new',
    'tunnel wg0 is new',
  ]);
  t.same(networkChanges(office, network({ eth0: [v4('192.0.2.7'), v6('2001:db8:1:2::1')] }, 'FE0200C0')), [
    'default route eth0 via 192.0.2.254 is new',
    'default route eth0 via 192.0.2.1 is gone',
  ]);
});
