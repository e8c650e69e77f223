import { scope, type Tensor, zeros } from '@chronotope/torch';
import type { CclModel } from './model.js';

/** Our modules and the official ones (CCL's note 3), longest first. */
const MODULES: readonly (readonly [own: string, official: string])[] = [
  ['query.cycle_head.', 'q_cycle_fc.'],
  ['query.head.', 'encoder_q.fc.'],
  ['query.backbone.', 'encoder_q.'],
  ['key.cycle_head.', 'k_cycle_fc.'],
  ['key.head.', 'encoder_k.fc.'],
  ['key.backbone.', 'encoder_k.'],
  ['cycle_queue.keys', 'queue_cycle'],
  ['cycle_queue.pointer', 'queue_cycle_ptr'],
  ['queue.keys', 'queue'],
  ['queue.pointer', 'queue_ptr'],
  ['queue.videos', 'queue_indices'],
];

/** The official checkpoints keep the videos of the first queue only; nothing reads them there. */
const WITHOUT_COUNTERPART = 'cycle_queue.videos';

/** The official name of an entry of {@link CclModel}'s state, without DataParallel's `module.`; null if there is none. */
export function officialKey(own: string): string | null {
  if (own === WITHOUT_COUNTERPART) return null;
  const [prefix, official] = MODULES.find(([start]) => own.startsWith(start))!;
  return official + own.slice(prefix.length);
}

/**
 * The whole state of a training under the official names, as the released checkpoints of CCL and MoCo hold it in
 * `state_dict` (put `module.` before every key for them).
 */
export function officialState(model: CclModel): Map<string, Tensor> {
  const state = new Map<string, Tensor>();
  for (const [own, value] of model.stateDict()) {
    const key = officialKey(own);
    if (key !== null) state.set(key, key === 'queue_indices' ? value.unsqueeze(0) : value);
  }
  state.set('queue_labels', zeros([1, model.queue.length], { dtype: 'int64' }));
  return state;
}

/** What {@link loadOfficialState} found. */
export interface OfficialStateReport {
  loaded: string[];
  /** Entries of the model that the file lacks; they stay as they were. */
  missing: string[];
  /** Entries of the file that the model has no place for. */
  unexpected: string[];
}

/**
 * Takes over the state of an official training: both encoders, and the queues where they have the model's lengths.
 *
 * @param state without DataParallel's `module.`
 * @throws TorchError `argument` when a weight has another shape
 */
export function loadOfficialState(model: CclModel, state: ReadonlyMap<string, Tensor>): OfficialStateReport {
  return scope(() => {
    const found = new Map<string, Tensor>();
    const used = new Set<string>(['queue_labels']);
    for (const own of model.stateDict().keys()) {
      const key = officialKey(own);
      const value = key === null ? undefined : state.get(key);
      if (key === null || value === undefined) continue;
      used.add(key);
      found.set(own, key === 'queue_indices' ? value.flatten() : value);
    }
    const { missing } = model.loadStateDict(found, { strict: false });
    const unexpected = [...state.keys()].filter((key) => !used.has(key));
    return { loaded: [...found.keys()], missing, unexpected };
  });
}
