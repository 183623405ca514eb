/**
 * An alert as a mail: subject, text and HTML. Pure. Whatever came from a host is made printable first and, in the
 * HTML part, escaped; names are not trusted to follow the rules that the API sets for them.
 */
import { printableLines, singleLine } from '../../proto/rules/printable-text.js';
import { type Alert, LATE_AFTER_MS, stateWord } from './alert.js';

export interface MailText {
  /** One printable line. */
  readonly subject: string;
  readonly text: string;
  readonly html: string;
}

const SUBJECT_LIMIT = 200;
/** A router that flaps can change state often within one alert; the mail shows the last so many changes. */
const CHANGES_SHOWN = 100;

export function renderAlert(alert: Alert): MailText {
  const name = alert.isGroup ? `group ${alert.router}` : alert.router;
  const subject = singleLine(`[Baton] ${name}: ${alert.headline} (${alert.cause})`, SUBJECT_LIMIT);
  const vrid = alert.vrid === 0 ? '' : ` (VRID ${alert.vrid})`;
  const facts: [string, string][] = [
    alert.isGroup ? ['Sync group', alert.router] : ['Virtual router', `${alert.router}${vrid}`],
    ['What', alert.headline],
    ['Cause', alert.cause],
    ['When', timestamp(alert.happenedAt)],
  ];
  if (alert.delayMs > LATE_AFTER_MS) {
    facts.push(['Reported late', `the controller was told ${duration(alert.delayMs)} after it happened`]);
  }
  facts.push(['Addresses', alert.addresses.length === 0 ? 'not known any more' : alert.addresses.join(', ')]);

  const hidden = Math.max(0, alert.changes.length - CHANGES_SHOWN);
  const changes = alert.changes
    .slice(hidden)
    .map((change) => [
      timestamp(change.at),
      change.node,
      `${stateWord(change.from)} -> ${stateWord(change.to)}`,
      ...(alert.isGroup ? [] : [String(change.priority)]),
      change.message === '' ? change.cause : change.message,
    ]);
  const members = alert.members.map((member) => [
    member.node,
    stateWord(member.state),
    ...(alert.isGroup ? [] : [String(member.priority)]),
    timestamp(member.since),
  ]);
  const notes = hidden === 0 ? alert.notes : [...alert.notes, `${hidden} earlier changes are not shown.`];
  const priority = alert.isGroup ? [] : ['Priority'];
  const parts: Parts = {
    facts: facts.map(([name, value]) => [name, singleLine(value, 2000)]),
    changes: { head: ['Time', 'Node', 'Change', ...priority, 'Reason'], rows: clean(changes) },
    members: { head: ['Node', 'State', ...priority, 'Since'], rows: clean(members) },
    notes: notes.map((note) => singleLine(note, 1000)),
  };
  return { subject, text: textOf(parts), html: htmlOf(subject, parts) };
}

/** The mail that `batonctl mail test` sends. */
export function renderTest(receiver: string, hostName: string, at: number): MailText {
  const subject = singleLine(`[Baton] test mail for receiver ${receiver}`, SUBJECT_LIMIT);
  const line = singleLine(
    `This is a test from the Baton controller on ${hostName}, sent at ${timestamp(at)} through the receiver "${receiver}". State changes of virtual routers that name this receiver arrive the same way.`,
  );
  return { subject, text: `${line}\n`, html: page(subject, `<p>${escapeHtml(line)}</p>`) };
}

interface Parts {
  readonly facts: readonly (readonly [string, string])[];
  readonly changes: Table;
  readonly members: Table;
  readonly notes: readonly string[];
}

interface Table {
  readonly head: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function textOf({ facts, changes, members, notes }: Parts): string {
  const width = Math.max(...facts.map(([name]) => name.length)) + 2;
  const lines = [
    ...facts.map(([name, value]) => `${`${name}:`.padEnd(width)}${value}`),
    ...(notes.length === 0 ? [] : ['', ...notes]),
    '',
    'State changes',
    ...columns(changes),
    '',
    'Members by last report',
    ...columns(members),
    '',
    '-- ',
    'Sent by Baton. Times are those of the nodes, in UTC.',
  ];
  return printableLines(`${lines.join('\n')}\n`);
}

function columns({ head, rows }: Table): string[] {
  const all = [head, ...rows];
  const widths = head.map((_, column) => Math.max(...all.map((row) => (row[column] ?? '').length)));
  return all.map((row) => `  ${row.map((cell, column) => cell.padEnd(widths[column] ?? 0)).join('  ')}`.trimEnd());
}

function htmlOf(subject: string, { facts, changes, members, notes }: Parts): string {
  const rows = facts
    .map(([name, value]) => `<tr><th align="left">${escapeHtml(name)}</th><td>${escapeHtml(value)}</td></tr>`)
    .join('\n');
  return page(
    subject,
    [
      `<table cellpadding="4">\n${rows}\n</table>`,
      ...notes.map((note) => `<p><b>${escapeHtml(note)}</b></p>`),
      '<h3>State changes</h3>',
      htmlTable(changes),
      '<h3>Members by last report</h3>',
      htmlTable(members),
      '<p><small>Sent by Baton. Times are those of the nodes, in UTC.</small></p>',
    ].join('\n'),
  );
}

function htmlTable({ head, rows }: Table): string {
  const cells = (row: readonly string[], tag: 'th' | 'td'): string =>
    `<tr>${row.map((cell) => `<${tag} align="left">${escapeHtml(cell)}</${tag}>`).join('')}</tr>`;
  return `<table border="1" cellspacing="0" cellpadding="4">\n${[cells(head, 'th'), ...rows.map((row) => cells(row, 'td'))].join('\n')}\n</table>`;
}

function page(subject: string, body: string): string {
  return `<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>${escapeHtml(subject)}</title></head>\n<body>\n${body}\n</body></html>\n`;
}

/** For text content and for quoted attribute values. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

function clean(rows: readonly (readonly string[])[]): string[][] {
  return rows.map((row) => row.map((cell) => singleLine(cell, 500)));
}

/** "2026-11-22 16:50:35.123 UTC". */
function timestamp(at: number): string {
  const date = new Date(at);
  return Number.isNaN(date.getTime()) ? 'unknown' : date.toISOString().replace('T', ' ').replace('Z', ' UTC');
}

/** "1h 2m 3s". */
function duration(ms: number): string {
  const seconds = Math.round(ms / 1000);
  const parts = [
    [Math.floor(seconds / 86_400), 'd'],
    [Math.floor(seconds / 3600) % 24, 'h'],
    [Math.floor(seconds / 60) % 60, 'm'],
    [seconds % 60, 's'],
  ] as const;
  const shown = parts.filter(([count]) => count > 0).slice(0, 2);
  return shown.length === 0 ? '0s' : shown.map(([count, unit]) => `${count}${unit}`).join(' ');
}
