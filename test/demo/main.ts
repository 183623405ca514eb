/**
 * The whole product on one machine, measured: two hosts with the keepalived.conf they have, a controller that is told
 * about them, and what happens when things fail. Ends with 1 when anything was not observed as expected.
 */
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { MemberState } from '../../proto/gen/baton/v1/status.js';
import type { AgentHost } from '../lab/agent-host.js';
import { Holders } from '../lab/holders.js';
import { Probe, type ProbeReport } from '../lab/probe.js';
import { until } from '../lab/until.js';
import { VIRTUAL_ADDRESS } from './keepalived-files.js';
import { Report } from './report.js';
import { Stage } from './stage.js';

/** Active_Down_Interval of a version 2 backup of priority 100 at an interval of 1 s: 3 s + 156/256 s (RFC 3768). */
const DOWN_INTERVAL_MS = 3609.375;
const LEASE_MS = 3000;

const report = new Report();

/** Steps in order; one that fails outright is reported and the rest still run where they can. */
async function play(stage: Stage): Promise<void> {
  const { base1, base2, client } = stage;

  report.step('A controller, and two hosts that run keepalived today');
  await stage.controller.startMailServer('--tls', 'none');
  report.show(await stage.controller.init());
  await stage.controller.start();
  for (const host of [base1, base2]) report.show(await stage.join(host));

  report.step('Import their keepalived.conf and apply it');
  const resources = `${stage.lab.directory}/resources.yaml`;
  report.show(await stage.importFiles(resources));
  for (const host of [base1, base2]) host.start();
  const watched = await Holders.watch(VIRTUAL_ADDRESS, base1.host, base2.host);
  report.show(await stage.controller.batonctl('apply', '-f', resources, '--wait'));

  report.step('Election: equal priorities, so whose timer ends first becomes active, and the other stays backup');
  const inForce = Date.now();
  const probe = await Probe.start(client, VIRTUAL_ADDRESS);
  await probe.untilAnswered(10_000);
  const [first = 'nobody'] = watched.now;
  const electedMs = heldSince(watched, first) - inForce;
  report.check(
    `one host holds the address, about one down interval (${DOWN_INTERVAL_MS.toFixed(0)} ms) later`,
    `${holders(watched)}, ${electedMs.toFixed(0)} ms after the configuration was in force`,
    watched.now.length === 1 && electedMs <= DOWN_INTERVAL_MS + 500,
  );
  const one = stage.agentHost(first);
  const other = stage.otherThan(first);
  const [oneName, otherName] = [one.host.name, other.host.name];
  report.show(await settledStatus(stage, oneName));

  report.step(`The health script fails on the active host, ${oneName}: weight -1 hands the address over`);
  await probe.report();
  const broken = Date.now();
  one.breakHealth();
  await other.host.untilHolds(VIRTUAL_ADDRESS, 15_000);
  await one.host.untilHolds(VIRTUAL_ADDRESS, 5000, false);
  const handedOver = heldSince(watched, otherName) - broken;
  report.check(
    `${otherName} takes over within 3 s (two failed checks) and one down interval (${(3000 + DOWN_INTERVAL_MS).toFixed(0)} ms)`,
    `after ${handedOver.toFixed(0)} ms; ${outage(await settled(probe))}`,
    holders(watched) === otherName && handedOver <= 3000 + DOWN_INTERVAL_MS,
  );
  report.show(await one.command('explain', 'vi_1'));

  report.step('It recovers: equal priorities again, so nothing moves back');
  one.mendHealth();
  await until(`${oneName} back at priority 100`, 5000, async () => (await priorityOf(one)) === 100);
  await probe.report();
  const quiet = await settled(probe, DOWN_INTERVAL_MS + 200);
  report.check(
    `${otherName} stays active for more than a down interval`,
    `${holders(watched)} holds it; ${outage(quiet)}`,
    holders(watched) === otherName && quiet.answered > 0,
  );

  report.step(`kill -9 of the active agent, on ${otherName}`);
  const killed = Date.now();
  await other.agent.kill();
  await one.host.untilHolds(VIRTUAL_ADDRESS, 10_000);
  const takenOver = heldSince(watched, oneName) - killed;
  report.check(
    `${oneName} takes over within the down interval (${DOWN_INTERVAL_MS.toFixed(0)} ms after the last advertisement)`,
    `after ${takenOver.toFixed(0)} ms`,
    takenOver <= DOWN_INTERVAL_MS + 300,
  );
  await other.host.untilHolds(VIRTUAL_ADDRESS, 10_000, false);
  const givenUp = heldUntil(watched, otherName) - killed;
  report.check(
    `the dead host's address is removed by its kernel within the lease + 1 s (${LEASE_MS + 1000} ms)`,
    `after ${givenUp.toFixed(0)} ms; ${outage(await settled(probe))}`,
    givenUp <= LEASE_MS + 1000,
  );
  other.start();
  await until(`${otherName} to be a backup again`, 10_000, () => isBackup(other));

  report.step('The controller is stopped; the health script fails on the active host');
  await mailsReach(stage, 3);
  await stage.controller.stop();
  await probe.report();
  one.breakHealth();
  await other.host.untilHolds(VIRTUAL_ADDRESS, 15_000);
  await one.host.untilHolds(VIRTUAL_ADDRESS, 5000, false);
  report.check(
    `${otherName} takes over without a controller`,
    `${holders(watched)} holds it; ${outage(await settled(probe))}`,
    holders(watched) === otherName,
  );
  one.mendHealth();
  await stage.controller.start();
  await mailsReach(stage, 4);
  const late = stage.controller.mails.slice(3);
  report.check(
    'its events and its mail arrive when the controller is back',
    `${late.length} mail: ${late.map((mail) => mail.subject).join('; ')}`,
    late.some((mail) => mail.subject.includes(otherName)),
  );
  await bothConnected(stage);
  report.show(await stage.controller.batonctl('events', '--limit', '6'));

  report.step(`Planned stop of the active agent, on ${otherName}: the successor is there before the address goes`);
  await until(`${oneName} back at priority 100`, 5000, async () => (await priorityOf(one)) === 100);
  await probe.report();
  const ended = await other.agent.stop();
  const planned = await settled(probe);
  report.check(
    `${oneName} holds the address; a client that asks each ms misses at most 5 ms`,
    `${holders(watched)} holds it, the agent ended with ${ended}; ${outage(planned)}`,
    holders(watched) === oneName && ended === 'exit 0' && planned.answered > 0 && planned.longestOutageMs <= 5,
  );

  report.step('What the operator sees, what the hooks did, what was mailed');
  report.show(await settledStatus(stage, oneName));
  for (const host of [base1, base2]) report.say(`hooks on ${host.host.name}: ${host.hooksRun().join(' ')}`);
  await mailsReach(stage, 5);
  for (const mail of stage.controller.mails) {
    report.say('');
    report.show([`To: ${mail.envelope.to.join(', ')}`, `Subject: ${mail.subject}`, '', mail.text].join('\n'));
  }
  report.check(
    'one mail for each of the five changes of the active host, each to both people',
    `${stage.controller.mails.length} mails to ${new Set(stage.controller.mails.flatMap((mail) => mail.envelope.to)).size} people`,
    stage.controller.mails.length === 5 && stage.controller.mails.every((mail) => mail.envelope.to.length === 2),
  );
  await watched.stop();
}

