/** A TCP connection, with a TLS handshake if wanted; closed at once. */
import { createConnection, isIP, type LookupFunction, type Socket } from 'node:net';
import { type ConnectionOptions, checkServerIdentity, connect as connectTls } from 'node:tls';
import type { ProbeTls, TcpProbe } from './check-settings.js';
import { hostPort } from './check-subject.js';
import type { NameLookup } from './host-lookup.js';
import { networkReason } from './network-error.js';
import { type Attempt, failing, good, type Verdict } from './run.js';

export function tcpAttempt(probe: TcpProbe, names: NameLookup): Attempt {
  return async (signal, phase) => {
    const target = hostPort(probe.host, probe.port);
    phase(`connecting to ${target}`);
    const connection = { host: probe.host, port: probe.port, lookup: lookupFunction(names, signal, phase, target) };
    const socket =
      probe.tls === undefined
        ? createConnection(connection)
        : connectTls({ ...connection, ...tlsOptions(probe.tls, probe.host) });
    socket.once('connect', () => phase(probe.tls === undefined ? '' : `TLS handshake with ${target}`));
    return await socketVerdict(socket, probe.tls === undefined ? 'connect' : 'secureConnect', target, signal);
  };
}

/** Settles when the event comes or the socket fails; the socket is closed then. */
function socketVerdict(
  socket: Socket,
  event: 'connect' | 'secureConnect',
  target: string,
  signal: AbortSignal,
): Promise<Verdict> {
  return new Promise((resolve) => {
    const abort = () => socket.destroy();
    const done = (verdict: Verdict) => {
      signal.removeEventListener('abort', abort);
      socket.destroy();
      resolve(verdict);
    };
    signal.addEventListener('abort', abort, { once: true });
    if (signal.aborted) abort();
    socket.once(event, () =>
      done(good(`connected to ${hostPort(socket.remoteAddress ?? '', socket.remotePort ?? 0)}`)),
    );
    socket.on('error', (error) => done(failing(networkReason(error, target))));
    socket.once('close', () => done(failing(`connection closed by ${target}`)));
  });
}

/** For Node's own connecting, which tries the addresses in turn; it asks for names alone. */
export function lookupFunction(
  names: NameLookup,
  signal: AbortSignal,
  phase: (doing: string) => void,
  target: string,
): LookupFunction {
  return (host, options, done) => {
    phase(`looking up ${host}`);
    names.addressesOf(host, signal).then(
      (addresses) => {
        phase(`connecting to ${target}`);
        const [first] = addresses;
        if (options.all) done(null, [...addresses]);
        else if (first !== undefined) done(null, first.address, first.family);
      },
      (error: NodeJS.ErrnoException) => done(error, []),
    );
  };
}

/** `host` is what the certificate must be for unless another name is given. */
export function tlsOptions(tls: ProbeTls, host: string): ConnectionOptions {
  const identity = tls.serverName ?? host;
  return {
    // RFC 6066 section 3: an address is not asked for by name.
    servername: isIP(identity) === 0 ? identity : '',
    rejectUnauthorized: !tls.insecureSkipVerify,
    checkServerIdentity: (_host, certificate) => checkServerIdentity(identity, certificate),
    ...(tls.ca === undefined ? {} : { ca: tls.ca }),
  };
}
