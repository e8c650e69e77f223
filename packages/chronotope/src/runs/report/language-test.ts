import { ChronotopeError } from '../../errors.js';
import type { LanguageTest } from '../../explain/language/content.js';
import { trainedMethod } from '../../methods/trained-method.js';
import { openLanguageModel } from '../language-model.js';
import type { RunFolder } from '../run-folder.js';
import { bootstrapOver } from '../test-videos.js';
import { languagePictures } from './language-pictures.js';
import { IMAGE_CLIP, type LanguageWork } from './language-work.js';
import { byNeighbours } from './recognise-by-neighbours.js';
import { byWords } from './recognise-by-words.js';

/**
 * How far each network of a run recognises the test videos: by words where it knows any, else by labelled neighbours.
 *
 * @returns null when no network is trained yet
 */
export async function languageTest(work: LanguageWork): Promise<LanguageTest | null> {
  const { run, recipe } = work;
  const method = trainedMethod(recipe);
  const done = method.stages.filter((stage) => run.stage(stage).isDone);
  if (done.length === 0) return null;
  const why = wordless(run, done[0]!);
  const recognised = why === null ? await byWords(work, done) : await byNeighbours(work, done, why);
  const { recogniser, classifiers, ids, captions } = recognised;
  const videos = ids.map((id) => ({ id, truth: work.videos.truth.get(id)! }));
  const main = classifiers.findLast(({ stage }) => stage === method.mainStage) ?? classifiers.at(-1)!;
  const start = classifiers.find(({ stage }) => stage === 'start');
  const imageClip = recipe.method === 'lss' ? classifiers.find(({ title }) => title === IMAGE_CLIP) : undefined;
  const baseline = imageClip ?? start ?? classifiers[0]!;
  const before = start === undefined || start === baseline ? null : start;
  const bootstrap = bootstrapOver({ ...work.videos, ids }, recipe.seed);
  const results = { recogniser, videos, classifiers, main, baseline, before, captions, bootstrap };
  return { ...results, ...(await languagePictures(work, results)) };
}

/** Why a network cannot be asked by words; null when it can. */
function wordless(run: RunFolder, stage: string): string | null {
  try {
    openLanguageModel(run.folder, { stage }).dispose();
    return null;
  } catch (error) {
    const { code } = error as { code?: string };
    if (code === 'io') return 'the file with the text tower that it started from is gone';
    if (!(error instanceof ChronotopeError)) throw error;
    if (code === 'no-language') return 'its network knows no words';
    if (code === 'not-clip') return 'the file that it started from has no text tower';
    throw error;
  }
}
