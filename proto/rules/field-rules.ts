/**
 * What single fields may hold, wherever they occur: in a resource that somebody wrote and in a bundle that an agent
 * received. Every rule reports each violation with its path and what would be right. Total: nothing throws.
 */
import type { Address, Announcements, CheckSpec, Command, Hooks, Track } from '../gen/baton/v1/resources.js';
import { type DurationMessage, durationToMicros, formatDuration, isUsableDuration } from './duration.js';
import { broadcastOf, type Ipv4, looksLikeIpv6, networkOf, parseCidr, parseIpv4 } from './ipv4.js';
import { isAddressLabel, isInterfaceName, isPlainLine, isUserName } from './names.js';
import { MICROS_PER_CENTISECOND, MICROS_PER_MILLISECOND, MICROS_PER_SECOND, type Micros } from './time.js';
import { subjectOf } from './tracks.js';

/** Receives one violation. */
export type Report = (path: string, message: string) => void;

/** The same report for a part: paths below are relative to it. */
export function within(report: Report, prefix: string): Report {
  return (path, message) =>
    report(path === '' ? prefix : path.startsWith('[') ? `${prefix}${path}` : `${prefix}.${path}`, message);
}

/** RFC 9568 section 5.2.5: the count of addresses is one byte. */
export const MAX_ADDRESSES = 255;
/** The greatest weight that can matter between priorities 1 and 254. */
const MAX_WEIGHT = 253;
const MAX_ARGUMENTS = 256;
const MAX_ARGUMENT_LENGTH = 4_096;
const DAY: Micros = 86_400 * MICROS_PER_SECOND;

interface SpanRange {
  readonly min: Micros;
  readonly max: Micros;
  readonly step?: Micros;
}

/** Version 2 carries whole seconds in one byte (RFC 3768 section 5.3.7). */
const INTERVAL_V2: SpanRange = { min: MICROS_PER_SECOND, max: 255 * MICROS_PER_SECOND, step: MICROS_PER_SECOND };
/** Version 3 carries centiseconds in 12 bits (RFC 9568 section 5.2.7). */
const INTERVAL_V3: SpanRange = {
  min: MICROS_PER_CENTISECOND,
  max: 4_095 * MICROS_PER_CENTISECOND,
  step: MICROS_PER_CENTISECOND,
};
const PREEMPT_DELAY: SpanRange = { min: 0, max: 1_000 * MICROS_PER_SECOND };
const ANNOUNCEMENT_SPAN: SpanRange = { min: 0, max: DAY };
const HOOK_TIMEOUT: SpanRange = { min: 100 * MICROS_PER_MILLISECOND, max: DAY };
const CHECK_INTERVAL: SpanRange = { min: 100 * MICROS_PER_MILLISECOND, max: DAY };
const CHECK_TIMEOUT: SpanRange = { min: 10 * MICROS_PER_MILLISECOND, max: DAY };
const MAIL_TIMEOUT: SpanRange = { min: MICROS_PER_SECOND, max: 600 * MICROS_PER_SECOND };

/** An absent span is right: it has a default. */
function checkSpan(duration: DurationMessage | undefined, range: SpanRange, path: string, report: Report): void {
  if (duration === undefined) {
    return;
  }
  const steps = range.step === undefined ? '' : ` in steps of ${formatDuration(range.step)}`;
  const wanted = `must be from ${formatDuration(range.min)} to ${formatDuration(range.max)}${steps}`;
  if (!isUsableDuration(duration)) {
    report(path, `${wanted}; this is negative, finer than a microsecond or out of all bounds`);
    return;
  }
  const micros = durationToMicros(duration);
  if (micros < range.min || micros > range.max || micros % (range.step ?? 1) !== 0) {
    report(path, `${wanted}, not ${formatDuration(micros)}`);
  }
}

export function checkWhole(value: number, min: number, max: number, path: string, report: Report): void {
  if (!Number.isInteger(value) || value < min || value > max) {
    report(path, `must be from ${min} to ${max}, not ${value}`);
  }
}

export function checkVrid(vrid: number, report: Report): void {
  if (vrid === 0) {
    report('vrid', 'is missing; give the virtual router identifier, 1 to 255, that all members share');
  } else {
    checkWhole(vrid, 1, 255, 'vrid', report);
  }
}

export function checkVersion(version: number, report: Report): void {
  if (version !== 2 && version !== 3) {
    report('version', `must be 2 or 3, not ${version}`);
  }
}

