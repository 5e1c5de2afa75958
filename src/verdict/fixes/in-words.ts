/** Products that are configured by clicking: what to set, in words. */
import { type Ask, placesOf, UDP_TIMEOUT_SECONDS, type Writer, writePorts } from './ask.js';

const places = (ask: Ask): string => placesOf(ask).join(', ');
const what = (ask: Ask): string => `${ask.protocol.toUpperCase()} ${writePorts(ask.ports)} to ${places(ask)}`;

/** UniFi gateways. */
export const unifi: Writer = (ask) => {
  switch (ask.kind) {
    case 'allow':
      return `In the firewall's policies create one that allows ${what(ask)} from the phones' network to the internet, with return traffic, and move it above those that block. Exempt ${places(ask)} from intrusion prevention.`;
    case 'alg-off':
      return 'In the gateway\'s settings, under the conntrack modules ("Firewall Connection Tracking"), switch off SIP.';
    case 'udp-timeout':
      return `In the gateway's settings, under the conntrack timeouts, set "UDP Stream" and "UDP Other" to ${UDP_TIMEOUT_SECONDS} seconds; they count for all UDP.`;
    case 'no-redirect':
      return `Exempt ${what(ask)} from content filtering, inspection and the guest portal.`;
    case 'static-port':
    case 'far-side':
    case 'advise':
      return null;
  }
};

/** OPNsense and pfSense, whose rules are clicked and not pasted. */
export const opnsense: Writer = (ask) => {
  switch (ask.kind) {
    case 'allow':
      return `Under Firewall, Rules, on the interface of the phones, add a rule above those that block: pass, protocol ${ask.protocol.toUpperCase()}, destination ${places(ask)} (an alias of them where there are several), destination port ${writePorts(ask.ports)} (one rule for each range, or an alias of them).`;
    case 'alg-off':
      return 'It rewrites no SIP by itself: remove the SIP proxy (siproxd) if it was added.';
    case 'udp-timeout':
      return 'Under Firewall, Settings, Advanced (pfSense: System, Advanced, Firewall & NAT) set "Firewall Optimization" to conservative; it counts for everything.';
    case 'no-redirect':
      return `Under Firewall, NAT, Port Forward, above the rule that redirects, add one for ${what(ask)} with "No RDR"; exempt it from the proxy and the captive portal.`;
    case 'static-port':
      return `Under Firewall, NAT, Outbound choose hybrid rules and add one on WAN for the PBX, ${what(ask)}, with "Static-port".`;
    case 'far-side':
    case 'advise':
      return null;
  }
};

/** SonicOS. */
export const sonicwall: Writer = (ask) => {
  switch (ask.kind) {
    case 'allow':
      return `Create address objects for ${places(ask)} and a service for ${ask.protocol.toUpperCase()} ${writePorts(ask.ports)}; add an access rule LAN to WAN that allows this service to them, above those that deny.`;
    case 'alg-off':
      return 'Under Network, VoIP, Settings clear "Enable SIP Transformations", and select "Enable Consistent NAT".';
    case 'udp-timeout':
      return `In the access rule that passes ${what(ask)}, under Advanced, set "UDP Connection Inactivity Timeout" to ${UDP_TIMEOUT_SECONDS} seconds.`;
    case 'no-redirect':
      return `Exclude ${places(ask)} from DPI-SSL and from the content filter.`;
    case 'static-port':
      return `In the NAT policy of the PBX for ${what(ask)} tick "Disable Source Port Remap", and select "Enable Consistent NAT".`;
    case 'far-side':
    case 'advise':
      return null;
  }
};
