/**
 * The reader against the installed keepalived: what it understood of a file (its own dump), and the lines that it
 * complains about. Runs it in a network namespace of its own that ends with the process.
 */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { findProgram, type KeepalivedConfig, nodeEdges, readKeepalived } from '../../proto/keepalived/index.js';

const keepalived = findProgram('keepalived');
const skip =
  process.getuid?.() !== 0 ? 'needs root' : keepalived === undefined ? 'keepalived is not installed' : noNamespace();

function noNamespace(): string | false {
  return spawnSync('unshare', ['-n', 'true']).status === 0 ? false : 'needs network namespaces';
}

const directory = mkdtempSync(join(tmpdir(), 'baton-keepalived-'));
after(() => rmSync(directory, { recursive: true }));

const PREPARE = `ip link set lo up
ip link add em1 type veth peer name em2
ip link set em1 up
ip link set em2 up
ip address add 192.0.2.200/24 dev em1`;

const PATIENCE_MS = 20_000;

/** Runs keepalived on a text until it has dumped its configuration or ended; gives its log lines without time. */
async function run(
  name: string,
  text: string,
  options: readonly string[],
): Promise<{ file: string; lines: readonly string[] }> {
  const file = join(directory, `${name}.conf`);
  writeFileSync(file, text);
  const pids = ['-p', join(directory, `${name}.pid`), '-r', join(directory, `${name}-vrrp.pid`)];
  const command = [keepalived ?? '', '-P', '-n', '-l', '-G', ...pids, '-f', file, ...options];
  const child = spawn('unshare', ['-n', 'sh', '-c', `${PREPARE}\nexec "$@"`, 'sh', ...command], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const closed = new Promise<void>((resolve) => {
    child.on('close', () => resolve());
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk;
      if (output.includes('------< Interfaces >------')) child.kill('SIGTERM');
    });
  }
  // A keepalived that does not end by itself must not keep the tests from ending.
  const watchdog = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  await closed;
  clearTimeout(watchdog);
  return { file, lines: output.split('\n').map((line) => line.replace(/^\w{3} \w{3} [ \d]\d [\d:]{8} \d{4}: /u, '')) };
}

/** Every oddity here is accepted by keepalived, some of them with a complaint. */
const ACCEPTED = `! comment
global_defs { # after a brace
  router_id "a#b!c" ! after a value
  vrrp_garp_master_delay 7
  vrrp_garp_lower_prio_repeat 3
}
vrrp_script echo { script "/usr/bin/echo \\"x y\\" 'b c' \\x41 d\\te" user
}
vrrp_script unquoted {
  script /usr/bin/echo x y
}
vrrp_script single
{
  script '/usr/bin/echo a b' c
  interval 3
  timeout 2
  weight -7
  rise 2
  fall 4
}
vrrp_script signs { script "/usr/bin/echo a ! b # c { d } e" ! comment "
}
vrrp_script joined {
  script "/usr/bin/echo "foo" bar"
}
vrrp_script quotes { script "/usr/bin/echo 'a'b'c d' \\"'\\" " }
vrrp_script tight{script /usr/bin/echo}vrrp_script shell {
  script "</dev/null"
}
vrrp_script dollars { script "/usr/bin/echo $FOO $1" }
vrrp_script turned { script /usr/bin/echo
  weight 6 reverse
}
vrrp_script turned2 { script /usr/bin/echo
  weight 6 reverse
}
vrrp_script first { script "/usr/bin/echo one" }
vrrp_script first { script "/usr/bin/echo two" }
vrrp_instance A1
{
  interface em1
  virtual_router_id 1
  state MASTER
  nopreempt
  preempt_delay 5
  virtual_ipaddress { 198.51.100.1/24 dev em2 label em2:x
    198.51.100.2 brd 198.51.100.255 }
  virtual_ipaddress {
    198.51.100.3/25 brd +
  } track_script { echo
    single
    shell
    absent
  }
  track_interface { em1 weight 3
    em2 weight 2 reverse
  }
  notify_master "/usr/bin/true a 'b c'"
  notify_backup /usr/bin/true
  notify_backup /usr/bin/false
  notify_stop '/usr/bin/true s'
  notify "/usr/bin/true x" root
}
vrrp_instance A2 { interface em1
  virtual_router_id 2
  priority 120
  state MASTER
  nopreempt
  advert_int 1.5
  garp_master_delay 9
  garp_master_repeat 0
  virtual_ipaddress { 198.51.100.4 }
  track_interface { em2 weight -9 }
  track_script { echo
    unquoted weight 3
    single
    signs weight -254
    joined weight 5 reverse
    turned weight 4
    turned2 weight x
    quotes weight 2 noreverse
    tight weight 255
    shell
    dollars
    first
    first
    absent
  }
}
vrrp_instance A3 {
  interface em1
  virtual_router_id 3
  priority 255
  state BACKUP
  nopreempt
  virtual_ipaddress { 198.51.100.5 }
}
vrrp_instance A4 {
  interface em1
  virtual_router_id 4
  priority 256
  nopreempt
  preempt_delay 3
  advert_int 300
  virtual_ipaddress { 198.51.100.6/33 }
  authentication {
    auth_type PASS
    auth_pass t9rveMP0Z9S1
  }
}
vrrp_instance A5 {
  interface em1
  virtual_router_id 5
  priority 010
  version 3
  version 2
  advert_int 0.123
  virtual_ipaddress { 198.51.100.7 }
  authentication {
    auth_type PASS
    auth_pass abc
  }
}
vrrp_instance A6 {
  interface em1
  virtual_router_id 29
  virtual_router_id 6
  version 3
  advert_int 50
  priority 5
  priority 6
  nopreempt
  preempt
  preempt_delay 1.5
  virtual_ipaddress { 198.51.100.8 198.51.100.9
    not.an.address
  }
  garp_lower_prio_repeat 0
  garp_lower_prio_delay 2
}
vrrp_instance A7 {
  interface em1
  virtual_router_id 7
  state nonsense
  priority 1e2
  advert_int 1s
  virtual_ipaddress { 198.51.100.10 }
  authentication {
    auth_type pass
    auth_pass "a b"
  }
}
vrrp_instance A8 {
  interface em1
  virtual_router_id 8
  virtual_ipaddress { 198.51.100.11 }
  authentication {
    auth_type PASS
    auth_pass "a b" # c
  }
  advert_int 0.3
}
vrrp_instance A8 {
  interface em1
  virtual_router_id 9
  virtual_ipaddress { 198.51.100.12 }
}
`;

