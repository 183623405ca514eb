/** BFD control packets (RFC 5880 section 4.1) as bytes. Pure; decoding never throws. */
import type { Micros } from '../../proto/rules/time.js';

export type BfdState = 'admin-down' | 'down' | 'init' | 'up';

/** As on the wire, by number. */
export const STATES: readonly BfdState[] = ['admin-down', 'down', 'init', 'up'];

export interface ControlPacket {
  /** 0..8; see describeDiagnostic. */
  readonly diagnostic: number;
  readonly state: BfdState;
  readonly poll: boolean;
  readonly final: boolean;
  readonly demand: boolean;
  readonly multiplier: number;
  readonly myDiscriminator: number;
  readonly yourDiscriminator: number;
  readonly desiredMinTx: Micros;
  readonly requiredMinRx: Micros;
  readonly requiredMinEchoRx: Micros;
}

/** Why a packet is discarded (RFC 5880 section 6.8.6). */
export type PacketFault =
  | 'truncated'
  | 'bad-version'
  | 'bad-length'
  | 'zero-multiplier'
  | 'multipoint'
  | 'zero-discriminator'
  | 'authenticated'
  | 'no-session';

export type Decoded =
  | { readonly ok: true; readonly packet: ControlPacket }
  | { readonly ok: false; readonly fault: PacketFault };

const VERSION = 1;
const LENGTH = 24;
const POLL = 0x20;
const FINAL = 0x10;
const AUTHENTICATION = 0x04;
const DEMAND = 0x02;
const MULTIPOINT = 0x01;

export function encodePacket(packet: ControlPacket): Uint8Array {
  const bytes = new Uint8Array(LENGTH);
  const view = new DataView(bytes.buffer);
  view.setUint8(0, (VERSION << 5) | packet.diagnostic);
  const flags = (packet.poll ? POLL : 0) | (packet.final ? FINAL : 0) | (packet.demand ? DEMAND : 0);
  view.setUint8(1, (STATES.indexOf(packet.state) << 6) | flags);
  view.setUint8(2, packet.multiplier);
  view.setUint8(3, LENGTH);
  view.setUint32(4, packet.myDiscriminator);
  view.setUint32(8, packet.yourDiscriminator);
  view.setUint32(12, packet.desiredMinTx);
  view.setUint32(16, packet.requiredMinRx);
  view.setUint32(20, packet.requiredMinEchoRx);
  return bytes;
}

/** The checks of RFC 5880 section 6.8.6 that need no session. Bytes after the packet's own length are ignored. */
export function decodePacket(bytes: Uint8Array): Decoded {
  const fault = (why: PacketFault): Decoded => ({ ok: false, fault: why });
  if (bytes.length < LENGTH) return fault('truncated');
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const first = view.getUint8(0);
  const flags = view.getUint8(1);
  if (first >>> 5 !== VERSION) return fault('bad-version');
  const length = view.getUint8(3);
  if (length < LENGTH + ((flags & AUTHENTICATION) === 0 ? 0 : 2) || length > bytes.length) return fault('bad-length');
  if (view.getUint8(2) === 0) return fault('zero-multiplier');
  if ((flags & MULTIPOINT) !== 0) return fault('multipoint');
  if (view.getUint32(4) === 0) return fault('zero-discriminator');
  // No session of ours uses authentication (section 6.8.6: MUST be discarded then).
  if ((flags & AUTHENTICATION) !== 0) return fault('authenticated');
  const state = STATES[flags >>> 6] ?? 'down';
  const yourDiscriminator = view.getUint32(8);
  if (yourDiscriminator === 0 && state !== 'down' && state !== 'admin-down') return fault('no-session');
  return {
    ok: true,
    packet: {
      diagnostic: first & 0x1f,
      state,
      poll: (flags & POLL) !== 0,
      final: (flags & FINAL) !== 0,
      demand: (flags & DEMAND) !== 0,
      multiplier: view.getUint8(2),
      myDiscriminator: view.getUint32(4),
      yourDiscriminator,
      desiredMinTx: view.getUint32(12),
      requiredMinRx: view.getUint32(16),
      requiredMinEchoRx: view.getUint32(20),
    },
  };
}

const DIAGNOSTICS = [
  'no diagnostic',
  'control detection time expired',
  'echo function failed',
  'neighbor signaled session down',
  'forwarding plane reset',
  'path down',
  'concatenated path down',
  'administratively down',
  'reverse concatenated path down',
] as const;

/** RFC 5880 section 4.1's words. */
export function describeDiagnostic(diagnostic: number): string {
  return DIAGNOSTICS[diagnostic] ?? `diagnostic ${diagnostic}`;
}
