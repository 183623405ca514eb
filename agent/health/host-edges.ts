/** The real thing behind ProgramEdges: this host's accounts, files and processes. */
import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { CheckResult } from '../../proto/gen/baton/v1/status.js';
import type { Instant } from '../../proto/rules/time.js';
import type { Clock } from '../local/clock.js';
import { libc } from '../net/libc.js';
import { errnoName } from '../net/system-error.js';
import { type Account, type AccountFiles, type AccountLookup, findAccount } from './account.js';
import { ChildWatch } from './child-watch.js';
import { hostProcessTree, RUN_VARIABLE, signalDescendants } from './descendants.js';
import { hostProgramFiles, type Judgement, judgeProgram } from './executable.js';
import { childrenOfThisProcess, Orphans } from './orphans.js';
import { type OutputPipe, OutputPipes } from './output-pipe.js';
import { loadPosixSpawn } from './posix-spawn.js';
import { hostProcFiles } from './process-match.js';
import type { ProgramEdges, SpawnedProcess, SpawnRequest } from './program.js';
import { Turns } from './turns.js';

/** keepalived's name for the user that scripts run as when none is named. */
const DEFAULT_SCRIPT_USER = 'keepalived_script';
/** How long the end of a program's output is waited for after the program itself has ended. */
const LAST_OUTPUT_WAIT_MS = 50;
/** The account files may be as old as this: hundreds of programs a second are started on some hosts. */
const ACCOUNT_FILES_MICROS = 1_000_000;

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
  let starter: Starter | undefined;
  const turns = new Turns(setImmediate);
  const accountFiles = new RecentAccountFiles(options.clock);
  return {
    clock: options.clock,
    account: async (user) => {
      const reason = options.userRefusal(user ?? '');
      return reason === undefined
        ? await accountOf(user ?? options.defaultUser(), () => accountFiles.read())
        : { ok: false, reason };
    },
    judge: async (file, account) => judgeOnHost(file, account, options.refusal),
    turn: () => turns.next(),
    spawn: (request) => {
      starter ??= new Starter();
      return starter.start(request);
    },
  };
}

/** Who a program runs as. The files are read anew unless the caller knows better, since accounts come and go. */
export async function accountOf(
  user: string | undefined,
  read: () => Promise<AccountFiles> = readAccountFiles,
): Promise<AccountLookup> {
  if (user !== undefined && user !== '') return findAccount(user, await read());
  const own: Account = { uid: process.geteuid?.() ?? 0, gid: process.getegid?.() ?? 0 };
  if (own.uid !== 0) return { ok: true, account: own };
  const byName = findAccount(DEFAULT_SCRIPT_USER, await read());
  return byName.ok ? byName : { ok: true, account: own };
}

async function readAccountFiles(): Promise<AccountFiles> {
  const [passwd, group] = await Promise.all([readOrEmpty('/etc/passwd'), readOrEmpty('/etc/group')]);
  return { passwd, group };
}

/** The account files, read once a second at most, whoever asks. */
class RecentAccountFiles {
  readonly #clock: Clock;
  #files: Promise<AccountFiles> | undefined;
  #readAt: Instant = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  read(): Promise<AccountFiles> {
    const now = this.#clock.now();
    if (this.#files === undefined || now - this.#readAt > ACCOUNT_FILES_MICROS) {
      this.#readAt = now;
      this.#files = readAccountFiles();
    }
    return this.#files;
  }
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
  readonly #pipes = new OutputPipes(libc());
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
  readonly #posixSpawn = loadPosixSpawn();
  /** Tells the runs of this process from those of any other, earlier ones too. */
  readonly #key = randomBytes(8).toString('hex');
  #count = 0;

  start(request: SpawnRequest): SpawnedProcess {
    if (this.#count === 0) libc().becomeSubreaper();
    this.#count += 1;
    const mark = `${this.#key}-${this.#count}`;
    const output = this.#pipes.open(request.output);
    try {
      const { pid, hasEnded } = this.#startAs(request, mark, output);
      return { pid, hasEnded, signal: (signal) => this.#signal(pid, mark, signal) };
    } catch (error) {
      output.close();
      throw error;
    } finally {
      output.closeWriteEnd();
    }
  }

  #startAs(request: SpawnRequest, mark: string, output: OutputPipe): Omit<SpawnedProcess, 'signal'> {
    const { uid, gid } = request.account;
    const isOwnAccount = uid === process.geteuid?.() && gid === process.getegid?.();
    const environment = { ...ENVIRONMENT, [RUN_VARIABLE]: mark };
    if (!isOwnAccount) return this.#fork(request, environment, output, { uid, gid });
    if (this.#posixSpawn === undefined) return this.#fork(request, environment, output, {});
    const words = [request.name, ...request.args];
    // The C library would take what comes before it for the whole.
    if (words.some((word) => word.includes('\0'))) throw new TypeError('an argument contains a NUL byte');
    const pid = this.#posixSpawn({
      file: request.file,
      words,
      environment: Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      output: output.writeEnd,
    });
    if (pid < 0) {
      output.close();
      queueMicrotask(() => request.failed(errnoName(-pid)));
      return { pid: undefined, hasEnded: () => false };
    }
    this.#running.add(pid);
    const watch = new ChildWatch(libc(), pid, ({ exitCode, signal }) =>
      this.#ended(pid, output, () => request.exited(exitCode, signal)),
    );
    return { pid, hasEnded: () => watch.look() };
  }

  /** By Node, which can change the account between fork and exec. */
  #fork(
    request: SpawnRequest,
    env: Readonly<Record<string, string>>,
    output: OutputPipe,
    account: Partial<Account>,
  ): Omit<SpawnedProcess, 'signal'> {
    const child = spawn(request.file, request.args, {
      argv0: request.name,
      cwd: '/',
      env,
      // One pipe for both, so that what it says stays in order.
      stdio: ['ignore', output.writeEnd, output.writeEnd],
      // A session and process group of its own (setsid).
      detached: true,
      ...account,
    });
    const { pid } = child;
    if (pid !== undefined) this.#running.add(pid);
    let settled = false;
    child.once('error', (error: NodeJS.ErrnoException) => {
      output.close();
      if (settled) return;
      settled = true;
      request.failed(error.code ?? error.message);
    });
    child.once('exit', (exitCode, signal) => {
      if (settled) return;
      settled = true;
      this.#ended(pid, output, () => request.exited(exitCode, signal));
    });
    return { pid, hasEnded: () => settled || (pid !== undefined && hostProcFiles.stat(pid)?.state === 'Z') };
  }

  #ended(pid: number | undefined, output: OutputPipe, tell: () => void): void {
    if (pid !== undefined) this.#running.delete(pid);
    this.#orphans.mayBe();
    // What it wrote last is still in the pipe, but descendants may keep that open for ever.
    output.read();
    if (output.isClosed) {
      tell();
      return;
    }
    let isTold = false;
    const tellOnce = (): void => {
      clearTimeout(timer);
      if (isTold) return;
      isTold = true;
      tell();
    };
    const timer = setTimeout(tellOnce, LAST_OUTPUT_WAIT_MS);
    output.onClosed(tellOnce);
    this.#pipes.linger(output);
  }

  #signal(pid: number | undefined, mark: string, signal: 'SIGTERM' | 'SIGKILL'): void {
    if (pid === undefined) return;
    try {
      process.kill(-pid, signal);
    } catch {
      // ESRCH: the group is gone, which is what was wanted.
    }
    signalDescendants(this.#running.has(pid) ? pid : undefined, mark, signal, hostProcessTree);
    this.#orphans.mayBe();
  }
}
