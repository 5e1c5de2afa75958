/** Products that are configured by clicking: what to set, in words, for one request or for a whole service. */

/** What one step is about. */
export interface Setting {
  /** `UDP 5060, 16384-32767 to 203.0.113.0/24`. */
  readonly what: string;
  /** `203.0.113.0/24, 198.51.100.7`. */
  readonly places: string;
  readonly protocol: string;
  readonly ports: string;
  readonly udpTimeoutSeconds: number;
}

type Step = (setting: Setting) => string;

export interface Product {
  readonly allow: Step;
  readonly 'alg-off': Step;
  readonly 'udp-timeout': Step;
  readonly 'no-redirect': Step;
  /** Left out where the product has no such switch. */
  readonly 'static-port'?: Step;
  /** Of a whole service: where its rules go, and what its SIP and its session timeout want. */
  readonly service: { readonly rules: string; readonly sip: string; readonly timeout: (seconds: number) => string };
}

/** UniFi gateways. */
const unifi: Product = {
  allow: ({ what, places }) =>
    `In the firewall's policies create one that allows ${what} from the phones' network to the internet, with return traffic, and move it above those that block. Exempt ${places} from intrusion prevention.`,
  'alg-off': () =>
    'In the gateway\'s settings, under the conntrack modules ("Firewall Connection Tracking"), switch off SIP.',
  'udp-timeout': ({ udpTimeoutSeconds }) =>
    `In the gateway's settings, under the conntrack timeouts, set "UDP Stream" and "UDP Other" to ${udpTimeoutSeconds} seconds; they count for all UDP.`,
  'no-redirect': ({ what }) => `Exempt ${what} from content filtering, inspection and the guest portal.`,
  service: {
    rules: "In the firewall's policies, above those that block, with return traffic",
    sip: 'Under the conntrack modules ("Firewall Connection Tracking") switch off SIP',
    timeout: (seconds) =>
      `Under the conntrack timeouts set "UDP Stream" and "UDP Other" to ${seconds} seconds; they count for all UDP`,
  },
};

/** OPNsense and pfSense, whose rules are clicked and not pasted. */
const opnsense: Product = {
  allow: ({ protocol, places, ports }) =>
    `Under Firewall, Rules, on the interface of the phones, add a rule above those that block: pass, protocol ${protocol}, destination ${places} (an alias of them where there are several), destination port ${ports} (one rule for each range, or an alias of them).`,
  'alg-off': () => 'It rewrites no SIP by itself: remove the SIP proxy (siproxd) if it was added.',
  'udp-timeout': () =>
    'Under Firewall, Settings, Advanced (pfSense: System, Advanced, Firewall & NAT) set "Firewall Optimization" to conservative; it counts for everything.',
  'no-redirect': ({ what }) =>
    `Under Firewall, NAT, Port Forward, above the rule that redirects, add one for ${what} with "No RDR"; exempt it from the proxy and the captive portal.`,
  'static-port': ({ what }) =>
    `Under Firewall, NAT, Outbound choose hybrid rules and add one on WAN for the PBX, ${what}, with "Static-port".`,
  service: {
    rules:
      'Under Firewall, Rules, on the interface of the phones (for what comes in: of the line), above those that block',
    sip: 'Remove the SIP proxy (siproxd) if it was added',
    timeout: (seconds) =>
      `Under Firewall, Settings, Advanced choose conservative, so that UDP lasts ${seconds} s or more; it counts for everything`,
  },
};

/** SonicOS. */
const sonicwall: Product = {
  allow: ({ protocol, places, ports }) =>
    `Create address objects for ${places} and a service for ${protocol} ${ports}; add an access rule LAN to WAN that allows this service to them, above those that deny.`,
  'alg-off': () =>
    'Under Network, VoIP, Settings clear "Enable SIP Transformations", and select "Enable Consistent NAT".',
  'udp-timeout': ({ what, udpTimeoutSeconds }) =>
    `In the access rule that passes ${what}, under Advanced, set "UDP Connection Inactivity Timeout" to ${udpTimeoutSeconds} seconds.`,
  'no-redirect': ({ places }) => `Exclude ${places} from DPI-SSL and from the content filter.`,
  'static-port': ({ what }) =>
    `In the NAT policy of the PBX for ${what} tick "Disable Source Port Remap", and select "Enable Consistent NAT".`,
  service: {
    rules: 'As access rules LAN to WAN (for what comes in: WAN to LAN), above those that deny',
    sip: 'Under Network, VoIP, Settings clear "Enable SIP Transformations" and select "Enable Consistent NAT"',
    timeout: (seconds) =>
      `In these access rules, under Advanced, set "UDP Connection Inactivity Timeout" to ${seconds} seconds`,
  },
};

export const PRODUCTS = { opnsense, unifi, sonicwall } as const;
