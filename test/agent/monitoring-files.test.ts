/** packaging/monitoring file by file: judged by the programs that read them where there are any, else by what we export. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parse } from 'yaml';
import { createLatest } from '../../src/agent/exporters/latest.js';
import { discoveryOf, valuesOf } from '../../src/agent/exporters/zabbix-encode.js';
import { parseProbeOptions } from '../../src/cli/options.js';
import { packageRoot } from '../../src/plan/package-root.js';
import { CHECK_NUMBERS, SERVICE_NUMBERS } from '../../src/report/metrics.js';
import { changeRecord, reportRecord } from './support/exporter.js';
import { missing, programOf } from './support/services.js';

const KIT = join(packageRoot(), 'packaging', 'monitoring');
const kit = (file: string): string => readFileSync(join(KIT, file), 'utf8');

/** What a program says of a file of the kit; empty if it finds no fault. */
const judged = (program: string, ...args: readonly string[]): string => {
  const cwd = join(KIT, 'prometheus');
  const { status, stdout, stderr } = spawnSync(programOf(program) ?? program, args, { cwd, encoding: 'utf8' });
  return status === 0 ? '' : `${stdout}${stderr}`;
};

t.test(
  'promtool takes the rules, their tests and the configuration',
  {
    skip: missing('prometheus', 'promtool'),
  },
  async (t) => {
    t.equal(judged('promtool', 'check', 'rules', 'callpath.rules.yaml'), '');
    t.equal(judged('promtool', 'check', 'config', 'prometheus.yaml'), '');
    t.equal(judged('promtool', 'test', 'rules', 'callpath.rules.test.yaml'), '');
    const { groups } = parse(kit('prometheus/callpath.rules.yaml')) as { groups: { rules: { alert: string }[] }[] };
    const tests = kit('prometheus/callpath.rules.test.yaml');
    for (const { alert } of groups.flatMap(({ rules }) => rules))
      t.ok(tests.includes(`- name: ${alert}\n`) && tests.includes(`- name: ${alert} is silent`), `${alert} is tested`);
  },
);

t.test(
  'amtool takes the Alertmanager configuration',
  {
    skip: missing('prometheus-alertmanager', 'amtool'),
  },
  async (t) => {
    t.equal(judged('amtool', 'check-config', '../alertmanager/alertmanager.yaml'), '');
  },
);

interface Box {
  readonly x: number;
  readonly y: number;
  readonly w: number;
  readonly h: number;
}
interface Panel {
  readonly id: number;
  readonly type: string;
  readonly title: string;
  readonly description?: string;
  readonly gridPos: Box;
  readonly datasource?: { readonly uid: string };
  readonly fieldConfig?: { readonly defaults: { readonly unit?: string } };
  readonly targets?: readonly { readonly datasource: { readonly uid: string }; readonly refId: string }[];
}
/** The variable of that name. */
const CHOSEN = /^\$\{datasource\}$/;
const overlap = (a: Box, b: Box): boolean => a.x < b.x + b.w && b.x < a.x + a.w && a.y < b.y + b.h && b.y < a.y + a.h;

t.test('the dashboard is one that Grafana imports anywhere', async (t) => {
  const dashboard = JSON.parse(kit('grafana/callpath.json')) as {
    readonly panels: readonly Panel[];
    readonly schemaVersion: number;
    readonly uid: string;
    readonly templating: { readonly list: readonly { readonly name: string; readonly type: string }[] };
  };
  const { panels } = dashboard;
  t.match(dashboard, { uid: 'callpath', schemaVersion: 39 });
  t.same(dashboard.templating.list[0]?.type, 'datasource', 'whoever imports it chooses the Prometheus');
  t.equal(new Set(panels.map(({ id }) => id)).size, panels.length, 'each id once');
  for (const panel of panels.filter(({ type }) => type !== 'row')) {
    const { title, datasource, fieldConfig, targets = [], description = '' } = panel;
    t.match(datasource?.uid, CHOSEN, title);
    t.ok(targets.length > 0 && targets.every((one) => CHOSEN.test(one.datasource.uid)), title);
    t.equal(new Set(targets.map(({ refId }) => refId)).size, targets.length, title);
    t.ok(fieldConfig?.defaults.unit, `${title} has a unit`);
    t.match(description, /\.$/, `${title} says what it shows`);
  }
  const boxes = panels.map(({ gridPos }) => gridPos);
  t.ok(boxes.every(({ x, w }) => x + w <= 24));
  t.notOk(
    boxes.some((a, index) => boxes.slice(index + 1).some((b) => overlap(a, b))),
    'no panel lies on another',
  );
});

