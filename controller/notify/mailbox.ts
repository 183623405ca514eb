/**
 * Mail addresses, parsed once into something that can hold no surprise: an ASCII dot-atom at an ASCII domain. Quoted
 * local parts, comments, routes and lists are refused, because mail software disagrees on what they mean.
 */
import { domainToASCII } from 'node:url';
import { singleLine } from '../../proto/rules/printable-text.js';

export interface Mailbox {
  /** Display name, one printable line; empty when there is none. */
  readonly name: string;
  /** local@domain, at most 254 characters of printable ASCII. */
  readonly address: string;
}

export type ParsedMailbox =
  | { readonly ok: true; readonly mailbox: Mailbox }
  | { readonly ok: false; readonly reason: string };

// RFC 5322 section 3.2.3 dot-atom; a leading "-" would look like an option to a program behind the server.
const LOCAL_PART = /^(?!-)[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*$/u;
const LABEL = /^[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/u;
const ADDRESS_LITERAL = /^\[(?:\d{1,3}(?:\.\d{1,3}){3}|IPv6:[0-9A-Fa-f:.]+)\]$/u;

/** `local@domain` or `Display Name <local@domain>`. */
export function parseMailbox(text: string): ParsedMailbox {
  if (text.length > 400) return refuse(text, 'it is too long');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for.
  if (/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/u.test(text)) return refuse(text, 'it has a control character');
  const angled = /^([^<>]*)<([^<>]*)>\s*$/u.exec(text);
  const name = angled ? (angled[1] ?? '').trim().replace(/^"([^"\\]*)"$/u, '$1') : '';
  if (/["\\@,;:]/u.test(name)) return refuse(text, 'its display name has a character of " \\ @ , ; :');
  const address = (angled ? (angled[2] ?? '') : text).trim();
  const at = address.lastIndexOf('@');
  if (at < 1) return refuse(text, 'it is not of the form name@domain');
  const local = address.slice(0, at);
  if (local.length > 64 || !LOCAL_PART.test(local)) {
    return refuse(text, 'what is before the last "@" is not a plain mailbox name (letters, digits, "." and the like)');
  }
  const domain = mailDomain(address.slice(at + 1));
  if (domain === undefined) return refuse(text, 'what is after the "@" is not a domain');
  const whole = `${local}@${domain}`;
  if (whole.length > 254) return refuse(text, 'it is too long');
  return { ok: true, mailbox: { name: singleLine(name, 100), address: whole } };
}

/** A domain in ASCII form or an address literal; undefined when it is neither. Also judges names said in EHLO. */
export function mailDomain(text: string): string | undefined {
  if (ADDRESS_LITERAL.test(text)) return text;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: ASCII and nothing else.
  const ascii = /^[\u0000-\u007f]*$/u.test(text) ? text : domainToASCII(text);
  if (ascii.length === 0 || ascii.length > 253) return undefined;
  return ascii.split('.').every((label) => LABEL.test(label)) ? ascii : undefined;
}

function refuse(text: string, why: string): ParsedMailbox {
  return { ok: false, reason: `"${singleLine(text, 80)}" is not a usable mail address: ${why}` };
}
