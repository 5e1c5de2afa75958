/** What every question of a run needs: the world, the session, what is known of path and far ends, and when to end. */
import type { Probe, Session } from '../../probes/contract.js';
import type { AskedKind } from '../model/kinds.js';
import type { Totals } from '../model/run.js';
import type { Ways } from './ask/ways.js';
import type { Net } from './net.js';
import type { Path } from './path.js';
import type { Timeline } from './timeline.js';

export interface Tools {
  readonly net: Net;
  readonly session: Session;
  readonly totals: Totals;
  /** Unique within the run; by it the far end tells what arrived. */
  readonly nextSequence: () => number;
  readonly path: Path;
  readonly timeline: Timeline;
  readonly ways: Ways;
  /** Whether the line is left alone for a moment: what asks slowly must be the only one that asks. */
  readonly watch: { isPaused: boolean };
  readonly probeOf: (kind: AskedKind) => Probe;
  /** Fires at the run's end, whatever ends it. */
  readonly signal: AbortSignal;
}
