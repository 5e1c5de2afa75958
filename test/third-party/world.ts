/** Who lives where in the tests' namespace, and what its DNS says. */

export type SipManner =
  | 'ok'
  | 'busy'
  | 'stranger'
  | 'digest'
  | 'not-allowed'
  | 'trying'
  | 'lf'
  | 'no-colon'
  | 'no-call-id'
  | 'long-body'
  | 'huge'
  | 'http'
  | 'silent'
  | 'once'
  | 'slow-400'
  | 'slow-600'
  | 'other-port'
  | 'other-address'
  | 'no-rport'
  | 'close-at-once'
  | 'reset-at-once'
  | 'close-after-request';

const SIP_MANNERS = [
  ...([
    'ok',
    'busy',
    'stranger',
    'digest',
    'not-allowed',
    'trying',
    'lf',
    'no-colon',
    'no-call-id',
    'long-body',
  ] as const),
  ...(['huge', 'http', 'silent', 'once', 'slow-400', 'slow-600', 'other-port', 'other-address', 'no-rport'] as const),
  ...(['close-at-once', 'reset-at-once'] as const),
] as const;
const TLS_MANNERS = [
  ...(['good', 'expired', 'soon', 'wrong', 'wildcard', 'selfSigned', 'noIntermediate', 'wantsCertificate'] as const),
  ...(['wantsCertificate12', 'old', 'closesAfterRequest', 'silent'] as const),
] as const;
const IKE_MANNERS = [
  ...([
    'cookie-fresh',
    'cookie-same',
    'ke-31',
    'no-proposal',
    'v1-informational',
    'informational',
    'no-marker',
  ] as const),
] as const;

const numbered = <K extends string>(names: readonly K[], net: string): Readonly<Record<K, string>> =>
  Object.fromEntries(names.map((name, index) => [name, `${net}.${index + 10}`])) as Record<K, string>;

export const ADDRESSES = {
  sip: numbered(SIP_MANNERS, '198.51.100'),
  tls: numbered(TLS_MANNERS, '203.0.113'),
  ike: numbered(IKE_MANNERS, '192.0.2'),
  stun: '192.0.2.100',
  second: '198.51.100.200',
  /** Nobody listens there. */
  nobody: '192.0.2.200',
} as const;

export const RESOLVERS = { good: '198.18.0.53', silent: '198.18.0.54' } as const;

/** Every address of the namespace. */
export const ALL_ADDRESSES: readonly string[] = [
  ...Object.values(ADDRESSES.sip),
  ...Object.values(ADDRESSES.tls),
  ...Object.values(ADDRESSES.ike),
  ...[ADDRESSES.stun, ADDRESSES.second, ADDRESSES.nobody],
  ...Object.values(RESOLVERS),
];

type Records = readonly string[] | 'drop' | 'servfail' | 'refused';

const { sip, tls } = ADDRESSES;
const A = [sip.ok];
const tlsDomain = (name: string, address: string): Readonly<Record<string, Readonly<Record<string, Records>>>> => ({
  [name]: { A },
  [`_sips._tcp.${name}`]: { SRV: [`10 10 5061 host.${name}`] },
  [`host.${name}`]: { A: [address] },
});

/** By name and type, a record's fields with blanks between them; `TRUNCATED` sets TC, and nobody serves TCP. */
export const ZONE: Readonly<Record<string, Readonly<Record<string, Records>>>> = {
  'gone.example': { A },
  '_sip._udp.gone.example': { SRV: ['10 10 5070 nobody.gone.example'] },
  'servfail.example': { A, NAPTR: ['10 10 s SIP+D2U  _sip._udp.servfail.example'] },
  '_sip._udp.servfail.example': { SRV: 'servfail' },
  'port0.example': { A },
  '_sip._udp.port0.example': { SRV: ['10 10 0 host.port0.example'] },
  'host.port0.example': { A },
  'literal.example': { A },
  '_sip._udp.literal.example': { SRV: [`10 10 5070 ${sip.ok}`] },
  'unasked.example': { A },
  '_sip._udp.unasked.example': { SRV: 'drop' },
  '_sip._tcp.unasked.example': { SRV: 'drop' },
  '_sips._tcp.unasked.example': { SRV: 'drop' },
  'half.example': { A },
  '_sip._udp.half.example': { SRV: ['10 10 5060 nobody.half.example', '20 10 5060 host.half.example'] },
  'host.half.example': { A },
  'tlsonly.example': { A },
  '_sips._tcp.tlsonly.example': { SRV: ['10 10 5061 host.tlsonly.example'] },
  'host.tlsonly.example': { A: [tls.good] },
  'websocket.example': {
    A,
    NAPTR: ['10 10 s SIPS+D2W  _sips._wss.websocket.example', '20 10 s SIPS+D2T  _sips._tcp.websocket.example'],
  },
  '_sips._tcp.websocket.example': { SRV: ['10 10 5061 host.tlsonly.example'] },
  'no-aaaa.example': { A, AAAA: 'drop' },
  'no-aaaa-srv.example': {},
  '_sip._udp.no-aaaa-srv.example': { SRV: ['10 10 5060 no-aaaa.example'] },
  'twelve.example': { A: Array.from({ length: 12 }, (_, index) => `198.51.100.${index + 10}`) },
  'inside.example': { A: ['127.0.0.1'] },
  'truncated.example': { A, TRUNCATED: [] },
  '_sip._udp.truncated.example': { SRV: ['10 10 5060 truncated.example'], TRUNCATED: [] },
  // Behind the search domain branch.example: a name as people type it inside.
  'pbx.branch.example': {},
  '_sip._udp.pbx.branch.example': { SRV: ['10 10 5070 ok.branch.example'] },
  'ok.branch.example': { A },
  ...tlsDomain('carrier.example', tls.good),
  ...tlsDomain('expired.example', tls.expired),
  ...tlsDomain('soon.example', tls.soon),
  ...tlsDomain('wrong.example', tls.wrong),
  ...tlsDomain('wildcard.example', tls.wildcard),
  ...tlsDomain('self.example', tls.selfSigned),
  ...tlsDomain('noint.example', tls.noIntermediate),
};
