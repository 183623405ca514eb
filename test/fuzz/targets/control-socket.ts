/** What local users send to the agent's control socket, and what the agent's commands get back. */
import { mkdtempSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { RunOnceError } from '../../../agent/health/run-once.js';
import { Journal, type JournalStorage } from '../../../agent/journal/journal.js';
import { controlHandler } from '../../../agent/local/control-handler.js';
import {
  type ControlRequest,
  MAX_EVENTS,
  type ParsedRequest,
  parseReply,
  parseRequest,
} from '../../../agent/local/control-protocol.js';
import { type ControlHandler, ControlServer } from '../../../agent/local/control-server.js';
import { CheckResult, PreflightFinding } from '../../../proto/gen/baton/v1/status.js';
import { info } from '../../journal/event-draft.js';
import { ManualClock } from '../../local/manual-clock.js';
import { sampleStatus } from '../../local/sample-status.js';
import { Finding, must, mustEqual, type Target, TEXT_BUDGET } from '../target.js';

const textOf = (input: Uint8Array) => Buffer.from(input).toString('utf8');
const bytesOf = (text: string) => new Uint8Array(Buffer.from(text));

const REQUESTS = [
  '{"command":"status"}',
  '{"command":"explain","router":"pg"}',
  '{"command": "explain","router":"pg"}',
  '{"command":"explain","router":"nobody"}',
  '{"command":"explain","router":""}',
  '{"command":"explain"}',
  '{"command":"reload"}',
  '{"command":"preflight"}',
  '{"command":"suspend"}',
  '{"command":"run-check","check":"alive"}',
  '{"command":"run-check","check":"nothing"}',
  '{"command":"run-check","check":"broken"}',
  '{"command":"run-check","check":"busy"}',
  ' {"command":"reload"}',
  '{"command": "explain","router":"nobody"}',
  '{"command":"run-check","check":7}',
  '{"command":"events","limit":1}',
  '{"command":"events"}',
  '{"command":"events","limit":500,"follow":true}',
  '{"command":"events","limit":501}',
  '{"command":"events","limit":-1}',
  '{"command":"events","limit":1.5}',
  '{"command":"events","follow":"yes"}',
  '{"command":"nonsense"}',
  '[]',
  'null',
  '7',
  '{',
];
const WORDS = [
  '"command":',
  '"limit":',
  '"follow":true',
  '{"command":"events",',
  '\n',
  '\r\n',
  '1e3',
  '0.5',
  '-1',
  '\u2028',
  '{"__proto__":{}}',
];

/** As docs and the protocol's types have it: which requests there are, and of what their fields must be. */
function isRequest(line: string): boolean {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return false;
  }
  if (Object.prototype.toString.call(value) !== '[object Object]') return false;
  const request = value as Record<string, unknown>;
  const isName = (field: string) => typeof request[field] === 'string' && request[field] !== '';
  if (request['command'] === 'explain') return isName('router');
  if (request['command'] === 'run-check') return isName('check');
  if (request['command'] !== 'events') {
    return ['status', 'reload', 'preflight', 'suspend'].some((one) => one === request['command']);
  }
  const limits = Array.from({ length: MAX_EVENTS + 1 }, (_, i) => i);
  const isLimit = request['limit'] === undefined || limits.includes(request['limit'] as number);
  return isLimit && [undefined, true, false].some((one) => one === request['follow']);
}

