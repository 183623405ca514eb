/** Every target there is. */
import type { Target } from './target.js';
import { bfdTarget } from './targets/bfd.js';
import { controlReplyTarget, controlRequestTarget, controlSocketTarget } from './targets/control-socket.js';
import { dnsTarget, echoTarget } from './targets/health.js';
import { hmacTarget } from './targets/hmac.js';
import { arpTarget, neighborTarget } from './targets/link-layer.js';
import { netlinkTarget } from './targets/netlink.js';
import { netlinkRequestsTarget } from './targets/netlink-requests.js';
import { recordingTarget } from './targets/recording.js';
import { bundleTarget, journalTarget, resumeTarget, sequenceTarget, startsTarget } from './targets/state-files.js';
import { agentConfigTarget, keepalivedTarget, manifestTarget } from './targets/texts.js';
import { vrrpTarget } from './targets/vrrp.js';

export const TARGETS: readonly Target[] = [
  vrrpTarget(2, 4),
  vrrpTarget(3, 4),
  vrrpTarget(2, 6),
  vrrpTarget(3, 6),
  hmacTarget(),
  arpTarget(),
  neighborTarget(),
  bfdTarget(),
  dnsTarget(),
  echoTarget(),
  netlinkTarget(),
  netlinkRequestsTarget(),
  resumeTarget(),
  startsTarget(),
  bundleTarget(),
  sequenceTarget(),
  journalTarget(),
  recordingTarget(),
  controlRequestTarget(),
  controlReplyTarget(),
  controlSocketTarget(),
  keepalivedTarget(),
  manifestTarget(),
  agentConfigTarget(),
];
