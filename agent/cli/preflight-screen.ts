/** Findings of a preflight for people. Pure. */
import { type PreflightFinding, PreflightSeverity } from '../../proto/gen/baton/v1/status.js';
import { singleLine } from '../../proto/rules/printable-text.js';
import type { Paint } from './terminal.js';

/** A line for what is so and one for what to do. */
export function preflightLines(findings: readonly PreflightFinding[], paint: Paint): string[] {
  return findings.flatMap(({ severity, subject, message, remedy, routers }) => {
    const { word, colour } = wordOf(severity);
    const whom = routers.length === 0 ? '' : ` (${routers.join(', ')})`;
    return [`${paint(colour, `${word}:`)} ${singleLine(`${subject} ${message}${whom}`)}`, `  ${singleLine(remedy)}`];
  });
}

function wordOf(severity: PreflightSeverity): { readonly word: string; readonly colour: Parameters<Paint>[0] } {
  switch (severity) {
    case PreflightSeverity.ERROR:
      return { word: 'error', colour: 'red' };
    case PreflightSeverity.WARNING:
      return { word: 'warning', colour: 'yellow' };
    default:
      return { word: 'hint', colour: 'dim' };
  }
}
