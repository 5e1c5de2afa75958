/** This host itself: errors of its own sockets are proof, because nothing has left it. */
import { CAUSES } from '../../words/diagnosis/causes.js';
import { type Ground, hasReason, itemsOf, noFix, type Rule, requiredOf } from './rule.js';

export const HOST_RULES: readonly Rule[] = [
  {
    id: 'local-refusal',
    when: ({ service, facts }) =>
      itemsOf(
        requiredOf(service),
        (item) => hasReason('local-error')(item) && facts.failures.some(({ id }) => id === item.id),
      ),
    symptom: null,
    causes: (grounds, { facts }) => {
      const of = (...failures: readonly string[]): readonly Ground[] =>
        grounds.filter(({ id }) => facts.failures.some((one) => one.id === id && failures.includes(one.failure)));
      const denied = of('local-denied');
      const exhausted = of('exhausted');
      const unavailable = of('address-unavailable');
      return [
        ...(denied.length > 0
          ? [
              {
                id: 'host-firewall',
                device: 'host',
                likelihood: 'proven',
                text: CAUSES['host-firewall'],
                grounds: denied,
              } as const,
            ]
          : []),
        ...(exhausted.length > 0
          ? [
              {
                id: 'host-exhausted',
                device: 'host',
                likelihood: 'proven',
                text: CAUSES['host-exhausted'],
                grounds: exhausted,
              } as const,
            ]
          : []),
        ...(unavailable.length > 0
          ? [
              {
                id: 'host-address',
                device: 'host',
                likelihood: 'proven',
                text: CAUSES['host-address'],
                grounds: unavailable,
              } as const,
            ]
          : []),
      ];
    },
    fixes: noFix,
  },
];
