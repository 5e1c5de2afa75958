/** Whether nothing at all is wrong with a stream that was not alone on its way: what is sent beside it can only make it worse. Pure. */
import type { MediaStream } from '../../model/media.js';
import { jitterOf, reorderedOf, tooLateOf } from './delay.js';
import { directionsOf } from './direction.js';

/** What a queue adds for packets of our own in front; a call bears three times as much. */
const JITTER_MS = 10;
/** A host that sends so many packets late is busy with everything else. */
const LATE_SHARE = 0.1;

export const isSpotless = ({ packets, spacingMs, errors, changed, redirected }: MediaStream): boolean => {
  const both = directionsOf(packets);
  if (!both || errors > 0 || changed > 0 || redirected > 0) return false;
  const late = packets.filter(({ lateMs }) => lateMs > spacingMs).length;
  return (
    late <= LATE_SHARE * packets.length &&
    packets.every(({ heard }) => heard > 0) &&
    [both.outbound, both.inbound].every(
      ({ inOrder }) => jitterOf(inOrder) < JITTER_MS && reorderedOf(inOrder) === 0 && tooLateOf(inOrder).size === 0,
    )
  );
};
