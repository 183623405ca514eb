/** A controller made of functions, behind real gRPC and real mutual TLS, and batonctl run against it in this process. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import type { TestContext } from 'node:test';
import {
  Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServerWritableStream,
  type sendUnaryData,
  status,
} from '@grpc/grpc-js';
import * as x509 from '@peculiar/x509';
import { writeContextFile } from '../../controller/batonctl/context-file.js';
import { type ExitCode, runBatonctl } from '../../controller/batonctl/program.js';
import type { Surroundings } from '../../controller/batonctl/surroundings.js';
import type { ClientContext } from '../../proto/gen/baton/v1/config.js';
import { MailServiceService } from '../../proto/gen/baton/v1/mail_service.js';
import { type Finding, Findings, ResourceServiceService } from '../../proto/gen/baton/v1/resource_service.js';
import { StatusServiceService } from '../../proto/gen/baton/v1/status_service.js';
import { TokenServiceService } from '../../proto/gen/baton/v1/token_service.js';

/** 2026-11-22 12:00:00 UTC. */
export const NOON = Date.UTC(2026, 10, 22, 12);

/** What a method answers, by its name ("getStatus"); a stream's answer is the list of its messages. */
export type Answers = Readonly<Record<string, (request: never) => unknown>>;

export class CallRefusal extends Error {
  constructor(
    readonly code: status,
    message: string,
    readonly findings: readonly Finding[] = [],
  ) {
    super(message);
  }
}

/** After its messages the stream stays open instead of ending. */
export const KEEP_OPEN = Symbol('keep open');

export interface Identity {
  readonly ca: string;
  readonly certificate: string;
  readonly privateKey: string;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

/** An authority with a server's and an operator's certificate. */
export async function makeIdentities(
  serverNames: readonly string[],
): Promise<{ server: Identity; operator: Identity }> {
  x509.cryptoProvider.set(webcrypto);
  const authority = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
  const validity = { notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) };
  const ca = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: '01',
    name: 'CN=Test authority',
    signingAlgorithm: ALGORITHM,
    keys: authority,
    extensions: [new x509.BasicConstraintsExtension(true, undefined, true)],
  });
  const issue = async (name: string, serialNumber: string, names: readonly string[]): Promise<Identity> => {
    const keys = await webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
    const certificate = await x509.X509CertificateGenerator.create({
      ...validity,
      serialNumber,
      subject: `CN=${name}`,
      issuer: ca.subject,
      signingAlgorithm: ALGORITHM,
      publicKey: keys.publicKey,
      signingKey: authority.privateKey,
      extensions: [
        new x509.SubjectAlternativeNameExtension(
          names.map((value) => ({ type: /^[\d.]+$/u.test(value) ? 'ip' : 'dns', value }) as const),
        ),
      ],
    });
    const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
    return {
      ca: ca.toString('pem'),
      certificate: certificate.toString('pem'),
      privateKey: `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})/gu, '$1\n')}\n-----END PRIVATE KEY-----\n`,
    };
  };
  return {
    server: await issue('Test controller', '02', serverNames),
    operator: await issue('admin', '03', ['admin.invalid']),
  };
}

export class FakeController {
  answers: Answers = {};
  /** Every call, by its name, with its request. */
  readonly calls: { readonly method: string; readonly request: unknown }[] = [];
  readonly #server = new Server();

  private constructor(readonly operator: Identity) {}

