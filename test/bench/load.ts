/** Other programs that want every processor all the time. */
import { type ChildProcess, spawn } from 'node:child_process';
import { availableParallelism } from 'node:os';
import process from 'node:process';

export class Load {
  readonly #children: ChildProcess[] = [];
  readonly #onExit = () => this.stop();

  private constructor() {
    process.on('exit', this.#onExit);
  }

  /** One shell in an endless loop for each processor, at ordinary priority. */
  static start(): Load {
    const load = new Load();
    for (let each = 0; each < availableParallelism(); each += 1) {
      // Ends by itself when this process has ended in a way that leaves it no time to.
      const loop = `while kill -0 ${process.pid}; do i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done; done`;
      load.#children.push(spawn('sh', ['-c', `${loop} 2>/dev/null`], { stdio: 'ignore' }));
    }
    return load;
  }

  stop(): void {
    process.removeListener('exit', this.#onExit);
    for (const child of this.#children) child.kill('SIGKILL');
  }
}
