/** A whole service for products that are configured by clicking: what to set, one step a line. */
import { textOf, writePorts } from '../ask.js';
import type { ServiceRule, ServiceWriter } from './rules.js';

/** What each product calls what has to be switched off or set. */
const PRODUCTS = {
  opnsense: {
    rules:
      'Under Firewall, Rules, on the interface of the phones (for what comes in: of the line), above those that block',
    sip: 'Remove the SIP proxy (siproxd) if it was added',
    timeout: (seconds: number) =>
      `Under Firewall, Settings, Advanced choose conservative, so that UDP lasts ${seconds} s or more; it counts for everything`,
  },
  unifi: {
    rules: "In the firewall's policies, above those that block, with return traffic",
    sip: 'Under the conntrack modules ("Firewall Connection Tracking") switch off SIP',
    timeout: (seconds: number) =>
      `Under the conntrack timeouts set "UDP Stream" and "UDP Other" to ${seconds} seconds; they count for all UDP`,
  },
  sonicwall: {
    rules: 'As access rules LAN to WAN (for what comes in: WAN to LAN), above those that deny',
    sip: 'Under Network, VoIP, Settings clear "Enable SIP Transformations" and select "Enable Consistent NAT"',
    timeout: (seconds: number) =>
      `In these access rules, under Advanced, set "UDP Connection Inactivity Timeout" to ${seconds} seconds`,
  },
} as const;

const placesOf = (rule: ServiceRule): string => {
  const all = rule.networks.length > 0 ? [...rule.networks.map(textOf), ...rule.hosts] : [];
  return all.length > 0 ? all.join(', ') : 'anywhere';
};

const step = (rule: ServiceRule): string => {
  const what = `${rule.protocol.toUpperCase()} ${writePorts(rule.ports)}`;
  const way =
    rule.direction === 'outbound'
      ? `to ${placesOf(rule)}`
      : `from ${placesOf(rule)} to the PBX or border controller inside`;
  return `allow ${what} ${way}${rule.dscp === null ? '' : `, marked with DSCP ${rule.dscp}`}`;
};

export const serviceInWords =
  (product: keyof typeof PRODUCTS): ServiceWriter =>
  ({ head, rules, udpTimeoutSeconds, hasPlainSip }) => {
    const words = PRODUCTS[product];
    return [
      ...head.map((line) => `# ${line}`),
      `${words.rules}:`,
      ...rules.flatMap((rule) => [`- ${step(rule)}`, ...rule.comments.map((comment) => `  # ${comment}`)]),
      ...(hasPlainSip ? [`${words.sip}.`] : []),
      ...(udpTimeoutSeconds === null ? [] : [`${words.timeout(udpTimeoutSeconds)}.`]),
      '',
    ].join('\n');
  };
