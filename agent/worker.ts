/**
 * The worker thread of a running agent: everything that may be slow. It reads the configuration, hands it to the
 * elections on the main thread, runs checks and hooks, keeps events, serves the control socket and, where the agent is
 * joined to a controller, holds the connection to it. When it dies, elections go on and another one takes its place.
 */
import { cpus, hostname } from 'node:os';
import process from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { AgentConfig, Scheduling } from '../proto/gen/baton/v1/config.js';
import { createLogger, isLogLevel, type Logger } from '../proto/process/logger.js';
import { unsafeDirectory } from '../proto/process/private-directory.js';
import { type FileRemark, formatRemark, hasErrors, judgeFile } from './bundle/standalone-file.js';
import type { ControlLink } from './control/index.js';
import { readAgentConfig } from './local/agent-config.js';
import { AgentWorker } from './local/agent-worker.js';
import { systemClock } from './local/clock.js';
import { controlHandler } from './local/control-handler.js';
import { ControlServer, ControlSocketError } from './local/control-server.js';
import { ElectionClient } from './local/election-client.js';
import { agentVersion } from './local/host-facts.js';
import { type LogOutput, openLogOutput } from './local/log-output.js';
import { takeResumeFile, writeResumeFile } from './local/resume-file.js';
import { inheritNothing, schedule } from './local/scheduling.js';
import {
  DEFAULT_RUN_DIR,
  DEFAULT_STATE_DIR,
  type FromProcess,
  type RunMode,
  type ToProcess,
  type WorkerData,
} from './local/worker-protocol.js';
import type { RecordingWriter } from './record/recording-writer.js';
import type { FromElection, ResumedRouter } from './runtime/messages.js';

/** The agent cannot run as it was told to. */
class GiveUp extends Error {
  override readonly name = 'GiveUp';
  constructor(
    readonly exitCode: 1 | 4,
    readonly lines: readonly string[],
  ) {
    super(lines.join('\n'));
  }
}

interface Reloaded {
  readonly ok: boolean;
  readonly lines: readonly string[];
}

/** How long the end of a recording may take to be written. */
const LAST_LINES_MS = 1_000;

// Whoever starts this file as a worker passes exactly this.
const data = workerData as WorkerData;
const output: LogOutput = openLogOutput(1, (count) => log.warn({ count }, 'log lines were lost: nobody read them'));
const log: Logger = createLogger({ name: 'baton-agent', level: data.logLevel ?? 'info', destination: output });
let agent: AgentWorker | undefined;
let control: ControlServer | undefined;
let link: ControlLink | undefined;
let recording: RecordingWriter | undefined;
/** What was put in force of agent.yaml's scheduling. */
let scheduled: Scheduling | undefined;
/** Where the control socket is, and what one agent leaves for the next. */
let runDirectory = DEFAULT_RUN_DIR;

function toProcess(message: ToProcess): void {
  data.process.postMessage(message);
}

async function run(): Promise<void> {
  if (parentPort === null) throw new TypeError('worker.ts runs as a worker thread only');
  const port = parentPort;
  const config = await ownersConfig(data.mode);
  if (data.logLevel === undefined && isLogLevel(config.logLevel)) log.level = config.logLevel;
  runDirectory = data.runDir ?? (config.runDir || DEFAULT_RUN_DIR);
  const stateDir = data.stateDir ?? (config.stateDir || DEFAULT_STATE_DIR);
  refuseForeignStateDir(stateDir);
  reschedule(config);
  if (data.inForce !== undefined) {
    const isElectionKept = (scheduled?.cpus.length ?? 0) > 0;
    inheritNothing(data.startedNice, isElectionKept ? allProcessors() : []);
  }
  recording = await openRecording((characters, again) => election.recordingTaken(characters, again));
  const election = new ElectionClient(port, systemClock, {
    occurrence: (occurrence) => agent?.occurred(occurrence),
    stopped: (resumable) => void end(resumable),
    recorded: (chunk) => recording?.take(chunk),
  });
  port.on('message', (message: FromElection) => election.received(message));
  const node = data.mode.kind === 'standalone' ? (data.mode.node ?? hostname()) : undefined;
  const present = await AgentWorker.open({
    clock: systemClock,
    log,
    version: agentVersion(),
    stateDir,
    startedWallMs: data.startedWallMs,
    config,
    election,
    resumed: data.inForce === undefined ? await takeResumeFile(runDirectory) : [],
    inForce: (inForce) => toProcess({ kind: 'inForce', inForce }),
    ...(node === undefined ? {} : { standaloneNode: node }),
  });
  agent = present;
  control = await openControl(runDirectory, present, election);
  if (data.inForce !== undefined) await present.takeOver(data.inForce, data.lastWords);
  else await configureFirst(present, data.mode);
  election.ready();
  data.process.on('message', (message: FromProcess) => {
    if (message.kind === 'reload') void reload(present);
  });
  if (data.mode.kind === 'joined') await startLink(present, config, stateDir);
}

