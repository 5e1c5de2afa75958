/** `import … from 'callpath'`: what cannot be used is refused before anything is sent, in one line that names the option. */
import { createServer } from 'node:net';
import t from 'tap';
import { probe, reflector, UserError } from '../src/index.js';

const TOKEN = 'a-token-for-a-test';
const NOT_OURS = '203.0.113.1';

t.test('options of probe that cannot be used', async (t) => {
  const wrong: readonly (readonly [options: object, said: RegExp])[] = [
    [{ maxPps: 0 }, /^probe: maxPps is 0; use a whole number from 1 to 1000000$/],
    [{ maxPps: Number.NaN }, /^probe: maxPps is NaN; use a whole number/],
    [{ maxPps: 1.5 }, /^probe: maxPps is 1\.5; use a whole number/],
    [{ maxPps: '200' }, /^probe: maxPps is "200"; use a whole number/],
    [{ maxPps: 2_000_000 }, /^probe: maxPps is 2000000;/],
    [{ maxpps: 100 }, /^probe: maxpps is not a key that belongs here; did you mean "maxPps"\?$/],
    [{ mediaSeconds: 601 }, /^probe: mediaSeconds is 601; use a number from 0 to 600$/],
    [{ mediaSeconds: '6' }, /^probe: mediaSeconds is "6"; use a number from 0 to 600$/],
    [{ timeoutMs: -1 }, /^probe: timeoutMs is -1; use a whole number from 1 to 3600000$/],
    [{ rtpRange: [20_000, 10_000] }, /^probe: rtpRange is no range of ports; use two ports such as/],
    [{ rtpRange: [1] }, /^probe: rtpRange is a list; use two ports such as/],
    [{ transports: ['sctp'] }, /^probe: transports\[0\] is "sctp"; use one of udp, tcp, tls$/],
    [{ transports: [] }, /^probe: transports is an empty list;/],
    [{ families: [5] }, /^probe: families\[0\] is 5; use 4 or 6$/],
    [{ profiles: [] }, /^probe: profiles is an empty list;/],
    [{ profiles: 'business-sip' }, /^probe: profiles is "business-sip"; use a list$/],
    [{ source: 'eth0' }, /^probe: source is "eth0"; use an IPv4 or IPv6 address$/],
    [{ source: NOT_OURS }, /^probe: source 203\.0\.113\.1 is no address of this host; it has /],
    [{ deep: 'yes' }, /^probe: deep is "yes"; use true or false$/],
    [{ signal: {} }, /^probe: signal is a map; use an AbortSignal$/],
    [{ onProgress: 1 }, /^probe: onProgress is 1; use a function$/],
    [{ token: 'too short' }, /^probe: token is no token; use a text of 16 bytes at least/],
    [{ token: ' '.repeat(20) }, /^probe: token is no token;/],
    [{ token: TOKEN, tokenFile: 'token' }, /^probe: token and tokenFile exclude each other; give one of them$/],
  ];
  for (const [options, said] of wrong) {
    const mistake: unknown = await probe({ target: '127.0.0.1', ...options } as never).catch((error: unknown) => error);
    const name = JSON.stringify(options);
    t.ok(mistake instanceof UserError, name);
    t.match((mistake as Error).message, said, name);
    t.notMatch((mistake as Error).message, 'too short', 'no token is quoted');
  }
  await t.rejects(probe(undefined as never), {
    name: 'UserError',
    message: /^probe: the argument is missing; use a map/,
  });
});

t.test('options of reflector that cannot be used', async (t) => {
  const wrong: readonly (readonly [options: object, said: RegExp])[] = [
    [{ controlPort: 0 }, /^reflector: controlPort is 0; use a whole number from 1 to 65535$/],
    [{ listen: ['localhost'] }, /^reflector: listen\[0\] is "localhost"; use an IPv4 or IPv6 address$/],
    [{ listen: [NOT_OURS] }, /^reflector: listen 203\.0\.113\.1 is no address of this host; it has /],
    [{ udp: '99999' }, /^reflector: udp: "99999" is not a port or range; write for example 5060,16384-32767$/],
    [{ tcp: 5060 }, /^reflector: tcp is 5060; use ports and ranges such as/],
    [{ token: '' }, /^reflector: token is no token;/],
    [{ token: undefined }, /^reflector: give token or tokenFile$/],
    [{ ports: '1' }, /^reflector: ports is not a key that belongs here;/],
  ];
  for (const [options, said] of wrong) {
    const mistake: unknown = await reflector({ token: TOKEN, ...options } as never).catch((error: unknown) => error);
    t.ok(mistake instanceof UserError, JSON.stringify(options));
    t.match((mistake as Error).message, said, JSON.stringify(options));
  }
});

t.test('a reflector that can bind nothing says so, and one whose control port is taken serves the rest', async (t) => {
  const holder = createServer();
  await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
  t.teardown(() => holder.close());
  const place = holder.address();
  const taken = typeof place === 'object' && place !== null ? place.port : 0;
  const said: string[] = [];
  const options = {
    token: TOKEN,
    tcp: String(taken),
    controlPort: taken,
    onWarning: (what: string) => said.push(what),
  };
  const far = await reflector({ ...options, udp: String(taken) });
  t.same([far.udp, far.tcp], [[taken], []]);
  t.match(said, [/cannot be bound \(EADDRINUSE\)/]);
  await t.rejects(reflector({ ...options, udp: String(taken) }), {
    name: 'UserError',
    code: 'nothing-bound',
    message: 'reflector: not a single port could be bound; onWarning is told why',
  });
  await far.close();
});
