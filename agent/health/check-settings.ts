/**
 * What a check is, as the worker runs it: every default filled in, every duration a number. Built from the bundle alone.
 */
import type { Millis } from '../../proto/rules/time.js';
import type { Hysteresis } from './rise-fall.js';

export interface CheckSettings {
  readonly name: string;
  /** Between starts; for a file or process whose events cannot be had, between looks. */
  readonly interval: Millis;
  /** A run that takes longer is a failure and is ended. */
  readonly timeout: Millis;
  readonly hysteresis: Hysteresis;
  /** The first run starts after a random part of this long. */
  readonly startJitter: Millis;
  readonly probe: Probe;
}

export type Probe = ExecProbe | HttpProbe | TcpProbe | DnsProbe | GrpcProbe | PingProbe | ProcessProbe | FileProbe;

/** A program; exit code 0 is good. */
export interface ExecProbe {
  readonly kind: 'exec';
  /** Absolute path, then arguments; never empty. */
  readonly command: readonly string[];
  /** USER or USER:GROUP. Absent: the agent's script user. */
  readonly user?: string;
}

export interface ProbeTls {
  /** PEM certificates that the server's is judged by. Absent: those Node comes with and the system's. */
  readonly ca?: string;
  /** Asked for (SNI) and looked for in the certificate. Absent: the host of the address. */
  readonly serverName?: string;
  readonly insecureSkipVerify: boolean;
}

export interface HttpProbe {
  readonly kind: 'http';
  /** http://... or https://... */
  readonly url: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Empty: none is sent. */
  readonly body: string;
  /** Wanted, such as "200", "204-206" or "2xx"; never empty. */
  readonly status: readonly string[];
  /** Empty: not looked for. */
  readonly bodyContains: string;
  /** A pattern of proto/rules/pattern.ts. Empty: not looked for. */
  readonly bodyMatches: string;
  /** Used for https alone. Absent: as if set to nothing. */
  readonly tls?: ProbeTls;
  /** Address to connect to, without port, instead of the URL's host. */
  readonly connectTo?: string;
}

export interface TcpProbe {
  readonly kind: 'tcp';
  readonly host: string;
  readonly port: number;
  /** Present: a TLS handshake must succeed too. */
  readonly tls?: ProbeTls;
}

export type DnsType = 'A' | 'AAAA' | 'CNAME' | 'MX' | 'NS' | 'PTR' | 'SOA' | 'SRV' | 'TXT';

export interface DnsProbe {
  readonly kind: 'dns';
  /** Address of the server. */
  readonly server: string;
  readonly port: number;
  /** With or without the dot at its end; "." is the root. */
  readonly name: string;
  readonly type: DnsType;
  /** One of them must be in the answer. Empty: any answer with the code NOERROR will do. */
  readonly expect: readonly string[];
  readonly tcp: boolean;
}

export interface GrpcProbe {
  readonly kind: 'grpc';
  readonly host: string;
  readonly port: number;
  /** Empty: the server as a whole. */
  readonly service: string;
  /** Absent: without TLS. */
  readonly tls?: ProbeTls;
}

export interface PingProbe {
  readonly kind: 'ping';
  readonly host: string;
  /** Bytes after the ICMP header, 0 to 1400. */
  readonly size: number;
  /** Source address. Absent: what the kernel chooses. */
  readonly source?: string;
}

export interface ProcessProbe {
  readonly kind: 'process';
  /** The kernel's name of the process (comm, 15 bytes); with `fullCommand` the first word of its command line. */
  readonly name: string;
  readonly fullCommand: boolean;
  /** Empty: they are not compared, except with `initial`: then there must be none. */
  readonly arguments: readonly string[];
  /** exact: the same; initial: the last may be the beginning of the process's; partial: more may follow. */
  readonly match: 'exact' | 'initial' | 'partial';
  /** Good from this many on. */
  readonly quorum: number;
  /** Good up to this many. Absent: no limit. */
  readonly quorumMax?: number;
  /** How long there must be enough before it is good, and too few or too many before it fails. */
  readonly upDelay: Millis;
  readonly downDelay: Millis;
}

/** A number in a file; its state is that number. */
export interface FileProbe {
  readonly kind: 'file';
  /** Absolute. */
  readonly path: string;
  /** Written at the start if the file does not exist. Absent: nothing is written. */
  readonly initialValue?: number;
  /** Written even if it exists. */
  readonly overwrite: boolean;
}
