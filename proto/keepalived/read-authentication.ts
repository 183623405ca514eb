/** Reads authentication, the password of version 2. No password ever stands in a remark. */
import { type Handler, singleValue, walkBlock } from './block.js';
import type { Remarks } from './remarks.js';
import type { Statement } from './tree.js';

/** RFC 2338 section 5.3.6: eight bytes. */
const PASSWORD_BYTES = 8;

/** Absent: not given, or given in a way that keepalived ignores. */
export function readAuthentication(
  statement: Statement,
  remarks: Remarks,
): { readonly type: 'PASS' | 'AH' | undefined; readonly password: string | undefined } {
  let type: 'PASS' | 'AH' | undefined;
  let password: string | undefined;
  const handlers: Record<string, Handler> = {
    auth_type: (line) => {
      const word = singleValue(line, remarks);
      if (word === undefined) return;
      if (word === 'PASS' || word === 'AH') type = word;
      else
        remarks.error(
          line.origin,
          'auth_type is neither PASS nor AH; there is no authentication then, as in keepalived',
        );
    },
    auth_pass: (line) => {
      const word = singleValue(line, remarks);
      if (word === undefined) return;
      const bytes = new TextEncoder().encode(word);
      if (bytes.length > PASSWORD_BYTES) {
        remarks.warning(
          line.origin,
          `auth_pass has ${bytes.length} bytes; only the first ${PASSWORD_BYTES} count, in keepalived and in Baton`,
        );
      }
      password = firstBytes(word, PASSWORD_BYTES);
    },
  };
  walkBlock('authentication', statement.block ?? [], handlers, remarks);
  return { type, password };
}

/** The longest beginning of whole characters that fits into so many bytes of UTF-8. */
function firstBytes(text: string, limit: number): string {
  let kept = '';
  let used = 0;
  for (const character of text) {
    used += new TextEncoder().encode(character).length;
    if (used > limit) break;
    kept += character;
  }
  return kept;
}
