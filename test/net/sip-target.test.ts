/** Targets as people write them. */
import t from 'tap';
import { accept, refuse } from '../../src/model/refusal.js';
import { parseSipTarget, type SipTarget, type SipTargetRefusal } from '../../src/net/sip-target.js';

const name = (host: string): SipTarget['target'] => ({ kind: 'name', name: host });
const four = { kind: 'address', address: '192.0.2.1', family: 4 } as const;
const six = { kind: 'address', address: '2001:db8::1', family: 6 } as const;

t.test('hosts, ports and URIs', async (t) => {
  const cases: readonly (readonly [string, SipTarget])[] = [
    ['carrier.example', { target: name('carrier.example'), port: null, transport: null }],
    ['carrier.example:5080', { target: name('carrier.example'), port: 5080, transport: null }],
    ['192.0.2.1:5080', { target: four, port: 5080, transport: null }],
    ['2001:db8::1', { target: six, port: null, transport: null }],
    ['[2001:db8::1]:5080', { target: six, port: 5080, transport: null }],
    ['sip:carrier.example', { target: name('carrier.example'), port: null, transport: null }],
    ['sip:alice@carrier.example:5080;transport=TCP', { target: name('carrier.example'), port: 5080, transport: 'tcp' }],
    ['sips:carrier.example', { target: name('carrier.example'), port: null, transport: 'tls' }],
    ['SIPS:[2001:db8::1]:5080;transport=tcp', { target: six, port: 5080, transport: 'tls' }],
  ];
  for (const [text, expected] of cases) t.strictSame(parseSipTarget(text), accept(expected), text);
});

t.test('what is refused', async (t) => {
  const cases: readonly (readonly [string, SipTargetRefusal])[] = [
    ['', 'empty'],
    ['carrier.example:', 'uri'],
    ['carrier.example:0', 'bad-port'],
    ['carrier.example:65536', 'bad-port'],
    ['https://carrier.example/', 'uri'],
    ['tel:+4930', 'uri'],
    ['sip:carrier.example?Subject=x', 'uri'],
    ['alice@carrier.example', 'userinfo'],
    ['sip:carrier.example;transport=ws', 'transport'],
    ['sips:carrier.example;transport=udp', 'transport'],
    ['sip:carrier.example\r\nVia: x', 'whitespace'],
    [`sip:${'a'.repeat(700)}`, 'too-long'],
  ];
  for (const [text, refusal] of cases) t.strictSame(parseSipTarget(text), refuse(refusal), JSON.stringify(text));
});
