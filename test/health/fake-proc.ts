/** Processes that a test makes up. */
import type { ProcFiles } from '../../agent/health/process-match.js';

interface FakeProcess {
  readonly comm: string;
  readonly commandLine: readonly string[];
  readonly state: string;
}

export class FakeProc implements ProcFiles {
  lists = 0;
  readonly #processes = new Map<number, FakeProcess>();

  add(id: number, comm: string, commandLine: readonly string[] = [comm], state = 'S'): void {
    this.#processes.set(id, { comm, commandLine, state });
  }

  remove(id: number): void {
    this.#processes.delete(id);
  }

  list(): readonly number[] {
    this.lists += 1;
    return [...this.#processes.keys()];
  }

  stat(id: number): ReturnType<ProcFiles['stat']> {
    const found = this.#processes.get(id);
    return found === undefined ? undefined : { comm: found.comm, state: found.state, parent: 1 };
  }

  commandLine(id: number): readonly string[] | undefined {
    return this.#processes.get(id)?.commandLine;
  }
}