async function mailsReach(stage: Stage, count: number): Promise<void> {
  await until(
    `${count} mails`,
    30_000,
    () => stage.controller.mails.length >= count,
    () => stage.controller.mails.map((mail) => mail.subject),
  );
}

/** Both agents have found the controller again. */
async function bothConnected(stage: Stage): Promise<void> {
  await until('both nodes to be connected', 30_000, async () =>
    /2 of 2 connected/.test(await stage.controller.batonctl('status')),
  );
}

/** Names of the hosts whose kernel has the address now. */
function holders(watched: Holders): string {
  return watched.now.length === 0 ? 'nobody' : watched.now.join(' and ');
}

/** When the host last got the address. */
function heldSince(watched: Holders, host: string): number {
  return watched.holdings.findLast((holding) => holding.host === host)?.fromMs ?? Number.NaN;
}

/** When the host last lost it. */
function heldUntil(watched: Holders, host: string): number {
  return watched.holdings.findLast((holding) => holding.host === host)?.untilMs ?? Number.NaN;
}

/** What the client saw since the last report, after a moment for late answers. */
async function settled(probe: Probe, forMs = 400): Promise<ProbeReport> {
  await pause(forMs);
  return probe.report();
}

function outage({ longestOutageMs, answered, sent }: ProbeReport): string {
  return `the client missed ${longestOutageMs.toFixed(0)} ms at most (${answered} of ${sent} requests answered)`;
}

/** The status screen, once it knows the named node as active. */
async function settledStatus(stage: Stage, active: string): Promise<string> {
  return until(`the status to show ${active} active`, 5000, async () => {
    const screen = await stage.controller.batonctl('status');
    return new RegExp(`${active}\\b.*active`).test(screen) ? screen : undefined;
  });
}

async function priorityOf(host: AgentHost): Promise<number | undefined> {
  return (await host.status()).routers[0]?.effectivePriority;
}

async function isBackup(host: AgentHost): Promise<boolean> {
  return (await host.status()).routers[0]?.state === MemberState.BACKUP;
}

const stage = await Stage.open();
try {
  await play(stage);
} catch (error) {
  report.miss(error);
} finally {
  await stage.close();
}
report.end();
process.exitCode = report.allObserved ? 0 : 1;
