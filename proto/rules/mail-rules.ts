/**
 * Mail settings. Whatever reaches a mail header or an SMTP command is held to plain ASCII without control characters
 * here, so that nothing written in a resource can add a header or a recipient.
 */
import { type EmailReceiver, MailSecurity } from '../gen/baton/v1/resources.js';
import { emailWithDefaults } from './defaults.js';
import { checkKnown, checkMailTimeout, checkWhole, quote, type Report } from './field-rules.js';
import { parseIpv4 } from './ipv4.js';

const MAX_RECIPIENTS = 100;

/** @param hasSecret Whether a Secret of that name exists and has a value. */
export function checkEmail(
  email: EmailReceiver,
  checkSecret: (name: string, path: string) => void,
  report: Report,
): void {
  if (email.host === '') {
    report('host', 'is missing; give the name or address of the mail server');
  } else if (!isHost(email.host)) {
    report('host', `${quote(email.host)} is neither a host name nor an address`);
  }
  checkWhole(email.port, 0, 65_535, 'port', report);
  checkKnown(email.security, 'security', report);
  checkMailTimeout(email.timeout, report);
  if (email.heloName !== '' && !isHostName(email.heloName) && !/^\[[0-9A-Fa-f.:]+\]$/.test(email.heloName)) {
    report('heloName', `${quote(email.heloName)} is not a host name`);
  }
  if (email.ca !== '' && !/-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/.test(email.ca)) {
    report('ca', 'holds no certificate in PEM form');
  }
  checkAuthentication(email, checkSecret, report);
  if (email.from === '') {
    report('from', "is missing; give the sender's address");
  } else {
    checkMailAddress(email.from, 'from', report);
  }
  checkRecipients(email.to, report);
}

function checkAuthentication(
  email: EmailReceiver,
  checkSecret: (name: string, path: string) => void,
  report: Report,
): void {
  const { authentication } = email;
  if (authentication === undefined) {
    return;
  }
  const { security } = emailWithDefaults(email);
  if (security === MailSecurity.OPPORTUNISTIC || (security === MailSecurity.NONE && !isLoopback(email.host))) {
    report('authentication', 'would send the password in clear; set security to starttls or tls');
  }
  if (authentication.username === '') {
    report('authentication.username', 'is missing');
  } else if (!/^[\x20-\x7e\u00a0-\uffff]{1,255}$/.test(authentication.username)) {
    report('authentication.username', 'must have up to 255 characters, none of them control characters');
  }
  checkSecret(authentication.secret, 'authentication.secret');
}

function checkRecipients(to: readonly string[], report: Report): void {
  if (to.length === 0) {
    report('to', 'is missing; give at least one recipient');
  }
  if (to.length > MAX_RECIPIENTS) {
    report('to', `has ${to.length} recipients, more than ${MAX_RECIPIENTS}; use a mailing list`);
    return;
  }
  const seen = new Set<string>();
  for (const [index, address] of to.entries()) {
    checkMailAddress(address, `to[${index}]`, report);
    if (seen.has(address.toLowerCase())) {
      report(`to[${index}]`, `${quote(address)} is given twice; remove one`);
    }
    seen.add(address.toLowerCase());
  }
}

function checkMailAddress(address: string, path: string, report: Report): void {
  if (!isMailAddress(address)) {
    report(path, `${quote(address)} is not a mail address; write it as name@host, without display name or quotes`);
  }
}

/** RFC 5321's Dot-string and a domain or IPv4 literal, in ASCII; no quoted names and nothing that looks like an option. */
export function isMailAddress(text: string): boolean {
  const at = text.lastIndexOf('@');
  const name = text.slice(0, Math.max(at, 0));
  const domain = text.slice(at + 1);
  const atom = "[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+";
  return (
    at > 0 &&
    name.length <= 64 &&
    !name.startsWith('-') &&
    new RegExp(`^${atom}(\\.${atom})*$`).test(name) &&
    (isHostName(domain) || /^\[[\d.]+\]$/.test(domain))
  );
}

/** RFC 1123 section 2.1: letters, digits and hyphens in labels of 1 to 63, 253 in all; a dot at the end is fine. */
export function isHostName(text: string): boolean {
  const label = '[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
  return text.length <= 253 && new RegExp(`^${label}(\\.${label})*\\.?$`).test(text);
}

function isHost(text: string): boolean {
  // Four numbers are an address or nothing: "1.2.3.400" must not pass for a name.
  if (/^[\d.]+$/.test(text)) {
    return parseIpv4(text) !== undefined;
  }
  return isHostName(text) || /^[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*$/.test(text);
}

function isLoopback(host: string): boolean {
  const address = parseIpv4(host);
  return host === 'localhost' || host === '::1' || (address !== undefined && address >>> 24 === 127);
}
