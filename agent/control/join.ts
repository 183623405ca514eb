/** "baton-agent join": from a token and a pin to an identity. The key is made here and never leaves the host. */
import { hostname } from 'node:os';
import { Metadata, type ServiceError } from '@grpc/grpc-js';
import { AgentServiceClient, type EnrollResponse } from '../../proto/gen/baton/v1/agent_service.js';
import { parsePin, spkiPin } from '../../proto/process/certificate-pin.js';
import { createKeyAndRequest } from '../../proto/process/certificate-request.js';
import { formatHostPort, HostPortError, parseControllerAddress } from '../../proto/process/host-port.js';
import { secureChannel } from '../../proto/process/secure-channel.js';
import { describeCallFailure } from './call-failure.js';
import { IdentityError, prepareIdentity, validityOf, writeIdentity } from './node-identity.js';
import { fetchPinnedAuthority, PinError } from './pinned-authority.js';

const ENROLL_WITHIN_MS = 20_000;

export interface JoinRequest {
  /** HOST:PORT; the port may be left out. */
  readonly controller: string;
  readonly token: string;
  /** "sha256:HEX", as "batonctl token create" prints it. */
  readonly caPin: string;
  /** Name wanted for the node. Absent: the token's, else the host's. */
  readonly name?: string;
  readonly stateDir: string;
}

export interface Joined {
  /** Name that the node was given. */
  readonly node: string;
  /** HOST:PORT. */
  readonly controller: string;
  readonly certificateExpiresAt: Date;
}

/** Joining failed; the message says at what and what to do. Nothing was stored. */
export class JoinError extends Error {
  override readonly name = 'JoinError';
  readonly code: 'bad-argument' | 'unreachable' | 'not-the-controller' | 'refused' | 'state-dir';
  constructor(code: JoinError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** A host that has joined before gets a new identity in the place of the old one. @throws JoinError */
export async function join(request: JoinRequest): Promise<Joined> {
  const pin = parsePin(request.caPin);
  if (pin === undefined) {
    throw new JoinError('bad-argument', 'the CA pin must be "sha256:" and 64 hexadecimal digits');
  }
  const token = request.token.trim();
  if (token === '') throw new JoinError('bad-argument', 'the token is empty');
  try {
    const controller = parseControllerAddress(request.controller);
    const where = formatHostPort(controller);
    prepareIdentity(request.stateDir);
    const ca = await fetchPinnedAuthority(controller, pin);
    const hostName = hostname().toLowerCase();
    const { privateKeyPem, requestPem } = await createKeyAndRequest((request.name || hostName || 'node').slice(0, 64));
    const channel = secureChannel(controller, { ca });
    const client = new AgentServiceClient(channel.target, channel.credentials, channel.options);
    let answer: EnrollResponse;
    try {
      answer = await enroll(client, where, {
        token,
        node: request.name ?? '',
        certificateRequest: requestPem,
        hostName,
      });
    } finally {
      client.close();
    }
    if (spkiPin(answer.ca) !== pin) {
      throw new JoinError('not-the-controller', `${where} answered with another authority than the pinned one`);
    }
    writeIdentity(request.stateDir, {
      node: answer.node,
      certificate: answer.certificate,
      privateKey: privateKeyPem,
      ca: answer.ca,
      controllers: [where],
    });
    return { node: answer.node, controller: where, certificateExpiresAt: new Date(validityOf(answer.certificate).to) };
  } catch (error) {
    if (error instanceof JoinError) throw error;
    if (error instanceof PinError) throw new JoinError(error.code, error.message, { cause: error });
    if (error instanceof IdentityError) throw new JoinError('state-dir', error.message, { cause: error });
    if (error instanceof HostPortError) throw new JoinError('bad-argument', error.message, { cause: error });
    throw error;
  }
}

function enroll(
  client: AgentServiceClient,
  where: string,
  request: Parameters<AgentServiceClient['enroll']>[0],
): Promise<EnrollResponse> {
  return new Promise((resolve, reject) => {
    const deadline = Date.now() + ENROLL_WITHIN_MS;
    client.enroll(request, new Metadata(), { deadline }, (error: ServiceError | null, response) => {
      if (error === null) resolve(response);
      else reject(new JoinError('refused', describeCallFailure(error, where), { cause: error }));
    });
  });
}
