/** The parts that scenarios are made of: our reflector, servers from other houses, and what sits in between. */
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Needs, Part } from './part.js';
import { ours } from './processes.js';
import { ADDRESS, type Host } from './topology.js';
import type { WireRules } from './wire-rules.js';

const { target: TARGET, second: SECOND, firewallLan: FIREWALL_LAN } = ADDRESS;

/** Our far end. `args` are further options of `reflector`; with a token of its own it takes the probe for a stranger. */
export const reflector = ({
  listen = [TARGET],
  args = [],
  ownToken = false,
}: {
  readonly listen?: readonly string[];
  readonly args?: readonly string[];
  readonly ownToken?: boolean;
} = {}): Part => ({
  name: `reflector-${listen.join('-').replaceAll(':', '_')}`,
  host: 'wan',
  needs: {},
  reflectorAt: listen,
  start: ({ tokenFile, directory }) => ({
    command: ours(
      'src/cli/reflector.js',
      ...listen.flatMap((address) => ['--listen', address]),
      ...['--token-file', ownToken ? join(directory, 'own-token') : tokenFile],
      ...args,
    ),
    ready: { log: 'reflector ready' },
  }),
});

/** Our far end with two addresses, as RFC 5780 wants; of the media range a hundred ports, so that it stays small. */
export const reflectorOnTwo = (): Part =>
  reflector({
    listen: [TARGET, SECOND],
    args: [...['--udp', '53,500,3478,3479,4500,5060,16384-16483'], ...['--tcp', '80,443,5060,5061,5223']],
  });
/** What `probe` asks of it. */
export const SMALL_MEDIA_RANGE = ['--rtp-range', '16384-16483'] as const;

/** A SIP server that answers OPTIONS over UDP and TCP. */
export const kamailio = ({
  host = 'wan',
  address = TARGET,
}: {
  readonly host?: Host;
  readonly address?: string;
} = {}): Part => ({
  name: 'kamailio',
  host,
  needs: { kamailio: 'kamailio' },
  start: ({ directory }) => ({
    command: ['kamailio', '-f', 'kamailio.cfg', '-DD', '-E', '-Y', directory, '-P', join(directory, 'kamailio.pid')],
    files: {
      'kamailio.cfg': `#!KAMAILIO
log_stderror=yes
fork=yes
children=1
enable_tls=0
listen=udp:${address}:5060
listen=tcp:${address}:5060
loadmodule "sl.so"
loadmodule "pv.so"
loadmodule "siputils.so"
loadmodule "textops.so"
request_route {
  if (is_method("OPTIONS")) { sl_send_reply("200","OK"); exit; }
  sl_send_reply("405","Method Not Allowed");
}
`,
    },
    ready: { udp: [5060], tcp: [5060] },
  }),
  witness: {
    check: 'sip-options/udp/5060',
    command: ['sipsak', '-vv', '-D', '2', '-s', `sip:probe@${address}`],
    answered: /SIP\/2\.0 200/,
    needs: { sipsak: 'sipsak' },
  },
});

/** A STUN server with the two addresses that RFC 5780 wants. */
export const coturn = (): Part => ({
  name: 'coturn',
  host: 'wan',
  needs: { turnserver: 'coturn' },
  start: ({ directory }) => ({
    command: [
      ...['turnserver', '-n', '-L', TARGET, '-L', SECOND, '--no-cli', '--no-tls', '--no-dtls', '-S', '-l', 'stdout'],
      ...['--pidfile', join(directory, 'turnserver.pid')],
    ],
    ready: { udp: [3478], tcp: [3478] },
  }),
  witness: {
    check: 'stun-binding/udp/3478',
    command: ['turnutils_stunclient', TARGET],
    answered: /UDP reflexive addr/,
    needs: { turnutils_stunclient: 'coturn' },
  },
});

/** strongSwan's IKE daemon. Without a connection configured it answers IKE_SA_INIT with NO_PROPOSAL_CHOSEN. */
export const charon = (): Part => ({
  name: 'charon',
  host: 'wan',
  needs: { '/usr/lib/ipsec/charon': 'strongswan-charon' },
  start: ({ directory }) => ({
    // Its pid file has a fixed path in /var/run, of which there is one; a mount namespace gives each its own.
    command: ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs tmpfs /var/run && exec /usr/lib/ipsec/charon --use-syslog'],
    env: { STRONGSWAN_CONF: join(directory, 'strongswan.conf') },
    files: {
      'strongswan.conf': `charon {
  load_modular = no
  load = random nonce x509 revocation pubkey aes sha1 sha2 hmac kdf gmp kernel-netlink socket-default
  install_routes = no
  filelog {
    stderr {
      default = 1
    }
  }
}
`,
    },
    ready: { log: 'spawning 16 worker threads' },
  }),
  witness: {
    check: 'ike-sa-init/udp/500',
    command: ['ike-scan', '--sport=0', '--ikev2', '--retry=3', '--timeout=300', TARGET],
    answered: /[1-9]\d* returned (handshake|notify)/,
    needs: { 'ike-scan': 'ike-scan' },
  },
});

/** A resolver inside the branch that knows these names, and which the branch asks. */
export const names = (records: Readonly<Record<string, readonly string[]>>): Part => ({
  ...dnsmasq('branch', '127.0.0.1', records),
  resolver: '127.0.0.1',
});

