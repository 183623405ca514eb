/** A certificate authority of a test, and what it issues. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import {
  type Issuer,
  makeAuthorityCertificate,
  makeLeafCertificate,
  publicKeyOf,
} from '../../controller/identity/certificate-maker.js';

export interface TestCertificate {
  /** PEM. */
  readonly cert: string;
  readonly key: string;
}

const DAY_MS = 24 * 3_600_000;

export class TestAuthority {
  /** PEM. */
  readonly pem: string;
  readonly #issuer: Issuer;

  private constructor(pem: string, privateKey: KeyObject) {
    this.pem = pem;
    this.#issuer = { certificate: pem, privateKey, name: 'CN=Test CA' };
  }

  static async make(): Promise<TestAuthority> {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const [from, to] = [new Date(Date.now() - 30 * DAY_MS), new Date(Date.now() + 30 * DAY_MS)];
    const { pem } = await makeAuthorityCertificate(privateKey, publicKeyOf(privateKey), 'Test CA', from, to);
    return new TestAuthority(pem, privateKey);
  }

  /** For DNS names; valid from yesterday for so many days. */
  async issue(names: readonly string[], days = 2): Promise<TestCertificate> {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const notAfter = Date.now() + (days - 1) * DAY_MS;
    const { pem } = await makeLeafCertificate(this.#issuer, {
      publicKey: publicKeyOf(privateKey),
      commonName: names[0] ?? '',
      alternativeNames: names.map((value) => ({ type: 'dns', value })),
      usage: 'server',
      notBefore: new Date(Math.min(Date.now(), notAfter) - DAY_MS),
      notAfter: new Date(notAfter),
    });
    return { cert: pem, key: String(privateKey.export({ type: 'pkcs8', format: 'pem' })) };
  }
}
