/** Which ports a reflector answers on: from profiles, or from exact lists such as `5060,16384-32767`. */

import type { PortSpan } from '../model/far-end.js';
import { alternativesOf, type Profile } from '../model/profile.js';
import { UserError } from '../model/user-error.js';

export interface PortPlan {
  /** In order of importance: if descriptors run out, the last ones are left out. */
  readonly udp: readonly number[];
  /** Each speaks plain TCP and TLS alike, told apart by its first byte. */
  readonly tcp: readonly number[];
}

const MAX_PORT = 65_535;

/** Reads `5060,16384-32767`. @throws UserError that names `option` */
export const parsePortList = (text: string, option: string): readonly PortSpan[] =>
  text.split(',').map((part): PortSpan => {
    const match = /^\s*(\d{1,5})(?:-(\d{1,5}))?\s*$/.exec(part);
    const from = Number(match?.[1]);
    const to = Number(match?.[2] ?? match?.[1]);
    if (!match || from < 1 || to > MAX_PORT || from > to) {
      throw new UserError(
        'usage',
        `${option}: "${part.trim()}" is not a port or range; write for example 5060,16384-32767`,
      );
    }
    return [from, to];
  });

const portsOf = ([from, to]: PortSpan): readonly number[] =>
  Array.from({ length: to - from + 1 }, (_, index) => from + index);

/** All ports of several spans, single ones before those of long ranges. */
export const expand = (spans: readonly PortSpan[]): readonly number[] => [
  ...new Set([...spans].sort((a, b) => a[1] - a[0] - (b[1] - b[0])).flatMap(portsOf)),
];

const spansOfProfiles = (profiles: readonly Profile[], udp: boolean): readonly PortSpan[] =>
  profiles
    .flatMap(({ requirements }) => requirements)
    .flatMap(alternativesOf)
    .filter(({ transport }) => (transport === 'udp') === udp)
    .map((spec): PortSpan => ('port' in spec ? [spec.port, spec.port] : [spec.from, spec.to]));

/** The ports that profiles name, with the control port. Exact lists, where given, take their place. */
export const planPorts = (input: {
  readonly profiles: readonly Profile[];
  readonly udp: readonly PortSpan[] | null;
  readonly tcp: readonly PortSpan[] | null;
  readonly tls: readonly PortSpan[] | null;
  readonly controlPort: number;
}): PortPlan => {
  const exact = input.udp ?? input.tcp ?? input.tls;
  const control: PortSpan = [input.controlPort, input.controlPort];
  return {
    udp: expand(exact ? (input.udp ?? []) : spansOfProfiles(input.profiles, true)),
    tcp: expand([
      control,
      ...(exact ? [...(input.tcp ?? []), ...(input.tls ?? [])] : spansOfProfiles(input.profiles, false)),
    ]),
  };
};
