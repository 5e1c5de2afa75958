/** A reflector that is told to read its files again and again, and finds others, worse ones and none in them. */
import { generateKeyPairSync } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { generate } from 'selfsigned';
import { makeCredentials } from '../../../src/reflector/certificate.js';
import { TOKEN } from '../../../test/reflector/support.js';
import { startTarget, type Target } from '../target.js';
import { probeBeside } from './beside.js';
import { TARGET_CORE } from './cores.js';
import { type AttackResult, lineOf } from './report.js';

/** Long enough for one to be done before the next, so that each finds what was written for it. */
const APART_MS = 20;
const HONEST = TOKEN.toString('latin1');

/** What OpenSSL reads and does not serve. */
const weakCertificate = async () => {
  const { cert, private: key } = await generate([{ name: 'commonName', value: 'weak' }], { keySize: 512 });
  return { cert, key };
};

type Change = (target: Target) => void;

const changes = async (): Promise<readonly Change[]> => {
  const [one, two, weak] = [await makeCredentials(), await makeCredentials(), await weakCertificate()];
  const other = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey.export({ type: 'pkcs8', format: 'pem' });
  const certificate =
    ({ cert, key }: { readonly cert: string; readonly key: string }): Change =>
    ({ files }) => {
      writeFileSync(files.cert, cert);
      writeFileSync(files.key, key);
    };
  const tokens =
    (text: string): Change =>
    ({ files }) =>
      writeFileSync(files.token, text, { mode: 0o600 });
  const good = tokens(`honest ${HONEST}\n`);
  return [
    certificate(two),
    certificate(weak),
    certificate(one),
    certificate({ cert: one.cert, key: String(other) }),
    certificate({ cert: one.cert.slice(0, 200), key: '' }),
    certificate(one),
    tokens(`honest ${HONEST}\nhonest another-one-of-that-name\n`),
    tokens(''),
    tokens(`honest ${HONEST}\nnewcomer a-token-of-a-newcomer-here\n`),
    ({ files }) => rmSync(files.token),
    good,
  ];
};

/** Connections of probes may end a moment later than these. */
const SETTLES_WITHIN_MS = 20_000;

/** How many more descriptors are open than before, once nobody talks to it any more; 0 or less if none. */
const leftOpen = async (target: Target, before: number): Promise<number> => {
  const until = performance.now() + SETTLES_WITHIN_MS;
  for (;;) {
    const left = (target.descriptors() ?? before) - before;
    if (left <= 0 || performance.now() > until) return left;
    await sleep(100);
  }
};

/** Changes nothing for whoever probes: the token that it uses is in every file that can be used. */
export const reloaded = async (reloads: number, probes: number): Promise<AttackResult> => {
  const all = await changes();
  const target = await startTarget(`127.${210 + (process.pid % 20)}.${process.pid % 250}.2`, {
    core: TARGET_CORE,
    tokens: `honest ${HONEST}\n`,
    certificate: await makeCredentials(),
  });
  const findings: string[] = [];
  const openBefore = target.descriptors() ?? 0;
  try {
    let told = 0;
    const pester = async (): Promise<void> => {
      for (; told < reloads && target.ended() === null; told += 1) {
        all[told % all.length]?.(target);
        process.kill(target.pid ?? 0, 'SIGHUP');
        await sleep(APART_MS);
      }
    };
    const [beside] = await Promise.all([probeBeside(target.address, { count: probes }), pester()]);
    const megabytes = target.rss() ?? 0;
    const ended = target.ended();
    const left = await leftOpen(target, openBefore);
    if (left > 0) findings.push(`${left} descriptors more than before`);
    if (ended !== null) findings.push(`the reflector ${ended}`);
    const said = target.complaints();
    const refused = said.filter((line) => line.includes('nothing was reloaded')).length;
    const defects = said.filter((line) => line.includes('a defect'));
    findings.push(...beside.findings, ...defects.slice(0, 3));
    return {
      lines: [
        `${told} reloads, ${refused} refused of the first that it logged, ${megabytes.toFixed(0)} MiB, ${openBefore + left} descriptors; ${lineOf(beside)}`,
      ],
      findings,
      probes: beside.probes,
    };
  } finally {
    await target.stop();
  }
};
