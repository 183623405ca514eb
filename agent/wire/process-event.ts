/**
 * Messages of the kernel's process connector (linux/connector.h, linux/cn_proc.h) within netlink messages. Pure and total.
 *
 *     | idx 4 | val 4 | seq 4 | ack 4 | len 2 | flags 2 |   what 4 | cpu 4 | time 8 | what happened
 */
import { type NetlinkMessage, type NetlinkWriter, NLM_F_REQUEST, NLMSG_DONE, textOf } from './netlink-message.js';

export type ProcessEvent =
  /** A process, not a thread. */
  | { readonly kind: 'fork'; readonly parent: number; readonly process: number }
  | { readonly kind: 'exec'; readonly process: number }
  /** Its main thread has named itself; at most 15 bytes. */
  | { readonly kind: 'comm'; readonly process: number; readonly command: string }
  | { readonly kind: 'exit'; readonly process: number };

/** The connector's answer to the request with this tag, which all listeners get; errno 0: done. */
export interface ConnectorAnswer {
  readonly kind: 'answer';
  readonly tag: number;
  readonly errno: number;
}

export const CN_IDX_PROC = 1;
const CN_VAL_PROC = 1;
const LISTEN = 1;
const IGNORE = 2;
const MESSAGE_LENGTH = 20;
const EVENT_LENGTH = 16;

/** PROC_EVENT_*. */
export const PROCESS_ANSWER = 0;
export const PROCESS_FORK = 1;
export const PROCESS_EXEC = 2;
export const PROCESS_COMM = 0x200;
export const PROCESS_EXIT = 0x80000000;

/** Begins or ends the telling. `tag`: any 32-bit number. */
export function writeProcessListening(writer: NetlinkWriter, on: boolean, tag: number): void {
  const bytes = new Uint8Array(MESSAGE_LENGTH + 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, CN_IDX_PROC, true);
  view.setUint32(4, CN_VAL_PROC, true);
  // The kernel sends the acknowledgement number back, plus 1; the sequence number it replaces by its own.
  view.setUint32(12, tag, true);
  view.setUint16(16, 4, true);
  view.setUint32(20, on ? LISTEN : IGNORE, true);
  writer.begin(NLMSG_DONE, NLM_F_REQUEST, 0);
  writer.bytes(bytes);
  writer.end();
}

/** Undefined for what is of threads, of other kinds, of other connectors, or too short. */
export function readProcessEvent({ payload }: NetlinkMessage): ProcessEvent | ConnectorAnswer | undefined {
  const at = MESSAGE_LENGTH + EVENT_LENGTH;
  if (payload.length < at + 8) return undefined;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  if (view.getUint32(0, true) !== CN_IDX_PROC || view.getUint32(4, true) !== CN_VAL_PROC) return undefined;
  const thread = view.getInt32(at, true);
  const process = view.getInt32(at + 4, true);
  switch (view.getUint32(MESSAGE_LENGTH, true)) {
    case PROCESS_ANSWER:
      return { kind: 'answer', tag: (view.getUint32(12, true) - 1) >>> 0, errno: view.getUint32(at, true) };
    case PROCESS_FORK: {
      // The parent's thread and process come first, then the child's.
      if (payload.length < at + 16) return undefined;
      const child = view.getInt32(at + 12, true);
      return view.getInt32(at + 8, true) === child ? { kind: 'fork', parent: process, process: child } : undefined;
    }
    case PROCESS_EXEC:
      return { kind: 'exec', process };
    case PROCESS_COMM:
      if (thread !== process) return undefined;
      return { kind: 'comm', process, command: textOf(payload.subarray(at + 8, at + 24)) };
    case PROCESS_EXIT:
      return thread === process ? { kind: 'exit', process } : undefined;
    default:
      return undefined;
  }
}
