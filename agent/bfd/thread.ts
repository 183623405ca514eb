/**
 * The thread of BFD: nothing but sessions, so that neither a check nor the control stream makes a packet late. Started
 * by the worker when the first session is configured.
 */
import { randomInt } from 'node:crypto';
import process from 'node:process';
import { parentPort } from 'node:worker_threads';
import type { FromBfd, ToBfd } from './protocol.js';
import { BfdSpeaker } from './speaker.js';
import { openBfdReceiver, openBfdSender } from './udp-sockets.js';

/** How often the worker is told how the sessions are, and how soon after a change. */
const REPORT_MS = 1_000;
const CHANGED_MS = 20;
/** How often sessions that could not be started are tried again. */
const RETRY_MS = 1_000;

const random = (): number => randomInt(1, 0x1_0000_0000);
const tell = (message: FromBfd): void => parentPort?.postMessage(message);

const speaker = new BfdSpeaker(
  {
    now: () => Math.floor(Number(process.hrtime.bigint() / 1_000n)),
    random,
    openSender: (settings) => openBfdSender(settings, random),
    openReceiver: (kind, onPacket) =>
      openBfdReceiver(kind, (...packet) => {
        onPacket(...packet);
        arm();
      }),
  },
  {
    stateChanged: (session, state, diagnostic) => {
      tell({ kind: 'state', session, state, diagnostic });
      reportIn(CHANGED_MS);
    },
    failed: (sentence) => tell({ kind: 'failed', sentence }),
  },
);

let timer: NodeJS.Timeout | undefined;

function arm(): void {
  clearTimeout(timer);
  const deadline = speaker.nextDeadline();
  if (deadline === undefined) return;
  const now = Number(process.hrtime.bigint() / 1_000n);
  // Rounded down: a packet early by less than a millisecond breaks no rule, one that is late may.
  timer = setTimeout(due, Math.max(0, Math.floor((deadline - now) / 1_000)));
}

function due(): void {
  const deadline = speaker.nextDeadline();
  const now = Number(process.hrtime.bigint() / 1_000n);
  // The rest of a millisecond is not waited for by a timer, which would take two.
  if (deadline !== undefined && deadline > now) setImmediate(due);
  else {
    speaker.tick();
    arm();
  }
}

let reporter: NodeJS.Timeout | undefined;

function reportIn(delay: number): void {
  clearTimeout(reporter);
  reporter = setTimeout(() => {
    tell({ kind: 'reports', reports: speaker.reports() });
    reportIn(REPORT_MS);
  }, delay);
}

setInterval(() => {
  if (!speaker.isWaiting) return;
  speaker.retry();
  arm();
}, RETRY_MS);
reportIn(REPORT_MS);

parentPort?.on('message', (message: ToBfd) => {
  if (message.kind === 'stop') {
    speaker.stop();
    process.exit(0);
  }
  speaker.configure(message.sessions);
  arm();
});
