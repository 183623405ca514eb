/** Effective priority, which is the same for the election and for whoever predicts one. */
export {
  currentPriority,
  effectivePriority,
  failedTracks,
  OWNER_PRIORITY,
  pendingTracks,
} from '../../proto/rules/effective-priority.js';
