/**
 * The alert tables, made by the migration "outbox". Written by record() and the notifier only. Instants are
 * milliseconds of Unix time, messages are encoded protocol buffers.
 */
import type { Selectable } from 'kysely';

/** A state change that has not been gathered into an alert yet. */
export interface AlertTransitionTable {
  /** Number of the stored event. */
  event_id: number;
  /** The subject's key (subject.ts): a router's name, or "group/" and a group's. */
  router: string;
  node: string;
  received_at: number;
  /** State of the member as known before this event; empty when nothing was known. */
  known_state: string;
  /** Since when that was so, 0 when nothing was known. */
  known_since: number;
  /** baton.v1.Event. */
  event: Uint8Array;
}

/** What may explain a state change: results of checks, lease losses, agents that start or stop. Kept for a while. */
export interface AlertEvidenceTable {
  event_id: number;
  node: string;
  received_at: number;
  /** By the node's clock. */
  happened_at: number;
  /** baton.v1.Event. */
  event: Uint8Array;
}

/** The last state that each member reported. */
export interface AlertMemberTable {
  router: string;
  node: string;
  state: string;
  since: number;
  priority: number;
}

/** One mail: one alert for one receiver. */
export interface OutboxTable {
  id: string;
  /** Mails of one alert share it. */
  alert: string;
  router: string;
  receiver: string;
  /** An AlertKind. */
  kind: string;
  /** With angle brackets; the same on every attempt. */
  message_id: string;
  /** pending, sent or failed. */
  state: OutboxState;
  created_at: number;
  attempts: number;
  next_attempt_at: number;
  /** 0: not tried yet. */
  attempted_at: number;
  /** When it was sent or given up; 0 while pending. */
  finished_at: number;
  last_error: string;
  subject: string;
  text: string;
  html: string;
  /** JSON list of the recipients that still lack it; empty text means all that the receiver has. */
  recipients_left: string;
  /** JSON list of the recipients that the server accepted. */
  accepted: string;
  /** JSON list of { recipient, reason } that were refused for good. */
  refused: string;
}

export type OutboxState = 'pending' | 'sent' | 'failed';

/** To be merged into the store's own database interface, or used with withTables. */
export interface AlertTables {
  alert_transitions: AlertTransitionTable;
  alert_evidence: AlertEvidenceTable;
  alert_members: AlertMemberTable;
  outbox: OutboxTable;
}

export type AlertTransitionRow = Selectable<AlertTransitionTable>;
export type OutboxRow = Selectable<OutboxTable>;
