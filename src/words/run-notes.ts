/** What a run has to tell of itself: that it was cut short, of a busy host, of a reflector that rejects it. */

export const deadAddress = (address: string): string =>
  `Nothing answered from ${address}, although the target answers at another address: phones that choose this one cannot connect.`;

export const CUT_AT_DEADLINE =
  'The run reached its time limit before all checks were done: what is missing here is unknown. Use a longer --timeout.';

export const CUT_BY_SIGNAL = 'The run was interrupted before all checks were done: what is missing here is unknown.';

export const busyHost = (delayMs: number): string =>
  `This host was busy: the probing thread was delayed by up to ${delayMs} ms, round-trip times may be too long by as much.`;

export const TOKEN_REJECTED =
  'The target is a reflector that rejects this token: compare the token files of both ends.';

export const OTHER_PROTOCOL =
  'The target is a reflector that speaks another version of the protocol: install the same release on both ends.';

export const CLOCKS_DIFFER =
  'The clocks of this host and of the reflector differ by more than five minutes, so it ignores our requests as possible replays: set both by NTP, and run again.';

export const unproven = (hosts: string): string =>
  `A token was given, but ${hosts} did not prove that it knows it: the token is wrong, no reflector runs there, or something answers in its place. No answer counts as a pass.`;

export const QUICK_RUN = 'SIP ALG, NAT mapping and filtering, packet sizes and audio were not tested (--quick).';

export const NO_NAT = 'NAT mapping and filtering were not tested (--no-nat).';

const NO_EVIDENCE = 'Silence after that says nothing about any port.';

export const refusedAtEnd = (address: string): string =>
  `At the end of the run ${address} refused what it had answered before: the reflector there stopped or restarts, or something in front of it began to reject. ${NO_EVIDENCE} Run again once it is up.`;

export const cutOffAtEnd = (address: string, isUdp: boolean, flows: number, recentFlows: number): string =>
  `Cut off: from one moment on nothing came from ${address}${isUdp ? ' over UDP' : ''}, after this run had opened ${flows} flows, ${recentFlows} of them in the last seconds. Port-scan or SIP flood protection on the path may now drop all ${isUdp ? 'UDP' : 'traffic'} of this host; this run may have triggered it. Exempt this host, or send less (--max-pps, a smaller range). The line or the far end may also have gone down at that moment. ${NO_EVIDENCE}`;

export const silentAtEnd = (address: string, isUdp: boolean): string =>
  `Nothing came from ${address}${isUdp ? ' over UDP' : ''} at the end of the run: the line or the far end went down. ${NO_EVIDENCE} Run again once it is back.`;
