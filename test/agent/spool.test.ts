/** The spool against what happens to disks: kills, torn tails, bad sectors, no room, no permission, and years. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { open } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { SpoolRecord } from '../../src/agent/exporters/contract.js';
import { crc32, decodeLine, encodeLine, scanLines } from '../../src/agent/spool/line.js';
import { LANES, type Lane, segmentsToDrop } from '../../src/agent/spool/retention.js';
import { openSpool, type Spool, type SpoolOptions } from '../../src/agent/spool/spool.js';
import { derivedId, newId } from '../../src/model/uuid.js';
import { crash } from './support/crash.js';

/** Sixteen starts of Node, each of which may take seconds on a busy machine. */
t.setTimeout(300_000);
const root = mkdtempSync(join(tmpdir(), 'callpath-spool-'));
t.teardown(() => rmSync(root, { recursive: true, force: true }));
let folders = 0;
const newFolder = (): string => {
  folders += 1;
  const folder = join(root, String(folders));
  mkdirSync(folder);
  return folder;
};

const NOW = Date.UTC(2026, 10, 21);
const DAY = 86_400_000;
const record = (number: number, at = NOW, filler = ''): SpoolRecord => ({
  id: newId(at),
  kind: 'report',
  at: new Date(at).toISOString(),
  target: 'hq',
  body: { number, filler },
});

const everything = { records: 100_000, bytes: Number.MAX_SAFE_INTEGER };
const numbers = async (spool: Spool, after = 0): Promise<readonly unknown[]> =>
  (await spool.read(after, everything)).records.map(({ record: { body } }) => body.number);

const opened = async (folder: string, more: Partial<SpoolOptions> = {}) => {
  const said: string[] = [];
  const spool = await openSpool({
    folder,
    policy: { maxBytes: 64 * 1024 * 1024, maxAgeMs: 30 * DAY },
    exporters: ['a', 'b'],
    now: () => NOW,
    say: (message) => said.push(message),
    ...more,
  });
  return { spool, said };
};

t.test('a line survives whatever is in a record, and damage is seen', async (t) => {
  const anything = fc.record({
    seq: fc.integer({ min: 1, max: 2 ** 50 }),
    text: fc.string({ unit: 'binary', maxLength: 2000 }),
  });
  const survives = fc.property(anything, fc.nat(), fc.integer({ min: 1, max: 255 }), ({ seq, text }, place, flip) => {
    const stored = { seq, record: { ...record(1), body: { text } } };
    const line = encodeLine(stored);
    if (line.indexOf(10) !== line.length - 1) return false;
    const read = decodeLine(line.subarray(0, -1));
    if (JSON.stringify(read) !== JSON.stringify(stored)) return false;
    const damaged = Buffer.from(line.subarray(0, -1));
    const at = place % damaged.length;
    damaged[at] = (damaged[at] ?? 0) ^ flip;
    const misread = decodeLine(damaged);
    // The case of a hexadecimal digit of the sum is no damage.
    return misread === null || JSON.stringify(misread) === JSON.stringify(stored);
  });
  t.equal(fc.check(survives).failed, false);
  t.equal(crc32(Buffer.from('123456789')), 0xcbf43926, 'the check value of CRC-32/ISO-HDLC');
  t.same(scanLines(Buffer.from('garbage\nmore')), { lines: [], gaps: [], goodLength: 0 });
});

t.test('killed at random instants: nothing promised is lost, nothing gets two ids', { timeout: 240_000 }, async (t) => {
  const result = await crash(newFolder(), 15, Math.random);
  t.same(result.faults, []);
  t.ok(result.promised >= 15, `${result.promised} records were promised`);
});

t.test('order, positions and restarts', async (t) => {
  const folder = newFolder();
  const first = await opened(folder);
  const lanes: readonly Lane[] = ['light', 'change', 'full', 'light', 'event', 'light'];
  let heard = 0;
  first.spool.onStored(() => {
    heard += 1;
  });
  for (const [index, lane] of lanes.entries()) t.equal(await first.spool.append(record(index), lane), 'stored');
  t.equal(heard, lanes.length);
  t.same(await numbers(first.spool), [0, 1, 2, 3, 4, 5], 'one order over all lanes');
  const { records, upTo } = await first.spool.read(0, { records: 2, bytes: 1e6 });
  t.equal(records.length, 2);
  await first.spool.advance('a', upTo);
  t.same(first.spool.stats().waiting, { a: 4, b: 6 });
  await first.spool.close();

  const second = await opened(folder, { exporters: ['a', 'b', 'new'] });
  t.same(second.said, []);
  t.same(await numbers(second.spool, second.spool.position('a')), [2, 3, 4, 5], 'a goes on where it was');
  t.same(second.spool.stats().waiting, { a: 4, b: 6, new: 6 }, 'a new exporter begins with what is there');
  await second.spool.append(record(6), 'light');
  t.same(await numbers(second.spool), [0, 1, 2, 3, 4, 5, 6]);
  const found = await second.spool.newest(100, ['light'], ({ body }) => body.number !== 5);
  t.same(
    found.map(({ body }) => body.number),
    [6, 3, 0],
  );
  await second.spool.close();
  writeFileSync(join(folder, 'positions', 'a.position'), 'rubbish');
  const third = await opened(folder);
  t.equal(third.spool.position('a'), 0);
  t.match(third.said, ['the position of exporter a is unreadable: it begins again with the oldest result']);
  await third.spool.close();
});

