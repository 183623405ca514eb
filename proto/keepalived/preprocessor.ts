/**
 * keepalived's preprocessor: conditional lines (`@id`), definitions and templates (`$NAME=`), repetitions (`~SEQ`,
 * `~LST`). Fed the lines of all files in reading order, without their comments, it gives on those that are left, each
 * with the place where its text is written. Bounded in depth and in the number of lines that it makes.
 */
import { withoutComment } from './comment.js';
import { type Definition, expandLine, parseDefinition, type TemplateLine } from './definitions.js';
import type { HostEdges } from './edges.js';
import type { Origin } from './remark.js';
import { quoted, type Remarks } from './remarks.js';
import { isRepetition, parseRepetition } from './sequence.js';

export interface PreprocessorOptions {
  /** What the words after "@" are compared with; undefined: not known. */
  readonly configId: string | undefined;
  /** Absent: the environment may not be read. */
  readonly host: HostEdges | undefined;
}

/** A line that is left; `expanded` when it is not as it stands in the file. */
export type Emit = (line: string, origin: Origin, expanded: boolean) => void;

const MAX_DEPTH = 64;
const MAX_ROUNDS = 64;
const MAX_MADE_LINES = 200_000;
const MAX_MADE_CHARACTERS = 32 * 1024 * 1024;
const MAX_TEMPLATE_LINES = 20_000;
const MAX_RANDOM = 32_767;
const MAX_IDS = 10_000;
const MAX_SHOWN_IDS = 5;

export class Preprocessor {
  readonly #definitions = new Map<string, Definition>();
  readonly #configId: string | undefined;
  readonly #host: HostEdges | undefined;
  readonly #remarks: Remarks;
  readonly #emit: Emit;
  /** The template that is being read. */
  #template: { readonly name: string; readonly lines: TemplateLine[] } | undefined;
  #directory = '.';
  /** Of the line that is being expanded. */
  #origin: Origin = { file: '', line: 1 };
  #random = 1;
  #madeLines = 0;
  #madeCharacters = 0;
  #isFull = false;
  #toldOfMissingId = false;
  /** What conditional lines ask for, and where the first of them stands. */
  readonly #ids = new Set<string>();
  #firstCondition: Origin | undefined;

  constructor(options: PreprocessorOptions, remarks: Remarks, emit: Emit) {
    this.#configId = options.configId;
    this.#host = options.host;
    this.#remarks = remarks;
    this.#emit = emit;
    this.#predefine();
  }

  /** `random_seed` of global_defs. */
  seed(value: number): void {
    this.#random = value;
  }

  /** `line` is without comment and blanks around it; `isBlank`: the line of the file is wholly empty. */
  feed(line: string, isBlank: boolean, origin: Origin, directory: string): void {
    this.#directory = directory;
    if (this.#template !== undefined) {
      this.#continueTemplate(this.#template, line, isBlank, origin);
      return;
    }
    if (line !== '') this.#process(line, origin, 0, false);
  }

