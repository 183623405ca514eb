/** Walks one block: gives every statement to its handler, and reports every one that has none. */
import { type Context, keywordSupport, nearestKeyword } from './keywords.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { splitEscapedWords } from './words.js';

export type Handler = (statement: Statement) => void;

/** Keywords that are meaningless without braces. */
const BLOCK_KEYWORDS: ReadonlySet<string> = new Set([
  'global_defs',
  'vrrp_script',
  'vrrp_instance',
  'vrrp_sync_group',
  'vrrp_track_process',
  'vrrp_track_file',
  'bfd_instance',
  'static_ipaddress',
  'static_routes',
  'static_rules',
  'track_group',
  'garp_group',
  'interface_up_down_delays',
  'group',
  'interfaces',
  'authentication',
  'auth_hmac',
  'virtual_ipaddress',
  'virtual_ipaddress_excluded',
  'virtual_routes',
  'virtual_rules',
  'unicast_peer',
  'track_interface',
  'track_script',
  'track_file',
  'track_process',
  'track_bfd',
  'notification_email',
]);

/** Keywords whose value is a command line, split in its own way. */
const COMMAND_KEYWORDS: ReadonlySet<string> = new Set([
  'script',
  'notify_master',
  'notify_backup',
  'notify_fault',
  'notify_stop',
  'notify_deleted',
  'notify_master_rx_lower_pri',
  'notify',
]);

/** Every keyword of `context` that is read must have a handler; a missing one is a programming error. */
export function walkBlock(
  context: Context,
  statements: readonly Statement[],
  handlers: Readonly<Record<string, Handler>>,
  remarks: Remarks,
): void {
  for (const statement of statements) {
    const keyword = statement.words[0];
    const support = keywordSupport(context, keyword);
    if (support === undefined) {
      reportUnknown(context, statement, remarks);
    } else if (support.support === 'reported') {
      const what = statement.block !== undefined ? countOf(statement.block) : '';
      remarks.add(support.severity, statement.origin, `${keyword}${what}: ${support.meaning}`);
    } else if (fitsItsShape(statement, remarks)) {
      const handler = handlers[keyword];
      if (handler === undefined) throw new TypeError(`no handler for ${keyword} in ${context}`);
      handler(statement);
    }
  }
}

function countOf(block: readonly Statement[]): string {
  return block.length === 1 ? ' (1 line)' : ` (${block.length} lines)`;
}

function reportUnknown(context: Context, statement: Statement, remarks: Remarks): void {
  const keyword = statement.words[0];
  // A misplaced password must not end up in a message.
  const isSecret = context === 'authentication' || context === 'auth_hmac';
  const shown = isSecret ? `a word in ${context}` : quoted(keyword);
  if (statement.block !== undefined) {
    remarks.error(
      statement.origin,
      `unknown keyword: ${shown}, left out with its block; keepalived would read the block's lines as if they stood outside it and take its '}' for the end of the enclosing block`,
    );
    return;
  }
  const nearest = remarks.isFull ? undefined : nearestKeyword(context, keyword);
  const elsewhere = nearest === undefined ? homeOf(keyword) : undefined;
  const hint =
    nearest !== undefined
      ? `; did you mean '${nearest}'?`
      : elsewhere !== undefined && !isSecret
        ? `; it belongs into ${elsewhere}`
        : '';
  remarks.warning(statement.origin, `unknown keyword: ${shown} is ignored, as keepalived ignores it${hint}`);
}

/** Where a misplaced word is looked for, in this order. */
const HOMES = [
  'top',
  'global_defs',
  'vrrp_script',
  'vrrp_instance',
  'authentication',
  'auth_hmac',
  'vrrp_sync_group',
  'bfd_instance',
  'vrrp_track_process',
  'track_file',
  'garp_group',
] as const;

function homeOf(keyword: string): string | undefined {
  for (const context of HOMES) {
    if (keywordSupport(context, keyword) !== undefined) {
      return context === 'top' ? 'no block; is a brace missing before it?' : context;
    }
  }
  return undefined;
}

function fitsItsShape(statement: Statement, remarks: Remarks): boolean {
  const keyword = statement.words[0];
  if (BLOCK_KEYWORDS.has(keyword)) {
    if (statement.block !== undefined) return true;
    remarks.error(statement.origin, `${keyword} needs a block: '{' is missing`);
    return false;
  }
  if (statement.block !== undefined) {
    remarks.error(statement.origin, `${keyword} takes no block; the block is left out`);
  }
  if (!COMMAND_KEYWORDS.has(keyword) && statement.unterminated) {
    remarks.error(statement.origin, `${keyword}: a double quote is not closed; the line is left out`);
    return false;
  }
  if (!COMMAND_KEYWORDS.has(keyword)) reportJoined(statement, remarks);
  return true;
}

function reportJoined(statement: Statement, remarks: Remarks): void {
  if (!statement.joined) return;
  remarks.note(statement.origin, 'a quote touches other characters: one word here, two words in keepalived before 2.3');
}

/** The value of a keyword that takes one; undefined and reported when it is missing. Further words are reported. */
export function singleValue(statement: Statement, remarks: Remarks): string | undefined {
  const value = statement.words[1];
  if (value === undefined) {
    remarks.error(statement.origin, `${statement.words[0]} needs a value; keepalived refuses to start over this`);
    return undefined;
  }
  reportExtra(statement, 2, remarks);
  return value;
}

/** Reports words from `from` on, which keepalived drops without a word. */
export function reportExtra(statement: Statement, from: number, remarks: Remarks): void {
  const extra = statement.words.slice(from);
  if (extra.length === 0) return;
  const isSecret = statement.words[0].startsWith('auth_') || statement.words[0] === 'key';
  const shown = isSecret ? 'further words' : quoted(extra.join(' '));
  remarks.warning(
    statement.origin,
    `${statement.words[0]}: ${shown} after the value is ignored, as in keepalived; a keyword must begin its own line`,
  );
}

/** The words of a list block (recipients, names): every word of every line. Nested blocks are reported. */
export function listedWords(
  statement: Statement,
  remarks: Remarks,
): readonly { readonly word: string; readonly origin: Origin }[] {
  return (statement.block ?? []).flatMap((line) => {
    reportNested(line, remarks);
    return line.words.map((word) => ({ word, origin: line.origin }));
  });
}

/** A line of a list cannot have a block of its own. */
export function reportNested(line: Statement, remarks: Remarks): void {
  if (line.block !== undefined) remarks.error(line.origin, 'a block inside a list is left out');
  if (line.unterminated) remarks.error(line.origin, 'a double quote is not closed');
  reportJoined(line, remarks);
}

/** Command line, user and group of a keyword that names a program; undefined and reported when it cannot be split. */
export function commandWords(statement: Statement, remarks: Remarks): readonly string[] | undefined {
  const keyword = statement.words[0];
  const split = splitEscapedWords(statement.text.slice(keyword.length));
  if (!split.ok) {
    remarks.error(statement.origin, `${keyword}: a quote is not closed; the line is left out`);
    return undefined;
  }
  if (split.words.length === 0 || split.words[0]?.trim() === '') {
    remarks.error(statement.origin, `${keyword} needs a command; the line is left out`);
    return undefined;
  }
  return split.words;
}
