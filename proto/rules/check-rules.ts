/** What a health check may be, kind by kind. */
import {
  type CheckSpec,
  type CheckTls,
  type DnsCheck,
  type FileCheck,
  type HttpCheck,
  type PingCheck,
  type ProcessCheck,
  ProcessMatch,
} from '../gen/baton/v1/resources.js';
import { checkHostAddress } from './address-rules.js';
import {
  checkCommand,
  checkKnown,
  checkPath,
  checkSpan,
  checkWhole,
  DAY,
  quote,
  type Report,
  type SpanRange,
  within,
} from './field-rules.js';
import { familyOf, parseIp } from './ip.js';
import { isPlainLine } from './names.js';
import { compilePattern } from './pattern.js';
import { MICROS_PER_MILLISECOND, MICROS_PER_SECOND } from './time.js';

const CHECK_INTERVAL: SpanRange = { min: 100 * MICROS_PER_MILLISECOND, max: DAY };
const CHECK_TIMEOUT: SpanRange = { min: 10 * MICROS_PER_MILLISECOND, max: DAY };
const START_JITTER: SpanRange = { min: 0, max: DAY };
const PROCESS_DELAY: SpanRange = { min: 0, max: 3_600 * MICROS_PER_SECOND };
/** TASK_COMM_LEN of the kernel, less the final zero. */
const MAX_COMM_BYTES = 15;
const MAX_TEXT = 65_536;
const MAX_ENTRIES = 64;
/** RFC 9110 section 5.6.2. */
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/;
/** They belong to the connection, which Baton makes. */
const OWN_HEADERS: readonly string[] = ['content-length', 'transfer-encoding', 'connection', 'upgrade', 'expect'];
const DNS_TYPES: readonly string[] = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'];

export function checkCheckSpec(spec: CheckSpec, report: Report): void {
  if (spec.kind === undefined) {
    report('', 'does not say what to run; give exec, http, tcp, dns, grpc, ping, process or file');
  } else {
    checkKind(spec.kind, within(report, spec.kind.$case));
  }
  checkSpan(spec.interval, CHECK_INTERVAL, 'interval', report);
  checkSpan(spec.timeout, CHECK_TIMEOUT, 'timeout', report);
  checkSpan(spec.startJitter, START_JITTER, 'startJitter', report);
}

function checkKind(kind: NonNullable<CheckSpec['kind']>, report: Report): void {
  switch (kind.$case) {
    case 'exec':
      checkCommand(kind.value, report);
      break;
    case 'http':
      checkHttp(kind.value, report);
      break;
    case 'tcp':
      checkHost(kind.value.host, 'host', report);
      checkPort(kind.value.port, 'port', report);
      checkTls(kind.value.tls, report);
      break;
    case 'dns':
      checkDns(kind.value, report);
      break;
    case 'grpc':
      checkHost(kind.value.host, 'host', report);
      checkPort(kind.value.port, 'port', report);
      checkText(kind.value.service, 'service', report);
      checkTls(kind.value.tls, report);
      break;
    case 'ping':
      checkPing(kind.value, report);
      break;
    case 'process':
      checkProcess(kind.value, report);
      break;
    case 'file':
      checkFile(kind.value, report);
      break;
  }
}

