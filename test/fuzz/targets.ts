/** Every target there is. */
import type { Target } from './target.js';
import { bfdTarget } from './targets/bfd.js';
import { arpTarget, neighborTarget } from './targets/link-layer.js';
import { vrrpTarget } from './targets/vrrp.js';

export const TARGETS: readonly Target[] = [
  vrrpTarget(2, 4),
  vrrpTarget(3, 4),
  vrrpTarget(2, 6),
  vrrpTarget(3, 6),
  arpTarget(),
  neighborTarget(),
  bfdTarget(),
];
