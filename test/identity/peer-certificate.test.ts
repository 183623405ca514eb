import assert from 'node:assert/strict';
import { createPublicKey, generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { after, before, test } from 'node:test';
import { Authority } from '../../controller/identity/authority.js';
import { judgeCertificateRequest } from '../../controller/identity/certificate-request.js';
import { hashToken, newToken } from '../../controller/identity/join-token.js';
import { judgePeer } from '../../controller/identity/peer-certificate.js';
import { Revocations } from '../../controller/identity/revocations.js';
import { createKeyAndRequest, createRequest } from '../../proto/process/certificate-request.js';

const NOW = Date.UTC(2030, 0, 1);
const WEEK_MS = 7 * 24 * 3_600_000;
const ID = '0b8f7d1e-6a52-4b59-9c0c-1d8c8d5a2f11';

let dataDir: string;
let authority: Authority;
let key: KeyObject;

before(async () => {
  dataDir = mkdtempSync(path.join(tmpdir(), 'baton-authority-'));
  authority = await Authority.create(dataDir, new Date(NOW));
  key = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey;
});

after(() => rmSync(dataDir, { recursive: true, force: true }));

function publicDer(): Uint8Array {
  return createPublicKey(key).export({ type: 'spki', format: 'der' });
}

function judge(pem: string, now: number, isRevoked: (serial: string, subject: string) => boolean = () => false) {
  return judgePeer(new X509Certificate(pem).raw, { authority: authority.certificate, isRevoked, now });
}

test('a node certificate says who the node is', async () => {
  const issued = await authority.issueNode(ID, 'base1', publicDer(), WEEK_MS, new Date(NOW));
  assert.deepEqual(judge(issued.certificate, NOW), {
    ok: true,
    caller: { role: 'agent', id: ID, name: 'base1', serial: issued.serial, expiresAt: NOW + WEEK_MS },
  });
});

test('validity is judged by our clock, to the second', async () => {
  const issued = await authority.issueNode(ID, 'base1', publicDer(), WEEK_MS, new Date(NOW));
  assert.deepEqual(judge(issued.certificate, NOW + WEEK_MS + 1_000), { ok: false, fault: 'expired' });
  assert.equal(judge(issued.certificate, NOW + WEEK_MS).ok, true);
  // Five minutes of tolerance for clocks that are behind.
  assert.equal(judge(issued.certificate, NOW - 300_000).ok, true);
  assert.deepEqual(judge(issued.certificate, NOW - 301_000), { ok: false, fault: 'not-yet-valid' });
});

test('certificates that are no client of ours are refused, each for its own reason', async () => {
  const server = await authority.issueServer(['localhost'], new Date(NOW));
  assert.deepEqual(judge(server.certificate, NOW), { ok: false, fault: 'wrong-key-usage' });
  assert.deepEqual(judge(authority.certificatePem, NOW), { ok: false, fault: 'is-authority' });
  const otherDir = mkdtempSync(path.join(tmpdir(), 'baton-authority-'));
  try {
    const other = await Authority.create(otherDir, new Date(NOW));
    const foreign = await other.issueOperator(ID, 'admin', new Date(NOW));
    assert.deepEqual(judge(foreign.certificate, NOW), { ok: false, fault: 'foreign-issuer' });
  } finally {
    rmSync(otherDir, { recursive: true, force: true });
  }
  const garbage = judgePeer(Buffer.from('30030201ff', 'hex'), {
    authority: authority.certificate,
    isRevoked: () => false,
    now: NOW,
  });
  assert.deepEqual(garbage, { ok: false, fault: 'not-a-certificate' });
});

test('revocation works by serial and by identity', async () => {
  const issued = await authority.issueNode(ID, 'base1', publicDer(), WEEK_MS, new Date(NOW));
  const again = await authority.issueNode(ID, 'base1', publicDer(), WEEK_MS, new Date(NOW));
  const revocations = new Revocations([issued.serial]);
  const isRevoked = revocations.isRevoked.bind(revocations);
  assert.deepEqual(judge(issued.certificate, NOW, isRevoked), { ok: false, fault: 'revoked' });
  assert.equal(judge(again.certificate, NOW, isRevoked).ok, true);
  revocations.revokeSubject(ID);
  assert.deepEqual(judge(again.certificate, NOW, isRevoked), { ok: false, fault: 'revoked' });
});

test('the authority is read back, and its files are private', () => {
  const loaded = Authority.load(dataDir);
  assert.equal(loaded.pin, authority.pin);
  assert.match(loaded.pin, /^sha256:[0-9a-f]{64}$/);
  assert.deepEqual(readdirSync(dataDir).sort(), ['ca.key', 'ca.pem']);
  assert.equal(statSync(path.join(dataDir, 'ca.key')).mode & 0o777, 0o600);
});

test('a certificate request gives its key and nothing else', async () => {
  const { requestPem, privateKeyPem } = await createKeyAndRequest('whoever');
  const verdict = await judgeCertificateRequest(requestPem);
  assert.ok(verdict.ok);
  const own = createPublicKey(privateKeyPem).export({ type: 'spki', format: 'der' });
  assert.deepEqual(Buffer.from(verdict.publicKey), own);
});

test('bad certificate requests are refused with a reason', async () => {
  const refusal = async (pem: string) => {
    const verdict = await judgeCertificateRequest(pem);
    return verdict.ok ? 'accepted' : verdict.reason;
  };
  assert.match(await refusal(''), /not a PKCS #10/);
  assert.match(
    await refusal('-----BEGIN CERTIFICATE REQUEST-----\nMAA=\n-----END CERTIFICATE REQUEST-----\n'),
    /not a PKCS #10/,
  );
  assert.match(await refusal('x'.repeat(9_000)), /longer than/);
  const weak = generateKeyPairSync('ec', { namedCurve: 'P-224' }).privateKey;
  assert.match(await refusal(createRequest(weak, 'weak')), /not for a P-256 key|not a PKCS #10/);
  const { requestPem } = await createKeyAndRequest('whoever');
  const der = Buffer.from(requestPem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  // One bit of the common name: the signature no longer fits.
  const at = der.indexOf('whoever');
  der[at] = (der[at] ?? 0) ^ 1;
  const broken = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  assert.match(await refusal(broken), /wrong signature/);
});

test('tokens have 160 random bits and are known by their hash', () => {
  const { token, hash } = newToken();
  assert.match(token, /^btn_[A-Za-z0-9_-]{27}$/);
  assert.equal(hash, hashToken(token));
  assert.notEqual(newToken().token, token);
});
