/** The levels of the log, apart from the logger: the main thread judges the option without loading it. */
import type { LogLevel } from '../../proto/process/logger.js';

export const LOG_LEVELS: readonly LogLevel[] = ['trace', 'debug', 'info', 'warn', 'error'];

export function isLogLevel(text: string): text is LogLevel {
  return (LOG_LEVELS as readonly string[]).includes(text);
}
