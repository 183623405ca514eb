/** Bytes of a configuration file to text: UTF-8, else Latin-1; line ends become "\n". */
import type { Origin } from './remark.js';
import type { Remarks } from './remarks.js';

export function decodeSource(bytes: Uint8Array, start: Origin, remarks: Remarks): string {
  let text: string;
  try {
    text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    remarks.note(start, 'the file is not UTF-8; it is read as Latin-1');
    text = new TextDecoder('latin1').decode(bytes);
  }
  if (text.startsWith('\u{feff}')) {
    remarks.warning(start, 'the file begins with a byte order mark; keepalived takes it as part of the first word');
    text = text.slice(1);
  }
  return text.replaceAll('\r\n', '\n').replaceAll('\r', '');
}
