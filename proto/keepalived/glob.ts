/** Shell patterns of include: braces, `*`, `?` and `[...]`. Pure. */

const MAX_EXPANSIONS = 256;

/** csh braces: "a{b,c}d" is "abd" and "acd"; nested and empty alternatives allowed, bounded in number. */
export function expandBraces(pattern: string): readonly string[] {
  let open: readonly string[] = [pattern];
  const done: string[] = [];
  while (open.length > 0 && done.length + open.length <= MAX_EXPANSIONS) {
    const next: string[] = [];
    for (const text of open) {
      const group = firstGroup(text);
      if (group === undefined) {
        done.push(text);
        continue;
      }
      for (const part of group.alternatives) {
        if (next.length > MAX_EXPANSIONS) break;
        next.push(text.slice(0, group.start) + part + text.slice(group.end));
      }
    }
    open = next;
  }
  return done.slice(0, MAX_EXPANSIONS);
}

/** The first balanced group with its alternatives; undefined when there is none. */
function firstGroup(text: string): { start: number; end: number; alternatives: readonly string[] } | undefined {
  const start = text.indexOf('{');
  if (start < 0) return undefined;
  const alternatives: string[] = [];
  let depth = 0;
  let from = start + 1;
  for (let i = start; i < text.length; i += 1) {
    const character = text[i];
    if (character === '{') depth += 1;
    else if (character === ',' && depth === 1) {
      alternatives.push(text.slice(from, i));
      from = i + 1;
    } else if (character === '}') {
      depth -= 1;
      if (depth === 0) {
        alternatives.push(text.slice(from, i));
        return { start, end: i + 1, alternatives };
      }
    }
  }
  return undefined;
}

/** One part of a path between slashes. `literal`: it holds no pattern and names itself. */
export interface SegmentMatcher {
  readonly literal: string | undefined;
  readonly test: (name: string) => boolean;
}

type Token =
  | { readonly kind: 'star' }
  | { readonly kind: 'one' }
  | { readonly kind: 'set'; readonly negated: boolean; readonly ranges: readonly (readonly [string, string])[] }
  | { readonly kind: 'character'; readonly character: string };

/** A leading dot is matched only by a dot, as in glob(7). */
export function globSegment(segment: string): SegmentMatcher {
  if (!/[*?[\\]/u.test(segment)) return { literal: segment, test: (name) => name === segment };
  const tokens = tokensOf(segment);
  const first = tokens[0];
  const startsWithDot = first?.kind === 'character' && first.character === '.';
  return {
    literal: undefined,
    test: (name) => (startsWithDot || !name.startsWith('.')) && matchTokens(tokens, [...name]),
  };
}

function tokensOf(segment: string): readonly Token[] {
  const tokens: Token[] = [];
  const characters = [...segment];
  for (let i = 0; i < characters.length; i += 1) {
    const character = characters[i] ?? '';
    const next = characters[i + 1];
    if (character === '*') tokens.push({ kind: 'star' });
    else if (character === '?') tokens.push({ kind: 'one' });
    else if (character === '[') {
      const negated = next === '!' || next === '^';
      const from = i + (negated ? 2 : 1);
      // A "]" that comes first is a member.
      const end = characters.indexOf(']', from + 1);
      if (end < 0) {
        tokens.push({ kind: 'character', character });
        continue;
      }
      tokens.push({ kind: 'set', negated, ranges: rangesOf(characters.slice(from, end)) });
      i = end;
    } else if (character === '\\' && next !== undefined) {
      tokens.push({ kind: 'character', character: next });
      i += 1;
    } else tokens.push({ kind: 'character', character });
  }
  return tokens;
}

function rangesOf(members: readonly string[]): readonly (readonly [string, string])[] {
  const ranges: (readonly [string, string])[] = [];
  for (let i = 0; i < members.length; i += 1) {
    const low = members[i] ?? '';
    const high = members[i + 2];
    if (members[i + 1] === '-' && high !== undefined) {
      ranges.push([low, high]);
      i += 2;
    } else ranges.push([low, low]);
  }
  return ranges;
}

/** Goes back to the latest star only, so it takes at most tokens times characters steps. */
function matchTokens(tokens: readonly Token[], name: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  let star = -1;
  let starAt = 0;
  while (at < name.length) {
    const current = tokens[token];
    if (current?.kind === 'star') {
      star = token;
      starAt = at;
      token += 1;
    } else if (current !== undefined && matchOne(current, name[at] ?? '')) {
      token += 1;
      at += 1;
    } else if (star >= 0) {
      starAt += 1;
      at = starAt;
      token = star + 1;
    } else return false;
  }
  while (tokens[token]?.kind === 'star') token += 1;
  return token === tokens.length;
}

function matchOne(token: Token, character: string): boolean {
  if (token.kind === 'one') return true;
  if (token.kind === 'character') return token.character === character;
  if (token.kind === 'star') return false;
  return token.ranges.some(([low, high]) => low <= character && character <= high) !== token.negated;
}
