/**
 * One HTTP or HTTPS request, on a connection of its own. Redirects are not followed: where a check looks is what its
 * configuration says. Of the body at most 64 KiB are looked at, piece by piece as they come, so that neither a long body
 * nor an unlucky pattern holds up the thread.
 */
import { type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { LookupFunction } from 'node:net';
import { compilePattern, type Pattern } from '../../proto/rules/pattern.js';
import type { HttpProbe } from './check-settings.js';
import { hostPort } from './check-subject.js';
import type { NameLookup } from './host-lookup.js';
import { networkReason } from './network-error.js';
import { type Attempt, cannotRun, failing, good, OUTPUT_LIMIT, type Verdict } from './run.js';
import { lookupFunction, tlsOptions } from './tcp-check.js';

/** Bytes of the body that are looked at. */
const BODY_LIMIT = 64 * 1024;
const HEADER_LIMIT = 16 * 1024;
/** How long the body of an answer that is not wanted is waited for, to be shown. */
const UNWANTED_BODY_MS = 200;

interface StatusRange {
  readonly least: number;
  readonly most: number;
}

/** Reads "200", "204-206" or "2xx"; undefined for anything else. */
export function parseStatusRange(text: string): StatusRange | undefined {
  const hundred = /^([1-5])xx$/i.exec(text);
  if (hundred !== null) return { least: Number(hundred[1]) * 100, most: Number(hundred[1]) * 100 + 99 };
  const range = /^([1-9]\d\d)(?:-([1-9]\d\d))?$/.exec(text);
  if (range === null) return undefined;
  const least = Number(range[1]);
  const most = Number(range[2] ?? range[1]);
  return least <= most ? { least, most } : undefined;
}

export function httpAttempt(probe: HttpProbe, names: NameLookup): Attempt {
  const ranges = probe.status.map(parseStatusRange);
  const wanted = ranges.filter((range) => range !== undefined);
  const malformed = probe.status[ranges.indexOf(undefined)];
  if (malformed !== undefined) {
    return async () => cannotRun(`"${malformed}" is not a status: write 200, 204-206 or 2xx`);
  }
  const compiled = probe.bodyMatches === '' ? undefined : compilePattern(probe.bodyMatches);
  if (compiled?.ok === false) return async () => cannotRun(`the pattern of the body: ${compiled.reason}`);
  const expectation: Expectation = { probe, wanted, pattern: compiled?.pattern };
  return async (signal, phase) => {
    const url = new URL(probe.url);
    const target = targetOf(url, probe);
    phase(`connecting to ${target}`);
    const request = openRequest(probe, url, lookupFunction(names, signal, phase, target));
    request.once('socket', (socket) => {
      socket.once('connect', () => phase(`waiting for the answer of ${target}`));
    });
    return await new Promise<Verdict>((resolve) => {
      const abort = () => request.destroy();
      const done = (verdict: Verdict) => {
        signal.removeEventListener('abort', abort);
        request.destroy();
        resolve(verdict);
      };
      signal.addEventListener('abort', abort, { once: true });
      if (signal.aborted) abort();
      request.on('error', (error) => done(failing(networkReason(error, target))));
      let isAnswered = false;
      request.once('close', () => {
        if (!isAnswered) done(failing(`connection closed by ${target} before the answer`));
      });
      request.once('upgrade', (response, socket) => {
        socket.destroy();
        done(statusVerdict(expectation, response));
      });
      request.once('response', (response) => {
        isAnswered = true;
        phase(`reading the body from ${target}`);
        judgeResponse(expectation, response, target, done);
      });
      request.end(probe.body);
    });
  };
}

interface Expectation {
  readonly probe: HttpProbe;
  readonly wanted: readonly StatusRange[];
  readonly pattern: Pattern | undefined;
}

function targetOf(url: URL, probe: HttpProbe): string {
  const port = url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
  return hostPort(probe.connectTo ?? plainHost(url), port);
}

/** Without the brackets of an IPv6 address. */
function plainHost(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, '$1');
}

/** Throws for a method, header or URL that cannot be sent. */
function openRequest(probe: HttpProbe, url: URL, lookup: LookupFunction): ClientRequest {
  const host = plainHost(url);
  const named = new Set(Object.keys(probe.headers).map((name) => name.toLowerCase()));
  const headers: Record<string, string> = { ...probe.headers };
  if (!named.has('host')) headers['Host'] = url.host;
  if (!named.has('user-agent')) headers['User-Agent'] = 'baton-check';
  if (!named.has('accept')) headers['Accept'] = '*/*';
  if (probe.body !== '' && !named.has('content-length')) headers['Content-Length'] = `${Buffer.byteLength(probe.body)}`;
  const options = {
    method: probe.method,
    host: probe.connectTo ?? host,
    path: `${url.pathname}${url.search}`,
    headers,
    // A connection of its own, closed after the answer.
    agent: false as const,
    maxHeaderSize: HEADER_LIMIT,
    lookup,
    ...(url.port === '' ? {} : { port: Number(url.port) }),
    ...(url.username === '' ? {} : { auth: `${decodeURIComponent(url.username)}:${decodeURIComponent(url.password)}` }),
  };
  if (url.protocol === 'http:') return requestHttp(options);
  if (url.protocol !== 'https:') throw new TypeError(`${probe.url} is neither http:// nor https://`);
  return requestHttps({ ...options, ...tlsOptions(probe.tls ?? { insecureSkipVerify: false }, host) });
}