  /** A template goes on over the end of an included file, as in keepalived; this is the end of all files. */
  end(): void {
    const template = this.#template;
    if (template !== undefined) this.#define(template.name, { kind: 'template', lines: template.lines });
    this.#template = undefined;
    if (this.#firstCondition === undefined || this.#configId === undefined || this.#ids.has(this.#configId)) return;
    const known = [...this.#ids].slice(0, MAX_SHOWN_IDS).map(quoted).join(', ');
    this.#remarks.warning(
      this.#firstCondition,
      `no conditional line is for ${quoted(this.#configId)}, which this host is called here; the file knows ${known}`,
    );
  }

  #continueTemplate(
    template: { readonly name: string; readonly lines: TemplateLine[] },
    line: string,
    isBlank: boolean,
    origin: Origin,
  ): void {
    const goesOn = line.endsWith('\\');
    const text = goesOn ? line.slice(0, -1).trim() : line;
    if (text !== '' && template.lines.length < MAX_TEMPLATE_LINES) template.lines.push({ text, origin });
    else if (text !== '') {
      this.#remarks.error(
        origin,
        `template $${template.name} has more than ${MAX_TEMPLATE_LINES} lines; this one is left out`,
      );
    }
    // A comment alone is no line; an empty line ends the template.
    if (goesOn || (line === '' && !isBlank)) return;
    if (isBlank) {
      this.#remarks.warning(
        origin,
        `this empty line ends template $${template.name}, as in keepalived, although a line with "\\" stands before it`,
      );
    }
    this.#template = undefined;
    this.#define(template.name, { kind: 'template', lines: template.lines });
  }

  /** Reads one line in which anything may be left to do. Recursion is bounded by MAX_DEPTH. */
  #process(line: string, origin: Origin, depth: number, wasExpanded: boolean): void {
    if (this.#isFull) return;
    if (depth > MAX_DEPTH) {
      this.#remarks.error(
        origin,
        `more than ${MAX_DEPTH} templates or repetitions inside each other; the line is left out`,
      );
      return;
    }
    this.#origin = origin;
    let text = line;
    let expanded = wasExpanded;
    for (let round = 0; round < MAX_ROUNDS; round += 1) {
      if (text.startsWith('@')) {
        const kept = this.#condition(text, origin);
        if (kept === undefined) return;
        text = kept;
        expanded = true;
        continue;
      }
      const definition = parseDefinition(text);
      if (definition !== undefined) {
        this.#startDefinition(definition, origin);
        return;
      }
      if (isRepetition(text)) {
        this.#repeat(text, origin, depth);
        return;
      }
      if (!text.includes('$') || INCLUDE.test(text)) break;
      const expansion = expandLine(text, this.#definitions);
      if (!expansion.ok) {
        this.#remarks.error(origin, `${expansion.reason}; the line is left out, which changes what the file means`);
        return;
      }
      if (!expansion.changed) break;
      if (!this.#mayMake(expansion.text.length, origin)) return;
      expanded = true;
      text = withoutComment(expansion.text);
      this.#reportCut(expansion.text, text, origin);
      const place = expansion.writtenAt === undefined ? origin : usedAt(expansion.writtenAt, origin);
      if (expansion.rest.length > 0 || place !== origin) {
        if (text !== '') this.#process(text, place, depth + 1, true);
        for (const next of expansion.rest) {
          if (!this.#mayMake(next.text.length, origin)) return;
          this.#process(next.text, usedAt(next.origin, origin), depth + 1, true);
        }
        return;
      }
      if (text === '') return;
    }
    this.#emit(text, origin, expanded);
  }

  /** Counts one line that the file does not hold itself. */
  #mayMake(length: number, origin: Origin): boolean {
    this.#madeLines += 1;
    this.#madeCharacters += length;
    if (this.#madeLines <= MAX_MADE_LINES && this.#madeCharacters <= MAX_MADE_CHARACTERS) return true;
    if (!this.#isFull) {
      this.#isFull = true;
      const limit = this.#madeLines > MAX_MADE_LINES ? `${MAX_MADE_LINES} lines` : `${MAX_MADE_CHARACTERS} characters`;
      this.#remarks.error(
        origin,
        `definitions and repetitions of the file stand for more than ${limit}; nothing is read beyond here`,
      );
    }
    return false;
  }

  /** `${_HASH}` gives a "#", which begins a comment where it is not in double quotes, in keepalived too. */
  #reportCut(before: string, after: string, origin: Origin): void {
    if (after.length >= before.trim().length || before.includes('\\')) return;
    this.#remarks.warning(
      origin,
      'after expansion a "#" or "!" outside double quotes begins a comment, as in keepalived; put the word into double quotes',
    );
  }

  /** What is left of a conditional line; undefined: nothing. */
  #condition(text: string, origin: Origin): string | undefined {
    const [, negated = '', id = '', rest = ''] = /^@(\^?)([^ \t]*)[ \t]*(.*)$/su.exec(text) ?? [];
    if (rest === '') return undefined;
    this.#firstCondition ??= origin;
    if (this.#ids.size < MAX_IDS) this.#ids.add(id);
    if (this.#configId === undefined && !this.#toldOfMissingId) {
      this.#toldOfMissingId = true;
      this.#remarks.error(
        origin,
        `${quoted(`@${negated}${id}`)}: which lines count depends on the host, and it is not said which one this is; name it (NAME=FILE), as keepalived's --config-id or the first part of its host name`,
      );
    }
    return (id === this.#configId) === (negated === '') ? rest : undefined;
  }

  #startDefinition({ name, value }: { readonly name: string; readonly value: string }, origin: Origin): void {
    if (name.startsWith('_')) {
      this.#remarks.warning(
        origin,
        `$${name}: names that begin with "_" are keepalived's own; it may come to mean another thing`,
      );
    }
    if (!value.endsWith('\\')) {
      this.#define(name, { kind: 'value', value });
      return;
    }
    const text = value.slice(0, -1).trim();
    this.#template = { name, lines: text === '' ? [] : [{ text, origin }] };
  }

  #define(name: string, definition: Definition): void {
    this.#definitions.set(name, definition);
  }

  #repeat(text: string, origin: Origin, depth: number): void {
    let multiline = false;
    const repetition = parseRepetition(text, (numbers) => {
      const expansion = expandLine(numbers, this.#definitions);
      multiline = expansion.ok && expansion.rest.length > 0;
      return expansion.ok ? expansion.text : numbers;
    });
    if (!repetition.ok || multiline) {
      const reason = repetition.ok ? 'a template cannot be one of its numbers' : repetition.reason;
      this.#remarks.error(origin, `${text.slice(0, 4)} is not understood: ${reason}; the line is left out`);
      return;
    }
    for (const values of repetition.values) {
      for (const [i, variable] of repetition.variables.entries()) {
        this.#define(variable, { kind: 'value', value: values[i] ?? '' });
      }
      if (!this.#mayMake(repetition.rest.length, origin)) return;
      if (repetition.rest !== '') this.#process(repetition.rest, origin, depth + 1, true);
    }
  }

  #predefine(): void {
    const value = (text: string): Definition => ({ kind: 'value', value: text });
    this.#define('_HASH', value('#'));
    this.#define('_BANG', value('!'));
    this.#define('_PWD', {
      kind: 'predefined',
      parameters: [0, 0],
      evaluate: () => {
        if (this.#host === undefined) {
          this.#remarks.warning(
            this.#origin,
            `\${_PWD} is ${this.#directory} here; on the host it is the directory of the file there`,
          );
        }
        return { ok: true, value: this.#directory };
      },
    });
    this.#define('_INSTANCE', {
      kind: 'predefined',
      parameters: [0, 0],
      evaluate: () =>
        this.#configId === undefined
          ? {
              ok: false,
              reason: `\${_INSTANCE} is not known: it is not said which host the file is of; name it (NAME=FILE)`,
            }
          : { ok: true, value: this.#configId },
    });
    this.#define('_RANDOM', {
      kind: 'predefined',
      parameters: [0, 2],
      evaluate: (words) => this.#evaluateRandom(words),
    });
    this.#define('_ENV', {
      kind: 'predefined',
      parameters: [1, 1],
      evaluate: (words) => this.#evaluateEnvironment(words),
    });
  }

  #evaluateRandom(words: readonly string[]): ReturnType<Extract<Definition, { kind: 'predefined' }>['evaluate']> {
    const bounds = words.map((word) => (/^\d{1,9}$/u.test(word) ? Number(word) : undefined));
    const [minimum = 0, given = MAX_RANDOM] = bounds;
    if (bounds.includes(undefined))
      return { ok: false, reason: `\${_RANDOM} takes whole numbers, the least and the greatest` };
    const maximum = Math.max(minimum, given);
    // Any generator will do; this one (Numerical Recipes' linear congruence) gives every run the same numbers.
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    const number = minimum + Math.floor((this.#random / 2 ** 32) * (maximum - minimum + 1));
    this.#remarks.warning(
      this.#origin,
      `\${_RANDOM} is ${number} here; keepalived takes another number at each start, Baton the same for the same file`,
    );
    return { ok: true, value: String(number) };
  }

  #evaluateEnvironment(words: readonly string[]): ReturnType<Extract<Definition, { kind: 'predefined' }>['evaluate']> {
    const [name = ''] = words;
    if (this.#host === undefined) {
      return {
        ok: false,
        reason: `\${_ENV ${name}} is of the environment of keepalived on its host, which is not read here; write the value`,
      };
    }
    const value = this.#host.environment(name);
    this.#remarks.warning(
      this.#origin,
      `\${_ENV ${name}} is taken from the environment of this process${value === undefined ? ', where it is not set: nothing stands for it' : ''}`,
    );
    return { ok: true, value: value ?? '' };
  }
}

/** keepalived looks for includes before it expands; such a line is left for the reader of files, which reports it. */
const INCLUDE = /^include[rmwba]?[ \t]/u;

/** A line of a template is written in one place and used in another. */
function usedAt(written: Origin, used: Origin): Origin {
  return { file: written.file, line: written.line, usedAt: used.usedAt ?? { file: used.file, line: used.line } };
}
