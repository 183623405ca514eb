/**
 * A fresh P-256 key and its PKCS #10 certificate request (RFC 2986), made with node:crypto alone so that an agent
 * needs no certificate library. The request is the smallest legal one: version, subject with a common name, key, no
 * attributes; a controller takes only the key from it.
 */
import { createPublicKey, generateKeyPair, type KeyObject, sign } from 'node:crypto';
import { promisify } from 'node:util';

export interface KeyAndRequest {
  /** PKCS #8, PEM. To be stored readable by its owner alone. */
  readonly privateKeyPem: string;
  /** PKCS #10, PEM. */
  readonly requestPem: string;
}

/** @param commonName Goes into the subject as UTF8String, 1 to 64 characters (RFC 5280, ub-common-name). */
export async function createKeyAndRequest(commonName: string): Promise<KeyAndRequest> {
  const { privateKey } = await promisify(generateKeyPair)('ec', { namedCurve: 'P-256' });
  return {
    privateKeyPem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    requestPem: createRequest(privateKey, commonName),
  };
}

/** A request for a P-256 key that exists already, signed with ecdsa-with-SHA256. PEM. */
export function createRequest(privateKey: KeyObject, commonName: string): string {
  if (commonName.length < 1 || commonName.length > 64) {
    throw new RangeError(`a certificate request needs a common name of 1 to 64 characters, not ${commonName.length}`);
  }
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
  const name = sequence(set(sequence(OID_COMMON_NAME, tagged(TAG_UTF8_STRING, Buffer.from(commonName, 'utf8')))));
  // RFC 2986 section 4.1: version 0, subject, key, attributes [0] (empty but present).
  const info = sequence(tagged(TAG_INTEGER, Buffer.of(0)), name, publicKey, tagged(TAG_ATTRIBUTES, Buffer.alloc(0)));
  const signature = sign('sha256', info, { key: privateKey, dsaEncoding: 'der' });
  const noUnusedBits = Buffer.of(0);
  const request = sequence(
    info,
    sequence(OID_ECDSA_WITH_SHA256),
    tagged(TAG_BIT_STRING, Buffer.concat([noUnusedBits, signature])),
  );
  const lines = request.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE REQUEST-----\n${lines.join('\n')}\n-----END CERTIFICATE REQUEST-----\n`;
}

const TAG_INTEGER = 0x02;
const TAG_BIT_STRING = 0x03;
const TAG_UTF8_STRING = 0x0c;
const TAG_SEQUENCE = 0x30;
const TAG_SET = 0x31;
const TAG_ATTRIBUTES = 0xa0;

/** 2.5.4.3, whole. */
const OID_COMMON_NAME = Buffer.from('0603550403', 'hex');
/** 1.2.840.10045.4.3.2, whole. */
const OID_ECDSA_WITH_SHA256 = Buffer.from('06082a8648ce3d040302', 'hex');

/** DER: tag, definite length (short form below 128), content. */
function tagged(tag: number, content: Buffer): Buffer {
  const length = content.length;
  const head =
    length < 0x80
      ? Buffer.of(tag, length)
      : length < 0x100
        ? Buffer.of(tag, 0x81, length)
        : Buffer.of(tag, 0x82, length >> 8, length & 0xff);
  return Buffer.concat([head, content]);
}

function sequence(...parts: readonly Buffer[]): Buffer {
  return tagged(TAG_SEQUENCE, Buffer.concat(parts));
}

function set(...parts: readonly Buffer[]): Buffer {
  return tagged(TAG_SET, Buffer.concat(parts));
}
