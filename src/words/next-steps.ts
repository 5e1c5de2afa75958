/** What to do next where there is nothing to ask of whoever manages a firewall. */

export const TEST_INBOUND =
  'Inbound traffic was not tested: name the ports of this host with --inbound, and test against a reflector started with --inbound.';

export const LISTEN_ON_SIP =
  'Have the reflector listen on the SIP ports as well: only a reflector shows what arrives of a call.';

export const GIVE_TOKEN =
  'This is a callpath reflector; give its token with --token-file, and it answers every check, with proof.';

export const RUN_REFLECTOR =
  'Run your own reflector outside this network and name it with --reflector: it answers what this target does not.';

export const QUICK_LEAVES_OUT =
  'Not tested: SIP ALG, NAT mapping and filtering, packet sizes, audio. Leave out --quick for these.';

export const PASTE_RULES =
  'Firewall rules to paste: the same command with --rules nftables (--help has the other dialects).';