/** What both say of one instance, in words. */
type Facts = Record<string, string | readonly string[]>;

function dumpedInstances(lines: readonly string[]): Map<string, Facts> {
  const found = new Map<string, Facts>();
  let facts: Record<string, string | string[]> = {};
  let list: string[] | undefined;
  for (const line of lines) {
    if (line.startsWith('------< VRRP Scripts')) break;
    const start = /^ VRRP Instance = (.*)$/u.exec(line)?.[1];
    if (start !== undefined) {
      facts = {};
      found.set(start, facts);
    }
    const title = /^ {3}(Virtual IP|Tracked scripts|Tracked interfaces) .*:$/u.exec(line)?.[1];
    const pair = /^ {3}([^ ].*?) = (.*)$/u.exec(line);
    if (title !== undefined) {
      list = [];
      facts[title] = list;
    } else if (/^ {5}\S/u.test(line) && list !== undefined) {
      list.push(line.trim());
    } else if (pair !== null) {
      list = undefined;
      facts[pair[1] ?? ''] = (pair[2] ?? '').replace(/, uid:gid.*$/u, '');
    }
  }
  return found;
}

function dumpedScripts(lines: readonly string[]): Map<string, Facts> {
  const found = new Map<string, Facts>();
  let facts: Record<string, string> = {};
  for (const line of lines) {
    const start = /^ VRRP Script = (.*)$/u.exec(line)?.[1];
    const pair = /^ {3}([^ ].*?) = (.*)$/u.exec(line);
    if (start !== undefined) {
      facts = {};
      if (!found.has(start)) found.set(start, facts);
    } else if (pair !== null) facts[pair[1] ?? ''] = pair[2] ?? '';
  }
  return found;
}

type Instance = KeepalivedConfig['instances'][number];

const seconds = (micros: number): string => String(micros / 1_000_000);
const commandText = (words: readonly string[] | undefined): string | undefined =>
  words?.map((word) => `'${word}'`).join(' ');

