/** A connection to the controllers of one context: calls with a deadline, the next controller when one is not there. */
import {
  type CallOptions,
  type ClientOptions,
  type ClientReadableStream,
  type ClientUnaryCall,
  Metadata,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import type { ClientContext } from '../../proto/gen/baton/v1/config.js';
import { MailServiceClient } from '../../proto/gen/baton/v1/mail_service.js';
import { ResourceServiceClient } from '../../proto/gen/baton/v1/resource_service.js';
import { StatusServiceClient } from '../../proto/gen/baton/v1/status_service.js';
import { TokenServiceClient } from '../../proto/gen/baton/v1/token_service.js';
import { parseControllerAddress } from '../../proto/process/host-port.js';
import { type SecureChannel, secureChannel } from '../../proto/process/secure-channel.js';
import { singleLine } from '../../proto/rules/printable-text.js';
import { explainCallError, isNotThere } from './call-failure.js';
import { Failure, messageOf } from './failure.js';

/** The services of one controller. */
export interface Services {
  readonly resources: ResourceServiceClient;
  readonly status: StatusServiceClient;
  readonly tokens: TokenServiceClient;
  readonly mail: MailServiceClient;
}

type Unary<Request, Response> = (
  request: Request,
  metadata: Metadata,
  options: Partial<CallOptions>,
  callback: (error: ServiceError | null, response: Response) => void,
) => ClientUnaryCall;

/** Big enough for the status of some thousand nodes. */
const MAX_MESSAGE_BYTES = 64 * 1024 * 1024;

const OPTIONS: Partial<ClientOptions> = {
  'grpc.max_receive_message_length': MAX_MESSAGE_BYTES,
  // A stream whose controller vanished without a word is noticed.
  'grpc.keepalive_time_ms': 20_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

export class Session {
  readonly #context: ClientContext;
  readonly #timeoutMs: number;
  /** One for each controller, in their order. */
  readonly #channels: readonly SecureChannel[];
  readonly #open = new Map<string, Services>();
  #interrupted: AbortSignal;
  /** Position of the controller that answered last. */
  #current = 0;

  /** @param timeoutMs how long one call may take. @throws Failure when the context's certificates are of no use */
  constructor(context: ClientContext, timeoutMs: number, interrupted: AbortSignal) {
    this.#context = context;
    this.#timeoutMs = timeoutMs;
    this.#interrupted = interrupted;
    if (context.controllers.length === 0) {
      throw new Failure(1, singleLine(`context "${context.name}" names no controller`));
    }
    try {
      const { ca, certificate, privateKey } = context;
      this.#channels = context.controllers.map((address) =>
        secureChannel(parseControllerAddress(address), { ca, certificate, privateKey }),
      );
    } catch (error) {
      throw new Failure(1, singleLine(`context "${context.name}" cannot be used: ${messageOf(error)}`), {
        cause: error,
      });
    }
  }

  /** Address of the controller that is used. */
  get controller(): string {
    return this.#context.controllers[this.#current] ?? '';
  }

  /** @param doing What is being tried, for the message: "apply the resources". @throws Failure */
  async call<Request, Response>(
    doing: string,
    pick: (services: Services) => Unary<Request, Response>,
    request: Request,
    timeoutMs = this.#timeoutMs,
  ): Promise<Response> {
    for (let left = this.#context.controllers.length; ; left -= 1) {
      try {
        return await this.#callOnce(pick(this.#services()), request, timeoutMs);
      } catch (error) {
        if (left > 1 && isNotThere(error)) {
          this.#next();
          continue;
        }
        throw this.#explain(doing, error);
      }
    }
  }

  /**
   * Reads a stream until it ends, `take` answers false, or the operator interrupts. Resolves in these cases.
   * @throws Failure when the stream breaks; `take` has had everything before
   */
  async read<Response>(
    doing: string,
    open: (services: Services) => ClientReadableStream<Response>,
    take: (response: Response) => boolean | Promise<boolean>,
    signal: AbortSignal = this.#interrupted,
  ): Promise<void> {
    for (let left = this.#context.controllers.length; ; left -= 1) {
      if (signal.aborted) return;
      const stream = open(this.#services());
      const cancel = (): void => stream.cancel();
      signal.addEventListener('abort', cancel, { once: true });
      let taken = false;
      try {
        for await (const response of stream) {
          taken = true;
          // The generated stream yields exactly these; its type says any.
          if (!(await take(response as Response))) return;
        }
        return;
      } catch (error) {
        if (signal.aborted) return;
        if (!taken && left > 1 && isNotThere(error)) {
          this.#next();
          continue;
        }
        throw this.#explain(doing, error);
      } finally {
        signal.removeEventListener('abort', cancel);
        stream.cancel();
      }
    }
  }

  close(): void {
    for (const services of this.#open.values()) for (const client of Object.values(services)) client.close();
    this.#open.clear();
  }

  #services(): Services {
    const address = this.controller;
    let services = this.#open.get(address);
    const channel = this.#channels[this.#current];
    if (channel === undefined) throw new Failure(1, `there is no controller ${address}`);
    if (services === undefined) {
      const { target, credentials } = channel;
      const options = { ...OPTIONS, ...channel.options };
      services = {
        resources: new ResourceServiceClient(target, credentials, options),
        status: new StatusServiceClient(target, credentials, options),
        tokens: new TokenServiceClient(target, credentials, options),
        mail: new MailServiceClient(target, credentials, options),
      };
      this.#open.set(address, services);
    }
    return services;
  }

  #next(): void {
    this.#current = (this.#current + 1) % this.#context.controllers.length;
  }

  #callOnce<Request, Response>(
    method: Unary<Request, Response>,
    request: Request,
    timeoutMs: number,
  ): Promise<Response> {
    return new Promise((resolve, reject) => {
      const options = { deadline: new Date(Date.now() + timeoutMs) };
      const call = method(request, new Metadata(), options, (error, response) => {
        this.#interrupted.removeEventListener('abort', cancel);
        if (error) reject(error);
        else resolve(response);
      });
      const cancel = (): void => call.cancel();
      this.#interrupted.addEventListener('abort', cancel, { once: true });
      if (this.#interrupted.aborted) cancel();
    });
  }

  #explain(doing: string, error: unknown): Failure {
    const interrupted = error instanceof Error && 'code' in error && error.code === status.CANCELLED;
    if (interrupted && this.#interrupted.aborted) return new Failure(1, 'interrupted', { cause: error });
    return explainCallError(error, {
      doing,
      controller: this.#context.controllers.length > 1 ? this.#context.controllers.join(', ') : this.controller,
      context: this.#context.name,
    });
  }
}
