/**
 * What single fields may hold, wherever they occur: in a resource that somebody wrote and in a bundle that an agent
 * received. Every rule reports each violation with its path and what would be right. Total: nothing throws.
 */
import type { Announcements, Command, Hooks, VirtualRouterSpec } from '../gen/baton/v1/resources.js';
import { type DurationMessage, durationToMicros, formatDuration, isUsableDuration } from './duration.js';
import { isInterfaceName, isPlainLine, isUserName } from './names.js';
import { MICROS_PER_CENTISECOND, MICROS_PER_MILLISECOND, MICROS_PER_SECOND, type Micros } from './time.js';

/** Receives one violation. */
export type Report = (path: string, message: string) => void;

/** The same report for a part: paths below are relative to it. */
export function within(report: Report, prefix: string): Report {
  return (path, message) =>
    report(path === '' ? prefix : path.startsWith('[') ? `${prefix}${path}` : `${prefix}.${path}`, message);
}

const MAX_ARGUMENTS = 256;
const MAX_ARGUMENT_LENGTH = 4_096;
export const DAY: Micros = 86_400 * MICROS_PER_SECOND;

export interface SpanRange {
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
/** keepalived's vrrp_garp_extra_if. */
const EXTRA_REFRESH: SpanRange = { min: MICROS_PER_SECOND, max: DAY };
const VERIFY_INTERVAL: SpanRange = { min: MICROS_PER_SECOND, max: 3_600 * MICROS_PER_SECOND };
const STARTUP_DELAY: SpanRange = { min: 0, max: 3_600 * MICROS_PER_SECOND };
const HOOK_TIMEOUT: SpanRange = { min: 100 * MICROS_PER_MILLISECOND, max: DAY };
const MAIL_TIMEOUT: SpanRange = { min: MICROS_PER_SECOND, max: 600 * MICROS_PER_SECOND };

/** An absent span is right: it has a default. */
export function checkSpan(duration: DurationMessage | undefined, range: SpanRange, path: string, report: Report): void {
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

/** 0s is never. */
export function checkVerifyInterval(interval: DurationMessage | undefined, report: Report): void {
  if (interval !== undefined && isUsableDuration(interval) && durationToMicros(interval) === 0) {
    return;
  }
  checkSpan(interval, VERIFY_INTERVAL, 'verifyInterval', (path, message) =>
    report(path, `${message}, or 0s for never`),
  );
}

export function checkStartupDelays(
  { startupDelay, bootDelay }: Pick<VirtualRouterSpec, 'startupDelay' | 'bootDelay'>,
  report: Report,
): void {
  checkSpan(startupDelay, STARTUP_DELAY, 'startupDelay', report);
  checkSpan(bootDelay, STARTUP_DELAY, 'bootDelay', report);
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

const HOOK_NAMES = ['active', 'backup', 'fault', 'stop', 'any', 'lowerPriorityHeard', 'deleted'] as const;

export function checkHooks(hooks: Hooks, report: Report): void {
  for (const name of HOOK_NAMES) {
    const command = hooks[name];
    if (command !== undefined) {
      checkCommand(command, within(report, name));
      checkSpan(command.timeout, HOOK_TIMEOUT, `${name}.timeout`, report);
    }
  }
  if (hooks.fifo !== '') {
    checkPath(hooks.fifo, 'fifo', report);
  } else if (hooks.priorityChanges) {
    report('priorityChanges', 'is for the FIFO; give fifo, or remove it');
  }
}

/** A group has no priority of its own, and hears no advertisements. */
export function checkGroupHooks(hooks: Hooks, report: Report): void {
  checkHooks(hooks, report);
  if (hooks.lowerPriorityHeard !== undefined) {
    report('lowerPriorityHeard', 'is for routers; give it to the routers of the group');
  }
  if (hooks.priorityChanges) {
    report('priorityChanges', 'is for routers; give it to the routers of the group');
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
export function checkPath(path: string, at: string, report: Report): void {
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
  for (const name of ['delay', 'refresh', 'lowerPriorityDelay', 'arpInterval', 'neighborInterval'] as const) {
    checkSpan(announcements[name], ANNOUNCEMENT_SPAN, name, report);
  }
}

/** A bundle has 0s for never, which nobody need write in a resource. */
export function checkExtraRefresh(announcements: Announcements, report: Report): void {
  const { extraRefresh, extraRefreshAll } = announcements;
  checkSpan(extraRefresh, EXTRA_REFRESH, 'extraRefresh', report);
  if (extraRefreshAll && extraRefresh === undefined) {
    report('extraRefreshAll', 'needs extraRefresh, which says how often');
  }
}

/** What somebody wrote, short and harmless to print. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
}
