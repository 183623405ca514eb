/** Reads lists of routing policy rules, one a line in ip-rule(8)'s words: virtual_rules and static_rules. */
import { Rule } from '../gen/baton/v1/resources.js';
import { reportNested } from './block.js';
import type { Item } from './config.js';
import { OptionReader, Unreadable } from './option-reader.js';
import { MAX_U32 } from './read-number.js';
import { readTable, readTos } from './read-routes.js';
import { quoted, type Remarks } from './remarks.js';
import { parseUnsigned, type TableNames } from './rtnetlink-names.js';
import type { Statement } from './tree.js';
import { parseWhole } from './values.js';

const MAX_RULES = 4_096;

const PROTOCOLS: ReadonlySet<string> = new Set([
  'icmp',
  'igmp',
  'tcp',
  'udp',
  'dccp',
  'gre',
  'esp',
  'ah',
  'sctp',
  'ipv6-icmp',
  'icmpv6',
]);

interface Draft {
  readonly rule: Rule;
  family: 4 | 6 | undefined;
  /** Something that only a rule with a table can have. */
  needsTable: string | undefined;
  trackGroup: string | undefined;
}

/** Adds the rules of one block. `isStatic`: they may belong to a track_group. */
export function readRules(
  statement: Statement,
  into: Item<Rule>[],
  isStatic: boolean,
  tables: TableNames,
  remarks: Remarks,
): void {
  for (const line of statement.block ?? []) {
    reportNested(line, remarks);
    if (into.length === MAX_RULES) {
      remarks.error(line.origin, `more than ${MAX_RULES} rules; this one and those below it are left out`);
      return;
    }
    const reader = new OptionReader(line, statement.words[0], remarks);
    try {
      into.push({ ...readRule(reader, isStatic, tables), origin: line.origin });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
    }
  }
}

function readRule(reader: OptionReader, isStatic: boolean, tables: TableNames): Omit<Item<Rule>, 'origin'> {
  const draft: Draft = { rule: Rule.create(), family: undefined, needsTable: undefined, trackGroup: undefined };
  const { rule } = draft;
  for (let word = reader.next(); word !== undefined; word = reader.next()) {
    readOption(reader, word, draft, isStatic, tables);
  }
  if (rule.table === '' && rule.action === '' && !rule.l3mdev) {
    reader.error('a rule needs table, goto, nop, blackhole, unreachable, prohibit or l3mdev');
  }
  if (draft.needsTable !== undefined && rule.action !== '') {
    reader.error(`${draft.needsTable} cannot stand beside ${rule.action}`);
  }
  const target = /^goto (\d+)$/u.exec(rule.action)?.[1];
  if (target !== undefined && (rule.priority === undefined || rule.priority >= Number(target))) {
    reader.error('goto needs a preference of its own, and a target that is greater than it');
  }
  if (rule.priority === undefined) {
    reader.warn(
      'without preference keepalived chooses one from 32765 downwards; Baton leaves it to the kernel, which does as well',
    );
  }
  if (draft.trackGroup !== undefined && rule.inputInterface === '') {
    reader.warn('track_group needs dev; it is left out, as in keepalived');
    draft.trackGroup = undefined;
  }
  if (rule.from === '' && rule.to === '') rule.family = draft.family === 6 ? 'inet6' : 'inet';
  return { value: rule, trackGroup: draft.trackGroup };
}