function readFacts(instance: Instance): Facts {
  const { garp, hooks } = instance;
  const all: Record<string, string | readonly string[] | undefined> = {
    'VRRP Version': String(instance.version),
    Interface: instance.interface,
    'Virtual Router ID': String(instance.vrid),
    Priority: String(instance.priority),
    'Advert interval':
      instance.version === 2
        ? `${seconds(instance.advertisementInterval)} sec`
        : `${instance.advertisementInterval / 1_000} milli-sec`,
    Preempt: instance.preempt ? 'enabled' : 'disabled',
    'Preempt delay': instance.preemptDelay === 0 ? undefined : `${seconds(instance.preemptDelay)} secs`,
    Password: instance.password,
    'Gratuitous ARP delay': seconds(garp.masterDelay),
    'Gratuitous ARP repeat': String(garp.masterRepeat),
    'Gratuitous ARP lower priority delay': seconds(garp.lowerPriorityDelay),
    'Gratuitous ARP lower priority repeat': String(garp.lowerPriorityRepeat),
    'Master state transition script': commandText(hooks.master?.words),
    'Backup state transition script': commandText(hooks.backup?.words),
    'Stop state transition script': commandText(hooks.stop?.words),
    'Generic state transition script': commandText(hooks.any?.words),
    'Virtual IP': instance.addresses.map(({ address, prefixLength, device, label, broadcast }) => {
      const brd = broadcast === '+' ? '198.51.100.127' : broadcast;
      return [
        `${address}${prefixLength === 32 ? '' : `/${prefixLength}`}`,
        ...(brd === undefined ? [] : [`brd ${brd}`]),
        `dev ${device ?? instance.interface} scope global`,
        ...(label === undefined ? [] : [`label ${label}`]),
      ].join(' ');
    }),
    'Tracked scripts': tracksText(instance.trackScripts),
    'Tracked interfaces': tracksText(instance.trackInterfaces),
  };
  return Object.fromEntries(
    Object.entries(all).filter((entry): entry is [string, string | readonly string[]] => entry[1] !== undefined),
  );
}

function tracksText(entries: Instance['trackScripts']): readonly string[] | undefined {
  if (entries.length === 0) return undefined;
  return entries.map(({ name, weight, reverse }) => `${name} weight ${weight}${reverse ? ' reverse' : ''}`);
}

test('keepalived and the reader understand the same of a file full of oddities', { skip }, async () => {
  const { file, lines } = await run('accepted', ACCEPTED, ['-d']);
  const { config } = readKeepalived(file, nodeEdges);
  assert.ok(lines.includes(` Router ID = ${config.global.routerId?.value}`), lines.join('\n'));
  const dumped = dumpedInstances(lines);
  assert.deepEqual(
    [...dumped.keys()],
    config.instances.map(({ name }) => name),
    lines.join('\n'),
  );
  for (const instance of config.instances) {
    const mine = readFacts(instance);
    const theirs = dumped.get(instance.name) ?? {};
    const compared = Object.fromEntries(
      [...new Set([...Object.keys(mine), ...COMPARED])].map((key) => [key, theirs[key]]),
    );
    assert.deepEqual(
      mine,
      Object.fromEntries(Object.entries(compared).filter(([, value]) => value !== undefined)),
      instance.name,
    );
  }
  const scripts = dumpedScripts(lines);
  for (const script of config.scripts) {
    const theirs = scripts.get(script.name);
    const command = script.command.words[1] === '-c' ? script.command.words[2] : commandText(script.command.words);
    assert.equal(command, theirs?.['Command'], script.name);
    assert.equal(`${seconds(script.interval)} sec`, theirs?.['Interval'], script.name);
    assert.equal(`${script.weight}${script.reverse ? ' reverse' : ''}`, theirs?.['Weight'], script.name);
    assert.deepEqual([String(script.rise), String(script.fall)], [theirs?.['Rise'], theirs?.['Fall']], script.name);
  }
  assert.equal(config.scripts.length, 12);
});

/** Facts whose absence counts as well. */
const COMPARED = [
  'Preempt delay',
  'Password',
  'Tracked scripts',
  'Tracked interfaces',
  'Fault state transition script',
];

test('every line that keepalived complains about has a remark of the reader', { skip }, async () => {
  const { file, lines } = await run('complaints', ACCEPTED + COMPLAINED, ['-t']);
  const { remarks } = readKeepalived(file, nodeEdges);
  const told = new Set(remarks.map((remark) => remark.line));
  const complaints = lines.flatMap((line) => {
    const number = /^\(\S+: Line (\d+)\) /u.exec(line)?.[1];
    return number === undefined ? [] : [{ line, number: Number(number) }];
  });
  assert.ok(complaints.length >= 25, lines.join('\n'));
  const missed = complaints.filter(({ number }) => !told.has(number)).map(({ line }) => line);
  assert.deepEqual(missed, []);
});

