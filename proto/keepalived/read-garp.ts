/** The gratuitous ARP settings, which stand in global_defs (with the prefix vrrp_) and in instances. */
import { MICROS_PER_SECOND, type Micros } from '../rules/time.js';
import type { Handler } from './block.js';
import { singleValue } from './block.js';
import type { GarpSettings } from './config.js';
import { MAX_INT, readWhole } from './read-number.js';
import { quoted, type Remarks } from './remarks.js';
import type { Statement } from './tree.js';
import { parseTime, parseWhole } from './values.js';

/** What one block sets; absent: not set there. */
export type PartialGarp = { -readonly [K in keyof GarpSettings]?: GarpSettings[K] };

const DEFAULTS: GarpSettings = {
  masterRepeat: 5,
  masterDelay: 5 * MICROS_PER_SECOND,
  masterRefresh: 0,
  masterRefreshRepeat: 1,
  lowerPriorityRepeat: 5,
  lowerPriorityDelay: 5 * MICROS_PER_SECOND,
  arpInterval: 0,
  neighborInterval: 0,
  extraRefresh: 0,
  extraRefreshAll: false,
};

/** Handlers for the six keywords and the periodic one of other interfaces, writing into `target`. */
export function garpHandlers(target: PartialGarp, prefix: '' | 'vrrp_', remarks: Remarks): Record<string, Handler> {
  const seconds = (field: 'masterDelay' | 'masterRefresh' | 'lowerPriorityDelay'): Handler => {
    return (statement) => {
      const value = readWholeSeconds(statement, remarks);
      if (value !== undefined) target[field] = value;
    };
  };
  const count = (field: 'masterRepeat' | 'masterRefreshRepeat' | 'lowerPriorityRepeat', minimum: 0 | 1): Handler => {
    return (statement) => {
      const value = readWhole(statement, [0, MAX_INT], 'the line is ignored', remarks);
      if (value === undefined) return;
      if (value < minimum) {
        remarks.warning(
          statement.origin,
          `${statement.words[0]} must be at least ${minimum}; ${minimum} is used, as in keepalived`,
        );
      }
      target[field] = Math.max(value, minimum);
    };
  };
  return {
    [`${prefix}garp_master_delay`]: seconds('masterDelay'),
    [`${prefix}garp_master_repeat`]: count('masterRepeat', 1),
    [`${prefix}garp_master_refresh`]: seconds('masterRefresh'),
    [`${prefix}garp_master_refresh_repeat`]: count('masterRefreshRepeat', 1),
    [`${prefix}garp_lower_prio_delay`]: seconds('lowerPriorityDelay'),
    [`${prefix}garp_lower_prio_repeat`]: count('lowerPriorityRepeat', 0),
    [`${prefix}garp_extra_if`]: (statement) => readExtra(statement, target, remarks),
    [`${prefix}vmac_garp_intvl`]: (statement) => {
      remarks.note(statement.origin, `${statement.words[0]} is deprecated; the word is ${prefix}garp_extra_if`);
      readExtra(statement, target, remarks);
    },
  };
}

/** `garp_extra_if [all] SECONDS`. */
function readExtra(statement: Statement, target: PartialGarp, remarks: Remarks): void {
  let seconds: number | undefined;
  let all = false;
  for (const word of statement.words.slice(1)) {
    if (word === 'all') all = true;
    else seconds = parseWhole(word);
  }
  if (seconds === undefined || seconds < 1 || seconds > MAX_EXTRA_SECONDS) {
    remarks.error(
      statement.origin,
      `${statement.words[0]} needs whole seconds from 1 to ${MAX_EXTRA_SECONDS}; the line is ignored, as in keepalived`,
    );
    return;
  }
  target.extraRefresh = seconds * MICROS_PER_SECOND;
  target.extraRefreshAll = all;
}

const MAX_EXTRA_SECONDS = 86_400;

/** keepalived takes whole seconds here and cuts off the rest. */
function readWholeSeconds(statement: Statement, remarks: Remarks): Micros | undefined {
  const word = singleValue(statement, remarks);
  if (word === undefined) return undefined;
  const time = parseTime(word);
  if (!time.ok) {
    remarks.error(
      statement.origin,
      `${statement.words[0]} ${quoted(word)} is not a number of seconds; the line is ignored`,
    );
    return undefined;
  }
  const seconds = Math.floor(time.micros / MICROS_PER_SECOND);
  if (seconds * MICROS_PER_SECOND !== time.micros) {
    remarks.warning(
      statement.origin,
      `${statement.words[0]} ${quoted(word)} is cut to ${seconds} whole seconds, as in keepalived`,
    );
  }
  return seconds * MICROS_PER_SECOND;
}

/**
 * Settings of an instance over the global ones over keepalived's defaults; `minimal` is vrrp_min_garp. What follows a
 * lower-priority advertisement is by default what follows becoming master by the global settings, not by the instance's.
 */
export function resolveGarp(instance: PartialGarp, global: PartialGarp, minimal: boolean): GarpSettings {
  const base: GarpSettings = minimal ? { ...DEFAULTS, masterRepeat: 1, masterDelay: 0, masterRefresh: 0 } : DEFAULTS;
  const masterRepeat = global.masterRepeat ?? base.masterRepeat;
  const masterDelay = global.masterDelay ?? base.masterDelay;
  return {
    masterRepeat: instance.masterRepeat ?? masterRepeat,
    masterDelay: instance.masterDelay ?? masterDelay,
    masterRefresh: instance.masterRefresh ?? global.masterRefresh ?? base.masterRefresh,
    masterRefreshRepeat: instance.masterRefreshRepeat ?? global.masterRefreshRepeat ?? base.masterRefreshRepeat,
    lowerPriorityRepeat: instance.lowerPriorityRepeat ?? global.lowerPriorityRepeat ?? masterRepeat,
    lowerPriorityDelay: instance.lowerPriorityDelay ?? global.lowerPriorityDelay ?? masterDelay,
    arpInterval: global.arpInterval ?? 0,
    neighborInterval: global.neighborInterval ?? 0,
    extraRefresh: instance.extraRefresh ?? global.extraRefresh ?? 0,
    extraRefreshAll: (instance.extraRefresh === undefined ? global : instance).extraRefreshAll ?? false,
  };
}
