/** Our phones with peers from other houses: sipp at the other end of calls, Kamailio as registrar. */
import t from 'tap';
import type { Call } from '../../src/dialog/call.js';
import { registrarMissing, startRegistrar } from './support/kamailio.js';
import { audio } from './support/line.js';
import { IS_CALLED_OFF, MAKES_A_CALL, sippMissing, startSipp, takesACall } from './support/sipp.js';
import { freePort, phoneTo } from './support/wires.js';

const HOST = '127.0.0.1';
const missing = sippMissing || registrarMissing;
t.setTimeout(120_000);

for (const transport of ['udp', 'tcp'] as const) {
  t.test(`sipp takes our call over ${transport}: held, transferred, hung up`, { skip: missing }, async (t) => {
    const port = await freePort();
    const { ended } = await startSipp(t, takesACall(), { port, transport });
    const { phone } = await phoneTo(t, { transport, port, user: 'alice' });
    const calling = phone.invite(`sip:sipp@${HOST}:${port}`, { body: audio() });
    t.equal((await calling.over).response?.status, 200);
    const call = await calling.call;
    if (!call) throw new Error('the call stands');
    const notified = new Promise<string>((resolve) =>
      call.onAsked(({ request, respond }) => {
        respond(200, 'OK');
        resolve(`${request.method} ${Buffer.from(request.body).toString().trim()}`);
      }),
    );
    const held = await call.reinvite(audio({ direction: 'sendonly', version: 2 }));
    t.match(Buffer.from(held.response?.body ?? []).toString(), /a=recvonly/);
    const referred = await call.ask('REFER', { headers: [{ name: 'Refer-To', value: `<sip:bob@${HOST}>` }] });
    t.equal(referred.response?.status, 202);
    t.equal(await notified, 'NOTIFY SIP/2.0 200 OK');
    t.equal((await call.ask('BYE')).response?.status, 200);
    t.match(await ended, { code: 0, errors: '' });
  });
}

t.test('sipp is called off while it rings', { skip: missing }, async (t) => {
  const port = await freePort();
  const { ended } = await startSipp(t, IS_CALLED_OFF, { port, transport: 'udp' });
  const { phone } = await phoneTo(t, { transport: 'udp', port, user: 'alice' });
  const calling = phone.invite(`sip:sipp@${HOST}:${port}`, { body: audio() });
  t.equal(await calling.first, 180);
  t.equal((await calling.cancel()).response?.status, 200);
  t.equal((await calling.over).response?.status, 487);
  t.match(await ended, { code: 0, errors: '' });
});

t.test('sipp calls us, holds and hangs up', { skip: missing }, async (t) => {
  const port = await freePort();
  const asked: string[] = [];
  const state: { call?: Call | null } = {};
  const own = await phoneTo(t, {
    ...{ transport: 'udp', port, user: 'alice' },
    called: (one) => {
      one.ring(180);
      const call = one.accept(audio());
      state.call = call;
      call?.onAsked(({ request, respond }) => {
        asked.push(request.method);
        if (request.method !== 'INVITE') return respond(200, 'OK');
        const contact = { name: 'Contact', value: `<sip:alice@${HOST}:${own.port}>` };
        respond(200, 'OK', { headers: [contact], body: audio({ direction: 'recvonly', version: 2 }) });
      });
    },
  });
  const { ended } = await startSipp(t, MAKES_A_CALL, {
    ...{ port, transport: 'udp', peer: ['-s', 'alice', `${HOST}:${own.port}`] },
  });
  t.match(await ended, { code: 0, errors: '' });
  t.same(asked, ['INVITE', 'BYE']);
  t.equal(await state.call?.acknowledged, true);
  t.ok(state.call?.isOver());
});

for (const algorithm of ['MD5', 'SHA-256'] as const) {
  t.test(`Kamailio registers us with ${algorithm}, over UDP and TCP`, { skip: missing }, async (t) => {
    const { port } = await startRegistrar(t, { algorithm, users: { alice: 'alicepw' } });
    for (const transport of ['udp', 'tcp'] as const) {
      const { phone } = await phoneTo(t, { transport, port, user: 'alice', domain: 'sip.test' });
      const all = await phone.register('sip:sip.test', 600, 'alicepw');
      t.same(
        all.map(({ response }) => response?.status),
        [401, 200],
        transport,
      );
      const wrong = await phone.register('sip:sip.test', 600, 'a guess');
      t.same(
        wrong.map(({ response }) => response?.status),
        [401, 401],
      );
    }
  });
}

t.test(
  'a call through Kamailio, which wants the password for it and stays on the way',
  { skip: missing },
  async (t) => {
    const echo = await freePort();
    const { port } = await startRegistrar(t, { algorithm: 'MD5', users: { alice: 'alicepw' }, echo });
    const { ended } = await startSipp(t, takesACall(true), { port: echo, transport: 'udp' });
    const { phone } = await phoneTo(t, { transport: 'udp', port, user: 'alice', domain: 'sip.test' });
    t.equal((await phone.register('sip:sip.test', 600, 'alicepw')).at(-1)?.response?.status, 200);
    const refused = phone.invite('sip:echo@sip.test', { body: audio(), password: 'a guess' });
    t.equal((await refused.over).response?.status, 407);
    const calling = phone.invite('sip:echo@sip.test', { body: audio(), password: 'alicepw' });
    const over = await calling.over;
    t.equal(over.response?.status, 200);
    const call = await calling.call;
    if (!call) throw new Error('the call stands');
    t.ok(call.dialog().routeSet.length > 0, 'record-routed');
    const notified = new Promise<void>((resolve) =>
      call.onAsked(({ respond }) => {
        respond(200, 'OK');
        resolve();
      }),
    );
    t.equal((await call.reinvite(audio({ version: 2 }))).response?.status, 200);
    t.equal(
      (await call.ask('REFER', { headers: [{ name: 'Refer-To', value: '<sip:x@sip.test>' }] })).response?.status,
      202,
    );
    await notified;
    t.equal((await call.ask('BYE')).response?.status, 200);
    t.match(await ended, { code: 0, errors: '' });
  },
);
