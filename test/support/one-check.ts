/** A profile of one required check, for tests that need a service and no more. */

/** @param check what is asked, such as `{ probe: sip-options, transport: udp, port: 5060 }` */
export const oneCheckProfile = (check: string): string => `profile: one-check
title: One check
summary: One check for a test
thresholds: { lossRatio: 0.01, rttMs: 300, jitterMs: 30, reorderRatio: 0.0005 }
thresholdsSource: { title: A test, evidence: secondary, checkedOn: 2026-11-21 }
symptomWhenBlocked: cannot-register
requirements:
  - id: only
    need: required
    role: signalling
    purpose: The only check
    check: ${check}
    source: { title: A test, evidence: secondary, checkedOn: 2026-11-21 }
`;
