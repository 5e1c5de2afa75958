/** How much of the rate a run takes, so that as many go on side by side as have to: arithmetic of what all of them need. Pure. */
import type { RunKind } from '../config/schema.js';

/** What one schedule sends. */
export interface Need {
  readonly packets: number;
  readonly everyMs: number;
}

/** No run takes more, so that a light one finds room beside a sweep. */
const MOST = 0.5;
/** With less a light run would not end before it is due again. */
const LEAST_PACKETS_PER_SECOND = 5;
/** What a run waits beside its sending: for silence, for answers, for the far end's word. */
const WAITING_MS = 5000;
/** Where all that is needed comes near to the rate, the places are as many as the rate can be shared into. */
const FULL = 0.95;

/** Packets in a second that all of these need on average. */
export const neededRate = (needs: readonly Need[]): number =>
  needs.reduce((sum, { packets, everyMs }) => sum + packets / (everyMs / 1000), 0);

/**
 * So many light runs are under way at a time. A run lasts for its waiting and its sending; with the rate shared into so many
 * places its sending takes as many times longer, which makes it a geometric sum.
 */
const placesFor = (needs: readonly Need[], rate: number): number => {
  const waiting = needs.reduce((sum, { everyMs }) => sum + WAITING_MS / everyMs, 0);
  return waiting / (1 - Math.min(FULL, neededRate(needs) / rate));
};

/**
 * What a run asks of the budget, in packets a second.
 * @param light what the light schedules need together
 */
export const shareFor = (kind: RunKind, rate: number, light: readonly Need[]): number => {
  const least = Math.min(rate, LEAST_PACKETS_PER_SECOND);
  if (kind === 'light') return Math.max(least, Math.min(rate * MOST, rate / Math.max(2, placesFor(light, rate))));
  // A sweep takes what the light ones leave, so that it delays none of them.
  return Math.max(least, Math.min(rate * MOST, rate - neededRate(light)));
};