/** Every line is a word that keepalived does not know, so that its complaints tell what it made of the text. */
const EXPANDED = `$A=x
$P=\\
 pre1 \\
# comment \\
 pre2
$P
foo\${_HASH}bar
"quo\${_HASH}ted" z
$Q= one \\
  two $A \\
  three
$Q
pref $Q
$Q,
$A,x
$A)x
$A.x
\${A}.y
\${_RANDOM 5 5}
\${_INSTANCE}
$_PWD
@me
@me     spaced $A
@^me not
@^you yes
$E=
\${E}empty
$E
$B =assigned
z$A
~LST(V, a, b ) l\${V}
~LST({V,W}, {a,b},{c}) m\${V}-\${W}.
~SEQ(I, 3, 1) o$I
~SEQ(I, -2) p$I
~SEQ(I,0) q$I
~SEQ(I,1,0,3) r$I
~SEQ(I,1,2,1) s$I
~SEQ(I,a,b) t$I
~SEQx(I, 0x1e, 0x20) v$I
~SEQ(I,010,011) y$I
~SEQ(I,2)z$I
~SEQ(I,2) ~LST(J,a,b) w\${I}\${J}
~OTHER(x) y
$IF=@me
$IF cond
$R= \\
r1 \\
$A \\
@me r2 \\
@you r3 \\
$A=new \\
$A
$R
~SEQ(I,2) $R
`;

test('keepalived and the preprocessor make the same lines of a text', { skip }, async () => {
  const { file, lines } = await run('expanded', EXPANDED, ['-t', '-i', 'me']);
  const theirs = lines.flatMap((line) => {
    // The process that reads the files first counts lines without naming the only file.
    const [, word] = /^\(Line \d+\) Unknown keyword '(.*)'$/u.exec(line) ?? [];
    return word === undefined ? [] : [word];
  });
  const { remarks } = readKeepalived(file, nodeEdges, { configId: 'me' });
  const mine = remarks.flatMap(({ message }) => {
    const [, word] = /^unknown keyword: '(.*?)' is ignored/u.exec(message) ?? [];
    return word === undefined ? [] : [word];
  });
  assert.ok(theirs.length > 40, lines.join('\n'));
  // Which of equal remarks are made once differs.
  assert.deepEqual([...new Set(mine)], [...new Set(theirs)]);
});

const COMPLAINED = `track_group TG {
  group { NOBODY }
}
static_ipaddress {
  192.0.2.77/24 track_group NONE dev em1
  192.0.2.78/24 brd
  2001:db8::1/64 label em1:x dev em1
}
static_routes {
  203.0.113.0/24 via 192.0.2.1 dev em1 nonsense
  203.0.114.0/24 via 2001:db8::1 dev em1
  203.0.115.0/24 gw 192.0.2.1 dev em1
  via 192.0.2.1
}
static_rules {
  from 192.0.2.0/24
  from 192.0.2.0/24 table 7
  from nonsense table 7 preference 9
}
track_file tf {
  file /tmp
  weight 300
}
vrrp_track_process tp {
  process x
  quorum 70000
  delay 0
  param_match all
}
vrrp_sync_group SG {
  group { NOBODY }
}
global_defs {
  vrrp_version 4
  vrrp_garp_master_repeat x
  no_such_keyword 3
  smtp_alert maybe
}
vrrp_script broken {
  script "/usr/bin/true"
  rise 0
  fall x
  weight 300
  interval x
}
vrrp_instance B1 {
  interface em1
  virtual_router_id 101
  priority -1
  preempt_delay 1001
  no_such_keyword
  virtual_ipaddress {
    198.51.100.20 no_such_option
    198.51.100.21 label morethanfifteencharacters
    198.51.100.22 brd
    198.51.100.999
  }
  unicast_peer {
    192.0.2.1
    nonsense
    2001:db8::1
  }
  auth_pass abc
  smtp_alert maybe
  down_timer_adverts 101
  garp_extra_if x
  mcast_dst_ip 192.0.2.1
  virtual_routes {
    198.51.100.0/24 metric x dev em1
  }
  virtual_rules {
    to 198.51.100.0/24 blackhole table 7 preference 8
  }
}
`;
