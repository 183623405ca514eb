/** The real thing behind ProgramEdges: this host's accounts, files and processes. */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import process from 'node:process';
import type { Readable } from 'node:stream';
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import type { Clock } from '../local/clock.js';
import { libc } from '../net/libc.js';
import { errnoName } from '../net/system-error.js';
import { type Account, type AccountLookup, findAccount } from './account.js';
import { hostProcessTree, RUN_VARIABLE, signalDescendants } from './descendants.js';
import { hostProgramFiles, type Judgement, judgeProgram } from './executable.js';
import { childrenOfThisProcess, Orphans } from './orphans.js';
import type { ProgramEdges, SpawnedProcess, SpawnRequest } from './program.js';

/** keepalived's name for the user that scripts run as when none is named. */
const DEFAULT_SCRIPT_USER = 'keepalived_script';
/** Pipes that a program's descendants still hold open; beyond so many the oldest is closed on them. */
const MAX_LINGERING_PIPES = 64;
/** How long the end of a program's output is waited for after the program itself has ended. */
const LAST_OUTPUT_WAIT_MS = 50;
const READ_BYTES = 64 * 1024;

/** All that a program gets to know of the agent's surroundings, but for the mark of its run. */
const ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LANG: 'C.UTF-8',
} as const;

export interface HostEdgesOptions {
  readonly clock: Clock;
  /** User for programs that name none; absent: keepalived_script if there is one, else the agent's own. */
  readonly defaultUser: () => string | undefined;
  /** Why a program may not run as a user that its configuration names; absent: it may. */
  readonly userRefusal: (user: string) => string | undefined;
  /** The host's own list: why a program may not be run, given its configured and resolved path. Absent: it may. */
  readonly refusal: (file: string, resolved: string) => Promise<string | undefined>;
}

export function hostProgramEdges(options: HostEdgesOptions): ProgramEdges {
  const starter = new Starter();
  return {
    clock: options.clock,
    account: async (user) => {
      const reason = options.userRefusal(user ?? '');
      return reason === undefined ? await accountOf(user ?? options.defaultUser()) : { ok: false, reason };
    },
    judge: async (file, account) => judgeOnHost(file, account, options.refusal),
    spawn: (request) => starter.start(request),
  };
}

/** Who a program runs as. Reads the files anew, since accounts come and go. */
export async function accountOf(user: string | undefined): Promise<AccountLookup> {
  const files = { passwd: await readOrEmpty('/etc/passwd'), group: await readOrEmpty('/etc/group') };
  if (user !== undefined && user !== '') return findAccount(user, files);
  const own: Account = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  if (own.uid !== 0) return { ok: true, account: own };
  const byName = findAccount(DEFAULT_SCRIPT_USER, files);
  return byName.ok ? byName : { ok: true, account: own };
}

async function judgeOnHost(file: string, account: Account, refusal: HostEdgesOptions['refusal']): Promise<Judgement> {
  const judgement = await judgeProgram(file, account, hostProgramFiles);
  if (!judgement.ok) return judgement;
  const reason = await refusal(file, judgement.resolved);
  if (reason === undefined) return judgement;

  return { ok: false, result: CheckResult.REFUSED, reason };
}

async function readOrEmpty(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch {
    // Without the file no name can be resolved, which the lookup reports by the name.
    return '';
  }
}