/** @param isBusy whether it has routers, and reloads well */
async function subjects(isBusy = true): Promise<Parameters<typeof controlHandler>[0]> {
  const none = async () => undefined;
  const disk: JournalStorage = {
    read: none,
    setAside: async () => '',
    append: none,
    replace: none,
    reserved: async () => 0,
    reserve: none,
  };
  const quiet = () => undefined;
  const journal = await Journal.open(disk, {
    limit: 10,
    isHistory: true,
    clock: new ManualClock(),
    newId: () => 'id',
    listener: { lostDisk: quiet, regainedDisk: quiet, damaged: quiet, dropping: quiet },
  });
  journal.add(info('one'));
  journal.add(info('two'));
  await journal.flush();
  return {
    status: async () => sampleStatus({}, isBusy ? {} : { routers: [] }),
    journal,
    reload: async () => ({ ok: isBusy, lines: ['file:3: error: no'] }),
    runCheck: async (name) => {
      if (name === 'broken') throw new Error('it broke');
      if (name === 'busy') throw new RunOnceError('busy', 'it runs already');
      if (name !== 'alive') throw new RunOnceError('not-found', `there is no check "${name}" here`);
      const outcome = {
        result: CheckResult.FAILED,
        exitCode: 3,
        output: 'no',
        reason: '',
        startedWallMs: 0,
        duration: 5,
      };
      return { outcome, state: 'down' };
    },
    preflight: async () => [PreflightFinding.fromPartial({ subject: 'em1', message: 'is down' })],
    suspend: quiet,
  };
}

export type ParseRequest = (line: string) => ParsedRequest;

/** One line. */
export function controlRequestTarget(parse: ParseRequest = parseRequest): Target {
  /** Of a host without routers, and of one with. */
  const hosts: { readonly handle: ControlHandler; readonly news: () => void }[] = [];
  /** The answer's replies until it is done, or for requests that go on, until the first and one piece of news. */
  const answer = async (request: ControlRequest, isBusy: boolean): Promise<readonly string[]> => {
    for (const busy of hosts.length === 0 ? [false, true] : []) {
      const all = await subjects(busy);
      hosts.push({ handle: controlHandler(all), news: () => void all.journal.add(info('news')) });
    }
    const host = hosts[isBusy ? 1 : 0];
    if (host === undefined) throw new Error('there are two hosts');
    const { handle, news } = host;
    const replies: string[] = [];
    let dones = 0;
    const follows = request.command === 'events' && request.follow;
    await new Promise<void>((resolve) => {
      const stop = handle(request, {
        reply: (reply) => {
          replies.push(JSON.stringify(reply));
          if (follows && replies.length === 2) setImmediate(resolve);
        },
        done: () => {
          dones += 1;
          setImmediate(resolve);
        },
      });
      if (follows) news();
      mustEqual(stop !== undefined, follows, 'only what follows has an end');
      if (stop !== undefined) setImmediate(() => setImmediate(stop));
    });
    mustEqual(dones, follows ? 0 : 1, 'a request is done once');
    return replies;
  };
  return {
    name: 'control-request',
    what: 'requests over the control socket, and the answers to them',
    files: ['agent/local/control-protocol.ts', 'agent/local/control-handler.ts'],
    group: 'decoders',
    seeds: REQUESTS.map(bytesOf),
    dictionary: WORDS.map(bytesOf),
    repairs: [],
    maxLength: 300,
    isText: true,
    budget: TEXT_BUDGET,
    read: (input) => parse(textOf(input)),
    run: async (input) => {
      const line = textOf(input);
      const parsed = parse(line);
      mustEqual(parsed.ok, isRequest(line), 'accept-set');
      if (!parsed.ok) {
        must(parsed.message.length > 5 && parsed.message.length < 200, 'a message in words', () => parsed.message);
        return parsed.message;
      }
      mustEqual(parse(JSON.stringify(parsed.request)), parsed, 'decode(encode(m)) = m');
      const replies = await answer(parsed.request, input.length % 2 === 0);
      must(replies.length > 0, 'every request is answered', () => line);
      for (const reply of replies) {
        const again = parseReply(reply);
        if (again === undefined) throw new Finding('a reply is a reply', reply);
        mustEqual(JSON.stringify(again), reply, 'decode(encode(reply)) = reply');
      }
      const [first] = replies.map(parseReply);
      return `${parsed.request.command}: ${first?.ok === true ? 'ok' : first?.code}`;
    },
  };
}