t.test('a torn tail is cut off, a bad sector costs what was in it', async (t) => {
  const folder = newFolder();
  const first = await opened(folder);
  for (let number = 0; number < 10; number += 1) await first.spool.append(record(number), 'light');
  await first.spool.close();
  const [name = ''] = readdirSync(folder).filter((file) => file.startsWith('light'));
  const file = join(folder, name);
  const whole = readFileSync(file);
  appendFileSync(file, encodeLine({ seq: 11, record: record(10) }).subarray(0, 40));
  const torn = await opened(folder);
  t.same(torn.said, ['the spool ended in the middle of a result, which was cut off']);
  t.equal(statSync(file).size, whole.length);
  await torn.spool.append(record(10), 'light');
  t.same(await numbers(torn.spool), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10]);
  await torn.spool.close();

  const bytes = readFileSync(file);
  const lines = bytes.toString('latin1').split('\n');
  const start = lines.slice(0, 4).join('\n').length + 1;
  bytes.fill(0, start + 20, start + 60);
  writeFileSync(file, bytes);
  const damaged = await opened(folder);
  t.same(damaged.said, ['damaged results in the spool were left out']);
  t.equal(damaged.spool.stats().damaged, 1);
  t.same(await numbers(damaged.spool), [0, 1, 2, 3, 5, 6, 7, 8, 9, 10]);
  await damaged.spool.append(record(11), 'light');
  t.equal((await numbers(damaged.spool)).at(-1), 11);
  await damaged.spool.close();
  writeFileSync(file, '');
  const emptied = await opened(folder);
  t.same(await numbers(emptied.spool), [], 'even an emptied file opens');
  await emptied.spool.append(record(12), 'light');
  t.same(await numbers(emptied.spool), [12]);
  await emptied.spool.close();
});

t.test('a record that rots while the agent runs is passed over', async (t) => {
  const folder = newFolder();
  const { spool } = await opened(folder);
  await spool.append(record(0), 'light');
  const [name = ''] = readdirSync(folder).filter((file) => file.startsWith('light'));
  const size = statSync(join(folder, name)).size;
  writeFileSync(join(folder, name), Buffer.alloc(size));
  const { records, upTo } = await spool.read(0, everything);
  t.same(records, []);
  t.equal(upTo, 1, 'and delivery goes on behind it');
  await spool.close();
});

/** A disk that fails as told. */
const failingDisk = () => {
  const disk = { code: null as string | null, partial: false };
  const openFile: SpoolOptions['openFile'] = async (file) => {
    if (disk.code === 'EROFS') throw Object.assign(new Error('read-only'), { code: 'EROFS' });
    const handle = await open(file, 'a', 0o640);
    return {
      write: (async (buffer: Buffer, offset: number, length: number) => {
        if (disk.code !== null) {
          if (disk.partial) await handle.write(buffer, offset, Math.floor(length / 2));
          throw Object.assign(new Error('failed'), { code: disk.code });
        }
        return handle.write(buffer, offset, length);
      }) as never,
      datasync: () => handle.datasync(),
      truncate: (length) => handle.truncate(length),
      close: () => handle.close(),
    };
  };
  return { disk, openFile };
};

for (const code of ['ENOSPC', 'EROFS', 'EIO']) {
  t.test(`${code}: survived and said, kept in memory, and written when the disk is well again`, async (t) => {
    const folder = newFolder();
    const { disk, openFile } = failingDisk();
    const { spool, said } = await opened(folder, { openFile });
    await spool.append(record(0), 'full');
    disk.code = code;
    disk.partial = true;
    t.equal(await spool.append(record(1), 'light'), 'held');
    t.equal(await spool.append(record(2), 'change'), 'held');
    t.same(said, ['the disk does not take results; they are kept in memory'], 'said once');
    t.match(spool.stats(), { held: 2, failing: code });
    t.same(await numbers(spool), [0], 'nobody is offered what is not on disk');
    disk.code = null;
    await spool.tend();
    t.match(spool.stats(), { held: 0, failing: null });
    t.equal(said.at(-1), 'the disk takes results again');
    t.same(await numbers(spool), [0, 1, 2]);
    await spool.close();
    const again = await opened(folder);
    t.same(await numbers(again.spool), [0, 1, 2], 'and nothing half-written is left');
    t.same(again.said, []);
    await again.spool.close();
  });
}

t.test(
  'a disk that stays full: memory is bounded, changes outlive light results, and losses are counted',
  async (t) => {
    const { disk, openFile } = failingDisk();
    const { spool } = await opened(newFolder(), { openFile });
    disk.code = 'EIO';
    await spool.append(record(-1), 'change');
    for (let number = 0; number < 200; number += 1) await spool.append(record(number), 'light');
    t.equal(spool.stats().held, 120);
    t.equal(spool.stats().dropped.light, 81);
    disk.code = null;
    await spool.tend();
    const kept = await numbers(spool);
    t.equal(kept[0], -1);
    t.equal(kept[1], 81, 'the oldest light results went');
    t.equal(kept.length, 120);
    await spool.close();
  },
);

