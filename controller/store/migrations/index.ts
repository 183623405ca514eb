/** Every migration by its number, which is the order in which they run. A published one is never changed. */
import type { Migration } from 'kysely';
import { initial } from './001-initial.js';
import { outbox } from './002-outbox.js';

export const migrations: Readonly<Record<string, Migration>> = {
  '001-initial': initial,
  '002-outbox': outbox,
};