/** What a command of the agent's reads from whoever listens on the socket. */
export function controlReplyTarget(): Target {
  return {
    name: 'control-reply',
    what: 'replies over the control socket',
    files: ['agent/local/control-protocol.ts'],
    group: 'decoders',
    seeds: [
      '{"ok":true,"result":{"lines":[]}}',
      '{"ok":false,"code":"refused","message":"no"}',
      '{"ok":false,"code":"other","message":"no"}',
      '{"ok":false}',
      'null',
      '{',
    ].map(bytesOf),
    dictionary: ['"ok":true', '"ok":false', '"code":"failed"', '"message":""'].map(bytesOf),
    repairs: [],
    maxLength: 200,
    isText: true,
    budget: TEXT_BUDGET,
    read: (input) => parseReply(textOf(input)),
    run: (input) => {
      const reply = parseReply(textOf(input));
      if (reply === undefined) return 'refused';
      mustEqual(parseReply(JSON.stringify(reply)), reply, 'decode(encode(m)) = m');
      return reply.ok ? 'ok' : reply.code;
    },
  };
}

/** Bytes as they come, in one piece or several, over a socket of a real server. */
export function controlSocketTarget(): Target {
  let running: { readonly server: ControlServer; readonly directory: string } | undefined;
  const start = async () => {
    if (running !== undefined) return running;
    const directory = mkdtempSync(path.join(tmpdir(), 'baton-fuzz-'));
    const server = await ControlServer.listen(path.join(directory, 'run'), controlHandler(await subjects()));
    running = { server, directory };
    return running;
  };
  const talk = async (input: Uint8Array): Promise<string> => {
    const { directory } = await start();
    // "\r\n" ends a line too: what is left is blank space of JSON's.
    const lines = textOf(input).split('\n').slice(0, -1);
    const wanted = lines.filter((line) => line.trim() !== '').length;
    const follows = lines.some((line) => isRequest(line) && (JSON.parse(line) as { follow?: unknown }).follow === true);
    return await new Promise<string>((resolve, reject) => {
      const socket = connect(path.join(directory, 'run/agent.sock'));
      let text = '';
      socket.setEncoding('utf8');
      socket.on('data', (chunk: string) => {
        text += chunk;
        if (follows && text.split('\n').length > wanted) socket.destroy();
      });
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
      const half = input.length >> 1;
      socket.write(input.subarray(0, half));
      setImmediate(() => socket.end(input.subarray(half)));
      if (follows && wanted === 0) socket.destroy();
    });
  };
  return {
    name: 'control-socket',
    what: 'bytes over a real control socket',
    // How it listens is not about bytes.
    files: [],
    group: 'decoders',
    seeds: [
      '{"command":"status"}\n',
      '{"command":"events","follow":true}',
      '{"command":"reload"}\n{"command":"nonsense"}\n\n{"command":"preflight"}\r\n',
      '{"command":"status"}',
      '{"command":"events","follow":true}\n',
      '\n\n',
      `${'x'.repeat(70_000)}\n`,
      'x'.repeat(70_000),
    ].map(bytesOf),
    dictionary: [...REQUESTS.map((request) => `${request}\n`), ...WORDS].map(bytesOf),
    repairs: [],
    maxLength: 80_000,
    isText: true,
    budget: TEXT_BUDGET,
    read: talk,
    run: async (input) => {
      const replies = (await talk(input)).split('\n').slice(0, -1).map(parseReply);
      must(!replies.includes(undefined), 'every line is a reply', () => JSON.stringify(replies));
      const lines = textOf(input).split('\n');
      const asked = lines.slice(0, -1).filter((line) => line.trim() !== '').length;
      const isTooLong = Buffer.byteLength(lines.at(-1) ?? '') > 60_000 || input.length > 60_000;
      if (!isTooLong) mustEqual(replies.length >= asked, true, 'every line is answered');
      return [...new Set(replies.map((reply) => (reply?.ok === true ? 'ok' : (reply?.code ?? ''))))].sort().join(' ');
    },
    close: async () => {
      await running?.server.close();
      if (running !== undefined) rmSync(running.directory, { recursive: true, force: true });
      running = undefined;
    },
  };
}
