/** Baton's BFD on a laboratory host, without an agent around it: sessions as JSON in, changes and statuses as JSON out. */
import { argv, stdin, stdout } from 'node:process';
import { BfdSessions } from '../../agent/bfd/sessions.js';
import type { BfdSessionSettings } from '../../agent/bfd/settings.js';
import { systemClock } from '../../agent/local/clock.js';

const say = (value: unknown): void => void stdout.write(`${JSON.stringify(value)}\n`);
const sessions = new BfdSessions(
  {
    stateChanged: (session, state, diagnostic) => say({ session, state, diagnostic, at: performance.now() }),
    failed: (sentence) => say({ failed: sentence }),
  },
  systemClock,
);
const configure = (text: string): void => sessions.configure(JSON.parse(text) as readonly BfdSessionSettings[]);
configure(argv[2] ?? '[]');
setInterval(() => say({ statuses: sessions.statuses() }), 100);
stdin.setEncoding('utf8').on('data', (text: string) => {
  if (text.startsWith('stop')) {
    sessions.stop();
    // The thread says goodbye to its neighbours.
    setTimeout(() => process.exit(0), 100);
  } else configure(text);
});
