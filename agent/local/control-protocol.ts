/**
 * What is said over the control socket: one JSON request per line, one JSON reply per line. Statuses and events are
 * the protocol's messages in their JSON form. "events" with follow goes on replying until the client hangs up.
 */

export type ControlRequest =
  | { readonly command: 'status' }
  | { readonly command: 'explain'; readonly router: string }
  | { readonly command: 'events'; readonly limit: number; readonly follow: boolean }
  | { readonly command: 'reload' }
  /** Run a check now, beside its schedule. The reply comes when it has ended. */
  | { readonly command: 'run-check'; readonly check: string }
  /** Judge this host anew by the configuration in force. */
  | { readonly command: 'preflight' }
  /** End at once, keeping what the routers hold for the next process. */
  | { readonly command: 'suspend' };

export type ControlReply =
  | { readonly ok: true; readonly result: unknown }
  | { readonly ok: false; readonly code: ControlErrorCode; readonly message: string };

export type ControlErrorCode = 'bad-request' | 'not-found' | 'refused' | 'failed';

/** No request comes near. */
export const MAX_REQUEST_BYTES = 64 * 1024;
export const MAX_EVENTS = 500;
export const SOCKET_NAME = 'agent.sock';
/** sun_path of unix(7), less the final zero. */
export const MAX_SOCKET_PATH = 107;

const ERROR_CODES: readonly ControlErrorCode[] = ['bad-request', 'not-found', 'refused', 'failed'];

/** A line of the agent's; undefined if it is none. Never throws. */
export function parseReply(line: string): ControlReply | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { ok, result, code, message } = value as Record<string, unknown>;
  if (ok === true) return { ok, result };
  const known = ERROR_CODES.find((one) => one === code);
  return ok === false && known !== undefined && typeof message === 'string' ? { ok, code: known, message } : undefined;
}

export type ParsedRequest =
  | { readonly ok: true; readonly request: ControlRequest }
  | { readonly ok: false; readonly message: string };

export function parseRequest(line: string): ParsedRequest {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { ok: false, message: 'the request is not JSON' };
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return { ok: false, message: 'the request is not a JSON object' };
  }
  const { command, router, check, limit = 100, follow = false } = value as Record<string, unknown>;
  switch (command) {
    case 'status':
    case 'reload':
    case 'preflight':
    case 'suspend':
      return { ok: true, request: { command } };
    case 'explain':
      if (typeof router !== 'string' || router === '') return { ok: false, message: '"router" must name a router' };
      return { ok: true, request: { command, router } };
    case 'run-check':
      if (typeof check !== 'string' || check === '') return { ok: false, message: '"check" must name a check' };
      return { ok: true, request: { command, check } };
    case 'events':
      if (typeof limit !== 'number' || !Number.isInteger(limit) || limit < 0 || limit > MAX_EVENTS) {
        return { ok: false, message: `"limit" must be a whole number from 0 to ${MAX_EVENTS}` };
      }
      if (typeof follow !== 'boolean') return { ok: false, message: '"follow" must be true or false' };
      return { ok: true, request: { command, limit, follow } };
    default:
      return {
        ok: false,
        message: 'the command is none of status, explain, events, run-check, preflight, reload, suspend',
      };
  }
}