function statusVerdict({ probe, wanted }: Expectation, response: IncomingMessage, body = ''): Verdict {
  const status = response.statusCode ?? 0;
  const output = `${status} ${response.statusMessage ?? ''}`.trimEnd() + (body === '' ? '' : `\n${body}`);
  if (wanted.some(({ least, most }) => status >= least && status <= most)) return good(output);
  return failing(`status ${status}, wanted ${probe.status.join(', ')}`, output);
}

function judgeResponse(
  expectation: Expectation,
  response: IncomingMessage,
  target: string,
  done: (verdict: Verdict) => void,
): void {
  const { probe, pattern } = expectation;
  const isWanted = statusVerdict(expectation, response).reason === '';
  if (isWanted && probe.bodyContains === '' && pattern === undefined) {
    response.resume();
    done(statusVerdict(expectation, response));
    return;
  }
  const body = new BodyHead(probe.bodyContains, isWanted ? pattern : undefined);
  const verdict = () => {
    const byStatus = statusVerdict(expectation, response, body.head());
    return byStatus.reason !== '' || !isWanted ? byStatus : bodyVerdict(expectation, body, byStatus.output);
  };
  if (!isWanted) {
    const timer = setTimeout(() => done(verdict()), UNWANTED_BODY_MS);
    response.once('close', () => clearTimeout(timer));
  }
  response.on('data', (chunk: Buffer) => {
    body.add(chunk);
    if (isWanted ? body.isDecided : body.length >= OUTPUT_LIMIT) done(verdict());
  });
  response.once('end', () => {
    body.end();
    done(verdict());
  });
  // Its 'close' says the rest: it comes after 'end', or instead of it.
  response.once('error', () => undefined);
  response.once('close', () =>
    done(isWanted ? failing(`the body from ${target} was cut short`, body.head()) : verdict()),
  );
}

function bodyVerdict({ probe }: Expectation, body: BodyHead, output: string): Verdict {
  const where = body.isFull ? 'the first 64 KiB of the body do' : 'the body does';
  if (!body.contains) return failing(`${where} not contain "${probe.bodyContains}"`, output);
  if (!body.matches) return failing(`${where} not match ${probe.bodyMatches}`, output);
  return good(output);
}

/** The first 64 KiB of a body, looked at as they come. */
class BodyHead {
  contains: boolean;
  matches: boolean;
  length = 0;
  readonly #wantedText: Buffer;
  readonly #search: ReturnType<Pattern['search']> | undefined;
  readonly #decoder = new TextDecoder();
  /** The end of what came before, as long as the wanted text may begin in it. */
  #tail: Buffer = Buffer.alloc(0);
  #head: Buffer = Buffer.alloc(0);

  constructor(wantedText: string, pattern: Pattern | undefined) {
    this.#wantedText = Buffer.from(wantedText);
    this.contains = wantedText === '';
    this.#search = pattern?.search();
    this.matches = pattern === undefined;
  }

  get isFull(): boolean {
    return this.length >= BODY_LIMIT;
  }

  /** More of the body changes nothing. */
  get isDecided(): boolean {
    return this.isFull || (this.contains && this.matches);
  }

  add(whole: Buffer): void {
    if (this.isFull) return;
    const chunk = whole.subarray(0, BODY_LIMIT - this.length);
    this.length += chunk.length;
    if (this.#head.length < OUTPUT_LIMIT) {
      this.#head = Buffer.concat([this.#head, chunk.subarray(0, OUTPUT_LIMIT - this.#head.length)]);
    }
    if (!this.contains) {
      const text = Buffer.concat([this.#tail, chunk]);
      this.contains = text.includes(this.#wantedText);
      this.#tail = Buffer.from(text.subarray(Math.max(0, text.length - this.#wantedText.length + 1)));
    }
    if (!this.matches) this.matches = this.#search?.feed(this.#decoder.decode(chunk, { stream: true })) ?? true;
    if (this.isFull) this.end();
  }

  end(): void {
    if (!this.matches) this.matches = this.#search?.end(this.#decoder.decode()) ?? true;
  }

  head(): string {
    return this.#head.toString('utf8');
  }
}
