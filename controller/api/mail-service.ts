/** MailService: hands over to the notifier. */
import type { MailServiceServer } from '../../proto/gen/baton/v1/mail_service.js';
import type { Logger } from '../../proto/process/logger.js';
import type { Notifier } from '../notify/index.js';
import { CallError } from './call-error.js';
import { unary } from './unary.js';

export function mailService(notifier: Pick<Notifier, 'sendTest'>, log: Logger): MailServiceServer {
  return {
    sendTestMail: unary(log, async ({ receiver }) => {
      if (receiver === '') throw new CallError('invalid', 'receiver: the name of a Receiver is needed');
      return await notifier.sendTest(receiver);
    }),
  };
}
