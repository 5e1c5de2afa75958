/** What --help prints. */

export const PROBE_HELP = `Will calls pass from here? Sends what phones send and says which ports pass.

Usage (also "callpath …", and "callpath reflector …" for the far end):
  probe --target HOST [options]     probe a reflector, a carrier, a PBX
  probe demo                        probe a reflector on loopback inside this process
  probe setup                       write a configuration for the daemon, from three answers
  probe daemon --config FILE        probe on a schedule; --check only validates the file
  probe health [--config FILE]      is the daemon on this host healthy? for health checks
  probe doctor [--config FILE]      what this host can and cannot measure, and why
  probe profiles [NAME]             list the bundled profiles, or show one with its sources;
                                    --rules DIALECT its firewall rules, -o markdown a worksheet,
                                    --check-dates sources not reviewed for 18 months
  probe explain CODE                explain any code of a report in words
  probe schema                      the report's JSON Schema
  probe completion SHELL            completion for bash, zsh or fish
  probe COMMAND --help              help for one of these

Options:
  --target HOST           a name, an IPv4 address, or [an IPv6 address]; also HOST:PORT and SIP
                          URIs (sip:HOST:PORT;transport=tcp, sips:HOST)
  --port N                the target's signalling port, in place of the profile's and of SRV
  --from USER@DOMAIN      SIP From address (default: this host's own); for servers that answer
                          only their own domain, or ban unknown clients
  --reflector HOST        a reflector elsewhere, for what the target cannot answer (repeatable)
  --profile NAME|FILE     the service to test (repeatable; default business-sip)
  --token-file FILE       the reflector's token (else CALLPATH_TOKEN_FILE, CALLPATH_TOKEN)
  --strict                refuse a token file that others can read, instead of warning
  --rtp-range A-B         media ports, in place of the profile's
  --quick                 signalling and a sample of the media ports in about a second, in ten lines;
                          no SIP ALG, NAT, packet sizes or audio
  --exhaustive            test every port of every range instead of a sample
  --inbound [ROW=]PORT    listen on this port and let the reflector test it from outside, for
                          traffic that the far side starts: 5061, 5061/tls, signalling=5067 (repeatable)
  --call                  also rehearse calls with the reflector, in and out: answer, audio, keys,
                          hold, transfer, hanging up, a call after 35 s of silence (1 minute more)
  --call-idle TIME        that silence, and how long the long call lasts, instead (at most 295)
  --account FILE          also register at your own PBX or provider with the account in this file
                          (user, domain, password; mode 600)
  --call-to NUMBER        with --account: call this echo or test number once
  --deep                  also measure session timeouts of NAT and firewall (up to 6 minutes)
  --no-nat                skip NAT mapping and filtering: saves 2 s
  --hops                  follow packets of blocked UDP ports hop by hop, beside ports that pass (Linux):
                          about 1 s more for each hop of the path
  --no-hops               do not (the default)
  --media TIME            send audio as a call does, both ways, for so long (default 6s; 0 for none)
  --codec NAME            g711 (default), g729 or opus: size and rate, and what loss does to it
  --calls N               then 1, 2, 4 … N calls at once, 10 s each: how many pass, and what limits them
  --transport NAME        udp, tcp or tls: signalling transports in use (repeatable; default all of
                          the profile)
  -o, --output FORMAT     table, json, ndjson, html, nagios or prometheus (default table)
  --json                  the same as -o json
  --out FILE              write the result to a file
  --rules DIALECT         print only the firewall rules that fix it: nftables,
                          iptables, cisco-asa, fortios, routeros, pf, opnsense, unifi, sonicwall
  --test-rules            with --rules: those for the reflector instead, for this test only
  --mcc NNN --mnc NN      a carrier's numbers: test its Wi-Fi Calling gateway (ePDG) if there
                          is no --target; use with --profile wifi-calling-3gpp
  --carrier NAME          the same for a carrier whose gateway has a name of its own
  --epdg FORM             which of its gateways: home, emergency, visited, lac:XXXX, tai:XXXX
  --max-pps N             packets per second at most (default 200, as four calls)
  --timeout TIME          for the whole run, 90, 90s or 2m (default 60; with --call 180,
                          --deep 420, --exhaustive 1800; more with --account)
  --source ADDRESS        local address to send from
  -4, --ipv4              only IPv4
  -6, --ipv6              only IPv6
  --dry-run               print every check, packet and byte; send nothing
  -v, --verbose           more detail
  --no-color              no colour (also NO_COLOR)
  -V, --version, --help

Examples:
  probe demo
  probe --target sip.carrier.example
  probe --target reflector.example --token-file token --profile business-sip --profile facetime
  probe --target reflector.example --token-file token --json --out report.json

Exit codes: 0 everything required passes, 1 something required is blocked, altered or
degraded, 2 wrong usage, 3 could not be measured, 130 interrupted.
`;

