import { existsSync } from 'node:fs';
import path from 'node:path';

/** The sources' root, from the compiled test's place or from the working directory. */
export function sourceRoot(): string {
  for (let folder = import.meta.dirname; folder !== path.dirname(folder); folder = path.dirname(folder)) {
    if (existsSync(path.join(folder, 'agent/main.ts')) || existsSync(path.join(folder, 'proto/baton'))) {
      return folder;
    }
  }
  return process.cwd();
}