  static async start(
    context: TestContext,
    serverNames: readonly string[] = ['127.0.0.1'],
  ): Promise<FakeController & { port: number }> {
    const { server, operator } = await makeIdentities(serverNames);
    const fake = new FakeController(operator);
    for (const service of [ResourceServiceService, StatusServiceService, TokenServiceService, MailServiceService]) {
      const methods = Object.entries(service).map(([name, { responseStream }]) => [
        name,
        responseStream ? fake.#streaming(name) : fake.#unary(name),
      ]);
      fake.#server.addService(service, Object.fromEntries(methods));
    }
    const credentials = ServerCredentials.createSsl(
      Buffer.from(server.ca),
      [{ cert_chain: Buffer.from(server.certificate), private_key: Buffer.from(server.privateKey) }],
      true,
    );
    const port = await new Promise<number>((resolve, reject) => {
      fake.#server.bindAsync('127.0.0.1:0', credentials, (error, bound) => (error ? reject(error) : resolve(bound)));
    });
    context.after(() => fake.#server.forceShutdown());
    return Object.assign(fake, { port });
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  #unary(method: string) {
    return (call: ServerUnaryCall<unknown, unknown>, callback: sendUnaryData<unknown>): void => {
      this.calls.push({ method, request: call.request });
      try {
        callback(null, this.#answer(method, call.request));
      } catch (error) {
        callback(errorOf(error));
      }
    };
  }

  #streaming(method: string) {
    return (call: ServerWritableStream<unknown, unknown>): void => {
      this.calls.push({ method, request: call.request });
      try {
        for (const message of this.#answer(method, call.request) as unknown[]) {
          if (message === KEEP_OPEN) return;
          call.write(message);
        }
        call.end();
      } catch (error) {
        call.emit('error', errorOf(error));
      }
    };
  }

  #answer(method: string, request: unknown): unknown {
    const answer = this.answers[method];
    if (answer === undefined) throw new CallRefusal(status.UNIMPLEMENTED, `${method} is not played`);
    return answer(request as never);
  }
}

function errorOf(error: unknown) {
  if (!(error instanceof CallRefusal)) return { code: status.INTERNAL, details: String(error) };
  const metadata = new Metadata();
  if (error.findings.length > 0) {
    metadata.set('baton-findings-bin', Buffer.from(Findings.encode({ findings: [...error.findings] }).finish()));
  }
  return { code: error.code, details: error.message, metadata };
}

/** A terminal or a pipe that remembers. */
class Memory {
  text = '';
  constructor(
    readonly isTerminal: boolean,
    readonly columns: number | undefined,
    readonly rows: number | undefined,
  ) {}
  write(text: string): void {
    this.text += text;
  }
}

export interface Run {
  readonly code: ExitCode;
  readonly stdout: string;
  readonly stderr: string;
}

/** A directory of its own with a context file. */
export function makeDesk(context: TestContext, contexts: readonly ClientContext[] = []): string {
  const directory = mkdtempSync(path.join(os.tmpdir(), 'batonctl-'));
  context.after(() => rmSync(directory, { recursive: true, force: true }));
  if (contexts.length > 0) {
    writeContextFile(path.join(directory, 'config.yaml'), {
      currentContext: contexts[0]?.name ?? '',
      contexts: [...contexts],
    });
  }
  return directory;
}

export function contextFor(fake: FakeController, port: number, name = 'test'): ClientContext {
  return { name, controllers: [`127.0.0.1:${port}`], ...fake.operator };
}

export interface RunOptions {
  readonly directory: string;
  readonly stdin?: string;
  readonly env?: Record<string, string>;
  readonly terminal?: boolean;
  readonly interrupted?: AbortSignal;
  readonly onWrite?: (stdout: string) => void;
  /** Height of the terminal. */
  readonly rows?: number;
}

/** Runs batonctl in this process; `~` and the context file are in the directory. Waiting takes no time. */
export async function run(args: readonly string[], options: RunOptions): Promise<Run> {
  const { directory, stdin = '', env = {}, terminal = false } = options;
  const rows = terminal ? (options.rows ?? 50) : undefined;
  const stdout = new Memory(terminal, terminal ? 120 : undefined, rows);
  const stderr = new Memory(terminal, terminal ? 120 : undefined, rows);
  const surroundings: Surroundings = {
    stdout: {
      isTerminal: terminal,
      columns: stdout.columns,
      rows: stdout.rows,
      write(text) {
        stdout.write(text);
        options.onWrite?.(stdout.text);
      },
    },
    stderr,
    readStdin: () => Promise.resolve(stdin),
    env: { BATON_CONFIG: path.join(directory, 'config.yaml'), ...env },
    now: () => NOON,
    sleep: (_ms, signal) =>
      new Promise((resolve) => {
        // Long waits end when they are ended; see the one test that needs another.
        if (signal.aborted || _ms <= 11_000) setImmediate(resolve);
        else signal.addEventListener('abort', () => resolve(), { once: true });
      }),
    random: () => 0.5,
    interrupted: options.interrupted ?? new AbortController().signal,
    homeDirectory: directory,
    version: '1.2.3',
  };
  const code = await runBatonctl(args, surroundings);
  return { code, stdout: stdout.text, stderr: stderr.text };
}