/** At the start only: no directory and no disk is a reason to end elections that are under way. */
function refuseForeignStateDir(stateDir: string): void {
  let unsafe: string | undefined;
  try {
    unsafe = unsafeDirectory(stateDir);
  } catch (err) {
    log.error({ path: stateDir, err }, 'the state directory cannot be examined');
  }
  if (unsafe === undefined) return;
  if (data.inForce === undefined) throw new GiveUp(1, [unsafe]);
  log.error({ path: stateDir, detail: unsafe }, 'the state directory is not safe');
}

/** Where a recording was asked for and cannot be had, the agent does not start; elections that run go on without. */
async function openRecording(
  taken: (characters: number, again: boolean) => void,
): Promise<RecordingWriter | undefined> {
  if (data.record === undefined) return undefined;
  const { file, limit } = data.record;
  const { RecordingFileError, RecordingWriter } = await import('./record/recording-writer.js');
  try {
    return await RecordingWriter.open(file, limit, agentVersion(), {
      taken,
      failed: (err) => log.error({ path: file, err }, 'the recording cannot be written; it is tried again'),
      mended: () => log.info({ path: file }, 'the recording goes on, with a gap'),
    });
  } catch (err) {
    if (!(err instanceof RecordingFileError)) throw err;
    if (data.inForce === undefined) throw new GiveUp(1, [err.message]);
    log.error({ path: file, err }, 'nothing is recorded');
    return undefined;
  }
}

/** What cannot be had is said, and no reason not to run. */
function reschedule(config: AgentConfig): void {
  const scheduling = data.scheduling ?? config.scheduling;
  try {
    const wanted = scheduled === undefined ? scheduling : withoutFormer(scheduling, scheduled);
    scheduled = wanted;
    for (const problem of schedule(wanted, data.startedNice))
      log.error({ detail: problem }, 'scheduling is not as configured');
  } catch (err) {
    log.error({ err }, 'scheduling is not as configured');
  }
}

/** What agent.yaml no longer says is as the process was started. */
function withoutFormer(scheduling: Scheduling | undefined, former: Scheduling): Scheduling {
  const wanted = scheduling ?? Scheduling.fromPartial({});
  const isWidened = wanted.cpus.length === 0 && former.cpus.length > 0;
  return { ...wanted, cpus: isWidened ? allProcessors() : wanted.cpus };
}

function allProcessors(): number[] {
  return cpus().map((_, index) => index);
}

async function ownersConfig(mode: RunMode): Promise<AgentConfig> {
  if (mode.kind === 'standalone') return AgentConfig.fromPartial({});
  const result = await readAgentConfig(mode.configFile, mode.isDefaultFile);
  if (!result.ok) throw new GiveUp(4, result.remarks.map(formatRemark));
  return result.config;
}

async function openControl(
  runDir: string,
  present: AgentWorker,
  election: ElectionClient,
): Promise<ControlServer | undefined> {
  const handler = controlHandler({
    status: () => present.fullStatus(),
    journal: present.journal,
    reload: () => reload(present),
    runCheck: (name) => present.runCheck(name),
    preflight: () => present.judgeHost(),
    suspend: () => {
      toProcess({ kind: 'suspending' });
      election.suspend();
    },
  });
  try {
    return await ControlServer.listen(runDir, handler);
  } catch (error) {
    // Two agents of one host would fight over its addresses.
    if (error instanceof ControlSocketError && error.code === 'in-use') throw new GiveUp(1, [error.message]);
    log.error({ path: runDir, err: error }, 'no control socket: "status", "explain" and "events" will not work');
    return undefined;
  }
}

