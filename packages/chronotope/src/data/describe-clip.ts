import type { Box, ClipAugmentation, FrameSize, Step } from '../augment/clip-augmentation.js';
import type { DrawnClip } from './make-views.js';

/** A clip's place in its view, as an index: `locals [1, 3]`. */
export function describePlace({ view, index }: DrawnClip): string {
  if (view.shape.length === 0) return view.name;
  let rest = index;
  const position = view.shape.map((_, axis) => {
    const inner = view.shape.slice(axis + 1).reduce((product, length) => product * length, 1);
    const at = Math.floor(rest / inner);
    rest %= inner;
    return at;
  });
  return `${view.name} [${position.join(', ')}]`;
}

/** Which frames a clip has, briefly: `16 frames, 12 to 72 in steps of 4`. */
export function describeFrames(frames: readonly number[]): string {
  const [first, last] = [frames[0]!, frames.at(-1)!];
  if (frames.length === 1) return `frame ${first}`;
  const steps = frames.slice(1).map((frame, k) => frame - frames[k]!);
  const even = steps.every((step) => step === steps[0]) && steps[0]! > 0;
  if (!even)
    return `${frames.length} frames between ${Math.min(...frames)} and ${Math.max(...frames)}, unevenly spaced`;
  return `${frames.length} frames, ${first} to ${last}${steps[0] === 1 ? '' : ` in steps of ${steps[0]}`}`;
}

/** What was drawn for a clip, in the order of its effects. */
export function describeAugmentation(augmentation: ClipAugmentation, source: FrameSize, size: number): string[] {
  const { crop, canvas, interpolation, flip, steps, normalise } = augmentation;
  const whole = crop.height === source.height && crop.width === source.width;
  const words = [
    `${whole ? 'the whole' : `crop ${boxText(crop)} of the`} ${source.width} x ${source.height} frame`,
    canvas.height === size && canvas.width === size
      ? `to ${size} x ${size} (${interpolation})`
      : `to ${canvas.width} x ${canvas.height} (${interpolation}), of which ${size} x ${size} at (${canvas.left}, ${canvas.top})`,
  ];
  if (flip) words.push('mirrored');
  words.push(...steps.map(describeStep));
  if (normalise !== null) words.push('normalised (undone here)');
  return words;
}

function describeStep(step: Step): string {
  switch (step.kind) {
    case 'gray':
      return 'gray';
    case 'channel-drop':
      return `without ${['red', 'green', 'blue'][step.channel]}`;
    case 'channel-order':
      return `channels in the order ${step.order.map((channel) => 'RGB'[channel]).join(' ')}`;
    case 'erase':
      return `erased ${step.boxes.map(boxText).join(' and ')}`;
    case 'hue':
      return `hue ${step.value >= 0 ? '+' : ''}${step.value.toFixed(3)}`;
    default:
      return `${step.kind} ${step.value.toFixed(2)}`;
  }
}

/** Width x height at (column, row). */
function boxText({ top, left, height, width }: Box): string {
  return `${width} x ${height} at (${left}, ${top})`;
}
