/**
 * What listens where a controller should, and stands still at a chosen point: its certificate is good, so that an agent
 * gets as far as that.
 */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createSecureServer } from 'node:http2';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import path from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { Server as GrpcServer, ServerCredentials } from '@grpc/grpc-js';
import { type AgentServiceServer, AgentServiceService } from '../../proto/gen/baton/v1/agent_service.js';

/**
 * The last thing that it does: take the connection, finish the handshake of TLS, take the stream, say welcome. The point
 * that it stands still at is then the handshake, the settings of HTTP/2, the answer, a renewal of the certificate.
 */
export type Stall = 'accept' | 'handshake' | 'stream' | 'welcome';

export class StalledController {
  private constructor(
    /** "127.0.0.1:PORT". */
    readonly hostPort: string,
    /** Resolves as soon as a client is where this stands still. */
    readonly reached: Promise<void>,
    readonly close: () => void,
  ) {}

  /** @param dataDir of the controller whose certificate it shows */
  static async start(stall: Stall, dataDir: string): Promise<StalledController> {
    const pem = readFileSync(path.join(dataDir, 'server.pem'), 'utf8');
    let arrived: () => void = () => undefined;
    const reached = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    if (stall === 'welcome') {
      const server = speakingServer(arrived);
      const keyPair = { private_key: Buffer.from(pem), cert_chain: Buffer.from(pem) };
      const port = await new Promise<number>((resolve, reject) => {
        const credentials = ServerCredentials.createSsl(null, [keyPair]);
        server.bindAsync('127.0.0.1:0', credentials, (error, bound) =>
          error === null ? resolve(bound) : reject(error),
        );
      });
      return new StalledController(`127.0.0.1:${port}`, reached, () => server.forceShutdown());
    }
    const server = silentServer(stall, pem, arrived);
    const sockets = new Set<Socket>();
    server.on('connection', (socket: Socket) => sockets.add(socket.on('error', () => undefined)));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new StalledController(`127.0.0.1:${port}`, reached, () => {
      for (const socket of sockets) socket.destroy();
      server.close();
    });
  }
}

function silentServer(stall: Exclude<Stall, 'welcome'>, pem: string, arrived: () => void): Server {
  const options = { key: pem, cert: pem, minVersion: 'TLSv1.3' as const, ALPNProtocols: ['h2'] };
  switch (stall) {
    case 'accept':
      return createServer(arrived);
    case 'handshake':
      return createTlsServer(options, arrived);
    case 'stream':
      return createSecureServer(options).on('stream', arrived);
  }
}

function speakingServer(arrived: () => void): GrpcServer {
  const server = new GrpcServer();
  const service: AgentServiceServer = {
    session: (call) => {
      call.on('error', () => undefined);
      call.write({ message: { $case: 'welcome', value: { node: 'base1', controllerTime: undefined } } });
    },
    renewCertificate: () => arrived(),
    enroll: () => undefined,
  };
  server.addService(AgentServiceService, service);
  return server;
}
