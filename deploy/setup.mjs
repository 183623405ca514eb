#!/usr/bin/env node
// Prepares a fresh Debian or Ubuntu machine for "npm test" and "npm run demo": Node's version, Debian packages, npm
// packages from the lock file, the build. One line a step; what is there already is not done again. Plain JavaScript
// without dependencies, and old syntax at the top, so that a wrong Node still says so.
import { execFileSync, spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
process.chdir(root);

/** Programs that a purpose needs, and the Debian package that brings each. */
const COMPILER = { 'g++': 'g++', make: 'make', python3: 'python3' };
const NETWORK = { ip: 'iproute2', nft: 'nftables', ping: 'iputils-ping' };
const TESTING = { keepalived: 'keepalived', vtysh: 'frr', tcpdump: 'tcpdump', openssl: 'openssl' };

const purpose = process.argv[2] ?? 'test';
if (!['build', 'test', 'demo'].includes(purpose)) {
  refuse(`usage: node deploy/setup.mjs build|test|demo, not "${purpose}"`);
}
const isRoot = process.getuid?.() === 0;

checkPlatform();
const wanted = {
  ...COMPILER,
  ...(purpose !== 'build' && isRoot ? { ...NETWORK, ...(purpose === 'test' ? TESTING : {}) } : {}),
};
installDebianPackages(wanted);
installNpmPackages();
build();

function refuse(sentence) {
  process.stderr.write(`baton: ${sentence}\n`);
  process.exit(2);
}

function step(text) {
  process.stdout.write(`setup: ${text}\n`);
}

function checkPlatform() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const supported = (major === 20 && minor >= 18) || (major === 22 && minor >= 13) || major === 24;
  if (!supported) {
    refuse(
      `Node.js ${process.versions.node} is not supported: install Node.js 20 (20.18 or later), 22 (22.13 or later) or 24 and run the command again.`,
    );
  }
  if (process.platform !== 'linux') {
    refuse(
      `Baton manages Linux network interfaces and does not run on ${process.platform}: use a Debian or Ubuntu machine.`,
    );
  }
  if (purpose === 'demo' && !isRoot) {
    refuse('the demo makes network namespaces and needs root: run "sudo npm run demo".');
  }
}

function onPath(program) {
  const places = [...(process.env.PATH ?? '').split(':'), '/usr/local/sbin', '/usr/sbin', '/sbin'];
  return places.some((place) => {
    try {
      accessSync(path.join(place, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function installDebianPackages(programs) {
  const missing = Object.entries(programs).filter(([program]) => !onPath(program));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map(([, name]) => name))];
  if (!onPath('apt-get')) {
    refuse(
      `apt-get is not here, so this machine cannot be set up by itself: install ${packages.join(', ')} and run the command again.`,
    );
  }
  if (!isRoot) {
    refuse(
      `installing Debian packages needs root: run "sudo apt-get install ${packages.join(' ')}" and then the command again.`,
    );
  }
  step(`installing Debian packages: ${packages.join(' ')}`);
  const options = { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }, encoding: 'utf8' };
  spawnSync('apt-get', ['update', '-q'], options);
  const result = withoutServices(() =>
    spawnSync('apt-get', ['install', '-y', '-q', '--no-install-recommends', ...packages], options),
  );
  if (result.status !== 0) {
    process.stderr.write(`${result.stdout}${result.stderr}`);
    refuse(`apt-get could not install ${packages.join(' ')}; its output is above.`);
  }
}

/** keepalived and FRR are wanted as programs: policy-rc.d(8) keeps their packages from starting services of this machine. */
function withoutServices(install) {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return install();
  writeFileSync(policy, '#!/bin/sh\nexit 101\n', { mode: 0o755 });
  try {
    return install();
  } finally {
    rmSync(policy);
  }
}

function installNpmPackages() {
  const lock = readFileSync('package-lock.json', 'utf8');
  const stamp = `${process.versions.modules} ${lock}`;
  const stampFile = 'node_modules/.baton-setup';
  if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) return;
  step('installing npm packages from the lock file (compiles two native modules; some minutes on a small machine)');
  const environment = { ...process.env };
  const headers = [path.dirname(path.dirname(process.execPath)), '/usr'].find((prefix) =>
    existsSync(path.join(prefix, 'include/node/node.h')),
  );
  // node-gyp would download the headers; they are here already.
  if (headers !== undefined) environment.npm_config_nodedir = headers;
  const result = spawnSync('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    env: environment,
    encoding: 'utf8',
  });
  if (result.status !== 0) {
    process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
    refuse('npm could not install the packages of package-lock.json; its output is above.');
  }
  writeFileSync(stampFile, stamp);
}

function build() {
  step('building');
  try {
    execFileSync(process.execPath, ['deploy/build.mjs'], { stdio: 'inherit' });
  } catch {
    refuse('the build failed; the compiler says above where.');
  }
}
