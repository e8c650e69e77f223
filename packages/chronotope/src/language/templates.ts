import { ChronotopeError } from '../errors.js';

/** Sets of prompts; `{}` stands for the name of a class. */
export const TEMPLATE_SETS = ['kinetics', 'ucf', 'single', 'name'] as const;
export type TemplateSet = (typeof TEMPLATE_SETS)[number];

const KINDS = ['photo', 'video', 'example', 'demonstration'] as const;
const AS_PERFORMED = ['', 'using ', 'doing ', 'during ', 'performing ', 'practicing '] as const;

/**
 * Prompts by name: `kinetics` and `ucf` are the 28 and 48 that CLIP's authors published for Kinetics and UCF101
 * (openai/CLIP, data/prompts.md, MIT licence; "a example" is theirs), `single` is one, `name` the bare name.
 */
export const TEMPLATES: Readonly<Record<TemplateSet, readonly string[]>> = {
  kinetics: KINDS.flatMap((kind) => [
    `a ${kind} of {}.`,
    ...AS_PERFORMED.map((how) => `a ${kind} of a person ${how}{}.`),
  ]),
  ucf: AS_PERFORMED.flatMap((how) =>
    ['a', 'the'].flatMap((article) => KINDS.map((kind) => `a ${kind} of ${article} person ${how}{}.`)),
  ),
  single: ['a video of a person {}.'],
  name: ['{}'],
};

/**
 * The prompts about one class.
 *
 * @throws ChronotopeError `template-invalid` for a prompt without a place for the name
 */
export function fillTemplates(templates: readonly string[], name: string): string[] {
  const wrong = templates.find((template) => !template.includes('{}'));
  if (wrong !== undefined || templates.length === 0) {
    throw new ChronotopeError(
      'template-invalid',
      wrong === undefined ? 'no prompts' : `the prompt "${wrong}" has no {}`,
      {
        hint: 'Write {} where the name of the class belongs, such as "a video of a person {}."',
        details: { template: wrong },
      },
    );
  }
  return templates.map((template) => template.replaceAll('{}', () => name));
}
