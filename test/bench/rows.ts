/** Every row of the bench, in the order of the table. */
import type { Row } from './row.js';
import { FAST_TAKEOVER, TAKEOVER } from './takeover.js';

export const ROWS: readonly Row[] = [TAKEOVER, FAST_TAKEOVER];
