/** What SIP's own port lets through besides requests: keepalives and other bytes, and media after an INVITE. Pure. */
import type { Family } from '../../model/check.js';
import type { OtherTraffic, Passing, PinholeTest } from '../../model/study-facts.js';
import { doubtOfSilence, RANGE_PORT_DOUBT } from '../silence.js';
import type { AlgFinding, StudyCheck } from './study-check.js';

/** Null where neither an answer nor a silence beyond chance tells. */
export const toldOf = ({ passes, silent }: Passing, lossUpperBound: number | null): boolean | null => {
  if (passes) return true;
  return silent > 0 && doubtOfSilence(silent, lossUpperBound) <= RANGE_PORT_DOUBT ? false : null;
};

/** STUN, and bytes of no protocol, on SIP's port: observations of their own, of which no service makes anything. */
export const judgeOthers = (
  { transport, port, address, stun, bareTag }: OtherTraffic,
  family: Family,
  lossUpperBound: number | null,
): readonly StudyCheck[] => {
  const line = (probe: 'stun-binding' | 'udp-echo', passing: Passing): readonly StudyCheck[] => {
    const told = toldOf(passing, lossUpperBound);
    const place = { probe, transport, port, address, family };
    const { away = 0 } = passing;
    if (told === null && away > 0) {
      const finding = { verdict: 'unknown', reason: 'no-answer' } as const;
      return [{ ...place, finding, confidence: 0, sent: away, seen: null, received: 0, evidence: { besideSip: true } }];
    }
    if (told === null) return [];
    return [
      {
        ...place,
        finding: told ? { verdict: 'pass', reason: 'answered' } : { verdict: 'blocked', reason: 'payload-filtered' },
        confidence: told ? 1 : 1 - doubtOfSilence(passing.silent, lossUpperBound),
        sent: told ? 1 : passing.silent,
        seen: told ? 1 : null,
        received: told ? 1 : 0,
        evidence: { besideSip: true, ...(told && { intact: true }) },
      },
    ];
  };
  return [...line('stun-binding', stun), ...line('udp-echo', bareTag)];
};

/**
 * An ALG that rewrites nothing and only opens ports: media comes in after an INVITE on SIP's port, and after the same
 * INVITE on another port it does not, beyond chance.
 */
export const pinholesOf = (tests: readonly PinholeTest[], lossUpperBound: number | null): readonly AlgFinding[] =>
  (['other-port', 'other-address'] as const).flatMap((from): AlgFinding[] => {
    const own = tests.filter((test) => !test.isControl && test.from === from);
    const control = tests.find((one) => one.isControl && one.from === from);
    const [first] = own;
    // One of several may have a port over which an earlier flow holds a way open.
    if (!first || !own.every(({ heard }) => heard)) return [];
    if (!control || control.heard || control.sent === null) return [];
    if (doubtOfSilence(control.sent, lossUpperBound) > RANGE_PORT_DOUBT) return [];
    return [
      {
        transport: 'udp',
        port: first.port,
        method: 'INVITE',
        direction: 'inbound',
        kind: 'pinhole',
        class: 'proxy',
        field: `RTP from ${from === 'other-port' ? 'another port' : 'another address'}`,
        sent: `let in after an INVITE to port ${first.port}`,
        received: `kept out after the same INVITE to port ${control.port}`,
      },
    ];
  });