const canMount = process.getuid?.() === 0 && process.platform === 'linux';
t.test('a real disk that is full', { skip: canMount ? false : 'needs root to mount a small disk' }, async (t) => {
  const folder = newFolder();
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=3m', 'tmpfs', folder], { stdio: 'ignore' });
  } catch {
    t.comment('this system lets nobody mount');
    return;
  }
  t.teardown(() => execFileSync('umount', [folder]));
  const { spool, said } = await opened(join(folder, 'spool'));
  // What cannot be compressed, so that sizes are as they look.
  const noise = (): string =>
    Buffer.from(Array.from({ length: 30_000 }, () => Math.floor(Math.random() * 256))).toString('latin1');
  await spool.append(record(-1, NOW, noise()), 'change');
  for (let number = 0; number < 300; number += 1) await spool.append(record(number, NOW, noise()), 'light');
  const { dropped, held } = spool.stats();
  t.ok(dropped.light > 0, `${dropped.light} light results made room, once memory was full`);
  t.equal(dropped.change, 0);
  t.ok(held <= 120);
  t.ok(said.includes('the disk does not take results; they are kept in memory'));
  const kept = await numbers(spool);
  t.equal(kept[0], -1, 'the change is still there');
  await spool.close();
  const again = await opened(join(folder, 'spool'));
  const found = await numbers(again.spool);
  t.equal(found[0], -1);
  t.equal(found.at(-1), 299, 'and so is the newest result, at the cost of older ones');
  await again.spool.close();
});

t.test('the ceiling: what all have taken goes first, then the lightest and oldest; changes last', async (t) => {
  const folder = newFolder();
  const policy = { maxBytes: 2 * 1024 * 1024, maxAgeMs: 30 * DAY };
  const { spool } = await opened(folder, { policy, exporters: ['a'] });
  const noise = (): string =>
    Buffer.from(Array.from({ length: 12_000 }, () => Math.floor(Math.random() * 256))).toString('latin1');
  for (let number = 0; number < 300; number += 1) {
    const lane = number % 30 === 0 ? 'change' : number % 10 === 0 ? 'full' : 'light';
    await spool.append(record(number, NOW, noise()), lane);
  }
  const stats = spool.stats();
  t.ok(stats.bytes <= policy.maxBytes, `${stats.bytes} bytes`);
  t.ok(stats.dropped.light > 100);
  t.equal(stats.dropped.full + stats.dropped.change, 0);
  t.equal(stats.records + stats.dropped.light, 300, 'all that is not there was counted');
  const kept = new Set(await numbers(spool));
  for (let number = 0; number < 300; number += 10) t.ok(kept.has(number), `${number} is kept`);
  t.ok(kept.has(299));
  await spool.advance('a', 10_000);
  for (let number = 300; number < 400; number += 1) await spool.append(record(number, NOW, noise()), 'light');
  t.equal(spool.stats().dropped.light, stats.dropped.light, 'what was delivered is not lost when it goes');
  await spool.close();
});

t.test('age counts only by a clock that is believed', async (t) => {
  const segments = LANES.map((lane, index) => ({
    lane,
    firstSeq: index + 1,
    lastSeq: index + 1,
    bytes: 10,
    newestAt: NOW - index * 20 * DAY,
  }));
  const policy = { maxBytes: 1000, maxAgeMs: 30 * DAY };
  const input = { segments, policy, deliveredTo: 0, freeAtLeast: 0, rankOfNew: 'light' as const };
  t.same(
    segmentsToDrop({ ...input, now: NOW }).map(({ lane }) => lane),
    ['event', 'change'],
  );
  t.same(segmentsToDrop({ ...input, now: null }), []);
  t.same(
    segmentsToDrop({ ...input, now: NOW - DAY }).map(({ lane }) => lane),
    ['event', 'change'],
    'a clock set back drops no more',
  );
  t.same(
    segmentsToDrop({ ...input, now: null, freeAtLeast: 5 }).map(({ lane }) => lane),
    ['light'],
  );
  t.same(
    segmentsToDrop({ ...input, now: null, freeAtLeast: 100 }).map(({ lane }) => lane),
    ['light'],
    'for a light result only light ones go',
  );
});

t.test('ids', async (t) => {
  const pattern = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
  t.match(newId(NOW), pattern);
  t.not(newId(NOW), newId(NOW));
  t.match(derivedId(NOW, 'a', 'b'), pattern);
  t.equal(derivedId(NOW, 'a', 'b'), derivedId(NOW, 'a', 'b'), 'worked out again it is the same');
  t.not(derivedId(NOW, 'a', 'b'), derivedId(NOW, 'ab', ''));
  t.ok(newId(NOW) < newId(NOW + 1), 'in the order of time');
});
