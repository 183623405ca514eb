/** Colours of a terminal (ECMA-48 SGR). The only place that writes an escape; text comes in clean. */
import type { Sink, Surroundings } from './surroundings.js';

export type Colour = 'red' | 'green' | 'yellow' | 'bold' | 'dim';

export type Paint = (colour: Colour, text: string) => string;

const CODES: Readonly<Record<Colour, number>> = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33 };

export const plainPaint: Paint = (_colour, text) => text;

export const colourPaint: Paint = (colour, text) => (text === '' ? '' : `\u001b[${CODES[colour]}m${text}\u001b[0m`);

/** Colours only on a terminal, and only if neither NO_COLOR (no-color.org) nor --no-color says otherwise. */
export function choosePaint(sink: Sink, { env }: Surroundings, wanted: boolean): Paint {
  const refused = !wanted || (env['NO_COLOR'] ?? '') !== '' || env['TERM'] === 'dumb';
  return sink.isTerminal && !refused ? colourPaint : plainPaint;
}
