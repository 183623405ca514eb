/** Tells a keepalived.conf from Baton's YAML or JSON by its first words. */
import { KEYWORDS } from './keywords.js';

/** Judges by the first line that is not a comment; false for an empty text. Never throws. */
export function looksLikeKeepalived(text: string): boolean {
  for (const line of text
    .replace(/^\u{feff}/u, '')
    .slice(0, 1_000_000)
    .split('\n')) {
    const trimmed = line.trim();
    if (trimmed === '' || trimmed.startsWith('#') || trimmed.startsWith('!')) continue;
    if (/^(?:@\^?[\w.-]+\s|\$\w+\s*=|~(?:SEQx?|LST)\(|include[rmwba]?\s)/u.test(trimmed)) return true;
    const word = /^[\w-]+(?=\s|\{|$)/u.exec(trimmed)?.[0];
    if (word === undefined) return false;
    return KEYWORDS.top.has(word) || /^[\w-]+(?:\s+[\w.-]+)*\s*\{\s*$/u.test(trimmed);
  }
  return false;
}
