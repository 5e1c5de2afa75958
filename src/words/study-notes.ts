/** What studies have to tell besides their verdicts. */

export const STALE_FLOW =
  'A flow that this agent keeps open since earlier runs gets no answer, while new ones do: the firewall holds stale state, for example after its public address changed. Phones that keep their flows are cut off until it is cleared.';

export const deadSourcePort = (port: number): string =>
  `No return traffic to source port ${port}, although the same request from another port is answered: the firewall holds stale state for that port (clear it), serves one device at a time, or has a rule by source port. A device that uses this port is cut off.`;

export const inboundNotTested = (ports: string): string =>
  `Inbound ${ports} was not tested: no reflector proved that it knows the token, or the run ended first.`;

export const takesNoCalls = (status: string, places: string): string =>
  `The path is open; the server answers ${status} on ${places}: it takes no calls now.`;

export const certificateTrouble = (place: string, address: string, problems: string): string =>
  `The certificate on ${place} of ${address} ${problems}.`;

export const STREAM_TOO_LATE =
  'This host sent or read the stream of audio too late to judge the line by it: nothing is said of how calls sound.';

export const STREAM_NOT_SENT = {
  pace: 'No stream of audio was sent: at this pace (--max-pps) there is no room for 50 packets a second beside everything else.',
  'rate-limited':
    'No stream of audio was sent: something on the way lets fewer packets a second pass than two calls send.',
  'local-error': 'No stream of audio was sent: this host gave no socket for it.',
} as const;

/** Of `trials` messages sent within seconds only `answers` were answered, of `slowly` sent a second apart all. */
export const sipLimitedAtOnce = (
  port: number,
  { trials, answers, slowly }: { readonly trials: number; readonly answers: number; readonly slowly: number },
): string =>
  `UDP ${port} passes only so many messages at a time: of ${trials} sent within seconds ${answers} were answered, of ${slowly} sent a second apart all. Flood protection or a rate limit does that. Phones behind one address share it.`;

const STOPPED_BY = {
  rate: 'but one after a pause of some seconds passes again: a rate limit for SIP messages',
  'cut-off': 'and none asked after a pause either: flood protection has shut this host out',
} as const;

export const sipStopped = (port: number, kind: keyof typeof STOPPED_BY): string =>
  `From one moment on no more messages to UDP ${port} passed, whatever they were, ${STOPPED_BY[kind]}. This run may have triggered it: exempt this host, or use a lower --max-pps. Phones behind one address share such a limit.`;

/** @param forms what of the form changed: `header order, compact names` */
export const sipInAnotherForm = (place: string, forms: string): string =>
  `Something on the path writes SIP over ${place} in another form (${forms}): the content is the same, and no call suffers from it.`;

/** Of a message that is dropped on SIP's port alone, where the far end did not say whether it arrived. */
export const sipVanished = (method: string, place: string): string =>
  `${method} gets no answer on ${place} and does elsewhere. The reflector did not say whether it arrived, so the direction in which it is lost is unknown.`;
