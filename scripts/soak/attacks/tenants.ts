/**
 * Floods by who holds another token than the probes beside: places, memory and time that tenants share. And by who captured packets of
 * an agent, and sends them again from elsewhere.
 */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { encodeDeferral } from '../../../src/wire/deferral.js';
import { deriveKeys } from '../../../src/wire/keys.js';
import { makeTag } from '../../../src/wire/proof.js';
import { ANSWER_TAG_BYTES, REQUEST_TAG_BYTES } from '../../../src/wire/tag.js';
import { TOKEN } from '../../../test/reflector/support.js';
import { dial, type Field, type Flood, inLanes, socketsOf } from './floods.js';

/** What the other tenant knows. */
export const GREEDY_TOKEN = 'a-token-of-a-tenant-who-wants-it-all';
const GREEDY = Buffer.from(GREEDY_TOKEN);
const PADDING = new Uint8Array(ANSWER_TAG_BYTES - REQUEST_TAG_BYTES);
/** Just below the highest number that a session is remembered for: the most memory that one packet can claim. */
const HIGH = 131_000;
const LONG_MS = 120_000;
const BATCH = 16;
const DAY_MS = 86_400_000;

const tagOf = (
  token: Uint8Array,
  what: { readonly sequence: number; readonly type: 'echoRequest' | 'deferredRequest'; readonly ageMs?: number },
): Uint8Array => {
  const id = randomBytes(8);
  const asking = {
    session: { id, keys: deriveKeys(token, id) },
    sequence: what.sequence,
    sentAtMicros: BigInt(Date.now() - (what.ageMs ?? 0)) * 1000n,
    binding: null,
  };
  const deferral = { afterMs: LONG_MS, changeIp: false, changePort: false };
  const body = what.type === 'echoRequest' ? PADDING : encodeDeferral(deferral, PADDING.length);
  const tag = makeTag(asking, what.type, body);
  if (!tag) throw new Error('a session with a token makes a tag');
  return tag;
};

/** Packets as fast as they can be made, from all networks in turn. */
const packets =
  (make: () => Uint8Array): Flood =>
  async ({ address, udp, networks }: Field) => {
    const sockets = await socketsOf(networks);
    for (;;) {
      for (let count = 0; count < BATCH; count += 1) sockets[count % sockets.length]?.send(make(), udp, address);
      await new Promise(setImmediate);
    }
  };

export const TENANT_FLOODS: Readonly<Record<string, Flood>> = {
  'sessions with high numbers': packets(() => tagOf(GREEDY, { sequence: HIGH, type: 'echoRequest' })),
  'deferred answers': packets(() => tagOf(GREEDY, { sequence: 1, type: 'deferredRequest' })),
  'connections with deferred answers': (field) =>
    inLanes(2500, async (number) => {
      const socket = await dial(field, number);
      if (!socket) return void (await sleep(200));
      socket.write(tagOf(GREEDY, { sequence: 1, type: 'deferredRequest' }));
      await once(socket, 'close');
    }),
  'packets of another day': packets(() => tagOf(TOKEN, { sequence: 1, type: 'echoRequest', ageMs: DAY_MS })),
};
