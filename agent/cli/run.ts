/**
 * "baton-agent run": the elections on this thread, a supervised worker for everything else. This thread loads only what
 * elections need, reads no file and writes no log; what it has to say goes through the worker.
 */
import process from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { libc } from '../net/libc.js';
import type { StartRecorder } from '../record/recorder.js';
import type { Edges, ElectionClock } from '../runtime/edges.js';
import { startElection } from '../runtime/election.js';
import { openBootClock, openHostEdges } from '../runtime/host-edges.js';
import { rehearse } from '../runtime/rehearsal.js';
import { type RunOptions, WorkerSupervisor } from './worker-supervisor.js';

/** A worker that does not end after the elections have is left behind. Longer than it waits for its last hooks. */
const WORKER_END_MS = 10_000;

/** Runs until a signal stops it, and the process ends; resolves with the exit code where it gives up. Rejects when elections are not possible on this host. */
export async function run(options: RunOptions): Promise<number> {
  const supervisor = new WorkerSupervisor(options, new URL('../worker.js', import.meta.url));
  const clock = openBootClock();
  const edges = openHostEdges(clock);
  const recording = options.record === undefined ? undefined : await recorderOf(options.record.limit, clock);
  const election = supervisor.serve((port) => startElection({ port, clock, edges, recording }));
  warmUp(edges);
  let isStopping = false;
  const stop = (): void => {
    supervisor.stopRestarting();
    // A second signal waits neither for a successor nor for the last hooks.
    election.shutdown(!isStopping);
    if (isStopping) supervisor.abandon();
    isStopping = true;
  };
  process.on('SIGTERM', stop);
  process.on('SIGINT', stop);
  // The next agent goes on with the addresses.
  process.on('SIGUSR2', () => {
    supervisor.stopRestarting();
    election.suspend();
  });
  process.on('SIGHUP', () => supervisor.tell({ kind: 'reload' }));
  const given = await Promise.race([supervisor.gaveUp, election.stopped]);
  if (given === undefined) {
    await supervisor.ended(WORKER_END_MS);
    // A name server or a disk that does not answer would hold up an orderly end, and the next agent with it.
    return libc().exitNow(0);
  }
  supervisor.stopRestarting();
  election.shutdown(false);
  for (const line of given.lines) process.stderr.write(`${line}\n`);
  return given.exitCode;
}

/** Loaded only where something is recorded. */
async function recorderOf(limit: number, clock: ElectionClock): Promise<StartRecorder> {
  const { Recorder } = await import('../record/recorder.js');
  return (give) => new Recorder({ limit, wallMs: () => clock.wallMs(), give });
}

/** While the worker starts, this thread has nothing to do: it gets ready for a takeover. */
function warmUp(edges: Edges): void {
  // A takeover after a quiet month is as fast as the last rehearsal.
  setFlagsFromString('--no-flush-bytecode');
  try {
    rehearse(edges);
  } catch {
    // The first takeover is slower, and nothing else.
  }
}