function checkHttp(check: HttpCheck, report: Report): void {
  const scheme = checkUrl(check.url, report);
  if (check.method !== '' && !/^[A-Z]{1,20}$/.test(check.method)) {
    report('method', `${quote(check.method)} is no method; write it in capitals, such as GET or HEAD`);
  } else if (check.method === 'CONNECT') {
    report('method', 'CONNECT asks for a tunnel; a check needs an answer, such as of GET or HEAD');
  }
  for (const [name, value] of Object.entries(check.headers)) {
    const path = `headers.${TOKEN.test(name) ? name : '?'}`;
    if (!TOKEN.test(name)) {
      report(path, `${quote(name)} cannot be the name of a header`);
    } else if (OWN_HEADERS.includes(name.toLowerCase())) {
      report(path, `${name} is of the connection, which Baton makes; remove it`);
    }
    checkText(value, path, report);
  }
  if (check.body.length > MAX_TEXT) {
    report('body', `must have up to ${MAX_TEXT} characters`);
  }
  for (const [index, status] of check.status.entries()) {
    checkStatus(status, `status[${index}]`, report);
  }
  if (check.bodyContains.length > MAX_TEXT) {
    report('bodyContains', `must have up to ${MAX_TEXT} characters; no more of the body is looked at`);
  }
  if (check.bodyMatches !== '') {
    const compiled = compilePattern(check.bodyMatches);
    if (!compiled.ok) {
      report('bodyMatches', `${quote(check.bodyMatches)} cannot be used: ${compiled.reason}`);
    }
  }
  if (check.method === 'HEAD' && (check.bodyContains !== '' || check.bodyMatches !== '')) {
    report('method', 'HEAD gets no body to look at; use GET, or remove bodyContains and bodyMatches');
  }
  if (check.tls !== undefined && scheme === 'http:') {
    report('tls', 'is for https; write the url with https://, or remove tls');
  }
  checkTls(check.tls, report);
  if (check.connectTo !== '') {
    checkHost(check.connectTo, 'connectTo', report);
  }
}

