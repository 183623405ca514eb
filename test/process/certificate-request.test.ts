import 'reflect-metadata';
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  webcrypto,
  X509Certificate,
} from 'node:crypto';
import { describe, test } from 'node:test';
import { Pkcs10CertificateRequest, X509CertificateGenerator } from '@peculiar/x509';
import { parsePin, publicKeyPin, spkiPin } from '../../proto/process/certificate-pin.js';
import { createKeyAndRequest, createRequest } from '../../proto/process/certificate-request.js';

const OPENSSL = 'openssl';
const hasOpenssl = spawnSync(OPENSSL, ['version']).status === 0;

describe('a certificate request', () => {
  test('is read and its signature verified by a certificate library', async () => {
    const { privateKeyPem, requestPem } = await createKeyAndRequest('base1.example.org');
    const request = new Pkcs10CertificateRequest(requestPem);
    assert.ok(await request.verify());
    assert.equal(request.subject, 'CN=base1.example.org');
    assert.equal(request.attributes.length, 0);
    const key = createPrivateKey(privateKeyPem);
    assert.equal(key.asymmetricKeyDetails?.namedCurve, 'prime256v1');
    assert.equal(
      `sha256:${createHash('sha256').update(Buffer.from(request.publicKey.rawData)).digest('hex')}`,
      publicKeyPin(createPublicKey(key)),
    );
  });

  for (const name of ['a', 'ü'.repeat(64), 'x'.repeat(64)]) {
    test(`is verified by openssl, common name ${name.slice(0, 8)}…`, {
      skip: hasOpenssl ? false : 'needs openssl',
    }, async () => {
      const { requestPem } = await createKeyAndRequest(name);
      const checked = spawnSync(OPENSSL, ['req', '-verify', '-noout', '-text', '-nameopt', 'utf8'], {
        input: requestPem,
        encoding: 'utf8',
      });
      assert.equal(checked.status, 0, checked.stderr);
      assert.match(checked.stderr + checked.stdout, /verify OK/);
      assert.ok(checked.stdout.includes(`CN = ${name}`) || checked.stdout.includes(`CN=${name}`), checked.stdout);
      assert.match(checked.stdout, /ecdsa-with-SHA256/);
    });
  }

  test('is refused if it was changed', async () => {
    const { requestPem } = await createKeyAndRequest('base1');
    const der = Buffer.from(requestPem.replace(/-----[^-]+-----|\n/g, ''), 'base64');
    const at = der.indexOf('base1');
    der[at] = 'c'.charCodeAt(0);
    assert.ok(!(await new Pkcs10CertificateRequest(der).verify()));
  });

  test('every key is another', async () => {
    const [one, two] = await Promise.all([createKeyAndRequest('a'), createKeyAndRequest('a')]);
    assert.notEqual(one.privateKeyPem, two.privateKeyPem);
  });

  test('needs a common name that fits', () => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    assert.throws(() => createRequest(privateKey, ''), RangeError);
    assert.throws(() => createRequest(privateKey, 'x'.repeat(65)), RangeError);
  });
});

describe('pins', () => {
  test('are the SHA-256 of the SubjectPublicKeyInfo', async () => {
    const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
    const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
    const certificate = await X509CertificateGenerator.createSelfSigned({
      keys,
      name: 'CN=ca',
      signingAlgorithm: algorithm,
    });
    const spki = Buffer.from(await webcrypto.subtle.exportKey('spki', keys.publicKey));
    const expected = `sha256:${createHash('sha256').update(spki).digest('hex')}`;
    assert.equal(spkiPin(certificate.toString('pem')), expected);
    assert.equal(spkiPin(Buffer.from(certificate.rawData)), expected);
    assert.equal(spkiPin(new X509Certificate(certificate.toString('pem'))), expected);
  });

  test('as somebody typed them', () => {
    const hex = 'ab'.repeat(32);
    assert.equal(parsePin(` SHA256:${hex.toUpperCase()}\n`), `sha256:${hex}`);
    for (const text of [
      '',
      hex,
      `sha256:${hex}0`,
      `sha256:${hex.slice(1)}`,
      `sha1:${hex}`,
      `sha256:${'g'.repeat(64)}`,
    ]) {
      assert.equal(parsePin(text), undefined);
    }
  });
});