/** Starts programs, and keeps count of what they leave behind. */
class Starter {
  readonly #lingering = new LingeringPipes();
  /** Those that have not ended. */
  readonly #running = new Set<number>();
  readonly #orphans = new Orphans(
    {
      children: childrenOfThisProcess,
      reap: (child) => libc().reap(child),
      later: (delay, callback) => setTimeout(callback, delay).unref(),
    },
    (child) => this.#running.has(child),
  );
  /** Tells the runs of this process from those of any other, earlier ones too. */
  readonly #key = randomBytes(8).toString('hex');
  #count = 0;

  start(request: SpawnRequest): SpawnedProcess {
    if (this.#count === 0) libc().becomeSubreaper();
    this.#count += 1;
    const mark = `${this.#key}-${this.#count}`;
    const { uid, gid } = request.account;
    const isOwnAccount = uid === process.geteuid?.() && gid === process.getegid?.();
    const output = openPipe();
    let child: ChildProcess;
    try {
      child = spawn(request.file, request.args, {
        argv0: request.name,
        cwd: '/',
        env: { ...ENVIRONMENT, [RUN_VARIABLE]: mark },
        // One pipe for both, so that what it says stays in order.
        stdio: ['ignore', output.writeEnd, output.writeEnd],
        // A session and process group of its own (setsid).
        detached: true,
        ...(isOwnAccount ? {} : { uid, gid }),
      });
    } catch (error) {
      libc().close(output.readEnd);
      throw error;
    } finally {
      libc().close(output.writeEnd);
    }
    const { pid } = child;
    if (pid !== undefined) this.#running.add(pid);
    this.#report(child, readPipe(output.readEnd, request.output), request);
    return {
      pid,
      signal: (signal) => {
        if (pid === undefined) return;
        try {
          process.kill(-pid, signal);
        } catch {
          // ESRCH: the group is gone, which is what was wanted.
        }
        signalDescendants(this.#running.has(pid) ? pid : undefined, mark, signal, hostProcessTree);
        this.#orphans.mayBe();
      },
    };
  }

  #report(child: ChildProcess, output: Socket, request: SpawnRequest): void {
    let settled = false;
    child.once('error', (error: NodeJS.ErrnoException) => {
      output.destroy();
      if (settled) return;
      settled = true;
      request.failed(error.code ?? error.message);
    });
    child.once('exit', (exitCode, signal) => {
      if (child.pid !== undefined) this.#running.delete(child.pid);
      this.#orphans.mayBe();
      if (settled) return;
      settled = true;
      this.#lingering.add(output);
      // What it wrote last is still in the pipe, but descendants may keep that open for ever.
      const timer = setTimeout(done, LAST_OUTPUT_WAIT_MS);
      if (output.closed) done();
      else output.once('close', done);
      function done(): void {
        clearTimeout(timer);
        output.off('close', done);
        request.exited(exitCode, signal);
      }
    });
  }
}

/** Throws an error with the system's code. */
function openPipe(): { readonly readEnd: number; readonly writeEnd: number } {
  const ends = new Int32Array(2);
  const result = libc().pipe(ends);
  if (result < 0) throw Object.assign(new Error('no pipe for its output'), { code: errnoName(-result) });
  const [readEnd = -1, writeEnd = -1] = ends;
  return { readEnd, writeEnd };
}

/** Read into one piece of memory over and over: a flood of output leaves no garbage. */
function readPipe(readEnd: number, told: (chunk: Uint8Array) => void): Socket {
  const options: SocketConstructorOpts & { onread: OnReadOpts } = {
    fd: readEnd,
    readable: true,
    writable: false,
    onread: {
      buffer: Buffer.allocUnsafeSlow(READ_BYTES),
      callback: (length, buffer) => {
        told(buffer.subarray(0, length));
        return true;
      },
    },
  };
  const socket = new Socket(options);
  // A broken pipe says nothing that the exit status does not.
  socket.on('error', () => undefined);
  socket.resume();
  return socket;
}

/** Output of descendants that outlived their program goes on being read and thrown away, as far as there is room. */
class LingeringPipes {
  readonly #pipes = new Set<Readable>();

  add(pipe: Readable): void {
    if (pipe.closed || pipe.destroyed) return;
    this.#pipes.add(pipe);
    pipe.once('close', () => this.#pipes.delete(pipe));
    if (this.#pipes.size <= MAX_LINGERING_PIPES) return;
    const [oldest] = this.#pipes;
    oldest?.destroy();
  }
}
