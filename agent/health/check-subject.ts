/** What a check looks at, as a phrase for people: the command, "GET http://...". */
import { singleLine } from '../../proto/rules/printable-text.js';
import type { Probe } from './check-settings.js';

const LIMIT = 200;

export function subjectOf(probe: Probe): string {
  return singleLine(phraseOf(probe), LIMIT);
}

function phraseOf(probe: Probe): string {
  switch (probe.kind) {
    case 'exec':
      return probe.command.join(' ');
    case 'http':
      return `${probe.method} ${withoutPassword(probe.url)}${probe.connectTo === undefined ? '' : ` at ${probe.connectTo}`}`;
    case 'tcp':
      return `${probe.tls === undefined ? 'connection' : 'TLS connection'} to ${hostPort(probe.host, probe.port)}`;
    case 'dns':
      return `${probe.type} ${probe.name} from ${hostPort(probe.server, probe.port)}${probe.tcp ? ' over TCP' : ''}`;
    case 'grpc':
      return `gRPC health of ${probe.service === '' ? 'the server' : probe.service} at ${hostPort(probe.host, probe.port)}`;
    case 'ping':
      return `ping ${probe.host}`;
    case 'process':
      return `process ${[probe.name, ...probe.arguments].join(' ')}`;
    case 'file':
      return `file ${probe.path}`;
  }
}

/** HOST:PORT, an IPv6 address in brackets. */
export function hostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function withoutPassword(url: string): string {
  return url.replace(/^(https?:\/\/)[^/?#]*@/i, '$1');
}
