/** Tells a keepalived.conf from Baton's YAML or JSON by its first words. */
import { KEYWORDS } from './keywords.js';

/**
 * Judges by the first line that is not a comment and speaks for either; false for an empty text. Never throws.
 * keepalived has no line with a colon after its first word, Baton's formats have no other.
 */
export function looksLikeKeepalived(text: string): boolean {
  for (const line of text
    .replace(/^\u{feff}/u, '')
    .slice(0, MAX_CHARACTERS)
    .split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith('!')) continue;
    if (/^(?:[{[%-]|"?[\w./-]+"?:(?:\s|$))/u.test(trimmed)) return false;
    if (/^(?:@\^?[\w.-]+\s|\$\w+\s*=|~(?:SEQx?|LST)\(|include[rmwba]?\s)/u.test(trimmed)) return true;
    const word = /^[\w-]+(?=\s|\{|$)/u.exec(trimmed)?.[0];
    if (word !== undefined && KEYWORDS.top.has(word)) return true;
    if (/\{\s*$/u.test(trimmed)) return true;
  }
  return false;
}

const MAX_CHARACTERS = 1_000_000;
