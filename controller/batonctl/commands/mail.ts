/** `batonctl mail`: whether a receiver works. */
import { Command } from 'commander';
import { messageToPlain } from '../../../proto/manifest/index.js';
import { singleLine } from '../../../proto/rules/printable-text.js';
import { Failure } from '../failure.js';
import { action, addCommonOptions, type Invocation } from '../invocation.js';
import { printLines, printPlain } from '../output.js';
import type { Surroundings } from '../surroundings.js';

/** A mail server is slower than a controller: connecting and each reply have up to 30 s by default. */
const MAIL_TIMEOUT_MS = 120_000;

export function mailCommand(surroundings: Surroundings): Command {
  const test = new Command('test')
    .description('send one mail through a receiver now and show what the mail server said')
    .argument('<receiver>', 'name of a Receiver');
  return new Command('mail')
    .description('try the mail path')
    .addCommand(addCommonOptions(test, { format: true }).action(action(surroundings, testMail)));
}

async function testMail(invocation: Invocation, _options: object, receiver: string): Promise<void> {
  const { session, format, surroundings } = invocation;
  const timeout = invocation.isTimeoutGiven ? invocation.timeoutMs : MAIL_TIMEOUT_MS;
  const answer = await session.call(
    `send a test mail through "${singleLine(receiver, 80)}"`,
    ({ mail }) => mail.sendTestMail.bind(mail),
    { receiver },
    timeout,
  );
  if (format !== 'table') {
    printPlain(surroundings.stdout, messageToPlain('baton.v1.SendTestMailResponse', answer), format);
  } else {
    const facts: [string, string][] = [
      ['accepted for', answer.accepted.length === 0 ? 'nobody' : answer.accepted.join(', ')],
      ...answer.rejected.map((rejected): [string, string] => ['rejected', rejected]),
      ['answer', answer.response],
      ['protection', answer.security === 'none' ? 'none: it went in clear' : answer.security],
      ['message ID', answer.messageId],
    ];
    printLines(
      surroundings.stdout,
      facts.map(([name, value]) => `${name.padEnd(14)}${singleLine(value)}`),
    );
  }
  if (answer.rejected.length > 0) {
    throw new Failure(
      1,
      `${answer.rejected.length} of the recipients of "${singleLine(receiver, 80)}" will not get mail`,
    );
  }
}
