/**
 * E-mail on state changes. The event store calls record() inside its transaction; the notifier gathers what it
 * recorded into alerts, one for one failover, and delivers them from a durable outbox.
 */
export type { MailDirectory } from './directory.js';
export { type Clock, createNotifier, type Notifier, type NotifierOptions, SendTestError } from './notifier.js';
export { record } from './record.js';
export type { AlertTables } from './tables.js';
