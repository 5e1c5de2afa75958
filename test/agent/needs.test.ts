/** What a configuration will send, before it runs: the audio of its schedules is counted, and no other run's. */
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import * as v from 'valibot';
import { ConfigSchema, type RunKind } from '../../src/agent/config/schema.js';
import { budgetInWords, sendingsOf } from '../../src/agent/needs.js';

const folder = mkdtempSync(join(tmpdir(), 'callpath-needs-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
const tokenFile = join(folder, 'token');
writeFileSync(tokenFile, 'a token of sufficient length\n');
chmodSync(tokenFile, 0o600);

const packetsOf = async (kind: RunKind, media?: string, withToken = true): Promise<number> => {
  const config = v.parse(ConfigSchema, {
    targets: [
      {
        host: '192.0.2.10',
        ...(withToken && { tokenFile }),
        schedules: [{ kind, every: '1h', ...(media !== undefined && { media }) }],
      },
    ],
  });
  const sendings = await sendingsOf(config);
  const [one] = sendings;
  t.equal(budgetInWords(sendings, config.budget).lines.length, 1);
  return one?.packets ?? 0;
};

t.test('a sweep has 60 s of audio, a light run none, and the arithmetic counts it', async (t) => {
  for (const kind of ['sweep', 'deep'] as const) {
    const none = await packetsOf(kind, '0s');
    t.equal((await packetsOf(kind)) - none, 60 * 50, `${kind}: a packet every 20 ms for a minute`);
    t.equal((await packetsOf(kind, '5s')) - none, 5 * 50, `${kind}: as its schedule says`);
  }
  const light = await packetsOf('light');
  t.equal(light, await packetsOf('light', '0s'));
  t.equal((await packetsOf('light', '6s')) - light, 6 * 50);
  t.equal(
    await packetsOf('sweep', undefined, false),
    await packetsOf('sweep', '0s', false),
    'nobody echoes a third party',
  );
});
