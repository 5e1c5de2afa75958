/** Of whom a row is asked: of the target, of a host of its own, or of nobody where the far side begins. */
import t from 'tap';
import type { Requirement } from '../../src/model/profile.js';
import { plan } from '../../src/plan/plan.js';
import { asksOwnHosts, hostsOfRows } from '../../src/plan/row-target.js';
import { destination, input, profile, requirement } from '../run/support/profiles.js';

const gateway = requirement('ike', ['ike-sa-init/udp/500']);
const activation: Requirement = {
  ...requirement('https', ['tls-handshake/tls/443'], { role: 'web' }),
  host: 'activation.example',
};
const wayIn: Requirement = {
  ...requirement('in', ['sip-options/tls/5061']),
  direction: 'inbound',
  host: 'pbx.example',
};
const profiles = [profile('example', [gateway, activation, wayIn])];
const own = destination(['203.0.113.5'], {}, 'activation.example');

const placesOf = (others?: Parameters<typeof input>[0]['others']) =>
  plan(input({ profiles, ...(others && { others }) })).checks.map(({ id, address, host }) => [id, address, host]);

t.test('rows with a host of their own', async (t) => {
  t.strictSame(hostsOfRows(profiles), ['activation.example'], 'inbound traffic asks nobody');
  t.strictSame(placesOf(new Map([[own.host, own]])), [
    ['ike-sa-init/udp/500', '198.51.100.10', 'target.example'],
    ['tls-handshake/tls/443#203.0.113.5', '203.0.113.5', 'activation.example'],
  ]);
  t.strictSame(
    placesOf(new Map([[own.host, destination([null], {}, own.host)]]))[1],
    ['tls-handshake/tls/443#activation.example', null, 'activation.example'],
    'a name that does not resolve is a question all the same',
  );
  t.strictSame(
    placesOf()[1],
    ['tls-handshake/tls/443', '198.51.100.10', 'target.example'],
    'a target that stands for all is asked in its place',
  );
});

t.test('who stands for all', async (t) => {
  const rows: readonly (readonly [namesTarget: boolean, namesReflectors: boolean, hasToken: boolean, own: boolean])[] =
    [
      [false, false, false, true],
      [true, false, false, true],
      [true, false, true, false],
      [true, true, true, true],
      [false, true, true, true],
    ];
  for (const [namesTarget, namesReflectors, hasToken, own] of rows) {
    t.equal(asksOwnHosts({ namesTarget, namesReflectors, hasToken }), own);
  }
});

t.test('what the far side begins is planned and not asked', async (t) => {
  const { requirements } = plan(input({ profiles }));
  t.match(requirements[2], { requirement: { id: 'in' }, alternatives: [] });
});
