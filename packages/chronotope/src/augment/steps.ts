import { scope, type Tensor, tensor } from '@chronotope/torch';
import { blur } from './blur.js';
import type { Box, Step } from './clip-augmentation.js';
import {
  adjustBrightness,
  adjustContrast,
  adjustGamma,
  adjustHue,
  adjustSaturation,
  solarise,
  turnGray,
} from './colour.js';
import type { Luma } from './settings.js';

/** What all steps on a batch have in common. */
export interface StepRules {
  /** Cuts values to [0, 1] after every step that can leave that range. */
  clamp: boolean;
  luma: Luma;
}

/** What is done at a time: a step, or gray and gamma in one, since a power is slow and three equal channels need but one. */
type Work = Step | { kind: 'gray-gamma'; value: number };

type WorkOf<Kind extends Work['kind']> = Extract<Work, { kind: Kind }>;

/**
 * Applies to each clip its own steps in its own order, in place. Steps of one kind that are due for several clips at a
 * time are one batched operation.
 *
 * @param clips float32 [N, 3, T, H, W], contiguous
 * @param steps a list for each clip
 */
export function applySteps(clips: Tensor, steps: readonly (readonly Step[])[], rules: StepRules): void {
  const todo = steps.map(withGrayGamma);
  for (let kind = nextKind(todo); kind !== undefined; kind = nextKind(todo)) {
    const chosen = todo.flatMap((list, clip) => (list[0]?.kind === kind ? [clip] : []));
    const due = chosen.map((clip) => todo[clip]!.shift()!);
    scope(() => onSelection(clips, chosen, (selected) => applyKind(selected, due, rules)));
  }
}

function withGrayGamma(steps: readonly Step[]): Work[] {
  return steps.flatMap((step, k): Work[] => {
    const [before, after] = [steps[k - 1], steps[k + 1]];
    if (step.kind === 'gamma' && before?.kind === 'gray') return [];
    return step.kind === 'gray' && after?.kind === 'gamma' ? [{ kind: 'gray-gamma', value: after.value }] : [step];
  });
}

/**
 * The kind to do next: one that no clip needs behind something else, so that as many as possible share it; where the
 * clips' orders contradict one another, the one that is due most often.
 */
function nextKind(todo: readonly (readonly Work[])[]): Work['kind'] | undefined {
  const count = (kinds: Work['kind'][], wanted: Work['kind']): number => kinds.filter((kind) => kind === wanted).length;
  const due = todo.flatMap(([first]) => (first === undefined ? [] : [first.kind]));
  const later = todo.flatMap(([, ...rest]) => rest.map(({ kind }) => kind));
  const ready = due.find((kind) => !later.includes(kind));
  return ready ?? due.sort((a, b) => count(due, b) - count(due, a))[0];
}

/** Applies steps of one kind, one for each clip. */
function applyKind(clips: Tensor, steps: readonly Work[], { clamp, luma }: StepRules): void {
  const { kind } = steps[0]!;
  const values = steps.map((step) => ('value' in step ? step.value : 0));
  const strength = (): Tensor =>
    tensor(Float32Array.from(values), { shape: [values.length, 1, 1, 1, 1], device: clips.device });
  switch (kind) {
    case 'brightness':
      adjustBrightness(clips, strength());
      break;
    case 'contrast':
      adjustContrast(clips, strength(), luma);
      break;
    case 'saturation':
      adjustSaturation(clips, strength(), luma);
      break;
    case 'hue':
      adjustHue(clips, strength());
      break;
    case 'gamma':
      adjustGamma(clips, strength());
      break;
    case 'solarise':
      solarise(clips, strength());
      break;
    case 'gray':
      turnGray(clips, luma);
      break;
    case 'gray-gamma':
      turnGray(clips, luma, strength());
      break;
    case 'blur':
      blur(clips, values);
      break;
    case 'channel-drop':
      dropChannels(clips, steps as readonly WorkOf<'channel-drop'>[]);
      break;
    case 'channel-order':
      reorderChannels(clips, steps as readonly WorkOf<'channel-order'>[]);
      break;
    case 'erase':
      erase(clips, steps as readonly WorkOf<'erase'>[]);
  }
  if (clamp && CAN_OVERSHOOT.has(kind) && values.some((factor) => factor > 1)) clips.clamp_({ min: 0, max: 1 });
}

/** Steps that leave [0, 1] when their factor is greater than 1, and only then. */
const CAN_OVERSHOOT: ReadonlySet<Work['kind']> = new Set(['brightness', 'contrast', 'saturation']);

function dropChannels(clips: Tensor, steps: readonly WorkOf<'channel-drop'>[]): void {
  steps.forEach(({ channel }, clip) => {
    clips.select(0, clip).select(0, channel).zero_();
  });
}

function reorderChannels(clips: Tensor, steps: readonly WorkOf<'channel-order'>[]): void {
  const order = tensor(BigInt64Array.from(steps.flatMap((step) => step.order.map(BigInt))), {
    shape: [steps.length, 3, 1, 1, 1],
    device: clips.device,
  });
  clips.copy_(clips.gather(1, order.expand(clips.shape)));
}

function erase(clips: Tensor, steps: readonly WorkOf<'erase'>[]): void {
  steps.forEach(({ boxes }, clip) => {
    for (const box of boxes) eraseBox(clips.select(0, clip), box);
  });
}

/** Sets a rectangle of a clip [3, T, H, W] to 0; it may reach over the border. */
function eraseBox(clip: Tensor, { top, left, height, width }: Box): void {
  const rows = Math.min(height, clip.shape[2]! - top);
  const columns = Math.min(width, clip.shape[3]! - left);
  clip.narrow(2, top, rows).narrow(3, left, columns).zero_();
}

/** Lets `operation` change the chosen clips in place; the cost depends on their number, not on the batch. */
function onSelection(clips: Tensor, chosen: readonly number[], operation: (selected: Tensor) => void): void {
  if (chosen.length === 1) {
    operation(clips.narrow(0, chosen[0]!, 1));
    return;
  }
  if (chosen.length === clips.shape[0]) {
    operation(clips);
    return;
  }
  const index = tensor(BigInt64Array.from(chosen, BigInt), { device: clips.device });
  const selected = clips.indexSelect(0, index);
  operation(selected);
  clips.indexCopy_(0, index, selected);
}
