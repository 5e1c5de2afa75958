/** What an IPsec tunnel's own faults mean to Wi-Fi Calling: rules of diagnosis as data. */
import type { SymptomId } from '../model/verdict.js';
import type { Item, ServiceState } from './services.js';

interface Rule {
  readonly symptom: SymptomId;
  readonly text: string;
  readonly because: (service: ServiceState) => readonly Item[];
}

const requiredItems = ({ requirements }: ServiceState): readonly Item[] =>
  requirements.filter(({ requirement }) => requirement.need === 'required').flatMap(({ items }) => items);

const isEsp = ({ probe }: Item): boolean => probe === 'esp-in-udp';

/** What signalling is told already; two symptoms of one id would say the same twice. */
const signallingPasses = ({ verdict }: ServiceState): boolean => verdict !== 'blocked';

export const WIFI_CALLING_RULES: readonly Rule[] = [
  {
    symptom: 'wifi-calling-unavailable',
    text: 'The tunnel is negotiated and carries nothing: IKE passes on UDP 4500 and ESP does not.',
    because: (service) =>
      signallingPasses(service)
        ? requiredItems(service).filter(
            (item) => isEsp(item) && item.finding.verdict === 'blocked' && item.finding.reason !== 'size-filtered',
          )
        : [],
  },
  {
    symptom: 'long-invites-fail',
    text: 'The tunnel loses its large packets: registration or calls with long SIP messages fail, short ones pass.',
    because: (service) =>
      requiredItems(service).filter((item) => isEsp(item) && item.finding.reason === 'size-filtered'),
  },
  {
    symptom: 'wifi-calling-unavailable',
    text: "The gateway's name does not resolve here, so handsets that ask this resolver never find it; no port is to blame.",
    because: (service) => {
      const ike = requiredItems(service).filter(({ probe }) => probe === 'ike-sa-init');
      const unresolved = ike.filter(({ finding }) => finding.reason === 'dns-failure');
      return service.profile.symptomWhenBlocked === 'wifi-calling-unavailable' && unresolved.length === ike.length
        ? unresolved
        : [];
    },
  },
];
