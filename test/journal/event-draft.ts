/** Events for tests. */
import type { EventDraft } from '../../agent/journal/journal.js';
import { EventSeverity } from '../../proto/gen/baton/v1/events.js';
import { MemberState } from '../../proto/gen/baton/v1/status.js';

export function info(message: string): EventDraft {
  return draft(message, EventSeverity.INFO, { $case: 'agentLifecycle', value: { phase: 'started' } });
}

export function warning(message: string): EventDraft {
  return draft(message, EventSeverity.WARNING, {
    $case: 'protocolNotice',
    value: { kind: 'interval-mismatch', source: '' },
  });
}

export function transition(message: string): EventDraft {
  return draft(message, EventSeverity.INFO, {
    $case: 'transition',
    value: {
      from: MemberState.BACKUP,
      to: MemberState.ACTIVE,
      cause: 'active-down',
      effectivePriority: 100,
      peer: '',
      vrid: 1,
    },
  });
}

function draft(message: string, severity: EventSeverity, detail: EventDraft['detail']): EventDraft {
  return { node: '', time: new Date(1_700_000_000_000), monotonicUs: 1, severity, router: 'pg', message, detail };
}
