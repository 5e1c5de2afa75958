/** IP addresses, text ⇄ octets, against RFC 5952's own examples and Node's parser as an independent judge. */
import { isIP } from 'node:net';
import fc from 'fast-check';
import t from 'tap';
import { formatIp, isIpv4Mapped, parseIp, toMappedBytes, unmapIp } from '../../src/wire/ip.js';

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const canonical = (text: string): string | null => {
  const ip = parseIp(text);
  return ip && formatIp(ip.bytes);
};

t.test('every notation becomes the canonical one (RFC 5952 §2, §4, §5)', async (t) => {
  const cases: readonly (readonly [written: string, canonical: string])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['0.0.0.0', '0.0.0.0'],
    ['255.255.255.255', '255.255.255.255'],
    ['2001:db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:0db8:0:0:1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8::1:0:0:1', '2001:db8::1:0:0:1'],
    ['2001:db8:0000:0:1::1', '2001:db8::1:0:0:1'],
    ['2001:DB8:0:0:1::1', '2001:db8::1:0:0:1'],
    ['2001:db8::1:1:1:1:1', '2001:db8:0:1:1:1:1:1'],
    ['2001:0:0:1:0:0:0:1', '2001:0:0:1::1'],
    ['0:0:0:0:0:0:0:0', '::'],
    ['0:0:0:0:0:0:0:1', '::1'],
    ['1:0:0:0:0:0:0:0', '1::'],
    ['1:2:3:4:5:6:7::', '1:2:3:4:5:6:7:0'],
    ['::2:3:4:5:6:7:8', '0:2:3:4:5:6:7:8'],
    ['::ffff:c000:0201', '::ffff:192.0.2.1'],
    ['::FFFF:192.0.2.1', '::ffff:192.0.2.1'],
    ['64:ff9b::192.0.2.33', '64:ff9b::c000:221'],
    ['1:2:3:4:5:6:1.2.3.4', '1:2:3:4:5:6:102:304'],
    ['fe80::1%eth0', 'fe80::1'],
    ['fe80::1%12', 'fe80::1'],
    ['fe80::1%br_lan.7', 'fe80::1'],
  ];
  for (const [written, expected] of cases) t.equal(canonical(written), expected, written);
});

t.test('what is no address is null', async (t) => {
  const not = [
    ...['', 'localhost', '1.2.3', '1.2.3.4.5', '1.2.3.256', '01.2.3.4', '1.2.3.4 ', '1.2.3.', '0x7f.0.0.1', '١.٢.٣.٤'],
    ...[':', ':::', '::1::', '1::2::3', '1:2:3:4:5:6:7', '1:2:3:4:5:6:7:8:9', '1:2:3:4:5:6:7:8::', '12345::', 'g::'],
    ...[
      '1.2.3.4::',
      '::1.2.3',
      '::1.2.3.4:5',
      '1:2:3:4:5:6:7:1.2.3.4',
      ':1:2:3:4:5:6:7',
      '[::1]',
      '::1/64',
      '1.2.3.4%eth0',
    ],
    ...['::1%', '::1%a%b', '::1%a b', `::1%${'z'.repeat(200)}`, ':'.repeat(60), '0:'.repeat(40), '1.'.repeat(10_000)],
  ];
  for (const text of not) t.equal(parseIp(text), null, text.slice(0, 40));
});

t.test('agrees with Node on what is an address', async (t) => {
  const soup = fc.string({
    unit: fc.constantFrom(...'0129afAF:::..g'.split(''), '::', 'ffff', '255.'),
    maxLength: 14,
  });
  fc.assert(
    fc.property(fc.oneof(fc.ipV4(), fc.ipV6(), soup), (text) => {
      t.equal(parseIp(text)?.family ?? 0, isIP(text), text);
    }),
    { numRuns: 3000 },
  );
});

t.test('octets survive their text, and the text is the one that URLs have', async (t) => {
  const groups = fc.array(fc.constantFrom(0, 0, 0, 1, 0xffff, 0xdb8), { minLength: 8, maxLength: 8 });
  fc.assert(
    fc.property(groups, (values) => {
      const bytes = Buffer.alloc(16);
      for (const [index, value] of values.entries()) bytes.writeUInt16BE(value, index * 2);
      const text = formatIp(bytes);
      t.equal(hexOf(parseIp(text)?.bytes ?? new Uint8Array(0)), hexOf(bytes), text);
      if (!isIpv4Mapped(bytes)) t.equal(new URL(`http://[${text}]/`).hostname, `[${text}]`);
    }),
    { numRuns: 500 },
  );
  t.throws(() => formatIp(new Uint8Array(5)), RangeError);
});

t.test('IPv4 inside IPv6 comes out and goes in again', async (t) => {
  const four = Uint8Array.of(192, 0, 2, 1);
  const mapped = toMappedBytes(four);
  t.equal(hexOf(mapped), '00000000000000000000ffffc0000201');
  t.ok(isIpv4Mapped(mapped));
  t.notOk(isIpv4Mapped(four));
  t.equal(hexOf(unmapIp(mapped)), 'c0000201');
  const six = parseIp('2001:db8::1')?.bytes ?? four;
  t.equal(unmapIp(six), six);
  t.equal(toMappedBytes(six), six);
});
