import { InvalidArgumentError, Option } from 'commander';
import { parseByteSize } from '../recipes/byte-size.js';
import { DEVICE_CHOICES } from '../runs/device.js';

/** The value of a command line option that counts something. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new InvalidArgumentError('expected a positive integer.');
  return value;
}

/** The value of a command line option that is a time in seconds. */
export function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0)) throw new InvalidArgumentError('expected a number of seconds, 0 or more.');
  return value;
}

/** The value of a command line option that is a number from 0 on, such as a seed. */
export function wholeNumber(text: string): number {
  if (!/^\d+$/.test(text)) throw new InvalidArgumentError('expected 0 or a positive whole number.');
  return Number(text);
}

/** The value of a command line option that is a part of a whole. */
export function share(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError('expected a share between 0 and 1, such as 0.2.');
  return value;
}

/** The value of a command line option that is a percentage. */
export function percentage(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value <= 100)) throw new InvalidArgumentError('expected a percentage above 0 and up to 100.');
  return value;
}

/** `--set key=value`, which changes a setting of the recipe and may be repeated. */
export function setOption(example: string): Option {
  return new Option('--set <key=value>', `change one setting, such as ${example}; may be repeated`)
    .argParser(collect)
    .default([], 'none');
}

/** `--device <name>`, where networks compute; `what` says it for people. */
export function deviceOption(what = 'where the network computes'): Option {
  return new Option('--device <name>', `${what}; auto: on a GPU if libtorch sees one`)
    .choices(DEVICE_CHOICES)
    .default('auto');
}

/** `--stage <name>`, whose network of a run is used. */
export function stageOption(): Option {
  return new Option('--stage <name>', "whose network; default: the method's main one, such as student");
}

/** `--checkpoint <step or file>`, weights other than the result of a stage. */
export function checkpointOption(): Option {
  return new Option(
    '--checkpoint <step or file>',
    'weights other than the result of the stage: a step that training.checkpoints kept, best, last, average, or a file',
  );
}

/** Gathers the values of an option that may be repeated. */
function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

/** The value of a command line option that is a list of counts, such as `1,5,10`. */
export function positiveIntegers(text: string): number[] {
  return text.split(',').map(positiveInteger);
}

/** The value of a command line option that is a number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value > 0)) throw new InvalidArgumentError('expected a number above 0.');
  return value;
}

/** The value of a command line option that is a number from 0 on, such as a weight decay. */
export function notNegative(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !(value >= 0)) throw new InvalidArgumentError('expected a number, 0 or more.');
  return value;
}

/** `--crops`, for commands that look at test clips. */
export function cropsOption(): Option {
  return new Option('--crops <n>', "crops of each clip: 1 (the recipe's centre crop) or 3 (both ends and the middle)")
    .default(1, '1')
    .argParser((text) => {
      if (text !== '1' && text !== '3') throw new InvalidArgumentError('expected 1 or 3.');
      return Number(text);
    });
}

/** The value of a command line option that is a size on a disk, as it was written. */
export function byteSize(text: string): string {
  if (parseByteSize(text) === null) throw new InvalidArgumentError('expected a size, such as 20GB or 500MB.');
  return text;
}
