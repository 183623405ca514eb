/** A real controller on loopback with a data directory of its own, and clients for it. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type CallOptions, type Client, type ClientUnaryCall, Metadata, type ServiceError } from '@grpc/grpc-js';
import { pino } from 'pino';
import { initialise } from '../../controller/identity/initialise.js';
import { type RunningController, type ServeOptions, serve } from '../../controller/serve.js';
import { AgentServiceClient } from '../../proto/gen/baton/v1/agent_service.js';
import type { ClientContext } from '../../proto/gen/baton/v1/config.js';
import { MailServiceClient } from '../../proto/gen/baton/v1/mail_service.js';
import { ResourceServiceClient } from '../../proto/gen/baton/v1/resource_service.js';
import { StatusServiceClient } from '../../proto/gen/baton/v1/status_service.js';
import { TokenServiceClient } from '../../proto/gen/baton/v1/token_service.js';
import { parseConfigFile } from '../../proto/manifest/index.js';
import type { HostPort } from '../../proto/process/host-port.js';
import { secureChannel } from '../../proto/process/secure-channel.js';
import { compileBundle } from '../../proto/rules/compile.js';
import { validateResources } from '../../proto/rules/validate.js';

export interface Clients {
  readonly resources: ResourceServiceClient;
  readonly status: StatusServiceClient;
  readonly tokens: TokenServiceClient;
  readonly mail: MailServiceClient;
  readonly agents: AgentServiceClient;
  close(): void;
}

export const silent = pino({ level: 'silent' });

export class TestController {
  readonly dataDir: string;
  readonly caPin: string;
  /** Added to the wall clock, in milliseconds. */
  clockOffset = 0;
  #running: RunningController | undefined;
  #port = 0;
  readonly #options: Partial<ServeOptions>;

  private constructor(dataDir: string, caPin: string, options: Partial<ServeOptions>) {
    this.dataDir = dataDir;
    this.caPin = caPin;
    this.#options = options;
  }

  static async start(options: Partial<ServeOptions> = {}): Promise<TestController> {
    const dataDir = mkdtempSync(path.join(tmpdir(), 'baton-controller-'));
    const { caPin } = await initialise({ dataDir, advertise: ['127.0.0.1'], now: new Date() });
    const controller = new TestController(dataDir, caPin, options);
    await controller.restart();
    return controller;
  }

  get address(): HostPort {
    return { host: '127.0.0.1', port: this.#port };
  }

  /** "127.0.0.1:PORT". */
  get hostPort(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async stop(): Promise<void> {
    await this.#running?.stop();
    this.#running = undefined;
  }

  /** Stops if need be and serves on the same port and data. */
  async restart(): Promise<void> {
    await this.stop();
    this.#running = await serve({
      dataDir: this.dataDir,
      listen: { host: '127.0.0.1', port: this.#port },
      certificateLifetimeMs: 7 * 24 * 3_600_000,
      mailGroupWaitMs: 0,
      mailGiveUpAfterMs: 3_600_000,
      eventRetentionMs: 24 * 3_600_000,
      validate: validateResources,
      compile: compileBundle,
      now: () => new Date(Date.now() + this.clockOffset),
      log: silent,
      ...this.#options,
    });
    this.#port = this.#running.address.port;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  /** What init wrote for the first operator. */
  get operator(): ClientContext {
    const file = path.join(this.dataDir, 'operator.yaml');
    const { config, problems } = parseConfigFile(readFileSync(file, 'utf8'), file, 'baton.v1.ClientConfig');
    const context = config?.contexts[0];
    if (context === undefined) throw new TypeError(`no context in ${file}: ${JSON.stringify(problems)}`);
    return context;
  }

  /** @param identity Absent: without a certificate. */
  clients(identity?: { certificate: string; privateKey: string }): Clients {
    const channel = secureChannel(this.address, { ca: this.operator.ca, ...identity });
    const all = [
      new ResourceServiceClient(channel.target, channel.credentials, channel.options),
      new StatusServiceClient(channel.target, channel.credentials, channel.options),
      new TokenServiceClient(channel.target, channel.credentials, channel.options),
      new MailServiceClient(channel.target, channel.credentials, channel.options),
      new AgentServiceClient(channel.target, channel.credentials, channel.options),
    ] as const;
    const [resources, status, tokens, mail, agents] = all;
    return {
      resources,
      status,
      tokens,
      mail,
      agents,
      close: () => {
        for (const client of all) client.close();
      },
    };
  }

  operatorClients(): Clients {
    return this.clients(this.operator);
  }
}

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** One call as a promise. */
export function ask<Request, Response>(
  client: Client,
  method: Unary<Request, Response>,
  request: Request,
): Promise<Response> {
  return new Promise((resolve, reject) => {
    method.call(client, request, new Metadata(), {}, (error, response) => {
      if (error === null) resolve(response);
      else reject(error);
    });
  });
}
