/** Every row of the bad-input list: the decoder and the acceptor that is written from the RFCs both do what it says. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { decodeAdvertisement } from '../../agent/wire/reception.js';
import { sourceRoot } from '../docs/source-root.js';
import { badInputRows, ELSEWHERE } from './bad-inputs.js';
import { judge } from './reference/vrrp.js';
import { CLOCK_MS, expectationsOf, KEYS, settingsOf } from './targets/vrrp-packets.js';

const rows = badInputRows();

test('every row I01 to I35 is here, or in a test that is named', () => {
  for (let number = 1; number <= 35; number += 1) {
    const row = `I${String(number).padStart(2, '0')}`;
    const place = ELSEWHERE[row];
    if (place !== undefined) assert.ok(existsSync(path.join(sourceRoot(), place)), place);
    assert.ok(place !== undefined || rows.some(({ title }) => title.startsWith(`${row} `)), row);
  }
});

for (const { title, version, family, packet, outcome } of rows) {
  test(`version ${version} over IPv${family}: ${title}: ${outcome}`, () => {
    const settings = settingsOf(family, version);
    const routers = new Map(
      Object.entries(settings).map(([vrid, setting]) => [Number(vrid), expectationsOf(family, setting)]),
    );
    const reception = decodeAdvertisement(family, packet, routers);
    assert.equal(reception.ok ? 'accepted' : reception.reason, outcome);
    const { faults } = judge(family, packet, settings, KEYS, CLOCK_MS);
    assert.equal(faults.size === 0 ? 'accepted' : faults.has(outcome) ? outcome : [...faults].join(), outcome);
  });
}

test('I35 a signed packet that is sent again is a replay', () => {
  for (const [family, version] of [
    [4, 2],
    [4, 3],
    [6, 3],
  ] as const) {
    const row = rows.find(
      (one) => one.family === family && one.version === version && one.title === 'I35 a good signature',
    );
    const setting = settingsOf(family, version)[16];
    assert.ok(row !== undefined && setting !== undefined);
    const routers = new Map([[16, expectationsOf(family, setting)]]);
    assert.ok(decodeAdvertisement(family, row.packet, routers).ok);
    assert.deepEqual(
      { ...decodeAdvertisement(family, row.packet, routers), source: undefined },
      { ok: false, reason: 'auth-replay', vrid: 16, source: undefined },
    );
  }
});
