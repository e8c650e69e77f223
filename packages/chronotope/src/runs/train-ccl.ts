import { checkNetwork } from '../methods/ccl/networks.js';
import { runCcl } from '../methods/ccl/pipeline.js';
import { checkQueues, checkVideos, forPictures, withQueueLengths } from '../methods/ccl/settings.js';
import { formatWeightsReport } from '../models/weights/report.js';
import type { CclRecipe } from '../recipes/ccl.js';
import { partOfBatch } from '../training/settings.js';
import type { StartOptions } from './start-run.js';
import { trainRepresentation } from './train-representation.js';

/**
 * Trains an image encoder on videos without labels (CycleContrast), or on folders of pictures such as R2V2.
 *
 * Started as several processes (by chronotope-run, torchrun or the like) it trains on all of them; they must see the same
 * files, and the first one writes.
 *
 * @throws ChronotopeError those of `trainRepresentation`, of `partOfBatch`, `checkNetwork` and of `runCcl`
 */
export async function trainCcl(options: StartOptions & { recipe: CclRecipe }): Promise<void> {
  await trainRepresentation(options, runCcl, (recipe, videos, progress) => {
    const weights = checkNetwork(recipe);
    if (weights) progress.note(formatWeightsReport(weights));
    partOfBatch(recipe.pretrain.batch, recipe.training);
    const ids = videos.map(({ id }) => id);
    checkVideos(ids);
    const settled = forPictures(withQueueLengths(recipe, videos.length), videos);
    checkQueues(settled, ids);
    return settled;
  });
}
