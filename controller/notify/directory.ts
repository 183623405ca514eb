/**
 * What the notifier asks of the inventory. The answers are those of the moment: an operator who corrects a receiver
 * or a password also helps the mail that is already waiting.
 */
import type { EmailReceiver, SyncGroupSpec, VirtualRouterSpec } from '../../proto/gen/baton/v1/resources.js';

export interface MailDirectory {
  /** undefined: no such virtual router (any more). */
  virtualRouter(name: string): Promise<VirtualRouterSpec | undefined>;
  /** undefined: no such sync group (any more). */
  syncGroup(name: string): Promise<SyncGroupSpec | undefined>;
  /** The sync group that a virtual router is in; undefined: none. */
  groupOf(router: string): Promise<SyncGroupSpec | undefined>;
  /** undefined: no such receiver, or not one of e-mail. */
  emailReceiver(name: string): Promise<EmailReceiver | undefined>;
  /** Value of a Secret; undefined: no such secret. */
  secret(name: string): Promise<string | undefined>;
}