t.test('the CheckCommand of Icinga gives options that probe has', async (t) => {
  const text = kit('icinga/callpath.conf');
  const [, block = ''] = /object CheckCommand "callpath" \{([\s\S]*?)\n\}/.exec(text) ?? [];
  const options = [...block.matchAll(/^ {4}"(-[-\w]+)" = (?:"\$(\w+)\$"|\{([^}]*)\})/gm)].map(
    ([, option = '', macro, body = '']) => ({
      option,
      isFlag: body.includes('set_if'),
      value: macro ?? /value = "\$?(\w+)\$?"/.exec(body)?.[1] ?? '',
      repeats: body.includes('repeat_key = true'),
    }),
  );
  t.ok(options.length >= 14, `${options.length} options`);
  const VALUES: Readonly<Record<string, readonly string[]>> = {
    nagios: ['nagios'],
    callpath_target: ['carrier.example'],
    callpath_port: ['5060'],
    callpath_reflector: ['one.example', 'two.example'],
    callpath_profile: ['business-sip', 'facetime'],
    callpath_token_file: ['/etc/callpath/token'],
    callpath_transport: ['udp', 'tcp'],
    callpath_rtp_range: ['16384-32767'],
    callpath_from: ['probe@carrier.example'],
    callpath_source: ['192.0.2.7'],
    callpath_max_pps: ['100'],
    callpath_timeout: ['60s'],
  };
  const argvOf = (flag: string): readonly string[] =>
    options.flatMap(({ option, isFlag, value, repeats }) => {
      if (isFlag) return option === flag ? [option] : [];
      const values = VALUES[value];
      if (values === undefined) throw new Error(`${option}: ${value}`);
      if (values.length > 1 && !repeats) throw new Error(`${option} is not repeated`);
      return values.flatMap((one) => [option, one]);
    });
  t.match(parseProbeOptions(argvOf('-4'), {}), {
    ...{ output: 'nagios', target: 'carrier.example', port: 5060, reflectors: ['one.example', 'two.example'] },
    ...{ profiles: ['business-sip', 'facetime'], tokenFile: '/etc/callpath/token', transports: ['udp', 'tcp'] },
    ...{ rtpRange: [16_384, 32_767], source: '192.0.2.7', maxPps: 100, timeoutMs: 60_000, families: [4] },
  });
  t.same(parseProbeOptions(argvOf('-6'), {}).families, [6]);
  t.match(text, /command = \[ "\/usr\/bin\/env", "probe", "health" \][\s\S]*"--config"/);
});

interface Item {
  readonly uuid: string;
  readonly type: string;
  readonly key: string;
  readonly value_type: string;
  readonly valuemap?: { readonly name: string };
  readonly trigger_prototypes?: readonly { readonly uuid: string; readonly expression: string }[];
}
interface Template {
  readonly uuid: string;
  readonly template: string;
  readonly items: readonly Item[];
  readonly discovery_rules: readonly (Item & { readonly item_prototypes: readonly Item[] })[];
  readonly valuemaps: readonly {
    readonly uuid: string;
    readonly name: string;
    readonly mappings: readonly { readonly value: string; readonly newvalue: string }[];
  }[];
}

t.test('the Zabbix template has an item for every value that the agent sends, and no other', async (t) => {
  const text = kit('zabbix/callpath.yaml');
  const { zabbix_export: found } = parse(text) as { zabbix_export: { version: string; templates: Template[] } };
  t.equal(found.version, '6.0', 'later versions read it as well');
  const [template] = found.templates;
  if (template === undefined) throw new Error('no template');
  const uuids = [...text.matchAll(/uuid: (\S+)/g)].map(([, uuid = '']) => uuid);
  t.equal(new Set(uuids).size, uuids.length);
  t.ok(
    uuids.every((uuid) => /^[0-9a-f]{12}4[0-9a-f]{3}[89ab][0-9a-f]{15}$/.test(uuid)),
    'UUIDs of version 4, as its import wants them',
  );

  const latest = createLatest(() => Number.POSITIVE_INFINITY);
  const report = reportRecord(1, 'range-holes');
  const event = (target: string) => ({ ...changeRecord(3, 'x', target), kind: 'event' as const });
  const values = [report, changeRecord(2), event('office'), event('')].flatMap((one) => valuesOf(one, 'host', latest));
  const lists = discoveryOf(latest.standings(Date.parse(report.at)));
  const filled = (key: string, row: Readonly<Record<string, string>>): string =>
    Object.entries(row).reduce((made, [macro, value]) => made.replaceAll(macro, value), key);
  const made = template.discovery_rules.flatMap(({ key, item_prototypes }) => {
    const rows = JSON.parse(lists[key as keyof typeof lists]) as readonly Readonly<Record<string, string>>[];
    return rows.flatMap((row) => item_prototypes.map((item) => ({ ...item, key: filled(item.key, row) })));
  });
  const items = new Map([...template.items, ...made].map((item) => [item.key, item]));
  t.same(template.discovery_rules.map(({ key }) => key).sort(), Object.keys(lists).sort());
  for (const { key, value } of values) {
    const item = items.get(key);
    t.ok(item, key);
    if (item?.value_type === 'UNSIGNED') t.match(value, /^\d+$/);
    if (item?.value_type === 'FLOAT') t.equal(Number.isNaN(Number(value)), false);
  }
  const sent = new Set(values.map(({ key }) => key));
  // A check without a round trip has an item for it all the same.
  const idle = [...items.keys()].filter((key) => !sent.has(key) && !key.startsWith('callpath.rtt['));
  t.same(idle, []);
  t.ok([...template.items, ...template.discovery_rules, ...made].every(({ type }) => type === 'TRAP'));

  const maps = new Map(template.valuemaps.map(({ name, mappings }) => [name, mappings]));
  const numbers = (name: string): Readonly<Record<string, number>> =>
    Object.fromEntries((maps.get(name) ?? []).map(({ value, newvalue }) => [newvalue, Number(value)]));
  t.same(numbers('callpath service'), SERVICE_NUMBERS);
  t.same(numbers('callpath check'), CHECK_NUMBERS);
  for (const { item_prototypes } of template.discovery_rules)
    for (const { key, valuemap, trigger_prototypes = [] } of item_prototypes) {
      if (valuemap) t.ok(maps.has(valuemap.name), valuemap.name);
      for (const { expression } of trigger_prototypes)
        for (const [, host, of] of expression.matchAll(/\(\/([^/]+)\/(.*?\])/g))
          t.same([host, of], [template.template, key], expression);
    }
});

t.test('Telegraf runs what probe understands', async (t) => {
  const [, args = ''] = /probe (--target HOST[^|]*) \|\|/.exec(kit('telegraf/callpath.conf')) ?? [];
  t.match(parseProbeOptions(args.trim().split(' '), {}), { target: 'HOST', output: 'prometheus' });
});
