/** Every row of the bench, in the order of the table. */
import { ADVERT_COST } from './advert-cost.js';
import { AGENT_START } from './agent-start.js';
import { CHURN } from './churn.js';
import { HEAVY_CHECKS } from './heavy-checks.js';
import { MEMORY } from './memory.js';
import { NOTICES } from './notices.js';
import { PLANNED_STOP } from './planned-stop.js';
import type { Row } from './row.js';
import { SETTLING } from './settling.js';
import { STEADY_ADVERTS } from './steady-adverts.js';
import { FAST_TAKEOVER, TAKEOVER } from './takeover.js';
import { THOUSAND_ROUTERS } from './thousand-routers.js';

export const ROWS: readonly Row[] = [
  TAKEOVER,
  FAST_TAKEOVER,
  STEADY_ADVERTS,
  PLANNED_STOP,
  ADVERT_COST,
  SETTLING,
  THOUSAND_ROUTERS,
  HEAVY_CHECKS,
  NOTICES,
  AGENT_START,
  MEMORY,
  CHURN,
];
