/**
 * The E-model (ITU-T G.107) with its default values, reduced to what a network changes: delay, loss and the codec. R is an estimate of
 * how people would rate a call, not a measurement of speech. Pure.
 */
import type { Codec } from '../../model/media.js';

/** R of a call with all defaults of G.107 and no impairment. */
const R_DEFAULT = 93.2;
/** Below this one-way delay nobody notices any (G.107 §7.2.3: Idd = 0 for Ta ≤ 100 ms). */
const UNNOTICED_MS = 100;

interface Impairments {
  /** Equipment impairment without loss, Ie. */
  readonly ie: number;
  /** Robustness against loss, Bpl. */
  readonly bpl: number;
}

/**
 * ITU-T G.113 Appendix I: G.711 with concealment (G.711 Appendix I), G.729A with VAD. G.113 has no value for Opus in this model; it is
 * scored as G.711 with concealment.
 */
const IMPAIRMENTS: Readonly<Record<Codec, Impairments>> = {
  g711: { ie: 0, bpl: 25.1 },
  g729: { ie: 11, bpl: 19 },
  opus: { ie: 0, bpl: 25.1 },
};

/** Idd: what delay takes, for an absolute one-way delay in milliseconds (G.107 equation 7-27, 7-28). */
const delayImpairment = (oneWayMs: number): number => {
  if (oneWayMs <= UNNOTICED_MS) return 0;
  const x = Math.log2(oneWayMs / UNNOTICED_MS);
  return 25 * ((1 + x ** 6) ** (1 / 6) - 3 * (1 + (x / 3) ** 6) ** (1 / 6) + 2);
};

interface Call {
  readonly codec: Codec;
  /** Mouth to ear, one way, in milliseconds. */
  readonly oneWayMs: number;
  /** Lost or too late, 0–1. */
  readonly lossRatio: number;
  /** At least 1 counts; loss that is more even than chance is taken for chance. */
  readonly burstRatio: number;
}

/** R, 0–93.2. */
export const rFactorOf = ({ codec, oneWayMs, lossRatio, burstRatio }: Call): number => {
  const { ie, bpl } = IMPAIRMENTS[codec];
  const percent = 100 * lossRatio;
  const ieEff = ie + ((95 - ie) * percent) / (percent / Math.max(1, burstRatio) + bpl);
  return Math.max(0, R_DEFAULT - delayImpairment(oneWayMs) - ieEff);
};

/** The mean opinion score of an R (G.107 Annex B), 1–4.5. */
export const mosOf = (r: number): number => {
  if (r <= 0) return 1;
  if (r >= 100) return 4.5;
  return Math.min(4.5, Math.max(1, 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r)));
};
