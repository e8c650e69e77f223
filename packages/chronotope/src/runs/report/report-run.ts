import path from 'node:path';
import type { ReportContent, SimilarityScores, TestResults } from '../../explain/content.js';
import { renderReport } from '../../explain/render-report.js';
import { teacherOutcomes } from '../../explain/tallies.js';
import type { TimeBalanceRecipe } from '../../recipes/timebalance.js';
import { writeFileAtomic } from '../../training/json-files.js';
import { type Progress, silentProgress } from '../../training/progress.js';
import { readTestData } from '../run-data.js';
import { RunFolder } from '../run-folder.js';
import { classifierRecipe, runRecipe } from '../run-recipe.js';
import { type LabelledVideos, openTestVideos } from '../test-videos.js';
import { isWithoutVideos, readExcluded } from './left-out.js';
import { protocolOf } from './protocol.js';
import { reportCcl } from './report-ccl.js';
import { reportLanguage } from './report-language.js';
import { stageHistories } from './stage-histories.js';
import { testResults } from './test-results.js';
import { scoresAgainstOutcomes, testSimilarity, trainingSimilarity } from './test-similarity.js';

export interface ReportOptions {
  /** The HTML file. Default: `report.html` in the run folder. */
  out?: string;
  /** A folder of class folders to test on. Default: the `_test` videos of the training data. */
  data?: string;
  /** Runs of CCL only: other such runs, whose neighbours stand beside. */
  against?: readonly string[];
  progress?: Progress;
  signal?: AbortSignal;
}

/**
 * Writes what a run did and how good it is as one HTML file. A run that is not finished, or has no test videos, gives a
 * report of what there is.
 *
 * @returns the path of the file
 * @throws ChronotopeError `not-a-run-folder`, `unknown-class`, `interrupted`
 */
export async function reportRun(folder: string, options: ReportOptions = {}): Promise<string> {
  const { out = path.join(folder, 'report.html'), data, progress = silentProgress, signal } = options;
  const run = RunFolder.open(folder);
  const any = runRecipe(run);
  if (any.method === 'ccl') {
    await reportCcl(run, any, { out, data, against: options.against ?? [], progress, signal });
    return out;
  }
  if (any.method === 'clip' || any.method === 'lss') {
    await reportLanguage(run, any, { out, data, progress, signal });
    return out;
  }
  const recipe = classifierRecipe(run);
  const { draws } = readTestData(run);
  const tested = await test(run, recipe, { draws, data, progress, signal });
  const protocol = protocolOf(run, recipe);
  const content: ReportContent = {
    run: path.basename(path.resolve(folder)),
    startedAt: run.description.createdAt,
    classes: run.description.classes,
    protocol: { ...protocol, testVideos: tested.results?.videos.length ?? protocol.testVideos },
    withoutTest: tested.missing,
    test: tested.results,
    similarity: tested.similarity,
    curves: stageHistories(run, recipe, draws),
    health: { training: readExcluded(run), test: tested.excluded },
  };
  writeFileAtomic(out, renderReport(content));
  return out;
}

interface Tested {
  results: TestResults | null;
  /** Why there are none. */
  missing: string | null;
  similarity: SimilarityScores | null;
  excluded: { id: string; reason: string }[];
}

async function test(
  run: RunFolder,
  recipe: TimeBalanceRecipe,
  options: { draws: number; data?: string; progress: Progress; signal?: AbortSignal },
): Promise<Tested> {
  const { draws, data, progress, signal } = options;
  const similarity = trainingSimilarity(run, recipe);
  let testSet: LabelledVideos;
  try {
    testSet = await openTestVideos(run, data, { recipe, progress, signal });
  } catch (error) {
    if (!isWithoutVideos(error)) throw error;
    return { results: null, missing: `${error.message}.`, similarity, excluded: [] };
  }
  try {
    const results = await testResults({ run, recipe, testSet, progress, signal }, draws);
    const excluded = [...testSet.excluded, ...testSet.loader.damaged];
    if (results === null) return { results, missing: 'no classifier is trained yet.', similarity, excluded };
    return {
      results,
      missing: null,
      similarity: similarity && withTest(similarity, run, recipe, testSet, results),
      excluded,
    };
  } finally {
    testSet.reader.dispose();
  }
}

/** Adds the scores of the test videos, and how they go with the teachers being right. */
function withTest(
  similarity: SimilarityScores,
  run: RunFolder,
  recipe: TimeBalanceRecipe,
  testSet: LabelledVideos,
  results: TestResults,
): SimilarityScores {
  if (results.teachers === null) return similarity;
  const scores = testSimilarity(run, recipe, testSet);
  const test = results.videos.map(({ id }) => scores.get(id)!);
  return { ...similarity, test, agreement: scoresAgainstOutcomes(test, teacherOutcomes(results)) };
}
