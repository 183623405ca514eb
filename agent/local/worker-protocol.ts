/** What the main thread and its worker say to each other besides elections: how to run, and when to end. */
import type { MessagePort } from 'node:worker_threads';
import type { Scheduling } from '../../proto/gen/baton/v1/config.js';
import type { LogLevel } from '../../proto/process/logger.js';
import type { Millis } from '../../proto/rules/time.js';

export type RunMode =
  | { readonly kind: 'standalone'; readonly file: string /** Absent: the host name. */; readonly node?: string }
  /** `configFile` may be missing when it is the default one. */
  | { readonly kind: 'joined'; readonly configFile: string; readonly isDefaultFile: boolean };

/** Given to every worker at its start. */
export interface WorkerData {
  readonly mode: RunMode;
  /** Options that were given; they win over the configuration file. */
  readonly stateDir?: string;
  readonly runDir?: string;
  readonly logLevel?: LogLevel;
  readonly scheduling?: Scheduling;
  /** Where what the elections are given is recorded, and up to how many bytes. */
  readonly record?: { readonly file: string; readonly limit: number };
  /** When the process started. */
  readonly startedWallMs: Millis;
  /** The nice value that it was started with. */
  readonly startedNice: number;
  /** What the elections run already: set when this worker takes the place of one that died. */
  readonly inForce?: InForce;
  /** What the worker before died of. */
  readonly lastWords?: string;
  /** For ToProcess and FromProcess. */
  readonly process: MessagePort;
}

export interface InForce {
  readonly generation: number;
  /** An encoded Bundle. */
  readonly content: Uint8Array;
}

/** Worker to main. */
export type ToProcess =
  /** The agent cannot run as it was told to: the process ends with this code after printing the lines on standard error. */
  | { readonly kind: 'giveUp'; readonly exitCode: 1 | 4; readonly lines: readonly string[] }
  | { readonly kind: 'inForce'; readonly inForce: InForce }
  /** The elections are about to end, keeping what they hold: no other worker is needed after this one. */
  | { readonly kind: 'suspending' }
  /** The elections are over and all that was owed is paid: this worker is waited for no longer. */
  | { readonly kind: 'finished' };

/** Main to worker. */
export type FromProcess = { readonly kind: 'reload' };

export const DEFAULT_CONFIG_FILE = '/etc/baton/agent.yaml';
export const DEFAULT_STATE_DIR = '/var/lib/baton/agent';
export const DEFAULT_RUN_DIR = '/run/baton';