function readOption(reader: OptionReader, word: string, draft: Draft, isStatic: boolean, tables: TableNames): void {
  const { rule } = draft;
  switch (word) {
    case 'inet':
    case 'inet6':
      reader.warn(
        `keepalived's manual has the word ${word}, and so has Baton; keepalived itself skips the word after it`,
      );
      agree(reader, draft, word === 'inet' ? 4 : 6);
      return;
    case 'not':
      rule.not = true;
      return;
    case 'from':
    case 'to': {
      const { prefix, family } = reader.prefix(word, reader.value(word));
      if (family !== undefined) agree(reader, draft, family);
      rule[word] = prefix;
      return;
    }
    case 'table':
    case 'lookup':
      decideOnce(reader, rule);
      rule.table = readTable(reader, word, tables);
      return;
    case 'preference':
    case 'order':
    case 'priority':
      rule.priority = reader.number(word, 0, MAX_U32);
      return;
    case 'tos':
    case 'dsfield':
      rule.tos = readTos(reader, word);
      return;
    case 'fwmark':
      readMark(reader, rule);
      return;
    case 'suppress_prefixlength':
    case 'sup_pl':
      rule.suppressPrefixLength = reader.number(word, 0, 128);
      draft.needsTable = word;
      return;
    case 'suppress_ifgroup':
    case 'sup_group':
      rule.suppressGroup = reader.number(word, 0, MAX_U32);
      draft.needsTable = word;
      return;
    case 'dev':
    case 'iif':
      rule.inputInterface = reader.interface(word);
      return;
    case 'oif':
      rule.outputInterface = reader.interface(word);
      return;
    case 'uidrange':
      rule.users = readRange(reader, word, MAX_U32);
      return;
    case 'l3mdev':
      decideOnce(reader, rule);
      rule.l3mdev = true;
      return;
    case 'ipproto': {
      const protocol = reader.value(word);
      if (!PROTOCOLS.has(protocol) && parseUnsigned(protocol, 255) === undefined) {
        reader.error(`ipproto ${quoted(protocol)} is neither a known protocol nor a number from 0 to 255`);
      }
      rule.ipProtocol = protocol;
      return;
    }
    case 'sport':
      rule.sourcePorts = readRange(reader, word, 65_535);
      return;
    case 'dport':
      rule.destinationPorts = readRange(reader, word, 65_535);
      return;
    case 'no_track':
      rule.noTrack = true;
      return;
    case 'track_group':
      if (!isStatic) break;
      draft.trackGroup = reader.value(word);
      return;
    case 'tunnel-id':
    case 'protocol':
    case 'realms':
      reader.skips('rule option', word, 1);
      return;
  }
  const action = word === 'type' ? reader.value(word) : word;
  if (action === 'goto') {
    decideOnce(reader, rule);
    rule.action = `goto ${reader.number(action, 0, MAX_U32)}`;
  } else if (action === 'nop' || action === 'blackhole' || action === 'unreachable' || action === 'prohibit') {
    decideOnce(reader, rule);
    rule.action = action;
  } else reader.unknown('rule option', action);
}

function decideOnce(reader: OptionReader, rule: Rule): void {
  if (rule.table !== '' || rule.action !== '' || rule.l3mdev) {
    reader.error('a rule has one of table, goto, nop, blackhole, unreachable, prohibit and l3mdev');
  }
}

function agree(reader: OptionReader, draft: Draft, family: 4 | 6): void {
  if (draft.family !== undefined && draft.family !== family) reader.error('IPv4 and IPv6 are mixed');
  draft.family = family;
}

/** `MARK[/MASK]`, decimal or hexadecimal. */
function readMark(reader: OptionReader, rule: Rule): void {
  const word = reader.value('fwmark');
  const [text = '', maskText] = word.split('/', 2);
  const mark = parseUnsigned(text, MAX_U32);
  const mask = maskText === undefined ? undefined : parseUnsigned(maskText, MAX_U32);
  if (mark === undefined || (maskText !== undefined && mask === undefined)) {
    reader.error(`fwmark ${quoted(word)} is not a mark or mark/mask`);
  }
  rule.mark = mark;
  rule.mask = mask;
}

/** keepalived takes a range only; one number is taken as a range of one. */
function readRange(reader: OptionReader, option: string, maximum: number): string {
  const word = reader.value(option);
  const [first, last, ...more] = word.split('-').map(parseWhole);
  const end = word.includes('-') ? last : first;
  if (first === undefined || end === undefined || more.length > 0 || first > end || end > maximum || first < 0) {
    reader.error(`${option} ${quoted(word)} is not a range such as 1000-1999`);
  }
  return first === end ? String(first) : `${first}-${end}`;
}
