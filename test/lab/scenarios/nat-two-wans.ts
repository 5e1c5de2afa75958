import { type Scenario, translate } from '../scenario.js';

export default {
  about: 'Two lines to the provider take turns, flow by flow: the far end sees two addresses.',
  topology: 'own-nat',
  rules: translate('oifname "wan0" snat to numgen inc mod 2 map { 0 : 198.51.100.1, 1 : 198.51.100.2 }'),
  report: { network: { mappedAddresses: ['198.51.100.1', '198.51.100.2'] } },
  symptoms: { 'business-sip': ['registration-flaps'] },
  cause: { 'business-sip': 'lines-take-turns' },
} satisfies Scenario;
