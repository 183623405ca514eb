/** Answers what is asked over the control socket. */
import { Event } from '../../proto/gen/baton/v1/events.js';
import { CheckRun, NodeStatus, PreflightFinding } from '../../proto/gen/baton/v1/status.js';
import { checkRunOf } from '../health/check-record.js';
import { type OneRun, RunOnceError } from '../health/run-once.js';
import type { Journal } from '../journal/journal.js';
import { type ControlReply, MAX_EVENTS } from './control-protocol.js';
import type { ControlAnswer, ControlHandler } from './control-server.js';
import { explain } from './explain.js';

export interface ControlSubjects {
  status(): Promise<NodeStatus>;
  readonly journal: Journal;
  /** Reads the local configuration again. The lines say what was found; `ok` is false when all stays as it was. */
  reload(): Promise<{ readonly ok: boolean; readonly lines: readonly string[] }>;
  /** Rejects with a RunOnceError. */
  runCheck(name: string): Promise<OneRun>;
  /** Judges the host anew. */
  preflight(): Promise<readonly PreflightFinding[]>;
  /** Ends the process and leaves the addresses to the next one. */
  suspend(): void;
}

export function controlHandler(subjects: ControlSubjects): ControlHandler {
  return (request, answer) => {
    switch (request.command) {
      case 'status':
        settle(answer, async () => {
          answer.reply({ ok: true, result: NodeStatus.toJSON(await subjects.status()) });
        });
        return undefined;
      case 'explain':
        settle(answer, async () => {
          const status = await subjects.status();
          const explanation = explain(status, request.router);
          if (explanation !== undefined) {
            answer.reply({ ok: true, result: explanation });
            return;
          }
          const names = status.routers.map(({ name }) => name).join(', ');
          const present = names === '' ? 'this host runs no router' : `this host runs ${names}`;
          const message = `there is no router "${request.router}" here; ${present}`;
          answer.reply({ ok: false, code: 'not-found', message });
        });
        return undefined;
      case 'reload':
        settle(answer, async () => {
          const { ok, lines } = await subjects.reload();
          if (ok) answer.reply({ ok: true, result: { lines } });
          else answer.reply({ ok: false, code: 'refused', message: lines.join('\n') });
        });
        return undefined;
      case 'run-check':
        settle(answer, async () => {
          answer.reply(await answerRun(subjects, request.check));
        });
        return undefined;
      case 'preflight':
        settle(answer, async () => {
          const findings = await subjects.preflight();
          answer.reply({ ok: true, result: { findings: findings.map((one) => PreflightFinding.toJSON(one)) } });
        });
        return undefined;
      case 'suspend':
        subjects.suspend();
        answer.reply({ ok: true, result: {} });
        answer.done();
        return undefined;
      case 'events':
        return answerEvents(subjects.journal, request.limit, request.follow, answer);
    }
  };
}

async function answerRun(subjects: ControlSubjects, check: string): Promise<ControlReply> {
  try {
    const { outcome, state } = await subjects.runCheck(check);
    return { ok: true, result: { run: CheckRun.toJSON(checkRunOf(outcome)), state } };
  } catch (error) {
    if (!(error instanceof RunOnceError)) throw error;
    return { ok: false, code: error.code === 'not-found' ? 'not-found' : 'refused', message: error.message };
  }
}

function settle(answer: ControlAnswer, task: () => Promise<void>): void {
  task()
    .catch((error: unknown) => answer.reply({ ok: false, code: 'failed', message: String(error) }))
    .finally(() => answer.done());
}

function answerEvents(
  journal: Journal,
  limit: number,
  follow: boolean,
  answer: ControlAnswer,
): (() => void) | undefined {
  const first = journal.recent(limit);
  answer.reply({ ok: true, result: { events: first.map((event) => Event.toJSON(event)) } });
  if (!follow) {
    answer.done();
    return undefined;
  }
  let told = journal.recent(1)[0]?.sequence ?? 0;
  return journal.onEvents(() => {
    const events = journal.recent(MAX_EVENTS).filter(({ sequence }) => sequence > told);
    if (events.length === 0) return;
    told = events.at(-1)?.sequence ?? told;
    answer.reply({ ok: true, result: { events: events.map((event) => Event.toJSON(event)) } });
  });
}
