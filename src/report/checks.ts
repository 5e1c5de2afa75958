/** The report's `checks`, as far as the plan asked them. */
import type { ReportCheck } from '../model/report.js';
import type { Classified } from '../model/verdict.js';

export const checkRows = (checks: readonly Classified[]): readonly ReportCheck[] =>
  checks.map(({ check, ...one }) => ({
    id: check.id,
    probe: check.probe,
    transport: check.transport,
    port: check.port,
    address: check.address,
    family: check.family,
    requiredBy: [...check.requiredBy],
    verdict: one.verdict,
    reason: one.reason,
    confidence: one.confidence,
    sent: one.sent,
    seen: one.seen,
    answered: one.answered,
    received: one.received,
    rttMs: one.rttMs && { ...one.rttMs },
    evidence: { ...one.evidence },
  }));
