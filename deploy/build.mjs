// Compiles the sources to OUT (dist/) and bundles the three programs, OUT/bin/{baton-agent,baton-controller,batonctl}: a
// program that reads a few files instead of hundreds starts sooner and needs less memory. The tests use the modules as
// they are, and the programs as they are shipped.
//
//   node deploy/build.mjs [OUT]
import { spawnSync } from 'node:child_process';
import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const out = path.resolve(process.argv[2] ?? path.join(root, 'dist'));
process.chdir(root);

/** What is started, as a program or as a thread, and the module that it is. */
const ENTRIES = {
  'baton-agent': 'agent/main.js',
  'baton-agent-worker': 'agent/worker.js',
  'baton-agent-bfd': 'agent/bfd/thread.js',
  'baton-controller': 'controller/main.js',
  batonctl: 'controller/batonctl/main.js',
};
/**
 * The programs. The agent's environment: two arenas of malloc(3) are enough for two threads. Its options: V8 collects
 * garbage on the thread that wants room, alone. With helpers, the elections, which have a better priority, would wait for
 * threads of ordinary priority, which on a busy machine wait for their turn.
 */
const PROGRAMS = {
  'baton-agent': { environment: 'export MALLOC_ARENA_MAX=2\n', options: '--single-threaded-gc ' },
  'baton-controller': { environment: '', options: '' },
  batonctl: { environment: '', options: '' },
};
/** Native modules, and those that find files of theirs beside themselves. */
const NOT_BUNDLED = ['better-sqlite3', 'koffi', 'raw-socket'];
/** CommonJS modules in a bundle of ES modules ask for Node's own modules by require(). */
const REQUIRE =
  "import { createRequire as $createRequire } from 'node:module'; const require = $createRequire(import.meta.url);";

rmSync(out, { recursive: true, force: true });
const compiled = spawnSync(process.execPath, ['node_modules/typescript/bin/tsc', '--outDir', out], {
  stdio: 'inherit',
});
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
await bundle();
writePrograms();

async function bundle() {
  const { build } = await import('esbuild');
  const entryPoints = Object.fromEntries(Object.entries(ENTRIES).map(([name, file]) => [name, path.join(out, file)]));
  await build({
    entryPoints,
    outdir: path.join(out, 'bundle'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.18',
    external: NOT_BUNDLED,
    nodePaths: [path.join(root, 'node_modules')],
    // The text of a program stays in memory as long as it runs. Names are kept, and NODE_OPTIONS=--enable-source-maps gives
    // a stack trace the lines of the sources.
    minifyWhitespace: true,
    sourcemap: 'linked',
    sourcesContent: false,
    legalComments: 'none',
    banner: { js: REQUIRE },
    plugins: [threads(entryPoints)],
    logLevel: 'warning',
  });
}

/** A module that starts another names it by where it lies beside it: in the bundle, that is one of the entries. */
function threads(entryPoints) {
  const names = new Map(Object.entries(entryPoints).map(([name, file]) => [file, name]));
  return {
    name: 'threads',
    setup: ({ onLoad }) => {
      onLoad({ filter: /\/(agent|controller|proto)\/.*\.js$/ }, ({ path: file }) => {
        if (!file.startsWith(`${out}/`)) return undefined;
        const contents = readFileSync(file, 'utf8').replaceAll(
          /new URL\('(\.[^']+)', import\.meta\.url\)/g,
          (_whole, relative) => {
            const name = names.get(path.resolve(path.dirname(file), relative));
            if (name === undefined) throw new Error(`${file} starts ${relative}, which is not an entry of the bundle`);
            return `new URL('./${name}.js', import.meta.url)`;
          },
        );
        return { contents, loader: 'js' };
      });
    },
  };
}

function writePrograms() {
  mkdirSync(path.join(out, 'bin'), { recursive: true });
  for (const [program, { environment, options }] of Object.entries(PROGRAMS)) {
    const file = path.join(out, 'bin', program);
    // A shell wrapper rather than a "#!" line for node: Node 20 refuses a module without a file extension. exec keeps the pid.
    writeFileSync(
      file,
      `#!/bin/sh\n${environment}exec node ${options}"$(dirname "$(readlink -f "$0")")/../bundle/${program}.js" "$@"\n`,
    );
    chmodSync(file, 0o755);
  }
}