/** A DNS server that knows these names and nothing else. */
export const dnsmasq = (host: Host, address: string, records: Readonly<Record<string, readonly string[]>>): Part => ({
  name: `dnsmasq-${host}`,
  host,
  needs: { dnsmasq: 'dnsmasq' },
  start: () => ({
    command: [
      ...['dnsmasq', '--keep-in-foreground', '--conf-file=/dev/null', '--no-resolv', '--no-hosts', '--user=root'],
      ...['--pid-file=', '--bind-interfaces', `--listen-address=${address}`, '--log-facility=-'],
      ...Object.entries(records).flatMap(([name, addresses]) => addresses.map((to) => `--address=/${name}/${to}`)),
    ],
    ready: { udp: [53], tcp: [53] },
  }),
});

/** A TLS server that ends sessions in others' place and says nothing over them. */
export const tlsImpostor = (port: number): Part => ({
  name: `s_server-${port}`,
  host: 'fw',
  needs: { openssl: 'openssl' },
  start: ({ certificate }) => {
    const { cert, key } = certificate('interceptor');
    return {
      // -www waits for an HTTP request and otherwise stays silent; without it the end of stdin would end the server.
      command: [
        'openssl',
        's_server',
        '-accept',
        `${FIREWALL_LAN}:${port}`,
        '-cert',
        cert,
        '-key',
        key,
        '-quiet',
        '-www',
      ],
      ready: { tcp: [port] },
    };
  },
});

const HELPERS = 'test/lab/helpers';

/** A TLS interceptor that reads along: ends the session and passes everything on over a session of its own. */
export const tlsRelay = (port: number, onwards: number): Part => ({
  name: `tls-relay-${port}`,
  host: 'fw',
  needs: { openssl: 'openssl' },
  start: ({ certificate }) => {
    const { cert, key } = certificate('interceptor');
    return {
      command: ours(`${HELPERS}/tls-relay.js`, cert, key, FIREWALL_LAN, String(port), TARGET, String(onwards)),
      ready: { tcp: [port] },
    };
  },
});

/** A captive portal: every request is answered with a redirection to its login page. */
export const captivePortal = (port: number): Part => ({
  name: 'portal',
  host: 'fw',
  needs: {},
  start: () => ({ command: ours(`${HELPERS}/portal.js`, FIREWALL_LAN, String(port)), ready: { tcp: [port] } }),
});

/** Squid as a transparent proxy for plain HTTP. It drops root, so its directory must be open to it. */
export const squid = (port: number): Part => ({
  name: 'squid',
  host: 'fw',
  needs: { squid: 'squid-openssl' },
  start: ({ directory }) => {
    const own = join(directory, 'squid');
    mkdirSync(own);
    chmodSync(own, 0o777);
    return {
      command: ['squid', '-N', '-f', 'squid.conf'],
      files: {
        'squid.conf': `http_port ${FIREWALL_LAN}:${port} intercept
http_port ${FIREWALL_LAN}:${port + 1}
http_access allow all
cache deny all
pid_filename ${own}/pid
cache_log ${own}/cache.log
access_log none
coredump_dir ${own}
shutdown_lifetime 0 seconds
visible_hostname squid.lab
`,
      },
      ready: { tcp: [port] },
    };
  },
});

/** A man in the middle of UDP that holds no token (see helpers/tamper.ts). Beside it go rules that redirect to it. */
export const tamper = (
  mode: 'rewrite-questions' | 'rewrite-answers' | 'rewrite-carriers' | 'replay' | 'splice',
  ports: string,
): Part => ({
  name: `tamper-${mode}`,
  host: 'fw',
  needs: {},
  start: () => ({
    command: ours(`${HELPERS}/tamper.js`, mode, FIREWALL_LAN, TARGET, ports),
    ready: { log: 'tamper ready' },
  }),
});

/** A reflector of somebody else in the firewall: speaks everything that ours does, under a token of its own. */
export const impostor = (ports: string): Part => ({
  name: 'impostor',
  host: 'fw',
  needs: {},
  start: ({ directory }) => ({
    command: ours(
      'src/cli/reflector.js',
      ...['--listen', FIREWALL_LAN, '--token-file', join(directory, 'impostor-token')],
      ...['--udp', ports, '--control-port', '8443'],
    ),
    ready: { log: 'reflector ready' },
  }),
});

/** A path that delays, duplicates, reorders: netem in user space (see relay.ts). Beside it go the `relayed` rules. */
export const relay = (ports: string, options: Readonly<Record<string, number>>): Part => ({
  name: 'relay',
  host: 'fw',
  needs: {},
  start: ({ directory }) => ({
    command: ours(
      'test/lab/relay.js',
      ...['--listen', FIREWALL_LAN, '--to', TARGET, '--ports', ports, '--stats', join(directory, 'relay.json')],
      ...Object.entries(options).flatMap(([name, value]) => [`--${name}`, String(value)]),
    ),
    ready: { log: 'relay ready' },
  }),
});

/** The wire of the topology `wired` (see wire.ts): for what happens to connections too, and to what SIP says. */
export const wire = (rules: WireRules): Part => ({
  name: 'wire',
  host: 'wire',
  needs: { socat: 'socat' },
  // A wire waits for no processor: on a busy machine it would add what its scenario does not say.
  start: () => ({
    command: ['nice', '-n', '-15', ...ours('test/lab/wire.js', JSON.stringify(rules))],
    ready: { log: 'wire ready' },
  }),
});

/** What a scenario needs of this machine, besides root and Linux. */
export const BASIC_NEEDS: Needs = { ip: 'iproute2', nft: 'nftables', sysctl: 'procps', openssl: 'openssl' };
