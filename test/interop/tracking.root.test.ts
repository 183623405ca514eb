/**
 * Tracked interfaces, scripts and files: Baton and keepalived, from the same keepalived.conf and after the same
 * events, have the same effective priorities and states. Each row is an instance of the one file. Processes
 * cannot be compared here: the kernel tells keepalived of their beginnings and ends in the first network namespace only.
 */
import assert from 'node:assert/strict';
import { chmodSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import type { Host } from '../lab/host.js';
import { keepalivedFile, vrrpInstance } from '../lab/keepalived.js';
import { Lab, labUnavailable } from '../lab/lab.js';
import { until } from '../lab/until.js';
import { type Account, Contender, type Kind } from './contender.js';
import { SLACK_MS } from './stage.js';

const skip = labUnavailable('keepalived');
const KINDS: readonly Kind[] = ['keepalived', 'baton'];

interface Row {
  readonly title: string;
  readonly track: string;
  /** Effective priority at first, and after each event of EVENTS; "fault" for the state. */
  readonly expected: readonly (number | 'fault')[];
}

/** What happens to both hosts, in order; each undoes the one before. */
const EVENTS = ['em2 down', 'em2 up', 'script fails', 'script succeeds', 'file says 5', 'file says 0'] as const;

const rows: readonly Row[] = [
  { title: 'interface', track: 'track_interface { em2 }', expected: [100, 'fault', 100, 100, 100, 100, 100] },
  {
    title: 'interface, weight',
    track: 'track_interface { em2 weight 20 }',
    expected: [120, 100, 120, 120, 120, 120, 120],
  },
  {
    title: 'interface, negative weight',
    track: 'track_interface { em2 weight -30 }',
    expected: [100, 70, 100, 100, 100, 100, 100],
  },
  {
    title: 'interface, weight reversed',
    track: 'track_interface { em2 weight 20 reverse }',
    expected: [80, 100, 80, 80, 80, 80, 80],
  },
  { title: 'script', track: 'track_script { healthy }', expected: [100, 100, 100, 'fault', 100, 100, 100] },
  {
    title: 'script, weight',
    track: 'track_script { healthy weight 10 }',
    expected: [110, 110, 110, 100, 110, 110, 110],
  },
  {
    title: 'script, negative weight',
    track: 'track_script { healthy weight -40 }',
    expected: [100, 100, 100, 60, 100, 100, 100],
  },
  { title: 'file, weight 1', track: 'track_file { number }', expected: [100, 100, 100, 100, 100, 105, 100] },
  {
    title: 'file, weight times value',
    track: 'track_file { number weight -3 }',
    expected: [100, 100, 100, 100, 100, 85, 100],
  },
  {
    title: 'file, weight 0',
    track: 'track_file { number weight 0 }',
    expected: [100, 100, 100, 100, 100, 'fault', 100],
  },
  {
    title: 'all of them together',
    track: 'track_interface { em2 weight 20 }\n  track_script { healthy weight -40 }\n  track_file { number weight 2 }',
    expected: [120, 100, 120, 80, 120, 130, 120],
  },
];

class Seat {
  constructor(readonly host: Host) {
    writeFileSync(this.#file('script.sh'), `#!/bin/sh\ntest ! -e ${this.#file('sick')}\n`);
    chmodSync(this.#file('script.sh'), 0o755);
    writeFileSync(this.#file('number'), '0\n');
  }

  get conf(): string {
    const block = (name: string, ...lines: readonly string[]) =>
      [`${name} {`, ...lines.map((line) => `  ${line}`), '}'].join('\n');
    return keepalivedFile(
      block('vrrp_script healthy', `script ${this.#file('script.sh')}`, 'interval 0.2', 'rise 2', 'fall 2'),
      block('track_file number', `file ${this.#file('number')}`, 'weight 1'),
      ...rows.map(({ track }, index) =>
        vrrpInstance(`VI_${index + 1}`, {
          vrid: index + 1,
          priority: 100,
          interval: 0.5,
          interface: 'em1',
          addresses: [`10.9.0.${100 + index}/32`],
          more: [track],
        }),
      ),
    );
  }

  async happen(event: (typeof EVENTS)[number]): Promise<void> {
    if (event === 'em2 down' || event === 'em2 up') await this.host.ip(`link set ${event}`);
    else if (event === 'script fails') writeFileSync(this.#file('sick'), '');
    else if (event === 'script succeeds') rmSync(this.#file('sick'));
    else if (event === 'file says 5') writeFileSync(this.#file('number'), '5\n');
    else writeFileSync(this.#file('number'), '0\n');
  }

  #file(name: string): string {
    return path.join(this.host.directory, name);
  }
}

test('the same priorities and faults after the same events', { skip }, async (t) => {
  const seats: { readonly seat: Seat; readonly contender: Contender }[] = [];
  for (const kind of KINDS) {
    const lab = await Lab.open();
    t.after(() => lab.close());
    const host = await lab.host('a', { addresses: ['10.9.0.1/24'] });
    await lab.attach(host, 'em2');
    const seat = new Seat(host);
    seats.push({ seat, contender: await Contender.start(kind, host, seat.conf) });
  }
  const isAsExpected = ({ state, priority }: Account, expected: number | 'fault') =>
    expected === 'fault' ? state === 'fault' : (state === 'backup' || state === 'active') && priority === expected;

  for (const [index, event] of ['at first', ...EVENTS].entries()) {
    await t.test(event, async () => {
      const happening = EVENTS[index - 1];
      if (happening !== undefined) await Promise.all(seats.map(({ seat }) => seat.happen(happening)));
      for (const [number, { contender }] of seats.entries()) {
        const accounts = () => Promise.all(rows.map((_row, row) => contender.account(`VI_${row + 1}`)));
        await until(
          `the priorities of ${KINDS[number]}`,
          SLACK_MS,
          async () => {
            const all = await accounts();
            return rows.every(({ expected }, row) => {
              const [account, wanted] = [all[row], expected[index]];
              return account !== undefined && wanted !== undefined && isAsExpected(account, wanted);
            });
          },
          async () => {
            const all = await accounts();
            return rows.flatMap(({ title, expected }, row) => {
              const [account, wanted] = [all[row], expected[index]];
              return account !== undefined && wanted !== undefined && isAsExpected(account, wanted)
                ? []
                : [`${title}: ${JSON.stringify(account)}, expected ${wanted}`];
            });
          },
        );
      }
    });
  }
  assert.equal(seats.length, 2);
});
