/** The real thing behind CheckEdges: every kind of check, on this host. */
import { openProcessConnector } from '../link/process-connector.js';
import { libc } from '../net/libc.js';
import type { CheckEdges, PolledProbe } from './check-edges.js';
import { dnsAttempt } from './dns-check.js';
import { FileWatch } from './file-watch.js';
import { grpcAttempt } from './grpc-check.js';
import { hostFiles } from './host-files.js';
import { type AddressJudge, byHost, NameLookup } from './host-lookup.js';
import { httpAttempt } from './http-check.js';
import { pingAttempt } from './ping-check.js';
import { hostProcFiles } from './process-match.js';
import { ProcessTable } from './process-table.js';
import { type ProgramEdges, runProgram } from './program.js';
import { type Attempt, runOf } from './run.js';
import { tcpAttempt } from './tcp-check.js';

/** `programs` runs the exec checks; its clock is everybody's. `judge`: of the addresses that names lead to. */
export function hostCheckEdges(programs: ProgramEdges, judge: AddressJudge = () => undefined): CheckEdges {
  const { clock } = programs;
  const names = new NameLookup(byHost, judge);
  const processes = new ProcessTable({ clock, proc: hostProcFiles, openConnector: openProcessConnector });
  return {
    clock,
    random: () => Math.random(),
    polled: (probe) =>
      probe.kind === 'exec'
        ? (timeout, listener) => runProgram({ ...probe, timeout }, programs, listener)
        : runOf(attemptOf(probe, names), clock),
    watch: (probe, interval, observed) =>
      probe.kind === 'process'
        ? processes.watch(probe, interval, observed)
        : new FileWatch(probe, interval, hostFiles, clock, observed),
  };
}

function attemptOf(probe: Exclude<PolledProbe, { kind: 'exec' }>, names: NameLookup): Attempt {
  switch (probe.kind) {
    case 'http':
      return httpAttempt(probe, names);
    case 'tcp':
      return tcpAttempt(probe, names);
    case 'dns':
      return dnsAttempt(probe);
    case 'grpc':
      return grpcAttempt(probe, names);
    case 'ping':
      return pingAttempt(probe, names, libc);
  }
}