/** Its scheme, if it is a URL that can be asked for. */
function checkUrl(text: string, report: Report): string | undefined {
  if (text === '') {
    report('url', 'is missing; give http://HOST/PATH or https://HOST/PATH');
    return undefined;
  }
  const match = /^(https?:)\/\/([^/?#]*)([/?][^#]*)?$/.exec(text);
  if (match === null || !isPlainLine(text) || text.includes(' ') || text.length > 4_096 || !URL.canParse(text)) {
    report('url', `${quote(text)} cannot be asked for; write http://HOST[:PORT]/PATH or https://... without "#"`);
    return undefined;
  }
  const { username, password } = new URL(text);
  if (username !== '' || password !== '') {
    report('url', 'must not hold a user name or password: resources are shown to everybody who may read them');
  }
  return match[1];
}

function checkStatus(text: string, path: string, report: Report): void {
  const [, first, last = first] = /^([1-5]\d\d)(?:-([1-5]\d\d))?$/.exec(text) ?? [];
  const isRange = first !== undefined && last !== undefined && first <= last;
  if (!isRange && !/^[1-5]xx$/.test(text)) {
    report(path, `${quote(text)} is no status; write "200", "204-206" or "2xx"`);
  }
}

function checkTls(tls: CheckTls | undefined, report: Report): void {
  if (tls === undefined) {
    return;
  }
  const at = within(report, 'tls');
  if (tls.ca !== '' && !/^-----BEGIN CERTIFICATE-----\r?$/m.test(tls.ca)) {
    at('ca', 'has no certificate in PEM form (-----BEGIN CERTIFICATE-----)');
  }
  if (tls.insecureSkipVerify && tls.ca !== '') {
    at('ca', 'is for nothing with insecureSkipVerify; remove one of them');
  }
  if (tls.serverName !== '') {
    checkHost(tls.serverName, 'serverName', at);
  }
}

function checkDns(check: DnsCheck, report: Report): void {
  if (check.server === '') {
    report('server', 'is missing; give the address of the DNS server');
  } else if (parseIp(check.server) === undefined) {
    report('server', `${quote(check.server)} is not an address; a DNS server is not found by name`);
  }
  checkWhole(check.port, 0, 65_535, 'port', report);
  if (check.name !== '' && check.name !== '.' && !isDomainName(check.name)) {
    report('name', `${quote(check.name)} is not a domain name: labels of 1 to 63 characters with dots between`);
  }
  if (check.type !== '' && !DNS_TYPES.includes(check.type)) {
    report('type', `${quote(check.type)} is not known; give ${DNS_TYPES.join(', ')}`);
  }
  checkTexts(check.expect, 'expect', report);
}

function checkPing(check: PingCheck, report: Report): void {
  checkHost(check.host, 'host', report);
  if (check.size !== undefined) {
    checkWhole(check.size, 0, 1_400, 'size', report);
  }
  if (check.source !== '') {
    const host = parseIp(check.host);
    checkHostAddress(check.source, 'source', report, host === undefined ? undefined : familyOf(host));
  }
}

function checkProcess(check: ProcessCheck, report: Report): void {
  if (check.name === '') {
    report('name', 'is missing; give the name of the process, as "ps -o comm" shows it');
  } else if (check.name.includes('\0') || check.name.length > 4_096) {
    report('name', 'must have up to 4096 characters and no NUL');
  } else if (!check.fullCommand && new TextEncoder().encode(check.name).length > MAX_COMM_BYTES) {
    report(
      'name',
      `${quote(check.name)} has more than ${MAX_COMM_BYTES} bytes, which is all that the kernel keeps of a name; ` +
        'cut it, or set fullCommand',
    );
  }
  for (const [index, argument] of check.arguments.entries()) {
    if (argument.includes('\0') || argument.length > 4_096) {
      report(`arguments[${index}]`, 'must have up to 4096 characters and no NUL');
    }
  }
  checkKnown(check.match, 'match', report);
  const needsArguments = check.match === ProcessMatch.INITIAL || check.match === ProcessMatch.PARTIAL;
  if (needsArguments && check.arguments.length === 0) {
    report('match', 'compares arguments; give some, or remove it');
  }
  checkWhole(check.quorum, 0, 65_535, 'quorum', report);
  if (check.quorumMax !== undefined) {
    checkWhole(check.quorumMax, 0, 65_535, 'quorumMax', report);
    if (check.quorumMax < check.quorum) {
      report('quorumMax', `must not be less than quorum, which is ${check.quorum}`);
    }
  }
  checkSpan(check.upDelay, PROCESS_DELAY, 'upDelay', report);
  checkSpan(check.downDelay, PROCESS_DELAY, 'downDelay', report);
}

function checkFile(check: FileCheck, report: Report): void {
  if (check.path === '') {
    report('path', 'is missing; give the absolute path of the file');
  } else {
    checkPath(check.path, 'path', report);
  }
  if (check.initialValue !== undefined) {
    checkWhole(check.initialValue, -(2 ** 31), 2 ** 31 - 1, 'initialValue', report);
  } else if (check.overwrite) {
    report('overwrite', 'needs initialValue, which is what would be written');
  }
}

/** An address or a name that resolves. */
function checkHost(text: string, path: string, report: Report): void {
  if (text === '') {
    report(path, 'is missing; give an address or a host name');
  } else if (text.includes(':') || /^[\d.]+$/.test(text)) {
    if (parseIp(text) === undefined) {
      report(path, `${quote(text)} is not an address; write it without port, zone and brackets`);
    }
  } else if (!isDomainName(text)) {
    report(path, `${quote(text)} is neither an address nor a host name`);
  }
}

/** RFC 1035 section 2.3.4; underscores are in use. A dot at the end is welcome. */
function isDomainName(text: string): boolean {
  const name = text.endsWith('.') ? text.slice(0, -1) : text;
  return (
    name.length <= 253 &&
    name.split('.').every((label) => /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/.test(label))
  );
}

function checkPort(port: number, path: string, report: Report): void {
  if (port === 0) {
    report(path, 'is missing; give 1 to 65535');
  } else {
    checkWhole(port, 1, 65_535, path, report);
  }
}

function checkTexts(texts: readonly string[], path: string, report: Report): void {
  if (texts.length > MAX_ENTRIES) {
    report(path, `has ${texts.length} entries; ${MAX_ENTRIES} are the most`);
  }
  for (const [index, text] of texts.entries()) {
    if (text === '') {
      report(`${path}[${index}]`, 'is empty; remove it');
    }
    checkText(text, `${path}[${index}]`, report);
  }
}

function checkText(text: string, path: string, report: Report): void {
  if (!isPlainLine(text) || text.length > 4_096) {
    report(path, 'must be one line of up to 4096 characters without control characters');
  }
}
