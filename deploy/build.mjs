// Compiles the sources to dist/ and writes the three programs, dist/bin/{baton-agent,baton-controller,batonctl}.
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

process.chdir(path.dirname(path.dirname(fileURLToPath(import.meta.url))));

const PROGRAMS = {
  'baton-agent': 'agent/main.js',
  'baton-controller': 'controller/main.js',
  batonctl: 'controller/batonctl/main.js',
};

rmSync('dist', { recursive: true, force: true });
const compiled = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc'], { stdio: 'inherit' });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);

mkdirSync('dist/bin', { recursive: true });
for (const [program, entry] of Object.entries(PROGRAMS)) {
  const file = path.join('dist/bin', program);
  // A shell wrapper rather than a "#!" line for node: Node 20 refuses a module without a file extension. exec keeps the pid.
  writeFileSync(file, `#!/bin/sh\nexec node "$(dirname "$(readlink -f "$0")")/../${entry}" "$@"\n`);
  chmodSync(file, 0o755);
}
