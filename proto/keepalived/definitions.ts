/**
 * Definitions (`$NAME=VALUE`) and their use (`$NAME`, `${NAME}`) in a line. A name that is not defined stays as it is.
 * Expansion happens where a name is used, again and again until nothing is left to expand.
 */
import type { Origin } from './remark.js';
import { isRepetition } from './sequence.js';

/** One line of a template, with the place where it is written. */
export interface TemplateLine {
  readonly text: string;
  readonly origin: Origin;
}

export type Definition =
  | { readonly kind: 'value'; readonly value: string }
  | { readonly kind: 'template'; readonly lines: readonly TemplateLine[] }
  /** Names that keepalived defines. The answer is the value, or why there is none. */
  | {
      readonly kind: 'predefined';
      readonly parameters: readonly [minimum: number, maximum: number];
      readonly evaluate: Evaluate;
    };

export type Evaluate = (
  parameters: readonly string[],
) => { readonly ok: true; readonly value: string } | { readonly ok: false; readonly reason: string };

/** `text` with its names replaced; `rest` are the further lines of a template that stood at its end. */
export type Expansion =
  | {
      readonly ok: true;
      readonly text: string;
      readonly changed: boolean;
      readonly rest: readonly TemplateLine[];
      /** Where `text` is written, when a template's name was the whole line. */
      readonly writtenAt: Origin | undefined;
    }
  | { readonly ok: false; readonly reason: string };

const DEFINITION = /^\$([A-Za-z_][A-Za-z0-9_]*)=[ \t]*(.*)$/su;
const USE = /\$(?:\{([A-Za-z_][A-Za-z0-9_]*)((?:[ \t]+[A-Za-z0-9_]+)*)\}|([A-Za-z_][A-Za-z0-9_]*)(?=[ \t,)]|$))/uy;

const MAX_REPLACEMENTS = 1_000;
const MAX_LENGTH = 65_536;

/** Undefined: the line is no definition. */
export function parseDefinition(line: string): { readonly name: string; readonly value: string } | undefined {
  const match = DEFINITION.exec(line);
  return match === null ? undefined : { name: match[1] ?? '', value: match[2] ?? '' };
}

/** Replaces from left to right; what a name stood for is looked through again. */
export function expandLine(line: string, definitions: ReadonlyMap<string, Definition>): Expansion {
  let text = line;
  let rest: readonly TemplateLine[] = [];
  let writtenAt: Origin | undefined;
  let replacements = 0;
  let at = text.indexOf('$');
  while (at >= 0) {
    USE.lastIndex = at;
    const use = USE.exec(text);
    const name = use?.[1] ?? use?.[3] ?? '';
    const definition = definitions.get(name);
    const end = at + (use?.[0].length ?? 1);
    const parameters = (use?.[2] ?? '').split(/[ \t]+/u).filter((word) => word !== '');
    if (use === null || definition === undefined || (parameters.length > 0 && definition.kind !== 'predefined')) {
      at = text.indexOf('$', at + 1);
      continue;
    }
    let value: string;
    if (definition.kind === 'template') {
      // A template must be the last of its line; elsewhere its name stays.
      if (end !== text.length) {
        at = text.indexOf('$', at + 1);
        continue;
      }
      value = definition.lines[0]?.text ?? '';
      if (at === 0) writtenAt = definition.lines[0]?.origin;
      rest = [...definition.lines.slice(1), ...rest];
    } else if (definition.kind === 'value') {
      value = definition.value;
    } else {
      const [minimum, maximum] = definition.parameters;
      if (parameters.length < minimum || parameters.length > maximum) {
        const wanted = minimum === maximum ? `${minimum}` : `${minimum} to ${maximum}`;
        return { ok: false, reason: `\${${name}} takes ${wanted} words after its name, not ${parameters.length}` };
      }
      const evaluated = definition.evaluate(parameters);
      if (!evaluated.ok) return evaluated;
      value = evaluated.value;
    }
    replacements += 1;
    if (replacements > MAX_REPLACEMENTS || text.length - (end - at) + value.length > MAX_LENGTH) {
      return { ok: false, reason: `$${name} stands for more than a line can hold; does it use itself?` };
    }
    text = text.slice(0, at) + value + text.slice(end);
    // What begins a repetition is expanded when it is repeated.
    if (isRepetition(text.trimStart())) break;
    at = text.indexOf('$', at);
  }
  return { ok: true, text, changed: replacements > 0, rest, writtenAt };
}
