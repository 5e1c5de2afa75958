/**
 * Names of carriers' gateways for Wi-Fi Calling (ePDG): how 3GPP forms them for home, emergency, area and visited country
 * (3GPP TS 23.003 section 19.4.2.9, as Android's EpdgSelector builds them), and the carriers that use names of their own.
 */

import { nearest } from '../model/nearest.js';
import type { Source } from '../model/profile.js';
import { UserError } from '../model/user-error.js';
import { gatewayByHearsay } from '../words/name-notes.js';

/** Names below it are public by definition: they are for handsets on any network. */
export const PUBLIC_3GPP = '.pub.3gppnetwork.org';

interface Carrier {
  /** What `--carrier` takes. */
  readonly name: string;
  readonly title: string;
  /** The name that is asked. */
  readonly host: string;
  /** Other names that handsets of this carrier were seen to ask for. */
  readonly more: readonly string[];
  /** MCC and MNC (ITU-T E.212), where a document gives them. */
  readonly plmn: readonly [mcc: string, mnc: string] | null;
  readonly source: Source;
}

const GUIDES: Source = {
  title: "Guides and threads that name the carrier's gateways",
  evidence: 'secondary',
  checkedOn: '2026-11-27',
};

/** Carriers whose handsets ask for another name than the one that 3GPP forms from the two numbers. */
export const CARRIERS: readonly Carrier[] = [
  {
    name: 'att',
    title: 'AT&T (United States)',
    host: 'epdg.epc.att.net',
    more: [],
    plmn: null,
    source: GUIDES,
  },
  {
    name: 'globe',
    title: 'Globe (Philippines)',
    host: 'weconnect.globe.com.ph',
    more: [],
    plmn: null,
    source: GUIDES,
  },
  { name: 'jio', title: 'Jio (India)', host: 'vowifi.jio.com', more: [], plmn: null, source: GUIDES },
  { name: 'm1', title: 'M1 (Singapore)', host: 'epdg.mobileone.net.sg', more: [], plmn: null, source: GUIDES },
  {
    name: 'sprint',
    title: 'Sprint (United States)',
    host: 'primgw.vowifina.spcsdns.net',
    more: [],
    plmn: null,
    source: GUIDES,
  },
  {
    name: 't-mobile',
    title: 'T-Mobile (United States)',
    host: 'ss.epdg.epc.mnc260.mcc310.pub.3gppnetwork.org',
    more: ['epdg.epc.mnc260.mcc310.pub.3gppnetwork.org', 'ss.epdg.epc.geo.mnc260.mcc310.pub.3gppnetwork.org'],
    plmn: ['310', '260'],
    source: GUIDES,
  },
  { name: 'three-hk', title: 'Three (Hong Kong)', host: 'wlan.three.com.hk', more: [], plmn: null, source: GUIDES },
  {
    name: 'verizon',
    title: 'Verizon (United States)',
    host: 'wo.vzwwo.com',
    more: ['sg.vzwfemto.com'],
    plmn: null,
    source: GUIDES,
  },
];

/** Finds a carrier. @throws UserError that names the nearest and the way around the table */
export const carrierNamed = (name: string): Carrier => {
  const found = CARRIERS.find((carrier) => carrier.name === name);
  if (found) return found;
  const names = CARRIERS.map((carrier) => carrier.name);
  const meant = nearest(name, names);
  throw new UserError(
    'usage',
    `--carrier: ${JSON.stringify(name.slice(0, 40))} is not one of ${names.join(', ')}${meant ? `; did you mean ${meant}?` : ''}; any other carrier has --mcc and --mnc`,
  );
};

/**
 * Which of a carrier's gateways is meant: the usual one, the one for emergency calls, the one of a cell's area, or that of
 * the country in which a handset roams, whose records name gateways of its carriers (NAPTR).
 */
type GatewayForm =
  | { readonly kind: 'home'; readonly emergency: boolean }
  | { readonly kind: 'visited'; readonly emergency: boolean }
  /** Location area code, four hexadecimal digits. */
  | { readonly kind: 'lac'; readonly emergency: boolean; readonly code: string }
  /** Tracking area code, four hexadecimal digits; six in 5G. */
  | { readonly kind: 'tai'; readonly emergency: boolean; readonly code: string };

export const HOME: GatewayForm = { kind: 'home', emergency: false };

/** `emergency`, `visited`, `lac:01ab`, `tai:0b1a`, `tai:0b1a21`, and `emergency-` in front of each. @throws UserError */
export const readForm = (text: string): GatewayForm => {
  const emergency = text === 'emergency' || text.startsWith('emergency-');
  const rest = emergency ? text.slice('emergency-'.length) : text;
  if (rest === '' || rest === 'home') return { kind: 'home', emergency };
  if (rest === 'visited') return { kind: 'visited', emergency };
  const area = /^(lac|tai):([0-9a-f]{4}|[0-9a-f]{6})$/i.exec(rest);
  const [, kind, code = ''] = area ?? [];
  if (kind === 'lac' && code.length === 4) return { kind, emergency, code: code.toLowerCase() };
  if (kind === 'tai') return { kind, emergency, code: code.toLowerCase() };
  throw new UserError(
    'usage',
    `--epdg: ${JSON.stringify(text.slice(0, 40))} is not one of home, visited, lac:XXXX, tai:XXXX, tai:XXXXXX (hexadecimal), each also after emergency-`,
  );
};

/** Octets of a code from the lowest to the highest, as the labels of a TAI are ordered. */
const areaLabels = (code: string): string => {
  const octets = code.match(/../g) ?? [];
  const [low = '', ...others] = octets.toReversed();
  if (others.length === 1) return `tac-lb${low}.tac-hb${others[0]}.tac.`;
  return `tac-lb${low}.tac-mb${others[0]}.tac-hb${others[1]}.5gstac.`;
};

/** The name of a gateway as 3GPP forms it; an MNC of two digits gets a zero in front. */
export const gatewayName = (mcc: string, mnc: string, form: GatewayForm = HOME): string => {
  const epdg = `${form.emergency ? 'sos.' : ''}epdg.epc.`;
  const plmn = `mnc${mnc.padStart(3, '0')}.mcc${mcc}${PUBLIC_3GPP}`;
  switch (form.kind) {
    case 'home':
      return `${epdg}${plmn}`;
    case 'visited':
      // The country alone: its records name the gateways of its carriers.
      return `${epdg}mcc${mcc}.visited-country${PUBLIC_3GPP}`;
    case 'lac':
      return `lac${form.code}.${epdg}${plmn}`;
    case 'tai':
      return `${areaLabels(form.code)}${epdg}${plmn}`;
  }
};

/** What a reader must know of a carrier's gateway that the table names. */
export const carrierNote = ({ title, host, more }: Carrier): string => gatewayByHearsay(title, host, more);
