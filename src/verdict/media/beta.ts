/** The incomplete beta function and its inverse: exact bounds of a ratio, also where the counts are no whole numbers. Pure. */

/** Lanczos' approximation of ln Γ with six terms: exact to 2e-10 for x > 0. */
const LANCZOS = [
  76.18009172947146, -86.50532032941678, 24.01409824083091, -1.231739572450155, 0.1208650973866179e-2,
  -0.5395239384953e-5,
] as const;

const lnGamma = (x: number): number => {
  const shifted = x + 5.5;
  const series = LANCZOS.reduce((sum, term, index) => sum + term / (x + 1 + index), 1.000000000190015);
  return (x + 0.5) * Math.log(shifted) - shifted + Math.log((Math.sqrt(2 * Math.PI) * series) / x);
};

/** As near to zero as a denominator of the continued fraction may come. */
const TINY = 1e-300;
const PRECISION = 1e-14;
/** The fraction converges in some √(max(a, b)) steps. */
const MAX_STEPS = 2000;

const away = (value: number): number => (Math.abs(value) < TINY ? TINY : value);

/** The continued fraction of DLMF 8.17.22, by Lentz's method. */
const fraction = (x: number, a: number, b: number): number => {
  let c = 1;
  let d = 1 / away(1 - ((a + b) * x) / (a + 1));
  let result = d;
  const step = (numerator: number): number => {
    d = 1 / away(1 + numerator * d);
    c = away(1 + numerator / c);
    result *= d * c;
    return d * c;
  };
  for (let m = 1; m <= MAX_STEPS; m += 1) {
    step((m * (b - m) * x) / ((a + 2 * m - 1) * (a + 2 * m)));
    const change = step((-(a + m) * (a + b + m) * x) / ((a + 2 * m) * (a + 2 * m + 1)));
    if (Math.abs(change - 1) < PRECISION) break;
  }
  return result;
};

/** I_x(a, b), the distribution function of Beta(a, b), for a, b > 0. */
const incompleteBeta = (x: number, a: number, b: number): number => {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  const front = Math.exp(lnGamma(a + b) - lnGamma(a) - lnGamma(b) + a * Math.log(x) + b * Math.log(1 - x));
  // The fraction converges fast only on one side of the mean.
  return x < (a + 1) / (a + b + 2) ? (front * fraction(x, a, b)) / a : 1 - (front * fraction(1 - x, b, a)) / b;
};

/** So many halvings leave an error of 1e-11. */
const HALVINGS = 36;

const betaQuantile = (probability: number, a: number, b: number): number => {
  let low = 0;
  let high = 1;
  for (let step = 0; step < HALVINGS; step += 1) {
    const middle = (low + high) / 2;
    if (incompleteBeta(middle, a, b) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
};

/** Clopper–Pearson lower bound of a ratio, one-sided: with this confidence it is no smaller. */
export const lowerBound = (hits: number, trials: number, confidence: number): number =>
  hits <= 0 || trials <= 0 ? 0 : betaQuantile(1 - confidence, hits, Math.max(0, trials - hits) + 1);

/** Clopper–Pearson upper bound, one-sided. */
export const upperBound = (hits: number, trials: number, confidence: number): number =>
  trials <= 0 || hits >= trials ? 1 : betaQuantile(confidence, hits + 1, trials - hits);
