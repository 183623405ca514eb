/** Checks of a bundle as the worker runs them. */
import type { BundleCheck } from '../../proto/gen/baton/v1/bundle.js';
import type { Refusal } from '../../proto/gen/baton/v1/events.js';
import {
  type CheckSpec,
  type CheckTls,
  type DnsCheck,
  type HttpCheck,
  type ProcessCheck,
  ProcessMatch,
} from '../../proto/gen/baton/v1/resources.js';
import { durationToMicros } from '../../proto/rules/duration.js';
import type { Millis } from '../../proto/rules/time.js';
import type {
  CheckSettings,
  DnsProbe,
  DnsType,
  HttpProbe,
  Probe,
  ProbeTls,
  ProcessProbe,
} from '../health/check-settings.js';

const DNS_TYPES: readonly DnsType[] = ['A', 'AAAA', 'CNAME', 'MX', 'NS', 'PTR', 'SOA', 'SRV', 'TXT'];

export function checkSettings(message: BundleCheck, refusals: Refusal[]): CheckSettings {
  const at = `checks[${message.name}].spec`;
  const { spec } = message;
  const refuse = (field: string, reason: string): void => {
    refusals.push({ path: field === '' ? at : `${at}.${field}`, reason });
  };
  const interval = millisOf(spec?.interval) || 1_000;
  return {
    name: message.name,
    interval,
    timeout: millisOf(spec?.timeout) || interval,
    hysteresis: { rise: Math.max(1, spec?.rise ?? 1), fall: Math.max(1, spec?.fall ?? 1) },
    startJitter: millisOf(spec?.startJitter),
    probe: probeOf(spec?.kind, refuse),
  };
}

function probeOf(kind: CheckSpec['kind'], refuse: (field: string, reason: string) => void): Probe {
  switch (kind?.$case) {
    case 'exec': {
      const { command, user } = kind.value;
      if (command.length === 0) refuse('exec.command', 'it is empty');
      return { kind: 'exec', command, ...(user === '' ? {} : { user }) };
    }
    case 'http':
      return httpProbe(kind.value);
    case 'tcp': {
      const { host, port, tls } = kind.value;
      return { kind: 'tcp', host, port, ...tlsOf(tls) };
    }
    case 'dns':
      return dnsProbe(kind.value, (reason) => refuse('dns.type', reason));
    case 'grpc': {
      const { host, port, service, tls } = kind.value;
      return { kind: 'grpc', host, port, service, ...tlsOf(tls) };
    }
    case 'ping': {
      const { host, size, source } = kind.value;
      return { kind: 'ping', host, size: size ?? 56, ...(source === '' ? {} : { source }) };
    }
    case 'process':
      return processProbe(kind.value);
    case 'file': {
      const { path, initialValue, overwrite } = kind.value;
      return { kind: 'file', path, ...(initialValue === undefined ? {} : { initialValue }), overwrite };
    }
    case undefined:
      refuse('', 'this agent runs no checks of that kind');
      return { kind: 'exec', command: [] };
  }
}

function httpProbe(check: HttpCheck): HttpProbe {
  return {
    kind: 'http',
    url: check.url,
    method: check.method === '' ? 'GET' : check.method,
    headers: check.headers,
    body: check.body,
    status: check.status.length === 0 ? ['2xx'] : check.status,
    bodyContains: check.bodyContains,
    bodyMatches: check.bodyMatches,
    ...tlsOf(check.tls),
    ...(check.connectTo === '' ? {} : { connectTo: check.connectTo }),
  };
}

function dnsProbe(check: DnsCheck, refuse: (reason: string) => void): DnsProbe {
  const type = DNS_TYPES.find((known) => known === (check.type || 'SOA').toUpperCase());
  if (type === undefined) refuse(`this agent does not ask for records of type "${check.type}"`);
  return {
    kind: 'dns',
    server: check.server,
    port: check.port || 53,
    name: check.name || '.',
    type: type ?? 'SOA',
    expect: check.expect,
    tcp: check.tcp,
  };
}

function processProbe(check: ProcessCheck): ProcessProbe {
  return {
    kind: 'process',
    name: check.name,
    fullCommand: check.fullCommand,
    arguments: check.arguments,
    match: matchOf(check.match),
    quorum: check.quorum || (check.quorumMax === 0 ? 0 : 1),
    ...(check.quorumMax === undefined ? {} : { quorumMax: check.quorumMax }),
    upDelay: millisOf(check.upDelay),
    downDelay: millisOf(check.downDelay),
  };
}

function matchOf(match: ProcessMatch): ProcessProbe['match'] {
  if (match === ProcessMatch.INITIAL) return 'initial';
  return match === ProcessMatch.PARTIAL ? 'partial' : 'exact';
}

function tlsOf(tls: CheckTls | undefined): { readonly tls?: ProbeTls } {
  if (tls === undefined) return {};
  return {
    tls: {
      ...(tls.ca === '' ? {} : { ca: tls.ca }),
      ...(tls.serverName === '' ? {} : { serverName: tls.serverName }),
      insecureSkipVerify: tls.insecureSkipVerify,
    },
  };
}

function millisOf(duration: Parameters<typeof durationToMicros>[0]): Millis {
  return durationToMicros(duration) / 1_000;
}
