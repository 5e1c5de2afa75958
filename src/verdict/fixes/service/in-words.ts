/** A whole service for products that are configured by clicking: what to set, one step a line. */
import { PRODUCTS } from '../../../words/products.js';
import { textOf, writePorts } from '../ask.js';
import type { ServiceRule, ServiceWriter } from './rules.js';

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
    const words = PRODUCTS[product].service;
    return [
      ...head.map((line) => `# ${line}`),
      `${words.rules}:`,
      ...rules.flatMap((rule) => [`- ${step(rule)}`, ...rule.comments.map((comment) => `  # ${comment}`)]),
      ...(hasPlainSip ? [`${words.sip}.`] : []),
      ...(udpTimeoutSeconds === null ? [] : [`${words.timeout(udpTimeoutSeconds)}.`]),
      '',
    ].join('\n');
  };
