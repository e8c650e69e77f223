import { scope } from '@chronotope/torch';
import type { ClipLoader } from '../../data/loader.js';
import { videoFeatures } from '../../evaluation/features.js';
import { knnScores, nearestNeighbours } from '../../evaluation/nearest-neighbours.js';
import { testLoader } from '../../methods/clip/pipeline.js';
import { type DistilledNetwork, imageClipOf } from '../../methods/lss/networks.js';
import type { VideoBackbone } from '../../models/backbone.js';
import type { LssRecipe } from '../../recipes/lss.js';
import { readRunData } from '../run-data.js';
import { type LabelledVideos, openVideos, withVideos } from '../test-videos.js';
import { withNetwork } from '../trained-networks.js';
import { breathe } from './breathe.js';
import {
  type Answers,
  IMAGE_CLIP,
  IMAGE_FRAMES,
  type LanguageWork,
  type Recognised,
  recognised,
  roleOf,
  titleOf,
} from './language-work.js';

const NEIGHBOURS = 5;

/**
 * What the finished stages of a run say of the test videos by their most similar labelled training videos; before them the
 * image CLIP that the run started from, whose tower the stage `start` has kept.
 *
 * @param why videos are not recognised by words, for people
 */
export async function byNeighbours(work: LanguageWork, done: readonly string[], why: string): Promise<Recognised> {
  const { run, recipe, videos, progress, signal } = work;
  const labelled = readRunData(run).train.filter(({ label }) => label !== null);
  return withVideos(openVideos(run, labelled, { recipe, progress, signal }), async (gallery) => {
    const classes = run.description.classes.length;
    const answers: Answers[] = [];
    const ask = (about: Omit<Answers, 'of'>, backbone: VideoBackbone, tests: ClipLoader, known: ClipLoader) =>
      answers.push({ ...about, of: votes(backbone, tests, known, { labels: gallery.truth, classes }) });
    const task = progress.begin('testing', done.length, 'networks');
    for (const [k, stage] of done.entries()) {
      withNetwork(run, recipe, { stage, draw: 0 }, ({ module, backbone }) => {
        const image = stage === 'start' ? imageClipOf(module as DistilledNetwork, recipe as LssRecipe) : null;
        if (image !== null) {
          const [tests, known] = [singleFrames(videos, recipe), singleFrames(gallery, recipe)];
          ask({ stage: IMAGE_CLIP, title: IMAGE_CLIP, role: 'baseline' }, image, tests, known);
        }
        const about = { stage, title: titleOf(recipe, stage), role: roleOf(stage) };
        ask(about, backbone, videos.loader, gallery.loader);
      });
      task.update(k + 1);
      await breathe(signal);
    }
    task.end();
    return recognised(answers, { by: 'neighbours', k: Math.min(NEIGHBOURS, gallery.loader.videos), why });
  });
}

/** A loader of the frames that an image CLIP sees of the videos. */
function singleFrames({ entries, reader }: LabelledVideos, { inputSize, seed }: LanguageWork['recipe']): ClipLoader {
  const unlabelled = entries.map((entry) => ({ ...entry, label: null }));
  const settings = { inputSize, seed, evaluation: { clips: IMAGE_FRAMES } };
  return testLoader(settings, { entries: unlabelled, classes: [], reader });
}

/** For each test video the shares of the votes of its labelled neighbours, by id. */
function votes(
  backbone: VideoBackbone,
  tests: ClipLoader,
  labelled: ClipLoader,
  { labels, classes }: { labels: ReadonlyMap<string, number>; classes: number },
): Map<string, Float32Array> {
  return scope(() => {
    const [queries, gallery] = [videoFeatures(backbone, tests), videoFeatures(backbone, labelled)];
    const k = Math.min(NEIGHBOURS, gallery.ids.length);
    const neighbours = nearestNeighbours(queries.features, gallery.features, k);
    const known = gallery.ids.map((id) => labels.get(id)!);
    return new Map(
      knnScores(neighbours, known, { k, classes }).map((scores, row) => [queries.ids[row]!, shares(scores)]),
    );
  });
}

function shares(scores: Float32Array): Float32Array {
  const total = scores.reduce((sum, score) => sum + score, 0);
  return scores.map((score) => score / total);
}