export function checkAdvertisementInterval(
  version: number,
  interval: DurationMessage | undefined,
  report: Report,
): void {
  const hint = version === 2 ? ' (version 2 sends whole seconds; version 3 goes down to 10ms)' : '';
  checkSpan(interval, version === 2 ? INTERVAL_V2 : INTERVAL_V3, 'advertisementInterval', (path, message) =>
    report(path, `${message}${hint}`),
  );
}

export function checkPreemptDelay(delay: DurationMessage | undefined, report: Report): void {
  checkSpan(delay, PREEMPT_DELAY, 'preemptDelay', report);
}

export function checkMailTimeout(timeout: DurationMessage | undefined, report: Report): void {
  checkSpan(timeout, MAIL_TIMEOUT, 'timeout', report);
}

/** The generated code decodes a number that it does not know to UNRECOGNIZED. */
export function checkKnown(value: string, path: string, report: Report): void {
  if (value === 'UNRECOGNIZED') {
    report(path, 'has a value that this version of Baton does not know');
  }
}

export function checkInterface(name: string, path: string, report: Report): void {
  if (name === '') {
    report(path, 'is missing; give the name of the network interface');
  } else if (!isInterfaceName(name)) {
    report(path, `${quote(name)} cannot be an interface's name: 1 to 15 visible characters without "/" and ":"`);
  }
}

/** An IPv4 address that one host can have. Returns it if it is one. */
export function checkHostAddress(text: string, path: string, report: Report): Ipv4 | undefined {
  if (looksLikeIpv6(text)) {
    report(path, `${quote(text)} is an IPv6 address; this version of Baton does IPv4 only`);
    return undefined;
  }
  const address = parseIpv4(text);
  if (address === undefined) {
    report(path, `${quote(text)} is not an IPv4 address; write four decimal numbers, such as 192.0.2.1`);
    return undefined;
  }
  const why = whyNoHost(address);
  if (why !== undefined) {
    report(path, `${text} ${why}`);
    return undefined;
  }
  return address;
}

/** RFC 1122 section 3.2.1.3. */
function whyNoHost(address: Ipv4): string | undefined {
  const first = address >>> 24;
  if (first === 0) {
    return 'is in 0.0.0.0/8, which no host can have';
  }
  if (first === 127) {
    return 'is a loopback address, which no other host can reach';
  }
  if (first >= 224) {
    return first < 240 ? 'is a multicast address, which no host can have' : 'is in 240.0.0.0/4, which is reserved';
  }
  return undefined;
}

/** The virtual addresses of one router. `device` may be empty only where a default stands in for it. */
export function checkAddresses(addresses: readonly Address[], report: Report): void {
  if (addresses.length === 0) {
    report('addresses', 'is missing; give at least one virtual address');
  }
  if (addresses.length > MAX_ADDRESSES) {
    report('addresses', `has ${addresses.length} addresses; an advertisement holds ${MAX_ADDRESSES} at most`);
    return;
  }
  const seen = new Set<Ipv4>();
  for (const [index, given] of addresses.entries()) {
    const at = within(report, `addresses[${index}]`);
    const address = checkVirtualAddress(given.address, at);
    if (address !== undefined && seen.has(address)) {
      at('address', `${given.address} is given twice; remove one`);
    } else if (address !== undefined) {
      seen.add(address);
    }
    if (given.device !== '') {
      checkInterface(given.device, 'device', at);
    }
    if (given.label !== '' && !isAddressLabel(given.label)) {
      at('label', `${quote(given.label)} cannot be a label: up to 15 visible characters without "/"`);
    }
    if (!['', '+', '-'].includes(given.broadcast) && parseIpv4(given.broadcast) === undefined) {
      at('broadcast', `${quote(given.broadcast)} is neither an IPv4 address nor "+" or "-"`);
    }
  }
}

function checkVirtualAddress(text: string, report: Report): Ipv4 | undefined {
  if (text === '') {
    report('address', 'is missing; give an IPv4 address, with an optional prefix length');
    return undefined;
  }
  const cidr = parseCidr(text);
  if (cidr === undefined && /^[\d.]+\//.test(text)) {
    report('address', `${quote(text)} is not an IPv4 address with a prefix length; write it like 192.0.2.1/24`);
    return undefined;
  }
  const slash = text.indexOf('/');
  const address = checkHostAddress(
    slash === -1 || looksLikeIpv6(text) ? text : text.slice(0, slash),
    'address',
    report,
  );
  if (address === undefined || cidr === undefined) {
    return address;
  }
  if (cidr.prefixLength === 0) {
    report('address', `${text} has prefix length 0, which would be every address; give 1 to 32`);
  } else if (cidr.prefixLength < 31 && address === networkOf(cidr)) {
    report('address', `${text} is the address of the network itself, which no host can have`);
  } else if (cidr.prefixLength < 31 && address === broadcastOf(cidr)) {
    report('address', `${text} is the broadcast address of its network, which no host can have`);
  }
  return address;
}

