/** Comments of a line, which keepalived removes before anything else and again after each expansion. */

/** Cuts at the first `#` or `!` outside double quotes; `\#` and `\!` outside quotes lose their backslash. Trimmed. */
export function withoutComment(line: string): string {
  let inQuotes = false;
  let kept = '';
  for (let i = 0; i < line.length; i += 1) {
    const character = line[i] ?? '';
    const next = line[i + 1] ?? '';
    if (character === '\\' && next !== '') {
      kept += !inQuotes && (next === '#' || next === '!') ? next : character + next;
      i += 1;
      continue;
    }
    if (character === '"') inQuotes = !inQuotes;
    else if (!inQuotes && (character === '#' || character === '!')) break;
    kept += character;
  }
  return kept.trim();
}
