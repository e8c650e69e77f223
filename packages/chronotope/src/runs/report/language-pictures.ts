import { loadSafetensors, nn, noGrad, scope, softmax, type Tensor } from '@chronotope/torch';
import { testPlan } from '../../data/views.js';
import { topClasses } from '../../evaluation/video-level.js';
import { choosePredictions, chooseQueries } from '../../explain/choose-examples.js';
import type { ConceptTimeline, Failure, LanguageTest } from '../../explain/language/content.js';
import { spokenName } from '../../language/class-names.js';
import { TEMPLATES } from '../../language/templates.js';
import { type LanguageModel, openLanguageModel } from '../language-model.js';
import { breathe } from './breathe.js';
import { FilmStrips } from './film-strips.js';
import type { LanguageWork } from './language-work.js';
import { unlabelled } from './recognise-by-words.js';

/** Examples shown; they bound the size of the report. */
const TIMELINES = 6;
const FAILURES = 6;
/** Moments of a timeline, and concepts in it. */
const MOMENTS = 8;
const CONCEPTS = 5;
const RANKING = 3;

type Pictures = Pick<LanguageTest, 'timelines' | 'failures' | 'concepts'>;

/** Film strips of some videos, with the concepts that fire in them; and of confident mistakes. */
export async function languagePictures(
  { run, recipe, videos, progress, signal }: LanguageWork,
  results: Omit<LanguageTest, keyof Pictures>,
): Promise<Pictures> {
  const { classes } = run.description;
  const { main, recogniser } = results;
  const shown = recogniser.by === 'words' ? chooseQueries(results.videos, TIMELINES) : [];
  const { mistakes } = choosePredictions(main, results.videos, { mistakes: FAILURES, successes: 0 });
  const idOf = (video: number) => results.videos[video]!.id;
  const wanted = new Set([...shown, ...mistakes.map(({ video }) => video)].map(idOf));
  const options = { frames: recipe.frames, plan: WHOLE_VIDEO, classes, signal };
  const entries = videos.entries.filter(({ id }) => wanted.has(id));
  const film = entries.length === 0 ? null : await FilmStrips.open(entries, options);
  if (film === null) return { timelines: [], failures: [], concepts: '' };
  try {
    const task = progress.begin('drawing examples', wanted.size, 'videos');
    const strips = new Map<number, ConceptTimeline['strip']>();
    for (const video of new Set([...shown, ...mistakes.map(({ video }) => video)])) {
      if (film.has(idOf(video))) strips.set(video, await film.frames(idOf(video), MOMENTS));
      task.update(strips.size);
      await breathe(signal);
    }
    task.end();
    const failures = mistakes
      .filter(({ video }) => strips.has(video))
      .map((mistake): Failure => {
        const ranking = topClasses(main.draws[0]![mistake.video]!, classes, RANKING);
        return { ...mistake, strip: strips.get(mistake.video)!, ranking };
      });
    const visible = shown.filter((video) => strips.has(video));
    if (visible.length === 0) return { timelines: [], failures, concepts: '' };
    const model = openLanguageModel(run.folder, { stage: main.stage });
    try {
      return { failures, ...timelinesOf(model, { run, recipe, videos }, results, visible, strips) };
    } finally {
      model.dispose();
    }
  } finally {
    film.dispose();
  }
}

/** One clip that shows all of a video in a few frames. */
const WHOLE_VIDEO = testPlan(
  {
    ...{ frames: MOMENTS, stride: 1, globalStride: 1, localClips: 1, virtualFrames: MOMENTS },
    shortVideo: 'repeat-last',
  },
  { clips: 1, transforms: [{ centreCrop: 1 }] },
);

function timelinesOf(
  model: LanguageModel,
  { run, recipe, videos }: Pick<LanguageWork, 'run' | 'recipe' | 'videos'>,
  results: Pick<LanguageTest, 'videos'>,
  shown: readonly number[],
  strips: ReadonlyMap<number, ConceptTimeline['strip']>,
): Pick<LanguageTest, 'timelines' | 'concepts'> {
  return scope(() => {
    const { names, axes, concepts } = conceptsOf(model, { run, recipe });
    const loader = unlabelled(model, videos, MOMENTS);
    const timelines = shown.map((video) => {
      const { clips: drawn, batch } = loader.inspect(results.videos[video]!.id, 0);
      // Clips that cover all of a video are the same at every moment: then one of them.
      const isWhole = drawn.every(({ frames }) => String(frames) === String(drawn[0]!.frames));
      const clips = batch.views.clips!.squeeze(1);
      const looks = isWhole ? clips.narrow(0, 0, 1) : clips;
      const scores = noGrad(() => nn.functional.normalize(model.embed(looks)).matmul(axes.transpose(0, 1)));
      const scale = Math.exp(model.clip.logitScale.item());
      const moments = softmax(scores.mul(scale), 1).toArray() as number[][];
      return { video, strip: strips.get(video)!, concepts: strongest(names, moments) };
    });
    return { timelines, concepts };
  });
}

/** The concepts that a run was trained in; for one without any, the classes. */
function conceptsOf(
  model: LanguageModel,
  { run, recipe }: Pick<LanguageWork, 'run' | 'recipe'>,
): { names: string[]; axes: Tensor; concepts: string } {
  const stage = run.stage('concepts');
  if (recipe.method === 'lss' && recipe.concepts.control === 'none' && stage.isDone) {
    const { names } = stage.result() as { names: string[] | null };
    const axes = loadSafetensors(stage.modelFile).tensors.get('category.axes');
    if (names !== null && axes !== undefined) {
      return { names, axes, concepts: `The concepts are the ${names.length} of the training.` };
    }
  }
  const names = run.description.classes.map(spokenName);
  const axes = model.encoder.classVectors(names, TEMPLATES.kinetics);
  return { names, axes, concepts: `The concepts are the ${names.length} classes.` };
}

/** The concepts that are the most probable at some moment, on average the most probable first. */
function strongest(names: readonly string[], moments: readonly number[][]): ConceptTimeline['concepts'] {
  return names
    .map((name, concept) => ({ name, probabilities: moments.map((moment) => moment[concept]!) }))
    .sort((a, b) => Math.max(...b.probabilities) - Math.max(...a.probabilities))
    .slice(0, CONCEPTS)
    .sort((a, b) => sum(b.probabilities) - sum(a.probabilities));
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