/** @param taken Subjects that are tracked already, by their path; receives these. */
export function checkTracks(tracks: readonly Track[], taken: Map<string, string>, path: string, report: Report): void {
  for (const [index, track] of tracks.entries()) {
    const at = within(report, `track[${index}]`);
    if ([track.check, track.interface, track.bfd, track.route].filter((name) => name !== '').length !== 1) {
      at('', 'must have exactly one of check, interface, bfd and route');
      continue;
    }
    if (track.interface !== '') {
      checkInterface(track.interface, 'interface', at);
    }
    checkWhole(track.weight, -MAX_WEIGHT, MAX_WEIGHT, 'weight', at);
    const first = taken.get(subjectOf(track));
    if (first !== undefined) {
      at('', `tracks ${subjectOf(track)}, which ${first} does already; remove one`);
    } else {
      taken.set(subjectOf(track), `${path}track[${index}]`);
    }
  }
}

export function checkHooks(hooks: Hooks, report: Report): void {
  for (const name of ['active', 'backup', 'fault', 'stop', 'any'] as const) {
    const command = hooks[name];
    if (command !== undefined) {
      checkCommand(command, within(report, name));
      checkSpan(command.timeout, HOOK_TIMEOUT, `${name}.timeout`, report);
    }
  }
  if (hooks.fifo !== '') {
    checkPath(hooks.fifo, 'fifo', report);
  }
}

export function checkCommand(command: Pick<Command, 'command' | 'user'>, report: Report): void {
  const [program, ...rest] = command.command;
  if (program === undefined) {
    report('command', 'is missing; give the absolute path of a program, then its arguments');
    return;
  }
  checkPath(program, 'command[0]', report);
  if (rest.length > MAX_ARGUMENTS) {
    report('command', `has ${rest.length} arguments, more than ${MAX_ARGUMENTS}`);
    return;
  }
  for (const [index, argument] of rest.entries()) {
    if (argument.includes('\0') || argument.length > MAX_ARGUMENT_LENGTH) {
      report(`command[${index + 1}]`, `must have up to ${MAX_ARGUMENT_LENGTH} characters and no NUL`);
    }
  }
  if (command.user !== '' && !isUserName(command.user)) {
    report('user', `${quote(command.user)} cannot be a user's name`);
  }
}

/** Absolute, and written so that what it names is plain to see. */
function checkPath(path: string, at: string, report: Report): void {
  if (!path.startsWith('/')) {
    report(at, `${quote(path)} must be an absolute path; Baton searches no PATH`);
  } else if (!isPlainLine(path) || path.length > MAX_ARGUMENT_LENGTH) {
    report(at, `must be a path of up to ${MAX_ARGUMENT_LENGTH} characters without control characters`);
  } else if (/\/(\.{0,2})(\/|$)/.test(path)) {
    report(at, `${quote(path)} must be written without "//", "/./", "/../" and "/" at the end`);
  }
}

export function checkAnnouncements(announcements: Announcements, report: Report): void {
  for (const name of ['repeat', 'refreshRepeat'] as const) {
    const count = announcements[name];
    if (count !== undefined) {
      checkWhole(count, 1, 255, name, report);
    }
  }
  if (announcements.lowerPriorityRepeat !== undefined) {
    checkWhole(announcements.lowerPriorityRepeat, 0, 255, 'lowerPriorityRepeat', report);
  }
  for (const name of ['delay', 'refresh', 'lowerPriorityDelay'] as const) {
    checkSpan(announcements[name], ANNOUNCEMENT_SPAN, name, report);
  }
}

export function checkCheckSpec(spec: CheckSpec, report: Report): void {
  if (spec.kind === undefined) {
    report('', 'does not say what to run; give exec with a command');
  } else if (spec.kind.$case === 'exec') {
    checkCommand(spec.kind.value, within(report, spec.kind.$case));
  }
  checkSpan(spec.interval, CHECK_INTERVAL, 'interval', report);
  checkSpan(spec.timeout, CHECK_TIMEOUT, 'timeout', report);
}

/** What somebody wrote, short and harmless to print. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
