import { ClipLoader } from '../../data/loader.js';
import type { ScoreAgreement, SimilarityScores } from '../../explain/content.js';
import type { TeacherOutcome } from '../../explain/tallies.js';
import {
  isOfPretraining,
  pretrainedFeatures,
  similarityScores,
  teacherFeatures,
} from '../../methods/timebalance/inference.js';
import { newPretextModel } from '../../methods/timebalance/networks.js';
import { areaUnderCurve } from '../../methods/timebalance/score-map.js';
import { viewPlan } from '../../methods/timebalance/view-plans.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import { loadModel } from '../../training/checkpoint.js';
import type { RunFolder } from '../run-folder.js';
import type { LabelledVideos } from '../test-videos.js';
import { loadClassifier } from '../trained-networks.js';

/** The similarity scores of the training videos, of the first label draw where they differ; `null` before stage C. */
export function trainingSimilarity(run: RunFolder, recipe: TimeBalanceRecipe): SimilarityScores | null {
  const { source, map } = recipe.similarity;
  const stage = run.stage(isOfPretraining(source) ? 'similarity' : 'draw-1/similarity');
  if (!stage.isDone) return null;
  const { scores } = stage.result() as { scores: Record<string, number> };
  return { training: Object.values(scores), source, map, test: null, agreement: null };
}

/**
 * The scores of the test videos, from the networks that gave those of the training videos.
 *
 * @returns by id
 */
export function testSimilarity(
  run: RunFolder,
  recipe: TimeBalanceRecipe,
  { entries, reader }: LabelledVideos,
): Map<string, number> {
  const plan = viewPlan(recipe, 'similarity');
  const { classes } = run.description;
  const { inputSize: size, seed } = recipe;
  const loader = new ClipLoader({ entries, classes, reader, plan, size, batchSize: 16, seed, shuffle: false });
  const { source, teachers } = recipe.similarity;
  const asked = teachers === 'both' ? (['invariant', 'distinctive'] as const) : [teachers];
  const networks = asked.map((teacher) => {
    if (!isOfPretraining(source)) {
      const model = loadClassifier(run, recipe, { stage: `teacher-${teacher}`, draw: 0 });
      return { model, features: teacherFeatures(model, source) };
    }
    const model = newPretextModel(recipe, recipe.pretrain[teacher].clipBatches);
    loadModel(run.stage(`pretrain-${teacher}`), model);
    return { model, features: pretrainedFeatures(model, source) };
  });
  const scores = similarityScores(
    networks.map(({ features }) => features),
    loader,
  );
  for (const { model } of networks) model.dispose();
  return scores;
}

/** How well scores tell which teacher is right, over the videos that only one of them gets right. */
export function scoresAgainstOutcomes(
  scores: readonly number[],
  outcomes: readonly TeacherOutcome[],
): ScoreAgreement | null {
  const scoresWhere = (key: 'onlyInvariant' | 'onlyDistinctive') => scores.filter((_, k) => outcomes[k]![key] > 0);
  const invariant = scoresWhere('onlyInvariant');
  const distinctive = scoresWhere('onlyDistinctive');
  if (invariant.length === 0 || distinctive.length === 0) return null;
  return {
    areaUnderCurve: areaUnderCurve(invariant, distinctive),
    invariant: invariant.length,
    distinctive: distinctive.length,
  };
}