export const REFLECTOR_HELP = `The far end of callpath: answers probes on the ports of the chosen profiles.

Usage: reflector [options]

Options:
  --listen ADDRESS        address to bind (repeatable; default all); two of a family give RFC 5780
  --public ADDRESS        address that agents use, if there is a NAT (one for each --listen)
  --token-file FILE       the tokens, one a line, with a name before each if there are several;
                          made with mode 0600 if it does not exist, read again when it changes
                          (else CALLPATH_TOKEN_FILE, CALLPATH_TOKEN, else one in the state folder)
  --strict                refuse a token file that others can read, instead of warning
  --profile NAME|FILE     the ports to answer on (repeatable; default business-sip,
                          wifi-calling-t-mobile and facetime)
  --udp RANGES            exact UDP ports instead, e.g. 5060,16384-32767
  --tcp RANGES            exact TCP ports instead
  --tls RANGES            exact TLS ports instead (every TCP port speaks TLS as well)
  --control-port PORT     HTTPS for receipts and humans (default 443)
  --cert FILE --key FILE  certificate and key in PEM form (default: self-signed)
  --inbound               lets agents that hold a token have ports of their own address tried from
                          here (off by default; docs/security.md)
  --no-calls              takes no calls of agents that hold a token, and makes none to them
                          (docs/calls.md); several processes take none either
  --processes N           spread the ports over so many (default: as many as the limit of
                          open files asks for)
  --metrics ADDRESS:PORT  serve Prometheus metrics there
  --config FILE           these options from a YAML file, without the leading dashes
  -V, --version, --help

Examples:
  reflector --token-file /etc/callpath/token
  reflector --listen 192.0.2.10 --udp 5060,16384-32767 --tcp 5060,5061 --token-file token
`;

const CONFIG_FILE = '/etc/callpath/agent.yaml';

/** Of each command of `probe`, by its name. */
export const COMMAND_HELP: Readonly<Record<string, string>> = {
  demo: `Probes a reflector on loopback inside this process: shows a report without any network.

Usage: probe demo [options]

Takes the options of a run that fit: --profile, --exhaustive, --output, --json, --out, --timeout,
--verbose, --no-color.

Examples:
  probe demo
  probe demo --profile facetime --json
`,
  completion: `Prints what a shell needs to complete commands and options.

Usage: probe completion bash|zsh|fish

Examples:
  source <(probe completion bash)
  probe completion fish > ~/.config/fish/completions/probe.fish
`,
  daemon: `Probes on the schedules of a configuration, and sends results to its exporters.

Usage: probe daemon --config FILE [--check]

Options:
  --config FILE   the configuration (docs/deploy-agent.md has every key)
  --check         report every mistake with file, line and fix; send nothing

Examples:
  probe daemon --config ${CONFIG_FILE} --check
  probe daemon --config ${CONFIG_FILE}
`,
  setup: `Writes a configuration for the daemon, from three answers: the host, its token, what phones use.

Usage: probe setup [options]

Asks on the terminal for what is not given; without a terminal all of it must be given.

Options:
  --host HOST        the host to probe: a callpath reflector, or a carrier or PBX
  --token-file FILE  the reflector's token; it is copied beside the configuration
  --no-token         the host is no reflector of yours
  --profile NAME     what phones use here (repeatable; default business-sip)
  --site NAME        the agent's name in results (default: this host's name)
  --config FILE      where to write (default ${CONFIG_FILE} for root on Linux, else
                     the platform's or the user's place)
  --force            replaces a configuration, and keeps it as FILE.old

Examples:
  sudo callpath setup
  sudo callpath setup --host reflector.example --token-file token --profile business-sip
`,
  health: `Shows the health of the daemon on this host.

Usage: probe health [--config FILE | --state FOLDER] [--json]

Options:
  --config FILE   the configuration that it runs with
  --state FOLDER  its state folder instead
  --json          all details

Exit codes: 0 healthy, 1 needs attention, 2 wrong usage, 3 no agent answers.

Example:
  probe health --config ${CONFIG_FILE}
`,
  doctor: `Says what this host can and cannot measure, and why.

Usage: probe doctor [--config FILE] [--json]

Options:
  --config FILE   also looks at what this configuration needs
  --json          the same as JSON
`,
  profiles: `Lists the bundled profiles, or shows one with its sources.

Usage: probe profiles [NAME] [options]

Options:
  --rules DIALECT  the firewall rules that the service needs: nftables, iptables, cisco-asa,
                   fortios, routeros, pf, opnsense, unifi or sonicwall
  -o markdown      a worksheet for a ticket
  --check-dates    which sources were not reviewed for 18 months

Examples:
  probe profiles
  probe profiles zoom-phone
  probe profiles business-sip --rules nftables
`,
  explain: `Explains any code of a report: verdict, reason, symptom, cause, check, NAT type, answer.

Usage: probe explain CODE

Examples:
  probe explain dropped-inbound
  probe explain sip-alg
`,
  schema: `Prints the JSON Schema of a report.

Usage: probe schema
`,
};
