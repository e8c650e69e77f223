import path from 'node:path';
import type { LanguageContent, LanguageTest } from '../../explain/language/content.js';
import { renderLanguage } from '../../explain/language/render-language.js';
import { PRETRAIN } from '../../methods/clip/pipeline.js';
import type { ClipRecipe } from '../../recipes/clip.js';
import type { LssRecipe } from '../../recipes/lss.js';
import { writeFileAtomic } from '../../training/json-files.js';
import type { Progress } from '../../training/progress.js';
import type { RunFolder } from '../run-folder.js';
import { type LabelledVideos, openTestVideos } from '../test-videos.js';
import { featureResults } from './feature-results.js';
import { languageProtocolOf } from './language-protocol.js';
import { languageTest } from './language-test.js';
import { isWithoutVideos, readExcluded } from './left-out.js';
import { stageHistory } from './stage-histories.js';

export interface LanguageReportOptions {
  out: string;
  data?: string;
  progress: Progress;
  signal?: AbortSignal;
}

/**
 * Writes the page about a CLIP, or about what LSS has made of one: accuracy against the image CLIP, what was done, class by
 * class, what its features are good for, the concepts that fire over time, and mistakes. A run that is not finished, or has no test videos, gives a page of what there is.
 *
 * @throws ChronotopeError `unknown-class`, `interrupted`
 */
export async function reportLanguage(
  run: RunFolder,
  recipe: ClipRecipe | LssRecipe,
  options: LanguageReportOptions,
): Promise<void> {
  const { folder, description } = run;
  const { test, missing, excluded } = await tested(run, recipe, options);
  const name = recipe.method === 'clip' ? PRETRAIN : 'self-distillation';
  const protocol = languageProtocolOf(run, recipe);
  const content: LanguageContent = {
    run: path.basename(path.resolve(folder)),
    startedAt: description.createdAt,
    method: recipe.method === 'clip' ? 'CLIP' : recipe.head.kind === 'dino' ? 'SVT' : 'LSS',
    classes: description.classes,
    protocol: { ...protocol, testVideos: test?.videos.length ?? protocol.testVideos },
    withoutTest: missing,
    test,
    features: featureResults(run),
    curves: [stageHistory(run, name, 'training', null)].filter(({ done, lines }) => done || lines.length > 0),
    collapse: collapseOf(run),
    health: { training: readExcluded(run), test: excluded },
  };
  writeFileAtomic(options.out, renderLanguage(content));
}

/** What a finished run has said about collapse. */
function collapseOf(run: RunFolder): string[] {
  const teacher = run.stage('teacher');
  return teacher.isDone ? ((teacher.result().collapse as string[] | undefined) ?? []) : [];
}

async function tested(
  run: RunFolder,
  recipe: ClipRecipe | LssRecipe,
  { data, progress, signal }: LanguageReportOptions,
): Promise<{ test: LanguageTest | null; missing: string | null; excluded: { id: string; reason: string }[] }> {
  let videos: LabelledVideos;
  try {
    videos = await openTestVideos(run, data, { recipe, progress, signal });
  } catch (error) {
    if (!isWithoutVideos(error)) throw error;
    return { test: null, missing: `${error.message}.`, excluded: [] };
  }
  try {
    const test = await languageTest({ run, recipe, videos, progress, signal });
    const excluded = [...videos.excluded, ...videos.loader.damaged];
    return { test, missing: test === null ? 'no network is trained yet.' : null, excluded };
  } finally {
    videos.reader.dispose();
  }
}
