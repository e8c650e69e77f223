import { Option } from 'commander';
import { TEMPLATE_SETS, TEMPLATES, type TemplateSet } from '../language/templates.js';
import type { DeviceChoice } from '../runs/device.js';
import { positiveInteger } from './options.js';

/** Options of every command that compares videos with words. */
export interface LanguageFlags {
  stage?: string;
  clips?: number;
  store?: string;
  device: DeviceChoice;
  json?: boolean;
}

/** `--templates`, the prompts around class names: a set by name, or prompts of one's own separated by `|`. */
export function templatesOption(): Option {
  return new Option(
    '--templates <set or prompts>',
    `prompts about a class: ${TEMPLATE_SETS.join(', ')}, or your own with {} for the name, separated by |`,
  )
    .default(TEMPLATES.kinetics, 'kinetics')
    .argParser((text) =>
      (TEMPLATE_SETS as readonly string[]).includes(text) ? TEMPLATES[text as TemplateSet] : text.split('|'),
    );
}

/** `--clips`, how many clips or frames of a video are looked at. */
export function clipsOption(): Option {
  return new Option(
    '--clips <n>',
    "clips (of an image network: frames) of each video; default: the recipe's, or 8",
  ).argParser(positiveInteger);
}

/** `--store`, a frame store for the decoded videos. */
export function storeOption(): Option {
  return new Option('--store <folder>', 'keep decoded frames here for the next time; by default they are thrown away');
}

/** What the first argument of these commands may be. */
export const MODEL_ARGUMENT = 'a run of train clip, or of train lss from a CLIP, or a file of CLIP weights';
