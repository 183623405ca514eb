/** One BFD session (RFC 5880, 5881, 5883) as the worker runs it: every default filled in, ranges checked. */
import type { Micros } from '../../proto/rules/time.js';

export interface BfdSessionSettings {
  /** The track's id is "bfd NAME". */
  readonly name: string;
  /** Address of the other end, without zone. */
  readonly neighbor: string;
  /** Absent: what the kernel chooses. */
  readonly source?: string;
  /** Interface of a link-local neighbour, or to bind to. Absent: none. */
  readonly interface?: string;
  /** bfd.RequiredMinRxInterval, 1 ms to 1000 s. */
  readonly minRx: Micros;
  /** bfd.DesiredMinTxInterval while up, 1 ms to 1000 s. */
  readonly minTx: Micros;
  /** Between packets while not up, 1 s to 1000 s (RFC 5880 section 6.8.3). */
  readonly idleTx: Micros;
  /** bfd.DetectMult, 1..255. */
  readonly multiplier: number;
  /** The passive role of RFC 5880 section 6.1: waits for the neighbour to begin. */
  readonly passive: boolean;
  /** Over routers: port 4784 (RFC 5883); else port 3784 and a TTL of 255 both ways (RFC 5881 section 5). */
  readonly multihop: boolean;
  /** Multihop: packets with a TTL or hop limit of less than 255 - maxHops are dropped; 0..254. */
  readonly maxHops: number;
}
