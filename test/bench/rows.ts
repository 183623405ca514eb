/** Every row of the bench, in the order of the table. */
import { ADVERT_COST } from './advert-cost.js';
import type { Row } from './row.js';
import { SETTLING } from './settling.js';
import { FAST_TAKEOVER, TAKEOVER } from './takeover.js';

export const ROWS: readonly Row[] = [TAKEOVER, FAST_TAKEOVER, ADVERT_COST, SETTLING];
