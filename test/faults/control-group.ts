/** A control group (version 1) for processes of a test, under the one that the test itself is in. */
import { accessSync, constants, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

let made = 0;

/** Why this controller cannot be used, or false. */
export function noControlGroups(controller: string): string | false {
  try {
    accessSync(parentOf(controller), constants.W_OK);
    return false;
  } catch {
    return `needs a writable control group of version 1 with the controller ${controller}`;
  }
}

export class ControlGroup {
  readonly #directory: string;

  constructor(private readonly controller: string) {
    made += 1;
    this.#directory = path.join(parentOf(controller), `bt${process.pid}n${made}`);
    mkdirSync(this.#directory);
  }

  add(pid: number): void {
    this.write('cgroup.procs', String(pid));
  }

  write(file: string, text: string): void {
    writeFileSync(path.join(this.#directory, file), text);
  }

  /** Its processes go back to where the test is. */
  remove(): void {
    if (this.controller === 'freezer') this.write('freezer.state', 'THAWED');
    for (const pid of readFileSync(path.join(this.#directory, 'cgroup.procs'), 'utf8').trim().split('\n')) {
      if (pid !== '') writeFileSync(path.join(parentOf(this.controller), 'cgroup.procs'), pid);
    }
    rmdirSync(this.#directory);
  }
}

function parentOf(controller: string): string {
  const line = readFileSync('/proc/self/cgroup', 'utf8')
    .split('\n')
    .find((each) => each.split(':')[1] === controller);
  return path.join('/sys/fs/cgroup', controller, line?.split(':')[2] ?? 'none');
}
