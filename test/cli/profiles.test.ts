/** `probe profiles`: what each option prints, and what is refused. */
import t from 'tap';
import { renderProfiles } from '../../src/cli/profiles-command.js';

const NOW = new Date('2026-11-27T12:00:00Z');
const print = (...argv: readonly string[]): Promise<string> => renderProfiles(argv, NOW);

t.test('what it prints', async (t) => {
  t.match(await print(), /^zoom\n {2}Zoom clients/m);
  t.match(await print('zoom'), /leaves it\s+degraded/);
  t.match(await print('zoom', '-o', 'markdown'), /^# Zoom: ports to open\n/);
  t.match(JSON.parse(await print('zoom', '-o', 'json')), { profile: 'zoom' });
  t.match(await print('zoom', '--rules', 'iptables'), /^iptables-restore --noflush <<'EOF'$/m);
  t.match(await print('--check-dates'), /^teams-direct-routing$/m);
  t.match(await print('nfon', '--check-dates'), /^nothing is older than 18 months\n$/);
});

t.test('what it refuses', async (t) => {
  const rows: readonly (readonly [argv: readonly string[], message: RegExp])[] = [
    [['zoom', 'nfon'], /^profiles: "nfon" is one name too many/],
    [['zoom', '--rules', 'cisco'], /^profiles --rules: "cisco" is not one of nftables, iptables, cisco-asa/],
    [['--rules', 'pf'], /^profiles --rules: name a profile/],
    [['-o', 'markdown'], /^profiles -o: name a profile/],
    [['zoom', '-o', 'html'], /^profiles -o: "html" is not one of text, markdown, json/],
    [['zoom', '-o', 'json', '--rules', 'pf'], /cannot be combined/],
    [['zoom', '--colour'], /--colour/],
    [['zom'], /did you mean zoom\?/],
  ];
  for (const [argv, message] of rows) await t.rejects(print(...argv), { code: 'usage', message }, argv.join(' '));
});