async function configureFirst(present: AgentWorker, mode: RunMode): Promise<void> {
  present.started();
  if (mode.kind === 'joined') {
    const stored = await present.loadStored();
    if (stored === undefined) log.info('no configuration is stored; waiting for the controller');
    else await present.resume(stored);
    return;
  }
  const { ok, lines, isFileWrong } = await adoptFile(present, mode);
  if (!ok) throw new GiveUp(isFileWrong ? 4 : 1, lines);
}

/** Puts a file of the host's own in force; if it cannot be, what runs goes on. */
async function adoptFile(
  present: AgentWorker,
  { file, node }: Extract<RunMode, { kind: 'standalone' }>,
): Promise<Reloaded & { readonly isFileWrong: boolean }> {
  const { ownHostEdges } = await import('../proto/keepalived/index.js');
  const { remarks, runnable } = await judgeFile(file, { given: node, hostName: hostname() }, ownHostEdges);
  logRemarks(remarks);
  const lines = remarks.map(formatRemark);
  if (runnable === undefined || hasErrors(remarks)) return { ok: false, lines, isFileWrong: true };
  const refusals = await present.configuration.adoptLocal(runnable.bundle, runnable.content);
  if (refusals.length === 0) return { ok: true, lines, isFileWrong: false };
  const reasons = refusals.map(({ path, reason }) => `${file}: error: ${path}: ${reason}`);
  return { ok: false, lines: [...lines, ...reasons], isFileWrong: false };
}

function logRemarks(remarks: readonly FileRemark[]): void {
  for (const { file, line, severity, message } of remarks) {
    const level = severity === 'note' ? 'info' : severity === 'warning' ? 'warn' : 'error';
    log[level]({ path: file, line, detail: message }, 'about the configuration file');
  }
}

/** SIGHUP, or "reload" over the control socket. Never rejects. */
async function reload(present: AgentWorker): Promise<Reloaded> {
  const { mode } = data;
  if (mode.kind === 'standalone') {
    const result = await adoptFile(present, mode);
    if (!result.ok) log.error({ path: mode.file, detail: result.lines }, 'reload failed; what was running goes on');
    return result;
  }
  const result = await readAgentConfig(mode.configFile, mode.isDefaultFile);
  if (!result.ok) {
    const lines = result.remarks.map(formatRemark);
    log.error({ path: mode.configFile, detail: lines }, 'reload failed; the former rules go on');
    return { ok: false, lines };
  }
  present.replaceConfig(result.config);
  reschedule(result.config);
  if (data.logLevel === undefined) log.level = isLogLevel(result.config.logLevel) ? result.config.logLevel : 'info';
  // A configuration that the former rules refused is offered anew.
  link?.redial(result.config.controllers);
  log.info({ path: mode.configFile }, "the host owner's rules were read again");
  return { ok: true, lines: [] };
}

async function startLink(present: AgentWorker, config: AgentConfig, stateDir: string): Promise<void> {
  const { startControlLink } = await import('./control/index.js');
  link = startControlLink({ agent: present, controllers: config.controllers, stateDir, log });
}

/** Everything is stopped: what is still owed is paid, a bounded time, and the thread ends. */
async function end(resumable: readonly ResumedRouter[]): Promise<void> {
  if (resumable.length > 0) {
    const routers = resumable.map(({ name }) => name);
    try {
      // First: the next agent may be starting already.
      await writeResumeFile(runDirectory, resumable);
      log.info({ detail: routers }, 'addresses are kept for the next agent');
    } catch (err) {
      log.error({ path: runDirectory, detail: routers, err }, 'the next agent cannot be told what to go on with');
    }
  }
  agent?.stopping();
  await control?.close();
  await agent?.finish(resumable.length > 0);
  await Promise.race([recording?.close(), new Promise((resolve) => setTimeout(resolve, LAST_LINES_MS))]);
  await link?.stop();
  log.info('stopped');
  await output.drain();
  // The end of this thread waits for whatever the system was asked for, such as the address of a name.
  toProcess({ kind: 'finished' });
  process.exit(0);
}

run().catch(async (error: unknown) => {
  const isPlain = error instanceof GiveUp;
  if (!isPlain) log.fatal({ err: error }, 'the worker thread cannot go on');
  await output.drain();
  // Without a configuration there is nothing to elect; the process ends and says why.
  const lines = isPlain ? error.lines : [`baton-agent: ${error instanceof Error ? error.message : String(error)}`];
  toProcess({ kind: 'giveUp', exitCode: isPlain ? error.exitCode : 1, lines });
});
