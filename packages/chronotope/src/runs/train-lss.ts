import { TEMPLATES } from '../language/templates.js';
import { checkNetwork } from '../methods/lss/networks.js';
import { runLss } from '../methods/lss/pipeline.js';
import type { LssRecipe } from '../recipes/lss.js';
import { heard, withProcesses } from '../training/processes.js';
import type { Progress } from '../training/progress.js';
import { partOfBatch } from '../training/settings.js';
import { encodeConceptList, loadConcepts, type SavedConcepts } from './concepts.js';
import type { StartOptions } from './start-run.js';
import { trainRepresentation } from './train-representation.js';
import { readVideos } from './training-data.js';

/**
 * Trains LSS, or SVT with its recipes, on videos alone. Started by chronotope-run or torchrun, several processes train
 * together.
 *
 * @throws ChronotopeError those of `trainRepresentation`, `checkNetwork`, `loadConcepts` and `runLss`; `batch-not-divisible`
 */
export function trainLss(options: StartOptions & { recipe: LssRecipe }): Promise<void> {
  return withProcesses(() => train({ ...options, progress: heard(options.progress) }));
}

async function train(options: StartOptions & { recipe: LssRecipe; progress: Progress }): Promise<void> {
  const { recipe, progress } = options;
  partOfBatch(recipe.train.batch, recipe.training);
  const start = checkNetwork(recipe);
  if (start !== null) progress.note(start);
  const concepts = await conceptsOf(options);
  await trainRepresentation({ ...options, origin: concepts && { what: 'concepts', hash: concepts.hash } }, (run) =>
    runLss({ ...run, concepts: concepts?.space ?? null }),
  );
}

/** What the axes of a run stand for; undefined for vectors without meaning. */
async function conceptsOf({
  recipe,
  data,
  split,
}: Pick<StartOptions, 'data' | 'split'> & { recipe: LssRecipe }): Promise<
  Pick<SavedConcepts, 'hash' | 'space'> | undefined
> {
  const { file, list, templates } = recipe.concepts;
  if (recipe.head.kind !== 'text') return undefined;
  if (file !== null) return loadConcepts(file);
  if (list === null) return undefined;
  const { classes } = await readVideos(data, split);
  return encodeConceptList(list, { source: recipe.model.pretrained!, templates: TEMPLATES[templates], classes });
}
