/**
 * Questions as the services' own clients put them, written by hand and apart from the product's codecs, so that a wrong
 * rule or a wrong codec cannot hide behind the other. Each carries a nonce by which the far end's log finds it.
 */

/** Bytes of the nonce: an IKE SPI, the shortest place that has to hold it. ASCII, so that SIP and HTTP carry it too. */
export const NONCE_LENGTH = 8;

/** What an observer's answers contain, and nobody else's. */
export const MARKER = 'callpath-lab-observer';

export interface Asked {
  readonly probe: string;
  readonly transport: 'udp' | 'tcp' | 'tls';
  readonly port: number;
  readonly address: string;
  readonly nonce: string;
}

/** The bytes of a question, from the address and port that they leave from. */
export const bytesOf = (asked: Asked, local: { readonly address: string; readonly port: number }): Buffer => {
  const nonce = Buffer.from(asked.nonce, 'latin1');
  const here = local.address.includes(':') ? `[${local.address}]:${local.port}` : `${local.address}:${local.port}`;
  switch (asked.probe) {
    case 'sip-options':
      return Buffer.from(
        [
          `OPTIONS sip:probe@${asked.address} SIP/2.0`,
          // The true address and port: the kernel's helper rewrites only what matches the flow.
          `Via: SIP/2.0/${asked.transport.toUpperCase()} ${here};branch=z9hG4bK${asked.nonce};rport`,
          'Max-Forwards: 70',
          `From: <sip:lab@${here}>;tag=${asked.nonce}`,
          `To: <sip:probe@${asked.address}>`,
          `Call-ID: ${asked.nonce}`,
          'CSeq: 1 OPTIONS',
          `Contact: <sip:lab@${here}>`,
          'Content-Length: 0',
          '',
          '',
        ].join('\r\n'),
      );
    case 'stun-binding':
      // Binding request, no attributes, magic cookie, 96 bits of transaction id (RFC 8489 §5).
      return Buffer.concat([Buffer.from('000100002112a442', 'hex'), nonce, Buffer.alloc(4)]);
    case 'rtp-echo':
      // Version 2, PCMU, then sequence, timestamp, SSRC and one frame of 20 ms (RFC 3550 §5.1).
      return Buffer.concat([Buffer.from('800000010000000100000001', 'hex'), nonce, Buffer.alloc(160 - NONCE_LENGTH)]);
    case 'rtcp-echo':
      // An empty receiver report and an APP packet (RFC 3550 §6.4.2, §6.7).
      return Buffer.concat([Buffer.from('80c900010000000180cc000400000001', 'hex'), Buffer.from('lab '), nonce]);
    case 'ike-sa-init': {
      // Initiator's SPI, responder's SPI, no payload, version 2.0, IKE_SA_INIT, initiator (RFC 7296 §3.1).
      const header = Buffer.concat([nonce, Buffer.alloc(8), Buffer.from('00202208000000000000001c', 'hex')]);
      // The non-ESP marker in front tells IKE from ESP on the NAT-T port (RFC 3948 §2.2).
      return asked.port === 4500 ? Buffer.concat([Buffer.alloc(4), header]) : header;
    }
    case 'dns': {
      // One question of type TXT, the nonce as a label (RFC 1035 §4.1); over TCP its length in front (§4.2.2).
      const query = Buffer.concat([
        Buffer.from('4c4101000001000000000000', 'hex'),
        Buffer.from([NONCE_LENGTH]),
        nonce,
        Buffer.from('036c61620000100001', 'hex'),
      ]);
      return asked.transport === 'tcp' ? Buffer.concat([Buffer.from([0, query.length]), query]) : query;
    }
    case 'http':
      return Buffer.from(`GET /${asked.nonce} HTTP/1.1\r\nHost: ${asked.address}\r\nConnection: close\r\n\r\n`);
    case 'esp-in-udp':
      // An SPI above IANA's 255, a sequence number, and as much as a tunnel's large packets carry (RFC 4303 §2).
      return Buffer.concat([Buffer.from('c100000100000001', 'hex'), nonce, Buffer.alloc(1400 - 8 - NONCE_LENGTH)]);
    case 'size-sweep':
      return Buffer.concat([nonce, Buffer.alloc(1400 - NONCE_LENGTH)]);
    default:
      // A first byte that RFC 7983 §7 assigns to no protocol.
      return Buffer.concat([Buffer.from([0xca]), nonce]);
  }
};

/** An observer's answer: a response where a middlebox would expect one, else the marker and what had arrived. */
export const answerTo = (message: Buffer): Buffer => {
  const text = message.toString('latin1');
  if (/^[A-Z]+ \S+ SIP\/2\.0\r\n/.test(text)) {
    const fields = text.split('\r\n').filter((line) => /^(Via|From|To|Call-ID|CSeq):/i.test(line));
    return Buffer.from(
      ['SIP/2.0 200 OK', ...fields, `Server: ${MARKER}`, 'Content-Length: 0', '', ''].join('\r\n'),
      'latin1',
    );
  }
  if (text.startsWith('GET ')) {
    return Buffer.from(`HTTP/1.1 200 OK\r\nServer: ${MARKER}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
  }
  return Buffer.concat([Buffer.from(MARKER), message]);
};
