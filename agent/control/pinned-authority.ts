/**
 * Finding out, before anything is said, whether the controller at an address is the one that the operator meant: its
 * certificate chain must hold an authority whose key has the pin, and that authority must have signed what it shows.
 */
import type { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { checkServerIdentity, connect, type TLSSocket } from 'node:tls';
import { spkiPin } from '../../proto/process/certificate-pin.js';
import { formatHostPort, type HostPort } from '../../proto/process/host-port.js';

const CONNECT_WITHIN_MS = 10_000;
/** A chain longer than this is nobody's that we know. */
const LONGEST_CHAIN = 8;

/** The controller could not be reached, or is not the one that was meant. */
export class PinError extends Error {
  override readonly name = 'PinError';
  readonly code: 'unreachable' | 'not-the-controller';
  constructor(code: PinError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/**
 * @param pin As parsePin gives it.
 * @returns PEM of the authority
 * @throws PinError
 */
export async function fetchPinnedAuthority(controller: HostPort, pin: string): Promise<string> {
  const where = formatHostPort(controller);
  const socket = await openTls(controller);
  try {
    const leaf = socket.getPeerX509Certificate();
    const chain: X509Certificate[] = [];
    for (let next = leaf; next !== undefined && chain.length < LONGEST_CHAIN; next = next.issuerCertificate) {
      chain.push(next);
    }
    const authority = chain.find((certificate) => spkiPin(certificate) === pin);
    if (leaf === undefined || authority === undefined) {
      const shown = chain.at(-1);
      throw new PinError(
        'not-the-controller',
        `the controller at ${where} is not the one with the CA pin ${pin}: it shows ` +
          `${shown === undefined ? 'no certificate' : spkiPin(shown)}. The token was not sent.`,
      );
    }
    const signed = leaf !== authority && leaf.checkIssued(authority) && leaf.verify(authority.publicKey);
    if (!authority.ca || !signed) {
      throw new PinError(
        'not-the-controller',
        `the certificate of the controller at ${where} is not signed by the authority with the pin. The token was not sent.`,
      );
    }
    const mismatch = checkServerIdentity(controller.host, leaf.toLegacyObject());
    if (mismatch !== undefined) {
      throw new PinError(
        'not-the-controller',
        `the certificate of the controller is not for ${controller.host} (it is for ${leaf.subjectAltName ?? 'nothing'}); ` +
          `run "baton-controller init --advertise ${where}" on the controller and restart it`,
      );
    }
    return authority.toString();
  } finally {
    socket.destroy();
  }
}

function openTls(controller: HostPort): Promise<TLSSocket> {
  const where = formatHostPort(controller);
  return new Promise((resolve, reject) => {
    const socket = connect({
      host: controller.host,
      port: controller.port,
      ALPNProtocols: ['h2'],
      minVersion: 'TLSv1.3',
      // The pin is checked instead, and nothing is sent before.
      rejectUnauthorized: false,
      ...(isIP(controller.host) === 0 ? { servername: controller.host } : {}),
    });
    const give = (reason: string, cause?: Error): void => {
      socket.destroy();
      reject(new PinError('unreachable', `cannot reach a controller at ${where}: ${reason}`, { cause }));
    };
    socket.setTimeout(CONNECT_WITHIN_MS, () => give(`no answer within ${CONNECT_WITHIN_MS / 1_000} s`));
    socket.on('error', (error) => give(error.message, error));
    socket.on('close', () => give('it closed the connection'));
    socket.on('secureConnect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('close');
      resolve(socket);
    });
  });
}
