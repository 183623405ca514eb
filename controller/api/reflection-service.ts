/**
 * gRPC server reflection (v1 and v1alpha, which have the same messages), from the descriptors of our own .proto files.
 * Files are answered as raw bytes, each with everything that it imports.
 */
import { fromBinary, toBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  type FileDescriptorProto,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
} from '@bufbuild/protobuf/wkt';
import { status } from '@grpc/grpc-js';
import type {
  ServerReflectionRequest,
  ServerReflectionResponse,
  ServerReflectionServer,
} from '../../proto/gen/grpc/reflection/v1/reflection.js';

type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;

export class DescriptorIndex {
  readonly #files = new Map<string, FileDescriptorProto>();
  /** File of each fully-qualified symbol. */
  readonly #symbols = new Map<string, string>();

  /** @param descriptorSet Base64 of a FileDescriptorSet. */
  constructor(descriptorSet: string) {
    for (const file of fromBinary(FileDescriptorSetSchema, Buffer.from(descriptorSet, 'base64')).file) {
      this.#files.set(file.name, file);
      this.#index(file);
    }
  }

  fileNamed(name: string): Answer {
    return this.#files.has(name) ? this.#answer(name) : notFound(`no file ${name}`);
  }

  fileWithSymbol(symbol: string): Answer {
    const file = this.#symbols.get(symbol.replace(/^\./, ''));
    return file === undefined ? notFound(`no symbol ${symbol}`) : this.#answer(file);
  }

  /** Full paths of every method of a service, as "/package.Service/Method". */
  methodsOf(service: string): string[] {
    const file = this.#files.get(this.#symbols.get(service) ?? '');
    const found = file?.service.find(({ name }) => qualified(file.package, name) === service);
    return (found?.method ?? []).map((method) => `/${service}/${method.name}`);
  }

  /** The file first, then whatever it needs that does not come before it. */
  #answer(name: string): Answer {
    const seen = new Set<string>();
    const wanted = [name];
    for (let next = wanted.shift(); next !== undefined; next = wanted.shift()) {
      if (seen.has(next)) continue;
      seen.add(next);
      wanted.push(...(this.#files.get(next)?.dependency ?? []));
    }
    const fileDescriptorProto = [...seen].flatMap((file) => {
      const descriptor = this.#files.get(file);
      return descriptor === undefined ? [] : [Buffer.from(toBinary(FileDescriptorProtoSchema, descriptor))];
    });
    return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto } };
  }

  #index(file: FileDescriptorProto): void {
    for (const message of file.messageType) this.#indexMessage(file, file.package, message);
    for (const { name } of file.enumType) this.#symbols.set(qualified(file.package, name), file.name);
    for (const service of file.service) {
      const name = qualified(file.package, service.name);
      this.#symbols.set(name, file.name);
      for (const method of service.method) this.#symbols.set(`${name}.${method.name}`, file.name);
    }
  }

  #indexMessage(file: FileDescriptorProto, scope: string, message: DescriptorProto): void {
    const name = qualified(scope, message.name);
    this.#symbols.set(name, file.name);
    for (const field of message.field) this.#symbols.set(`${name}.${field.name}`, file.name);
    for (const inner of message.enumType) this.#symbols.set(`${name}.${inner.name}`, file.name);
    for (const inner of message.nestedType) this.#indexMessage(file, name, inner);
  }
}

/** @param services Full names of those that are served. */
export function reflectionService(index: DescriptorIndex, services: readonly string[]): ServerReflectionServer {
  return {
    serverReflectionInfo: (call) => {
      call.on('data', (request: ServerReflectionRequest) => {
        const messageResponse = answer(index, services, request);
        // A client that asks and does not read waits for its own answers.
        if (!call.write({ validHost: request.host, originalRequest: request, messageResponse })) {
          call.pause();
          call.once('drain', () => call.resume());
        }
      });
      call.on('end', () => call.end());
    },
  };
}

function answer(index: DescriptorIndex, services: readonly string[], request: ServerReflectionRequest): Answer {
  const message = request.messageRequest;
  switch (message?.$case) {
    case 'listServices':
      return { $case: 'listServicesResponse', value: { service: services.map((name) => ({ name })) } };
    case 'fileByFilename':
      return index.fileNamed(message.value);
    case 'fileContainingSymbol':
      return index.fileWithSymbol(message.value);
    case 'fileContainingExtension':
    case 'allExtensionNumbersOfType':
      return notFound('there are no extensions');
    default:
      return failure(status.INVALID_ARGUMENT, 'the request asks nothing that is known here');
  }
}

function qualified(scope: string, name: string): string {
  return scope === '' ? name : `${scope}.${name}`;
}

function notFound(errorMessage: string): Answer {
  return failure(status.NOT_FOUND, errorMessage.slice(0, 500));
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { $case: 'errorResponse', value: { errorCode, errorMessage } };
}
